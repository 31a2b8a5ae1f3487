"""Files that come with a call, and files that an action answers: streamed, never whole in memory."""

import re
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TypeAlias, final
from urllib.parse import quote

from anyio import to_thread
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

CHUNK = 1 << 18
"""Bytes that are read at a time."""

ANY_BYTES = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]{1,100}/[\w!#$&^.+-]{1,100}(; ?charset=[\w.-]{1,40})?", re.ASCII)
_MAX_LABEL = 255
Content: TypeAlias = bytes | BinaryIO | Iterable[bytes] | AsyncIterable[bytes] | Path


@final
class InputFile:
    """A file that came with a call: a field of a request model, alone, `| None`, or in a list.

    It lies on disk until the action has returned, or the file that it answers has been sent, and is gone then.
    """

    __slots__ = ("content_type", "file", "filename", "size")

    def __init__(self, file: BinaryIO, filename: str, content_type: str, size: int) -> None:
        self.file = file
        """The content from its beginning, to be read in a worker thread; in the event loop, use `chunks`."""
        self.filename = filename[:_MAX_LABEL]
        """What the sender calls it: a label, never a path."""
        self.content_type = media_type(content_type)
        self.size = size

    def __repr__(self) -> str:
        return f"<file {self.filename!r}, {self.size} bytes>"

    async def chunks(self) -> AsyncIterator[bytes]:
        """The content, piece by piece."""
        await to_thread.run_sync(self.file.seek, 0)
        while chunk := await to_thread.run_sync(self.file.read, CHUNK):
            yield chunk

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(_one_file)

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, object]:
        return {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class OutputFile:
    """What an action returns to answer with a file instead of data. Open files and iterators are closed at the end."""

    name: str
    """What it is called; any text."""
    content: Content = field(repr=False)
    """Bytes, a path, a file open for reading, or its pieces."""
    content_type: str | None = None
    """None: what the name says."""
    size: int | None = None
    """Bytes, where they are known: content that has more or less is broken off. Of bytes and a path they are known."""


def media_type(text: str) -> str:
    """The media type that `text` is; bytes of any kind where it is none."""
    return text if _MEDIA_TYPE.fullmatch(text) else ANY_BYTES


def disposition(name: str) -> str:
    """A Content-Disposition for a file of this name, which cannot break out of it.

    `filename` is plain ASCII; where that changes the name, `filename*` has it as it is.
    """
    shown = "".join(character if character.isprintable() else "_" for character in name)[:_MAX_LABEL]
    plain = re.sub(r'["\\%]', "_", shown.encode("ascii", "replace").decode().replace("?", "_"))
    extended = f"; filename*=UTF-8''{quote(shown, safe='', errors='replace')}" if plain != shown else ""
    return f'attachment; filename="{plain}"{extended}'


def _one_file(value: object) -> InputFile:
    if isinstance(value, InputFile):
        return value
    raise PydanticCustomError("file_type", "Expected a file: one form part that has a filename")
