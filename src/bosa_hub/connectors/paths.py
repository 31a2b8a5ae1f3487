"""Paths that a user may name, and where they lead: never out of the user's own folder."""

import os
import re
import stat
from pathlib import Path, PureWindowsPath

from bosa_hub.errors import BadRequest, Conflict, NotFound

MAX_DEPTH = 64
_MAX_BYTES = 1024
_MAX_NAME_BYTES = 255


def split(path: str) -> tuple[str, ...]:
    """The names along a relative path; `./a//b/` is `a`, `b`.

    Raises:
        BadRequest: It is absolute, climbs with `..`, or has characters that no name may have.

    """
    names = tuple(name for name in path.split("/") if name not in {"", "."})
    if path.startswith("/"):
        raise _refused(path, "begins with a slash: name it from the top of your files, like notes/a.txt")
    if ".." in names:
        raise _refused(path, "climbs out of your files")
    if any(ord(character) < ord(" ") or character in "\\\x7f" for character in path):
        raise _refused(path, "has a backslash or a control character")
    if any(PureWindowsPath(name).drive for name in names):
        raise _refused(path, "names a drive")
    if (
        len(names) > MAX_DEPTH
        or len(path.encode()) > _MAX_BYTES
        or any(len(n.encode()) > _MAX_NAME_BYTES for n in names)
    ):
        raise _refused(path, f"is too long: {_MAX_BYTES} bytes, {MAX_DEPTH} folders, {_MAX_NAME_BYTES} bytes a name")
    return names


def safe_name(label: str) -> str:
    """A name for a file that somebody calls so: the last part of a path, cleaned, "file" where nothing is left."""
    base = re.split(r"[/\\]", label)[-1]
    cleaned = "".join(character if character.isprintable() else "_" for character in base.replace(":", "_")).strip()
    name = cleaned.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")
    return "file" if name in {"", ".", ".."} else name


def resolve(tree: Path, names: tuple[str, ...]) -> Path:
    """Where the names lead below `tree`; the last one may be missing.

    No name on the way is followed where it is a link: links come from outside, and may lead anywhere.

    Raises:
        NotFound: A folder on the way is missing.
        Conflict: Something on the way is no folder, or there is a link.

    """
    here = tree
    for name in names:
        mode = mode_of(here)
        if mode is None:
            raise NotFound(f"There is no folder {relative(tree, here)!r}. list_files shows what there is.")
        if not stat.S_ISDIR(mode):
            raise Conflict(f"{relative(tree, here)!r} is no folder. list_files shows what there is.")
        here /= name
    if stat.S_ISLNK(mode_of(here) or 0):
        raise Conflict(f"{relative(tree, here)!r} is a link, and links are not followed.")
    return here


def mode_of(path: Path) -> int | None:
    """The file's own mode, a link's too; None where there is nothing."""
    try:
        return path.lstat().st_mode
    except FileNotFoundError:
        return None


def open_file(path: Path) -> int:
    """A descriptor to read the file, which must be one: no link, folder or pipe."""
    flags = (getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))  # not every system has each
    return os.open(path, os.O_RDONLY | sum(flags))


def relative(tree: Path, path: Path) -> str:
    """The path as users write it."""
    return path.relative_to(tree).as_posix()


def _refused(path: str, reason: str) -> BadRequest:
    return BadRequest(f"The path {path[:200]!r} {reason}.", code="BAD_PATH")
