"""Files that come to a disk: whole or not at all, under a name that is safe, and never over another file."""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from bosa_connectors.naming import numbered, safe_name

Place: TypeAlias = str | os.PathLike[str]
_MOST: Final = 10_000


class Writable(Protocol):
    """A file open for writing bytes."""

    def write(self, data: bytes, /) -> int | None:
        """How many were taken; None for all of them."""
        ...


class Landing:
    """Where a file comes to lie. Until it is whole it has a hidden name; what breaks before leaves nothing."""

    def __init__(self, place: Place, name: str | None) -> None:
        """In a folder under its own name, made safe, with a number where that is taken; else exactly at `place`.

        Raises FileExistsError where `place` is a file, FileNotFoundError where there is no folder to hold it.
        """
        given = Path(place)
        self._folder, self._name = (given, safe_name(name)) if given.is_dir() else (given.parent, given.name)
        self._is_exact = self._folder is not given
        if self._is_exact and os.path.lexists(given):
            raise FileExistsError(f"{str(given)!r} is there already, and is not overwritten. Give another name.")
        self._part = self._folder / f".{secrets.token_hex(8)}.part"
        self._file = self._part.open("xb")

    def write(self, chunk: bytes) -> None:
        """The next bytes."""
        self._file.write(chunk)

    def finish(self) -> Path:
        """Where the file lies, now that it is whole."""
        self._file.close()
        final = self._claim()
        try:
            self._part.replace(final)
        except BaseException:
            final.unlink()
            raise
        return final

    def discard(self) -> None:
        """Leaves nothing."""
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _claim(self) -> Path:
        """A name that nothing had, held by an empty file."""
        for number in range(_MOST):
            final = self._folder / numbered(self._name, number)
            with suppress(FileExistsError):
                final.open("xb").close()
                return final
            if self._is_exact:
                break
        raise FileExistsError(f"{str(self._folder / self._name)!r} is there already. Give another name.")


def save(chunks: Iterator[bytes], place: Place, name: str | None) -> Path:
    """Where these bytes lie now, all of them."""
    landing = Landing(place, name)
    try:
        for chunk in chunks:
            landing.write(chunk)
        return landing.finish()
    except BaseException:
        landing.discard()
        raise


def write_all(file: Writable, chunk: bytes) -> None:
    """Writes all of it, also to a file that takes only some at a time."""
    written = file.write(chunk)
    while written is not None and written < len(chunk):
        chunk = chunk[written:]
        written = file.write(chunk)
