"""`/files`: programs leave a file here for a tool to send, and fetch, or have a browser fetch, what a tool answered."""

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, request_response
from starlette.types import ASGIApp, Receive, Scope, Send

from bosa_connectors import header, wire
from bosa_connectors.errors import TooLarge
from bosa_connectors.naming import ANY_BYTES, base_name, label, media_type, safe_name
from bosa_mcp import links
from bosa_mcp.access import Caller
from bosa_mcp.links import BadLink, Links
from bosa_mcp.store import CHUNK, LARGEST, Kept, Store, StoreError

_FORM: Final = "multipart/form-data"
_FORM_BYTES: Final = 64 * 1024
"""What a form may hold beside its file."""
_SAYS_NOTHING: Final = ("", "application/x-www-form-urlencoded")
"""Content types that programs send when they were told none."""
_UNQUOTABLE: Final = re.compile(r'[^ -~]|["\\%]')
_RANGE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_GONE: Final = "There is no file of yours at this address, or no longer."


@dataclass(frozen=True, slots=True)
class WebFiles:
    """The files of everybody who can say who they are, and of whoever was given a link."""

    store: Store
    who: Callable[[HTTPConnection], Caller]
    links: Links

    def routes(self, guarded: Callable[[ASGIApp], ASGIApp]) -> list[Route]:
        """The routes; `guarded` turns away whoever cannot say who they are."""
        take, give = guarded(request_response(self._take)), guarded(request_response(self._give))
        return [
            Route(links.PATH, _Either(take, take), methods=["POST"]),
            Route(f"{links.PATH}/{{id}}", _Either(give, request_response(self._give_by_link)), methods=["GET", "HEAD"]),
        ]

    async def _take(self, request: Request) -> Response:
        """Keeps what is sent, as a form or as it is."""
        owner = self.who(request).identity
        try:
            async with _sent(request) as sent:
                kept = await self.store.keep(
                    owner, "files", sent.chunks, name=sent.name, mime_type=sent.mime_type, limit=LARGEST
                )
        except TooLarge:
            return _refused(413, "too_large", f"A file may have at most {LARGEST:,} bytes.", {"Connection": "close"})
        except MultiPartException as odd:
            return _refused(400, "invalid_arguments", f"Expected a form with one file in it: {odd.message}")
        except StoreError as odd:
            return _refused(507, "internal_error", str(odd), {"Connection": "close"})
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        said = {"uri": kept.uri, "name": kept.name, "mime_type": kept.mime_type, "size": kept.size}
        return JSONResponse({**said, "sha256": kept.sha256}, 201, {"Location": f"{self.links.path}/{kept.id}"})

    async def _give(self, request: Request) -> Response:
        return await self._file(request, await self.store.find(self.who(request).identity, "files", _id(request)))

    async def _give_by_link(self, request: Request) -> Response:
        try:
            drawer = self.links.drawer(_id(request), request.query_params, time.time())
        except BadLink as bad:
            return _refused(403, "forbidden", str(bad))
        return await self._file(request, await self.store.in_drawer(drawer, "files", _id(request)))

    async def _file(self, request: Request, kept: Kept | None) -> Response:
        if kept is None:
            return _refused(404, "not_found", _GONE)
        said = _said(kept)
        if said["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=said)
        is_same = request.headers.get("if-range", said["ETag"]) == said["ETag"]
        try:
            wanted = span(request.headers.get("range", ""), kept.size) if is_same else None
        except Unsatisfiable:
            return Response(status_code=416, headers={"Content-Range": f"bytes */{kept.size}"})
        start, end = wanted or (0, kept.size)
        said["Content-Length"] = f"{end - start}"
        if wanted:
            said["Content-Range"] = f"bytes {start}-{end - 1}/{kept.size}"
        status = 206 if wanted else 200
        if request.method == "HEAD":
            return Response(status_code=status, headers=said)
        return StreamingResponse(self.store.stream(kept, start, end - start), status, said)


class _Either:
    """One for whoever comes as themselves, the other for whoever comes with a link."""

    def __init__(self, own: ASGIApp, linked: ASGIApp) -> None:
        self._own, self._linked = own, linked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._linked if links.is_link(Request(scope).query_params) else self._own
        await app(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _Sent:
    chunks: AsyncIterator[bytes]
    name: str
    mime_type: str


@asynccontextmanager
async def _sent(request: Request) -> AsyncGenerator[_Sent]:
    """The file in a request. Raises TooLarge, MultiPartException."""
    body = _bounded(request)
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        head = wire.decode_file({"content-disposition": "", **request.headers})  # a web page is a file here
        yield _described(body, request.query_params.get("name") or head.name, request.headers.get("content-type"))
        return
    form = await MultiPartParser(request.headers, body, max_files=1, max_fields=10).parse()
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if not files:
            raise MultiPartException("there is none.")
        yield _described(_read(files[0]), files[0].filename, files[0].content_type)
    finally:
        await form.close()


async def _bounded(request: Request) -> AsyncGenerator[bytes]:
    most = LARGEST + _FORM_BYTES
    said = request.headers.get("content-length", "")
    came = int(said) if said.isdecimal() and len(said) < 20 else 0  # noqa: PLR2004  digits of any size there is
    if came > most:
        raise TooLarge("It says so itself.")
    came = 0
    async for chunk in request.stream():
        came += len(chunk)
        if came > most:
            raise TooLarge("It does not end.")
        if chunk:
            yield chunk


async def _read(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk


def _described(chunks: AsyncIterator[bytes], name: str | None, kind: str | None) -> _Sent:
    name = label(base_name(name or "")) or "file"
    is_said = kind and kind not in _SAYS_NOTHING and header.is_value(kind)
    return _Sent(chunks, name, kind[:200] if kind and is_said else media_type(name))


def _said(kept: Kept) -> dict[str, str]:
    """The headers of a file: whatever it is, it is saved, and never shown as a page of this server."""
    name = safe_name(kept.name)
    named = f"filename=\"{_UNQUOTABLE.sub('_', name)}\"; filename*=UTF-8''{quote(name, safe='')}"
    return {
        "Content-Type": kept.mime_type if header.is_value(kept.mime_type) else ANY_BYTES,
        "Content-Disposition": f"attachment; {named}",
        "ETag": f'"{kept.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _id(request: Request) -> str:
    return str(request.path_params["id"])


def _refused(status: int, kind: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"kind": kind, "message": message}}, status, headers)


class Unsatisfiable(ValueError):
    """The file has none of these bytes."""


def span(header: str, size: int) -> tuple[int, int] | None:
    """Where the one range that a header asks for begins, and where it ends; None for the whole file.

    Several ranges, and what is no range, mean the whole. Raises Unsatisfiable.
    """
    found = _RANGE.fullmatch(header.strip())
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return start, end
