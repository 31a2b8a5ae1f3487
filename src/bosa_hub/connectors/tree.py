"""A user's files on disk: what a path leads to, written whole or not at all."""

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from bosa_hub.connectors.arriving import arrived
from bosa_hub.connectors.paths import mode_of, open_file, resolve
from bosa_hub.errors import BadRequest, Conflict, NotFound, TooLarge
from bosa_hub.private import make_folder, sync_folder

MAX_TEXT = 1 << 20
"""Bytes of a text file that is read or searched."""

Names: TypeAlias = tuple[str, ...]
Kind: TypeAlias = Literal["file", "folder"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder."""

    names: Names
    kind: Kind
    size: int | None
    """Bytes; None for a folder."""
    modified_at: datetime

    @property
    def path(self) -> str:
        """The path as users write it."""
        return "/".join(self.names)


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of one user. `incoming` lies on the same disk, and holds what is not whole yet."""

    root: Path
    incoming: Path

    def children(self, folder: Names) -> list[str]:
        """The names in a folder, sorted.

        Raises:
            NotFound: There is no such folder.

        """
        path = resolve(self.root, folder)
        mode = mode_of(path)
        if mode is None:
            raise NotFound(f"There is no folder {'/'.join(folder)!r}. list_files shows what there is.")
        if not stat.S_ISDIR(mode):
            raise Conflict(f"{'/'.join(folder)!r} is no folder. read_text_file reads a file.")
        return [child.name for child in scan(path)]

    def entry(self, names: Names) -> Entry:
        """What is there.

        Raises:
            NotFound: Nothing is.

        """
        path = resolve(self.root, names)
        try:
            found = path.lstat()
        except FileNotFoundError:
            raise _no_file(names) from None
        return to_entry(names, found)

    def entries(self, paths: Iterable[Names]) -> list[Entry]:
        """What is there, without what went away meanwhile."""
        found: list[Entry] = []
        for names in paths:
            with suppress(NotFound):
                found.append(self.entry(names))
        return found

    def open(self, names: Names) -> tuple[Entry, BinaryIO]:
        """A file, open for reading.

        Raises:
            NotFound: There is none.
            Conflict: It is a folder.

        """
        self._file(names)
        try:
            file = os.fdopen(open_file(self.root.joinpath(*names)), "rb")
        except FileNotFoundError:
            raise _no_file(names) from None
        try:
            return to_entry(names, os.fstat(file.fileno())), file
        except Conflict:
            file.close()
            raise

    def read(self, names: Names) -> tuple[Entry, str]:
        """A file and its text.

        Raises:
            BadRequest: It is no text in UTF-8.
            Conflict: It is a folder.
            TooLarge: It has more than `MAX_TEXT` bytes.

        """
        entry, file = self.open(names)
        with file:
            raw = file.read(MAX_TEXT + 1)
        if len(raw) > MAX_TEXT:
            raise TooLarge(f"{entry.path!r} has {entry.size} bytes; at most {MAX_TEXT} are read as text.")
        try:
            return entry, raw.decode()
        except UnicodeDecodeError as error:
            raise BadRequest(f"{entry.path!r} is no text in UTF-8.", code="NOT_TEXT") from error

    def write(self, names: Names, content: bytes) -> Entry:
        """The file with this content, on disk, in the place of what was there.

        Raises:
            Conflict: A folder is there.

        """
        target = self._target(names)
        if stat.S_ISDIR(mode_of(target) or 0):
            raise _a_folder(names)
        with arrived(self.incoming, BytesIO(content)) as new:
            new.replace(target)
        sync_folder(target.parent)
        return self.entry(names)

    def create(self, names: Names, content: BinaryIO) -> Entry:
        """A new file with this content, whole and on disk, or nothing.

        Raises:
            Conflict: Something is there.

        """
        target = self._target(names)
        if mode_of(target) is not None:
            raise _taken(names, target)
        with arrived(self.incoming, content) as new:
            _link(new, target, names)
        return self.entry(names)

    def move(self, names: Names, new_names: Names) -> Entry:
        """The file at its new path.

        Raises:
            Conflict: Something is there.

        """
        self._file(names)
        source, target = resolve(self.root, names), self._target(new_names)
        try:
            _link(source, target, new_names)
        except FileNotFoundError:
            raise _no_file(names) from None
        source.unlink(missing_ok=True)  # somebody may have deleted it meanwhile
        sync_folder(source.parent)
        return self.entry(new_names)

    def delete(self, names: Names) -> None:
        """The file, or the empty folder, is gone.

        Raises:
            Conflict: The folder is not empty.

        """
        entry, path = self.entry(names), resolve(self.root, names)
        if entry.kind == "file":
            path.unlink(missing_ok=True)  # somebody may have been quicker
        elif not names or scan(path):
            raise Conflict(f"{entry.path!r} is a folder with files in it. Delete those first.")
        else:
            path.rmdir()
        sync_folder(path.parent)

    def _file(self, names: Names) -> Entry:
        entry = self.entry(names)
        if entry.kind == "folder":
            raise Conflict(f"{entry.path!r} is a folder. Name a file.")
        return entry

    def _target(self, names: Names) -> Path:
        if not names:
            raise BadRequest("The path names no file. Give one, like notes/a.txt.", code="BAD_PATH")
        for depth in range(1, len(names)):
            folder = resolve(self.root, names[:depth])
            if mode_of(folder) is None:
                make_folder(folder)
                sync_folder(folder.parent)
        return resolve(self.root, names)


def to_entry(names: Names, found: os.stat_result) -> Entry:
    """What `found` says about the file or folder.

    Raises:
        Conflict: It is neither.

    """
    kind: Kind = "folder" if stat.S_ISDIR(found.st_mode) else "file"
    if kind == "file" and not stat.S_ISREG(found.st_mode):
        raise Conflict(f"{'/'.join(names)!r} is no ordinary file.")
    size = found.st_size if kind == "file" else None
    return Entry(names, kind, size, datetime.fromtimestamp(found.st_mtime, UTC))


def scan(folder: Path) -> list[os.DirEntry[str]]:
    """Files and folders by name; links, pipes and names that are no text are left out."""
    with os.scandir(folder) as entries:
        kept = (each for each in entries if each.is_file(follow_symlinks=False) or each.is_dir(follow_symlinks=False))
        return sorted((each for each in kept if _is_text(each.name)), key=lambda each: each.name)


def _no_file(names: Names) -> NotFound:
    return NotFound(f"There is no file {'/'.join(names)!r}. list_files and search_files show what there is.")


def _is_text(name: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _link(source: Path, target: Path, names: Names) -> None:
    try:
        os.link(source, target)  # a rename would replace what is there
    except FileExistsError:
        raise _taken(names, target) from None
    sync_folder(target.parent)


def _a_folder(names: Names) -> Conflict:
    return Conflict(f"{'/'.join(names)!r} exists, and is a folder. Name a path in it, or choose another.")


def _taken(names: Names, target: Path) -> Conflict:
    if stat.S_ISDIR(mode_of(target) or 0):
        return _a_folder(names)
    return Conflict(f"{'/'.join(names)!r} exists. Delete it first, or choose another path.")


def head(path: Path, size: int) -> bytes:
    """The file's first bytes, `size` at most."""
    with os.fdopen(open_file(path), "rb") as file:
        return file.read(size)
