"""Arguments with files among them become a form: in one piece where no file is attached, else in pieces to stream."""

import json
import math
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from urllib.parse import quote, urlencode

from bosa_connectors import header
from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, Problem
from bosa_connectors.shapes import is_array, members

CHUNK: Final = 1 << 18
"""Bytes of a file that are read and sent at a time."""
URLENCODED: Final = "application/x-www-form-urlencoded"
_EXPRESSIBLE: Final = "text, a finite number, true, false, a file, or a list of these"
_OURS: Final = frozenset(
    {"content-disposition", "content-type", "content-length", "content-transfer-encoding", "transfer-encoding"}
)
"""Headers of a part that are not a file's own to say."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file to be sent."""

    name: str
    """What it is called; a label, any text without control characters."""
    content_type: str
    size: int | None
    """Bytes; None where only reading it to its end tells."""
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)
    """Its bytes from the beginning, each time."""
    is_once: bool = False
    """Whether they can be had only one time."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)


class StandIn(str):
    """Stands in for a file while the arguments are checked: a string, as files are listed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A multipart body: bytes, and files whose bytes are read while they are sent."""

    pieces: tuple[bytes | Source, ...] = field(repr=False)

    @property
    def size(self) -> int | None:
        """Bytes; None where a file's are not known."""
        sizes = [len(piece) if isinstance(piece, bytes) else piece.size for piece in self.pieces]
        known = [size for size in sizes if size is not None]
        return sum(known) if len(known) == len(sizes) else None

    @property
    def is_once(self) -> bool:
        """Whether it holds a file that cannot be read again."""
        return any(isinstance(piece, Source) and piece.is_once for piece in self.pieces)

    def chunks(self) -> Iterator[bytes]:
        """All of it, from the beginning, each time."""
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.chunks()


_KINDS: Final[tuple[tuple[type, str], ...]] = (
    (dict, "an object"),
    (list, "a list within a list"),
    (type(None), "null"),
    (str, "half of a character"),
    (float, "a number that is none"),
)
_Field: TypeAlias = tuple[str, str | Source]


def encode(action: Action, arguments: Mapping[str, object]) -> tuple[str, bytes | Form]:
    """The content type and the body. Raises InvalidArguments with everything that a form cannot express."""
    problems: list[Problem] = []
    fields: list[_Field] = []
    for name, value in arguments.items():
        if not (value == [] and _means_absent(action, name)):
            fields += _fields(name, value, problems)
    if problems:
        raise InvalidArguments(problems)
    if any(isinstance(value, Source) for _, value in fields):
        return _multipart(fields)
    return URLENCODED, urlencode(fields).encode()


def _means_absent(action: Action, name: str) -> bool:
    """Whether an empty list is as good as none: a form has no word for it."""
    return name in action.binary or members(action.properties.get(name)).get("default") == []


def _fields(name: str, value: object, problems: list[Problem]) -> Iterator[_Field]:
    """The fields that an argument is: one, or one for each item of a list."""
    if value == []:
        problems.append(Problem(name, "A form cannot say an empty list: leave the argument out", _EXPRESSIBLE))
    for index, each in enumerate(value) if is_array(value) else [(None, value)]:
        path = name if index is None else f"{name}.{index}"
        if not name.isprintable():
            problems.append(Problem(path[:200], "A form cannot have a field of this name", "a printable name"))
        elif isinstance(each, Source):
            problems.extend(Problem(path, odd, "what a header can carry") for odd in _odd_headers(each))
            yield name, each
        elif (text := _text(each)) is not None:
            yield name, text
        else:
            problems.append(Problem(path, f"A form cannot say {_kind(each)}: this action takes no JSON", _EXPRESSIBLE))


def _text(value: object) -> str | None:
    """The value as a form says it; None where a form cannot."""
    if isinstance(value, str):
        plain = value.encode("utf-8", "replace").decode()  # of a member of an enumeration, what it stands for
        return plain if plain == value else None
    if isinstance(value, (bool, int)):
        return json.dumps(value)
    return json.dumps(value) if isinstance(value, float) and math.isfinite(value) else None


def _kind(value: object) -> str:
    other = f"a {type(value).__name__}"[:100]  # pyright: ignore[reportUnknownArgumentType]  of a list of anything
    return next((said for kind, said in _KINDS if isinstance(value, kind)), other)


def _odd_headers(source: Source) -> Iterator[str]:
    if not header.is_value(source.content_type):
        yield "The content type of the file holds a character that a header cannot carry"
    for name, value in source.headers.items():
        if not header.is_name(str(name).lower()) or not header.is_value(value):
            yield f"The file's header {str(name)[:100]!r} cannot be sent along with it"


def _multipart(fields: list[_Field]) -> tuple[str, Form]:
    boundary = secrets.token_hex(16)
    pieces: list[bytes | Source] = []
    for name, value in fields:
        head = f"--{boundary}\r\n{_head(name, value)}\r\n\r\n"
        pieces += [head.encode(), value if isinstance(value, Source) else value.encode(), b"\r\n"]
    pieces.append(f"--{boundary}--\r\n".encode())
    return f"multipart/form-data; boundary={boundary}", Form(tuple(_joined(pieces)))


def _joined(pieces: list[bytes | Source]) -> Iterator[bytes | Source]:
    """The same with bytes that follow each other as one piece: each is a packet of its own."""
    gathered: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            gathered.append(piece)
        else:
            yield b"".join(gathered)
            gathered = []
            yield piece
    yield b"".join(gathered)


def _head(name: str, value: str | Source) -> str:
    if isinstance(value, str):
        return f'Content-Disposition: form-data; name="{_quoted(name)}"'
    own = {key.lower(): text for key, text in value.headers.items() if key.lower() not in _OURS}
    lines = [f"{key}: {text}" for key, text in own.items()]
    # servers differ in which of the two names they read; those that know neither UTF-8 nor filename* are none of ours
    is_plain = value.name.isascii() and not set('"\\%') & set(value.name)
    extended = "" if is_plain else f"; filename*=UTF-8''{quote(value.name, safe='')}"
    # a quote after a backslash ends nothing for some servers, however many backslashes there are
    plain = f"{value.name[:-1]}_" if value.name.endswith("\\") else value.name
    names = f'name="{_quoted(name)}"; filename="{_quoted(plain)}"{extended}'
    return "\r\n".join(
        [f"Content-Disposition: form-data; {names}", f"Content-Type: {value.content_type}", *lines],
    )


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
