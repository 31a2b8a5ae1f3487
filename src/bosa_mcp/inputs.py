"""What a model names as a file becomes one that can be sent: kept by this server, lying in a folder, or written out."""

import base64
import os
import re
import stat
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from mimetypes import guess_extension
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote, unquote_to_bytes

from anyio import to_thread

from bosa_connectors import upload
from bosa_connectors.errors import InvalidArguments, Problem
from bosa_connectors.form import CHUNK, Source
from bosa_connectors.naming import base_name
from bosa_connectors.shapes import is_array, members
from bosa_connectors.wording import show
from bosa_mcp import arguments, resources
from bosa_mcp.arguments import Asked
from bosa_mcp.store import Store, StoreError
from bosa_mcp.tools import Offer

DATA_MOST: Final = 100 * 1024
"""Bytes of a file that is written out as a `data:` URI."""
FILES_MOST: Final = 100
"""Files of one argument."""
DOWNLOADS: Final = "downloads"
"""Where in the data folder files lie that a person was given."""
_KIND: Final = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII)
_NOTHING: Final = Source("", "", 0, lambda: iter(()))


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the files come from that a model names."""

    store: Store
    root: Path | None = None
    """The folder below which they may lie; None where client and server do not share a disk."""
    private: Path | None = None
    """The folder of the server's own, of which only what was downloaded is sent."""

    @property
    def expected(self) -> str:
        """What may be given for a file."""
        below = f", a file:// path below {self.root}" if self.root else ""
        return (
            f"bosa://files/{{id}}, as tools and uploads give it{below}, or a data: URI of at most {DATA_MOST:,} bytes"
        )

    @asynccontextmanager
    async def taken(self, offer: Offer, asked: Asked, owner: str) -> AsyncGenerator[Asked]:
        """What is asked for, with a file in place of each text that names one. Raises InvalidArguments, StoreError.

        The files are at hand until the end of the block, from their beginning as often as they are sent.
        """
        with ExitStack() as opened:
            taking = _Taking(self, owner, opened, [])
            own = {
                name: await taking.argument(offer, name, value) if name in offer.action.binary else value
                for name, value in asked.own.items()
            }
            if taking.wrong:
                raise InvalidArguments([*arguments.others(offer, own), *taking.wrong])
            yield replace(asked, own=own)


@dataclass(frozen=True, slots=True)
class _Taking:
    """The files of one call."""

    inputs: Inputs
    owner: str
    opened: ExitStack
    wrong: list[Problem]

    async def argument(self, offer: Offer, name: str, value: object) -> object:
        """A file, or several where the argument takes several; what is absent stays so."""
        takes_several = (
            members(members(offer.tool.input_schema["properties"]).get(offer.shown(name))).get("type") == "array"
        )
        if takes_several and isinstance(value, str):
            value = arguments.unpacked(value)
            value = value if is_array(value) else [value]
        if not is_array(value):
            return None if value is None else await self._file(name, value)
        if len(value) > FILES_MOST:
            self._refuse(name, f"there are {len(value)} files, and at most {FILES_MOST} are taken")
            return []
        return [await self._file(f"{name}.{index}", each) for index, each in enumerate(value)]

    async def _file(self, path: str, value: object) -> Source:
        try:
            return await self._source(value)
        except StoreError:
            raise
        except (OSError, ValueError, RuntimeError) as odd:
            self._refuse(path, odd.strerror if isinstance(odd, OSError) and odd.strerror else str(odd))
            return _NOTHING

    def _refuse(self, path: str, reason: str) -> None:
        self.wrong.append(Problem(path, f"This file cannot be sent: {reason[:300]}", self.inputs.expected))

    async def _source(self, value: object) -> Source:
        if not isinstance(value, str):
            raise ValueError(f"it is named by a text, not by {show(value)}")  # noqa: TRY004  a value, not a mistake of ours
        scheme = value[:8].partition(":")[0].lower()
        if scheme == "bosa":
            return await self._kept(value)
        if scheme == "file":
            return await to_thread.run_sync(self._lying, value)
        if scheme == "data":
            return written_out(value)
        raise ValueError("it is no address of a file that can be reached from here")

    async def _kept(self, uri: str) -> Source:
        address = resources.address(uri)
        if address.offset or address.length is not None:
            raise ValueError("a file is sent whole: leave the ? and what follows it out")
        kept = await self.inputs.store.find(self.owner, address.kind, address.id)
        if kept is None:
            raise ValueError("there is none at this address, or no longer")
        return upload.made(kept.name, kept.mime_type, kept.size, partial(self.inputs.store.blocks, kept))

    def _lying(self, uri: str) -> Source:
        if self.inputs.root is None:
            raise ValueError("this server takes no paths; where it runs over stdio, BOSA_FILES_ROOT allows a folder")
        path = path_of(uri)
        file = self.opened.enter_context(open_below(self.inputs.root, path, self.inputs.private))
        return upload.made(path.name, None, os.fstat(file.fileno()).st_size, partial(_blocks, file))


