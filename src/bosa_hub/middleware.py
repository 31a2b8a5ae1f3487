"""Around every request: the Host header is checked, each answer is marked, and each failure becomes an answer."""

import asyncio
import errno
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast
from uuid import uuid4

from pydantic_core import to_json
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bosa_hub.envelope import error_contract, failure
from bosa_hub.errors import HubError, MethodNotAllowed, Misdirected, NoRoom, NotFound

_log = logging.getLogger("bosa_hub")
_REQUEST_ID = "bosa_request_id"
Handler: TypeAlias = Callable[[Request, Exception], Awaitable[Response]]


def to_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The body as JSON; numbers that JSON does not know become null."""
    content = to_json(body, inf_nan_mode="null")
    return Response(content, status, headers, media_type="application/json")


@dataclass(frozen=True, slots=True)
class Outermost:
    """The application, behind a check of the Host header against DNS rebinding."""

    app: ASGIApp
    hosts: frozenset[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An answer to every request, whatever happens."""
        request = Request(scope, receive)
        scope[_REQUEST_ID] = str(uuid4())
        marked = _Marked(send, scope[_REQUEST_ID], error_contract(request.headers.get("X-GL-Error-Contract")))
        try:
            self._check_host(scope)
            await self.app(scope, receive, marked)
        except BaseException as error:  # the outermost place: nothing may pass, be it an action's `SystemExit`
            if _is_told_to_stop(error):
                raise
            answer = failed(request, error)
            if not marked.begun:
                await answer(scope, receive, marked)
            # what has begun stays unfinished: the server hangs up, and no client takes it for whole

    def _check_host(self, scope: Scope) -> None:
        host = _host_name(Headers(scope=scope).get("host", ""))
        # an address literal cannot be rebound: the one that this connection came in on is ours
        if host not in {*self.hosts, (scope.get("server") or [None])[0]}:
            raise Misdirected(f"This hub does not answer for host {host[:200]!r}. Use the address that it printed.")


@dataclass(slots=True)
class _Marked:
    """Sends an answer that carries the request's id and the error contract."""

    send: Send
    request_id: str
    contract: str
    begun: bool = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self.request_id
            headers["X-GL-Error-Contract"] = self.contract
        await self.send(message)


def _is_told_to_stop(error: BaseException) -> bool:
    """The request itself is cancelled, not something that an action waited for."""
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and bool(task and task.cancelling())


def _host_name(host: str) -> str:
    """The name without port and brackets: `[::1]:80` is `::1`."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


async def explained(request: Request, answer: Awaitable[Response]) -> Response:
    """The answer, or the one that says why there is none."""
    try:
        return await answer
    except BaseException as error:
        if _is_told_to_stop(error):
            raise
        return failed(request, error)


def failed(request: Request, error: BaseException) -> Response:
    """The answer that says what went wrong; what nobody foresaw is for the log alone."""
    if isinstance(error, HubError):
        return _failed(request, error)
    request_id = request.scope[_REQUEST_ID]
    _log.error("request %s: %s %r", request_id, request.method, request.scope["path"], exc_info=error)
    if _no_room(error):
        return _failed(request, NoRoom("The hub's disk is full, or cannot be written. Its operator must free space."))
    return _failed(request, HubError(f"The hub failed. Its log says why, under request {request_id}."))


def _no_room(error: BaseException) -> bool:
    full = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
    sqlite_full = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the rest of the bits say more than is asked
    return (isinstance(error, OSError) and error.errno in full) or code in sqlite_full


async def _on_failure(request: Request, error: Exception) -> Response:
    return failed(request, error)


async def _on_no_route(request: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    if refused.status_code == MethodNotAllowed.status:
        allowed = (refused.headers or {}).get("Allow", "another method")
        return _failed(request, MethodNotAllowed(f"Not with {request.method}: use {allowed}."), refused.headers)
    if "endpoint" in request.scope:  # there is something, and it failed in this way itself
        return failed(request, error)
    return _failed(
        request, NotFound("There is nothing at this path. GET /connectors lists every action with its path.")
    )


def _failed(request: Request, error: HubError, headers: Mapping[str, str] | None = None) -> Response:
    wait = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return to_response(failure(error, request.scope[_REQUEST_ID]), error.status, {**(headers or {}), **wait})


FAILURES: Mapping[type[Exception], Handler] = {HubError: _on_failure, HTTPException: _on_no_route}
"""What answers when an exception reaches the routes."""
