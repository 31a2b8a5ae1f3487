"""The commands in README's table do what it says, word for word."""

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
TABLE = README.split("\n## Commands\n")[1].split("\n## ")[0]
EXAMPLES = dict(re.findall(r"^\| `(\w+)` \|.*\| `(bosa-mcp [^|]*)` \|$", TABLE, re.MULTILINE))
LASTING = {"serve", "hub"}
ASKING = {"connect", "disconnect", "login"}  # a person, or a service
WAIT = 40


def environment(folder: Path) -> dict[str, str]:
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
    return {"PATH": path, "HOME": str(folder), "BOSA_DATA_DIR": str(folder / "data"), **measured}


def test_every_command_has_an_example() -> None:
    helped = subprocess.run(
        [sys.executable, "-m", "bosa_mcp", "--help"], capture_output=True, text=True, timeout=WAIT, check=True
    )
    commands = set(re.findall(r"^  (\w+) {2,}\S", helped.stdout.split("Commands:")[1], re.MULTILINE))
    assert set(EXAMPLES) == commands


@pytest.mark.parametrize("command", sorted(set(EXAMPLES) - LASTING - ASKING))
def test_an_example_runs(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        shlex.split(EXAMPLES[command]),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("command", sorted(LASTING))
def test_an_example_that_lasts_is_ready_and_ends_when_told(tmp_path: Path, command: str) -> None:
    words = shlex.split(EXAMPLES[command])
    free = words if "--port" in words else [*words, "--port", "0"]  # for the usual one may be taken here
    with subprocess.Popen(free, env=environment(tmp_path), cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.startswith("ready http://127.0.0.1:") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        assert process.wait(WAIT) == 130
