"""In front of the HTTP application: Host and Origin are checked, and requests under way finish when the server ends."""

from collections.abc import Callable, MutableMapping
from functools import partial
from typing import Any, Final

import anyio
import anyio.lowlevel
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bosa_mcp import links
from bosa_mcp.addresses import Addresses
from bosa_mcp.shutdown import LISTEN, Drain
from bosa_mcp.web import MCP, MESSAGES, SSE

_HANDSHAKE: Final = frozenset({*HANDSHAKE_PROTOCOL_VERSIONS, None})
_TOLD: Final = frozenset({MCP, MESSAGES})


class Gate:
    """The application behind it, for requests that mean this server, until the server ends."""

    def __init__(self, app: ASGIApp, addresses: Addresses, drain: Drain, *, stateless: bool) -> None:
        self._app, self._addresses, self._drain, self._is_stateless = app, addresses, drain, stateless
        self._inside: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        scope = _plain(scope, self._addresses.below)
        headers = Headers(scope=scope)
        refusal = self._addresses.refusal(headers.getlist("host"), headers.getlist("origin"))
        if refusal:
            await _refused(*refusal)(scope, receive, send)
        elif self._drain.is_closing:
            await _refused(503, "The server is about to end.")(scope, receive, send)
        else:
            app = partial(_while_heard, self._app) if self._ends_with_its_client(scope, headers) else self._app
            await self._let_in(app, scope, receive, send, is_call=not _is_stream(scope, headers))

    def _ends_with_its_client(self, scope: Scope, headers: Headers) -> bool:
        """Whether nothing but leaving tells that a call is given up. Elsewhere what has been taken counts."""
        is_alone = self._is_stateless or headers.get("mcp-protocol-version") not in _HANDSHAKE
        return is_alone and (scope["method"], scope["path"]) == ("POST", MCP)

    def close(self) -> None:
        """Ends the answers under way, long streams among them."""
        for request in self._inside:
            request.cancel()

    async def _let_in(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, *, is_call: bool) -> None:
        answer = _Answer(send)
        with anyio.CancelScope() as inside:
            if scope["path"] != SSE:  # it ends by itself, behind the last answer
                self._inside.add(inside)

            def begin() -> None:
                if is_call:
                    self._drain.begin(inside)

            if scope["path"] in _TOLD:  # what has not come whole is not under way
                receive = _whole(receive, inside, begin)
            else:
                begin()
            try:
                await app(scope, receive, answer)
            finally:
                self._inside.discard(inside)
                self._drain.end(inside)
        if inside.cancelled_caught:
            await answer.finish(scope, receive)


class _Answer:
    """What has been sent of an answer."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_begun = self._is_open = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._is_begun = True
            self._is_open = "content-length" not in Headers(raw=message["headers"])
        elif not message.get("more_body", False):
            self._is_open = False
        await self._send(message)

    async def finish(self, scope: Scope, receive: Receive) -> None:
        """The rest of an answer that is not going to come."""
        if not self._is_begun:
            await _refused(503, "The server ended before it could answer.")(scope, receive, self._send)
        elif self._is_open:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})


def _whole(receive: Receive, inside: anyio.CancelScope, begin: Callable[[], None]) -> Receive:
    """What a client says; calls `begin` once all is said. One that leaves before ends what would answer it."""
    is_said = False

    async def hear() -> Message:
        nonlocal is_said
        message = await receive()
        if message["type"] == "http.disconnect" and not is_said:
            inside.cancel()
            await anyio.lowlevel.checkpoint()
        if not is_said and not message.get("more_body", False):
            is_said = True
            begin()
        return message

    return hear


async def _while_heard(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Runs the application until its client goes away, which is how it gives up where there is no session."""
    is_read, is_gone = anyio.Event(), anyio.Event()

    async def hear() -> Message:
        if is_read.is_set():
            await is_gone.wait()
            return {"type": "http.disconnect"}
        message = await receive()
        if not message.get("more_body", False):
            is_read.set()
        return message

    async with anyio.create_task_group() as running:

        async def watch() -> None:
            await is_read.wait()
            while (await receive())["type"] != "http.disconnect":
                pass
            is_gone.set()
            running.cancel_scope.cancel()

        running.start_soon(watch)
        await app(scope, hear, send)
        running.cancel_scope.cancel()


def _plain(scope: Scope, below: str) -> Scope:
    """The request without a slash at the end of its path, and without what asks to go on where a stream broke off.

    A path that clients were told of may come whole: not each of them comes by way of the proxy that shortens it.
    A redirect would lead to the address that the proxy in front of us uses; and nothing of a stream is kept.
    """
    path = scope["path"].rstrip("/") or "/"
    if path.startswith((below + MESSAGES[:-1], f"{below}{links.PATH}/")):
        path = path.removeprefix(below)
    headers = [pair for pair in scope["headers"] if pair[0] != b"last-event-id"]
    return {**scope, "path": MESSAGES if path == MESSAGES[:-1] else path, "headers": headers}


def _is_stream(scope: MutableMapping[str, Any], headers: Headers) -> bool:
    """Whether the client wants it to last."""
    is_endless = scope["method"] == "GET" and not scope["path"].startswith(links.PATH)
    return is_endless or headers.get("mcp-method") == LISTEN


def _refused(status: int, reason: str) -> PlainTextResponse:
    return PlainTextResponse(f"{reason}\n", status, {"connection": "close"} if status >= 500 else None)  # noqa: PLR2004  a failure of ours
