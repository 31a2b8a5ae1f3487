"""The server over HTTP: streamable HTTP, SSE for older clients, and what a supervisor asks."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import anyio
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.lowlevel import NotificationOptions
from mcp.server.sse import SseServerTransport
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.authentication import AuthenticationError
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bosa_mcp.changes import TellingServer
from bosa_mcp.refresh import Tools
from bosa_mcp.shutdown import Drain, observed
from bosa_mcp.users import FAILED_FOR, Users
from bosa_mcp.web_files import WebFiles

LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes of one message; a larger one is refused before it is read to its end."""
MCP: Final = "/mcp"
SSE: Final = "/sse"
MESSAGES: Final = "/messages/"
_GATE_CHECKS: Final = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""The gate in front of everything looks at Host and Origin, also where these transports would not."""

_TELLS: Final = NotificationOptions(tools_changed=True, resources_changed=False)


def create_app(  # noqa: PLR0913  what it is made of, and how it answers
    server: TellingServer,
    tools: Tools,
    drain: Drain,
    users: Users | None = None,
    files: WebFiles | None = None,
    *,
    below: str = "",
    pages: Sequence[Route] = (),
    json_response: bool,
    stateless: bool,
) -> Starlette:
    """The application that serves `server`, without the gate in front of it: to these users, or to whoever asks.

    Clients are told of paths `below` the one under which they find it.
    """
    server.tells, server.tells_of_resources = not stateless, False
    sse = _Sse(server, drain, below)
    app = server.streamable_http_app(
        streamable_http_path=MCP,
        json_response=json_response,
        stateless_http=stateless,
        max_request_body_size=LARGEST_BODY,
        transport_security=_GATE_CHECKS,
        token_verifier=users,
        custom_starlette_routes=[
            Route(SSE, guarded(sse, users)),
            Route(MESSAGES, guarded(_Posts(sse.transport), users)),
            *(files.routes(lambda app: guarded(app, users)) if files else ()),
            *pages,
            Route("/healthz", _alive),
            Route("/readyz", _ready(tools)),
        ],
    )
    app.router.redirect_slashes = False
    if users:
        app.add_middleware(AuthContextMiddleware)
        app.add_middleware(AuthenticationMiddleware, backend=BearerAuthBackend(users), on_error=_cannot_tell)
    return app


def guarded(app: ASGIApp, users: Users | None) -> ASGIApp:
    """What answers 401 to whoever brings no token of these users."""
    return RequireAuthMiddleware(app, []) if users else app


def _cannot_tell(_: HTTPConnection, trouble: AuthenticationError) -> Response:
    body = {"error": "temporarily_unavailable", "error_description": str(trouble)}
    return JSONResponse(body, 503, {"Retry-After": f"{FAILED_FOR:.0f}"})


class _Sse:
    """`/sse`: a stream of what the server says; what the client says is posted to `/messages/`."""

    def __init__(self, server: TellingServer, drain: Drain, below: str) -> None:
        self._server, self._drain = server, drain
        self.transport = SseServerTransport(below + MESSAGES, _GATE_CHECKS, LARGEST_BODY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            await Response(status_code=405, headers={"Allow": "GET"})(scope, receive, send)
            return
        async with self.transport.connect_sse(scope, receive, send) as (reading, writing):
            with observed(reading, writing, self._drain, is_patient=False) as streams:
                async with anyio.create_task_group() as talking:
                    talking.start_soon(self._end, talking.cancel_scope)
                    await self._server.run(*streams, self._server.create_initialization_options(_TELLS))
                    talking.cancel_scope.cancel()

    async def _end(self, talking: anyio.CancelScope) -> None:
        """Ends the talk, and so the stream behind the last answer, when nothing is under way any more."""
        await self._drain.settled.wait()
        talking.cancel()


class _Posts:
    def __init__(self, transport: SseServerTransport) -> None:
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._transport.handle_post_message(scope, receive, send)


async def _alive(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _ready(tools: Tools) -> Callable[[Request], Awaitable[Response]]:
    async def ready(_: Request) -> Response:
        missing = sorted("the API" if name == "*" else name for name in tools.table.missing)
        if tools.is_ready:
            return JSONResponse({"status": "ready", "missing": missing})
        why = "No tools are known yet: the API has not listed its connectors. The log says why."
        return JSONResponse({"status": "starting", "missing": missing, "message": why}, 503)

    return ready
