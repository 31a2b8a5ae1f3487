"""Folders and files of the server's own, which nobody else may look into."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Final

UNFINISHED: Final = ".new-"
"""How files begin that are not whole yet."""


def make_folder(folder: Path) -> Path:
    """`folder`, made with its parents where it is missing, readable by nobody else."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
    return folder


@contextmanager
def replacing(path: Path) -> Generator[IO[bytes]]:
    """A new file (0600), to be written: at the end of the block it takes the place of the one at `path`, or is gone."""
    with NamedTemporaryFile(dir=path.parent, prefix=UNFINISHED, delete=False) as file:
        new = Path(file.name)
        try:
            yield file
            file.close()
            new.replace(path)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
