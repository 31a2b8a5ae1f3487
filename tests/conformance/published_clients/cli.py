"""The published command line tool, in an environment of its own."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..installs import python_with  # noqa: TID252  test folders are no packages

COMMAND_SECONDS = 30
_COLOUR = re.compile(r"\x1b\[\d*m")


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a command."""

    code: int
    output: str

    def row(self, first: str) -> list[str]:
        """The cells of the table's row that begins with this one."""
        rows = [[cell.strip() for cell in line.split("|")] for line in self.output.splitlines()]
        return next(row for row in rows if row[0] == first)


@dataclass(frozen=True, slots=True)
class Cli:
    """The command `bosa`, which keeps its session in the folder."""

    command: Path
    folder: Path

    def run(self, *arguments: str, answer: str = "") -> Ran:
        """What becomes of the command; the answer is given when it asks."""
        done = subprocess.run(
            [str(self.command), *arguments],
            env={"HOME": str(self.folder), "PATH": ""},
            cwd=self.folder,
            input=answer,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        return Ran(done.returncode, _COLOUR.sub("", done.stdout))

    def succeed(self, *arguments: str, answer: str = "") -> Ran:
        """What the command says; a test fails where the command does."""
        ran = self.run(*arguments, answer=answer)
        assert ran.code == 0, ran.output
        return ran

    def fail(self, *arguments: str) -> str:
        """Why the command fails."""
        ran = self.run(*arguments)
        assert ran.code > 0, ran.output
        return ran.output


def install_cli(folder: Path) -> Cli:
    """The command, whose session is in the folder; skips the test when it cannot be had here."""
    return Cli(python_with("bosa-cli==0.0.1").with_name("bosa"), folder)
