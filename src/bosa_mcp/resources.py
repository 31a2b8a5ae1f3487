"""What clients read by its address: kept results and files, each its owner's alone."""

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

import mcp_types as types
from mcp.shared.exceptions import MCPError

from bosa_mcp.invisible import plain
from bosa_mcp.results import Refusal, cleaned, hidden

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mcp.server.context import ServerRequestContext

    from bosa_mcp.access import Caller
    from bosa_mcp.store import Kept, Kind, Store

MOST: Final = 512 * 1024
"""Bytes of one read: more is read in ranges."""
PAGE: Final = 1_000
"""Resources of one page of the list: clients refuse messages of a megabyte."""
_CHARACTER: Final = 4
"""Bytes of one, at most."""
_WITHIN: Final = frozenset(bytes([byte]) for byte in range(0x80, 0xC0))
"""Bytes with which no character begins."""
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,15}")
_TEXT: Final = ("text/", "application/json", "application/xml", "application/yaml")


@dataclass(frozen=True, slots=True)
class Address:
    """`bosa://files/{id}{?offset,length}`, taken apart."""

    kind: "Kind"
    id: str
    offset: int
    length: int | None


def address(uri: str) -> Address:
    """What an address means; a ValueError says what is wrong with it."""
    parts = urlsplit(uri)
    if parts.scheme != "bosa" or parts.netloc not in {"files", "results"} or parts.fragment:
        raise ValueError("expected bosa://files/{id} or bosa://results/{id}")
    numbers: dict[str, int] = {}
    for name, value in parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)):
        if name not in {"offset", "length"} or name in numbers or not _NUMBER.fullmatch(value):
            raise ValueError("after the ? there may be offset and length, each once, in bytes")
        numbers[name] = int(value)
    identifier = parts.path.removeprefix("/")
    return Address(cast("Kind", parts.netloc), identifier, numbers.get("offset", 0), numbers.get("length"))


