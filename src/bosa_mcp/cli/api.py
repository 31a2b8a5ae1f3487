"""Which API the server speaks to: the one in the settings, or a hub of its own."""

import signal
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from anyio import create_task_group, open_signal_receiver

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.filters import Filter
from bosa_mcp.inputs import Inputs
from bosa_mcp.kept import Shelf
from bosa_mcp.refresh import Tools
from bosa_mcp.server import Parts, create_server
from bosa_mcp.settings import DEFAULT_API, Settings, reveal
from bosa_mcp.store import Store
from bosa_mcp.transports import Serving

LOCAL_USER: Final = "local"
"""Whose notes and files the embedded hub keeps."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Api:
    """An API's address, and who calls it."""

    url: str
    credentials: Credentials


@contextmanager
def open_api(settings: Settings) -> Generator[Api]:
    """The API to speak to; an embedded hub runs as long as it is open."""
    if not settings.is_embedded:
        who = Credentials(reveal(settings.api_key), reveal(settings.user_token), settings.account)
        yield Api(settings.api_base_url or DEFAULT_API, who)
        return
    from bosa_mcp.cli.hubs import open_hub  # noqa: PLC0415  a server that speaks to an API needs no hub

    with open_hub(settings) as hub:
        log.info("no BOSA API is set, so the embedded hub serves", hub=hub.url, data=str(settings.data_dir))
        yield Api(hub.url, Credentials(hub.client_key, hub.user_token(LOCAL_USER), settings.account))


@asynccontextmanager
async def open_parts(settings: Settings, *, is_local: bool = True) -> AsyncGenerator[tuple[Parts, Caller]]:
    """What the server that the settings describe is made of, and who calls it on this machine.

    Where it `is_local`, it shares a disk with whoever calls it.
    """
    with open_api(settings) as api:
        async with AsyncBosaConnector(api.url, error_contract=2) as connector:
            store = Store.at(settings.store or settings.data_dir / "files")
            caller = Caller("local", api.credentials)
            wanted = Filter(
                frozenset(settings.connectors), settings.include, settings.exclude, read_only=settings.read_only
            )
            # an embedded hub is there at once, each time at another address
            shelf = None if settings.is_embedded else Shelf.of(settings.data_dir, api.url)
            tools = Tools(connector, wanted, shelf)
            parts = Parts(
                tools=tools,
                execution=Execution(connector, store, settings.call_budget, settings.result_bytes),
                store=store,
                who=lambda _: caller,
                result_bytes=settings.result_bytes,
                inputs=Inputs(store, settings.files_root if is_local else None),
                files=Files(store, downloads=settings.data_dir / "downloads" if is_local else None),
            )
            yield parts, caller


@asynccontextmanager
async def open_server(settings: Settings) -> AsyncGenerator[Serving]:
    """The MCP server that the settings describe, with all that it needs."""
    async with (
        open_parts(settings) as (parts, _),
        parts.tools.fresh(settings.refresh),
        _woken_by_hangup(parts.tools),
    ):
        yield Serving(create_server(parts), parts.tools)


@asynccontextmanager
async def _woken_by_hangup(tools: Tools) -> AsyncGenerator[None]:
    """Within it, SIGHUP has the catalogue looked at again."""
    if sys.platform == "win32":
        yield
        return
    async with create_task_group() as watching:
        with open_signal_receiver(signal.SIGHUP) as hangups:

            async def watch() -> None:
                async for _ in hangups:
                    tools.wake()

            watching.start_soon(watch)
            yield
            watching.cancel_scope.cancel()
