"""Private files and folders: a file is made once, whole or not at all, whoever else tries at the same moment."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

_UNFINISHED = ".new-"
_HOUR = 3600


def make_folder(folder: Path) -> Path:
    """`folder`, made with its parents where it is missing, readable by nobody else."""
    for path in (*reversed(folder.parents), folder):
        if not path.exists():
            path.mkdir(mode=0o700, exist_ok=True)
    return folder


def create_once(path: Path, fill: Callable[[Path], None]) -> None:
    """`path` (0600) as `fill` writes it, unless it is there already.

    `fill` is given an empty file elsewhere. What it made is linked into place only when it is complete and on disk; a
    link, unlike a rename, never replaces what another process was quicker to make.
    """
    if path.exists():
        return
    forget_unfinished(path.parent)
    with TemporaryDirectory(dir=path.parent, prefix=_UNFINISHED) as folder:
        new = Path(folder) / path.name
        os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        fill(new)
        sync_file(new)
        with suppress(FileExistsError):
            os.link(new, path)
    sync_folder(path.parent)


def forget_unfinished(folder: Path) -> None:
    """Removes what a killed process left half-made in the folder; nothing that goes on takes an hour."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        with suppress(FileNotFoundError):  # another process tidies up as well
            if path.stat().st_mtime < time.time() - _HOUR:
                rmtree(path, ignore_errors=True)


def secret_file(path: Path, make: Callable[[], str]) -> str:
    """The secret that `path` holds; `make` says it the first time."""

    def fill(new: Path) -> None:
        new.write_text(make() + "\n", encoding="ascii")

    create_once(path, fill)
    return path.read_text(encoding="ascii").strip()


def sync_file(path: Path) -> None:
    """The file's content is on disk when this returns."""
    _sync(path, os.O_RDWR)


def sync_folder(folder: Path) -> None:
    """The folder's names are on disk when this returns."""
    with suppress(PermissionError):  # Windows opens no folder, and needs no sync of one
        _sync(folder, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    opened = os.open(path, flags)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
