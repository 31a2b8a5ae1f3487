"""A web server on loopback for the account pages, where the MCP server has none: it runs while a link may be opened."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from typing import Final

import anyio
import structlog
from anyio.abc import TaskGroup, TaskStatus
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bosa_mcp import addresses
from bosa_mcp.addresses import Addresses
from bosa_mcp.tickets import Tickets
from bosa_mcp.transports import Web, listen

HOST: Final = "127.0.0.1"
LINGER: Final = 60.0
"""Seconds for which pages are there after the last link: somebody may load them again."""

log = structlog.get_logger("bosa_mcp")


class Doorway:
    """Serves pages at a free port of this machine, from the first link until the last one is used or expired."""

    def __init__(self, tickets: Tickets) -> None:
        self._tickets = tickets
        self._routes: Sequence[BaseRoute] = ()
        self._opening = anyio.Lock()
        self._group: TaskGroup | None = None
        self._url: str | None = None

    @asynccontextmanager
    async def usable(self, routes: Sequence[BaseRoute]) -> AsyncGenerator[None]:
        """Within it, these pages are served while they are needed."""
        self._routes = routes
        async with anyio.create_task_group() as self._group:
            yield
            self._group.cancel_scope.cancel()

    async def url(self) -> str:
        """The address of the pages, which are there now."""
        assert self._group is not None  # noqa: S101  it is used within `usable`
        async with self._opening:
            url: str = self._url or await self._group.start(self._serve)
            self._url = url
            return url

    async def _unneeded(self) -> None:
        """Returns once the last link has been of no use for a while, in which its page says so."""
        while True:
            await self._tickets.over()
            with anyio.move_on_after(LINGER) as quiet:
                await self._tickets.change()
            if quiet.cancelled_caught:
                return

    async def _serve(self, *, task_status: TaskStatus[str]) -> None:
        structlog.contextvars.clear_contextvars()  # those of the call that asked for the first link
        with closing(listen(HOST, 0)) as listener:
            port = listener.getsockname()[1]
            url = addresses.url_of(HOST, port)
            web = Web(_Guarded(Starlette(routes=self._routes), addresses.ours(HOST, port, None, ())))
            try:
                async with anyio.create_task_group() as serving:
                    serving.start_soon(web.serve, [listener])
                    await web.has_started.wait()
                    log.debug("pages for linking accounts are served", url=url)
                    task_status.started(url)
                    await self._unneeded()
                    self._url = None
                    web.should_exit = True
            finally:
                self._url = None


class _Guarded:
    """What answers only to its own name, and to no page of somebody else."""

    def __init__(self, app: ASGIApp, ours: Addresses) -> None:
        self._app, self._ours = app, ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._ours.refusal(headers.getlist("host"), headers.getlist("origin"))
        answer = PlainTextResponse(f"{refusal[1]}\n", refusal[0]) if refusal else self._app
        await answer(scope, receive, send)