def path_of(uri: str) -> Path:
    """The path that a `file://` URI means; raises ValueError."""
    path = unquote(uri[len("file:") :], errors="surrogateescape").removeprefix("//").removeprefix("localhost")
    if not path.startswith("/"):
        raise ValueError("expected the whole path, as in file:///folder/name")
    if "\0" in path:
        raise ValueError("a path holds no NUL")
    if sys.platform == "win32" and re.match(r"/[a-zA-Z]:", path):
        path = path[1:]
    return Path(path)


def open_below(root: Path, path: Path, private: Path | None = None) -> BinaryIO:
    """The file at this path, open for reading, which lies below `root` whatever others do meanwhile.

    What lies in `private` is refused, apart from what was downloaded there: keys and logins are among it.

    Links are followed first; then it is opened folder by folder, where a link is one that came since, and is refused.
    Raises ValueError and OSError.
    """
    root, found = root.resolve(strict=True), path.resolve()
    if not found.is_relative_to(root):
        raise ValueError(f"it does not lie below {root}")
    if private and _is_private(found, private.resolve()):
        raise ValueError("it belongs to the server itself")
    opened = _open(root, found.relative_to(root).parts)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise ValueError("it is a folder or a device, and no file")
    return os.fdopen(opened, "rb")


def _is_private(found: Path, private: Path) -> bool:
    return found.is_relative_to(private) and not found.is_relative_to(private / DOWNLOADS)


def _open(root: Path, parts: tuple[str, ...]) -> int:
    if sys.platform == "win32":  # it opens no file within an open folder
        return os.open(root.joinpath(*parts), os.O_RDONLY | os.O_BINARY)
    at = os.open(root, os.O_RDONLY | os.O_CLOEXEC)
    for part in parts:
        try:
            below = os.open(part, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, CHUNK), b"")


def written_out(uri: str) -> Source:
    """The file that a `data:` URI is; raises ValueError."""
    head, comma, text = uri[len("data:") :].partition(",")
    if not comma:
        raise ValueError("in a data: URI a comma stands before the content")
    kind, *said = (part.strip() for part in head.split(";"))
    is_base64 = bool(said) and said[-1].lower() == "base64"
    content = _decoded(text, is_base64=is_base64)
    if len(content) > DATA_MOST:
        raise ValueError(f"a data: URI holds at most {DATA_MOST:,} bytes: give the bosa:// address of a kept file")
    kind = kind if _KIND.fullmatch(kind) else "text/plain"
    named = {key: value for key, _, value in (part.partition("=") for part in said)}
    name = base_name(unquote(named.get("name") or named.get("filename") or "")) or f"file{guess_extension(kind) or ''}"
    return upload.made(name, kind, len(content), lambda: iter([content] if content else []))


def _decoded(text: str, *, is_base64: bool) -> bytes:
    if len(text) > 4 * DATA_MOST:
        return bytes(DATA_MOST + 1)
    content = unquote_to_bytes(text)
    return base64.b64decode(b"".join(content.split()), validate=True) if is_base64 else content
