"""A file while it leaves: what programs give for one becomes a Source, and is read while it is sent."""

import io
import os
import stat
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

from anyio import to_thread

from bosa_connectors.calls import Action
from bosa_connectors.errors import BrokenUpload, InvalidArguments, Problem
from bosa_connectors.form import CHUNK, Form, Source
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.naming import base_name, label, media_type
from bosa_connectors.problems import A_FILE
from bosa_connectors.shapes import is_array

_END: Final = b""


def with_sources(action: Action, arguments: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments with a Source for each file; raises InvalidArguments for files that cannot be read."""
    problems: list[Problem] = []
    given = {
        name: _with_sources(name, value, problems) if name in action.binary else value
        for name, value in arguments.items()
    }
    if problems:
        raise InvalidArguments(problems)
    return given


def _with_sources(name: str, value: object, problems: list[Problem]) -> object:
    if is_array(value) or isinstance(value, tuple):
        each = enumerate(cast("list[object]", value))
        return [_with_sources(f"{name}.{index}", item, problems) for index, item in each]
    try:
        return source(value) if is_file(value) else value
    except (OSError, ValueError) as odd:
        reason = odd.strerror if isinstance(odd, OSError) and odd.strerror else str(odd)
        problems.append(Problem(name, f"This file cannot be sent: {reason}"[:300], A_FILE))
        return value


def is_file(value: object) -> bool:
    """Whether a program means a file by this value. Text is none: it may be a path or the content."""
    if isinstance(value, (ConnectorFile, bytes, bytearray, memoryview, os.PathLike)):
        return True
    return callable(getattr(value, "read", None))


def source(value: object) -> Source:
    """The file that a program means; raises ValueError or OSError for one that cannot be read."""
    if isinstance(value, ConnectorFile):
        return _named(value.path or value.file, value)
    return _named(value, ConnectorFile.model_construct(filename=None, content_type=None, headers=None))


def _named(content: object, said: ConnectorFile) -> Source:
    if isinstance(content, os.PathLike):
        path = Path(cast("os.PathLike[str]", content))
        size, chunks, own, is_once = _size_of(path), partial(_of_path, path), path.name, False
    elif isinstance(content, (bytes, bytearray, memoryview)):
        held = bytes(cast("bytes", content))
        size, chunks, own, is_once = len(held), partial(_of_bytes, held), "", False
    else:
        file = cast("BinaryIO", content)
        size, start = _extent(file)
        chunks, own, is_once = partial(_of_file, file, start), _own_name(file), start is None
    name = label(said.filename or own or "file")
    kind = said.content_type or media_type(name)
    return Source(name, kind, size, partial(_exactly, chunks, name, size), is_once, said.own_headers)


def made(name: str, content_type: str | None, size: int | None, chunks: Callable[[], Iterator[bytes]]) -> Source:
    """A file of this name, whose bytes come from `chunks`: from the beginning each time, and as many as its size."""
    name = label(name)
    return Source(name, content_type or media_type(name), size, partial(_exactly, chunks, name, size))


def _size_of(path: Path) -> int:
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{str(path)[:200]!r} is a folder or a device. To send a pipe, open it and give the open file")
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_size


def _extent(file: BinaryIO) -> tuple[int | None, int | None]:
    """How many bytes are left in an open file, and from where; None for what cannot be told."""
    if isinstance(file, io.TextIOBase) or hasattr(file, "encoding"):
        raise ValueError("it is open as text. Open it in binary mode")
    try:
        if not file.seekable():
            return None, None
        start = file.tell()
    except (AttributeError, OSError):  # all that it can do is read
        return None, None
    try:
        return max(file.seek(0, os.SEEK_END) - start, 0), start
    except (OSError, ValueError):  # a compressed file knows its end when it gets there
        return None, start
    finally:
        file.seek(start)


def _own_name(file: BinaryIO) -> str:
    name = getattr(file, "name", "")
    return base_name(name) if isinstance(name, str) else ""  # of an unnamed one it is a number


def _of_bytes(content: bytes) -> Iterator[bytes]:
    return (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))


def _of_path(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, CHUNK), _END)


def _of_file(file: BinaryIO, start: int | None) -> Iterator[bytes]:
    if start is not None:
        file.seek(start)
    while chunk := file.read(CHUNK):
        if not isinstance(chunk, bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  anybody's object with a read
            raise TypeError(f"reading it gives {type(chunk).__name__}, not bytes")
        yield chunk


def _exactly(chunks: Callable[[], Iterator[bytes]], name: str, size: int | None) -> Iterator[bytes]:
    """The bytes of a file, which must be as many as it was said to have: half a file is never taken for a whole one."""
    came = 0
    try:
        for chunk in chunks():
            came += len(chunk)
            if size is not None and came > size:
                break
            yield chunk
    except (OSError, ValueError, TypeError) as odd:
        raise BrokenUpload(f"The file {name!r} cannot be read: {odd}. The API got no whole request.") from odd
    if size is not None and came != size:
        said = "more" if came > size else "fewer"
        raise BrokenUpload(
            f"The file {name!r} has {said} bytes than the {size} that it had at first: it changed while it was sent. "
            "The API got no whole request. Send it again when it has come to rest."
        )


@contextmanager
def sending(body: bytes | Form, moved: Callable[[float], None]) -> Generator[bytes | Iterator[bytes]]:
    """The body as httpx takes it. `moved` is told how long it took to send it, once all of it is sent."""
    if isinstance(body, bytes):
        yield body
        return
    with closing(_timed(body, moved)) as chunks:
        yield chunks


def _timed(form: Form, moved: Callable[[float], None]) -> Generator[bytes]:
    began = time.monotonic()
    yield from form.chunks()
    moved(time.monotonic() - began)


@asynccontextmanager
async def asending(body: bytes | Form, moved: Callable[[float], None]) -> AsyncGenerator[bytes | AsyncIterator[bytes]]:
    """The same, read in worker threads."""
    if isinstance(body, bytes):
        yield body
        return
    with closing(_timed(body, moved)) as chunks:
        async with aclosing(_in_threads(chunks)) as awaited:
            yield awaited


async def _in_threads(chunks: Iterator[bytes]) -> AsyncGenerator[bytes]:
    while chunk := await to_thread.run_sync(next, chunks, _END):
        yield chunk