def handlers(store: "Store", who: "Callable[[ServerRequestContext[Any]], Caller]") -> dict[str, Any]:
    """The handlers for resources, by the name under which the server takes them."""

    async def listed(
        context: "ServerRequestContext[Any]", params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        owner = who(context).identity
        kept = [*await store.all(owner, "files"), *await store.all(owner, "results")]
        return _page([_resource(each) for each in kept], params.cursor if params else None)

    async def templates(
        _: "ServerRequestContext[Any]", __: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=_TEMPLATES)

    async def read(
        context: "ServerRequestContext[Any]", params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        uri = str(params.uri)
        try:
            asked = address(uri)
        except ValueError as odd:
            message = f"{uri[:200]!r} is no resource of this server: {odd}"
            raise MCPError(types.INVALID_PARAMS, message, {"uri": uri[:200]}) from odd
        kept = await store.find(who(context).identity, asked.kind, asked.id)
        if kept is None:
            message = f"There is no resource {uri[:200]!r}, or no longer."
            raise MCPError(types.INVALID_PARAMS, message, {"uri": uri[:200]})
        return types.ReadResourceResult(contents=[await _content(store, kept, asked, uri, who(context).secrets())])

    return {"on_list_resources": listed, "on_list_resource_templates": templates, "on_read_resource": read}


async def _content(
    store: "Store", kept: "Kept", asked: Address, uri: str, secrets: "Sequence[str]"
) -> types.TextResourceContents | types.BlobResourceContents:
    left = kept.size - asked.offset
    length = left if asked.length is None else min(asked.length, left)
    if length > MOST:
        first = f"{kept.uri}?offset={asked.offset}&length={MOST}"
        raise MCPError(
            types.INVALID_PARAMS,
            f"{kept.name!r} has {kept.size} bytes, more than one read gives: read it in ranges, first {first}",
        )
    if left < 0:
        raise MCPError(types.INVALID_PARAMS, f"{kept.name!r} has {kept.size} bytes: there are none at {asked.offset}.")
    try:
        content = await store.read(kept, asked.offset, length + _CHARACTER)
    except FileNotFoundError as gone:
        raise MCPError(types.INVALID_PARAMS, f"There is no resource {uri[:200]!r} any longer.") from gone
    if is_text(kept.mime_type) and (text := _text(content, asked.offset, length)) is not None:
        return types.TextResourceContents(uri=uri, mime_type=kept.mime_type, text=hidden(text, secrets))
    return types.BlobResourceContents(
        uri=uri, mime_type=kept.mime_type, blob=base64.b64encode(content[:length]).decode()
    )


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a kept text."""

    kept: "Kept"
    begins: int
    ends: int
    """Where the next part begins, in bytes."""
    text: str


async def part(store: "Store", caller: "Caller", uri: str, offset: int | None, room: int) -> Part:
    """What is kept here, from `offset` on, as a text that takes at most `room` bytes in a result. Raises Refusal."""
    try:
        asked = address(uri)
    except ValueError as odd:
        raise Refusal("invalid_arguments", f"{uri!r} is kept nowhere: {odd}.") from odd
    begins = asked.offset if offset is None else offset
    kept = await store.find(caller.identity, asked.kind, asked.id)
    if kept is None:
        raise Refusal("not_found", f"There is nothing at {uri!r}, or no longer.", "Call the tool that gave it again.")
    if begins > kept.size:
        raise Refusal("invalid_arguments", f"{kept.name!r} has {kept.size} bytes: there are none at {begins}.")
    length = min(room, kept.size - begins)
    try:
        while is_text(kept.mime_type):
            text = _text(await store.read(kept, begins, length + _CHARACTER), begins, length)
            if text is None:
                break
            size = len(cleaned({"text": text}, caller.secrets()).encoded)
            if length <= _CHARACTER or size <= room:
                return Part(kept, begins, begins + length, text)
            length = length * room // (size + size // 8)  # for what JSON, or hiding, makes longer
    except FileNotFoundError as gone:
        raise Refusal("not_found", f"There is nothing at {uri!r} any longer.") from gone
    what = f"{kept.name!r} ({kept.mime_type}) is no text."
    raise Refusal("unsupported", what, "Tools that take files take it by its address.")


def _page(listed: "Sequence[types.Resource]", cursor: str | None) -> types.ListResourcesResult:
    """So many from the one that the cursor names, which is the first of its page."""
    start = next((number for number, each in enumerate(listed) if each.uri == cursor), None) if cursor else 0
    if start is None:
        raise MCPError(types.INVALID_PARAMS, "This cursor leads nowhere, or no longer: list from the beginning.")
    page, rest = listed[start : start + PAGE], listed[start + PAGE :]
    return types.ListResourcesResult(resources=list(page), next_cursor=rest[0].uri if rest else None)


def is_text(mime_type: str) -> bool:
    """Whether people read it as it is."""
    return mime_type.startswith(_TEXT)


def _text(content: bytes, offset: int, length: int) -> str | None:
    """The characters that begin in the range, so that ranges put together are the text; None where it is none."""
    begin, end = _beginning(content, 0) if offset else 0, _beginning(content, length)
    try:
        return content[begin:end].decode()
    except UnicodeDecodeError:
        return None


def _beginning(content: bytes, place: int) -> int:
    """Where the next character of UTF-8 begins, from this byte on."""
    return next((at for at in range(place, place + _CHARACTER) if content[at : at + 1] not in _WITHIN), place)


def _resource(kept: "Kept") -> types.Resource:
    return types.Resource(uri=kept.uri, name=plain(kept.name), mime_type=kept.mime_type, size=kept.size)


_TEMPLATES: Final = [
    types.ResourceTemplate(
        name="file",
        uri_template="bosa://files/{id}{?offset,length}",
        description="A file that an action answered with; offset and length in bytes.",
    ),
    types.ResourceTemplate(
        name="result",
        uri_template="bosa://results/{id}{?offset,length}",
        description="A result that was too large for one answer, whole; offset and length in bytes.",
        mime_type="application/json",
    ),
]
