"""Clients over HTTP hear that the list of tools has changed."""

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import anyio
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client

from .conftest import names_of_the_api, tools
from .scripted_api import WAIT, ScriptedApi
from .web_clients import WebServer, web_server

AGAIN = 1.0
"""Seconds after which the list is changed once more: a client may not have opened its stream yet."""


@pytest.mark.parametrize("kind", ["/mcp", "/mcp --json-response", "/sse"])
async def test_a_client_hears_of_a_change(api: ScriptedApi, tmp_path: Path, kind: str, era: str) -> None:
    path, *flags = kind.split()
    await hears(api, tmp_path, path, era, *flags)


async def test_without_sessions_a_client_of_the_newer_era_hears_of_it_too(api: ScriptedApi, tmp_path: Path) -> None:
    await hears(api, tmp_path, "/mcp", "auto", "--stateless")


async def hears(api: ScriptedApi, folder: Path, path: str, era: str, *flags: str) -> None:
    api.offer("shop", "find")
    with web_server(folder, api, *flags) as server:
        async with listening(server, path, era) as (client, heard):
            assert await names_of_the_api(client) == {"shop_find"}
            with anyio.fail_after(WAIT):
                for number in count():
                    api.offer("shop", f"find_{number}")
                    server.server.signal(signal.SIGHUP)
                    with anyio.move_on_after(AGAIN):
                        await heard.wait()
                        break
            assert "shop_find_0" in await tools(client)


async def test_what_nobody_is_told_of_is_not_acknowledged(api: ScriptedApi, tmp_path: Path) -> None:
    with web_server(tmp_path, api) as server:
        async with (
            Client(streamable_http_client(f"{server.url}/mcp"), mode="auto", read_timeout_seconds=WAIT) as client,
            client.listen(
                tools_list_changed=True,
                prompts_list_changed=True,
                resources_list_changed=True,
                resource_subscriptions=["bosa://files/1"],
            ) as events,
        ):
            assert events.honored == types.SubscriptionFilter(tools_list_changed=True)


@asynccontextmanager
async def listening(server: WebServer, path: str, era: str) -> AsyncGenerator[tuple[Client, anyio.Event]]:
    """A client that listens, and what is set once it is told."""
    heard = anyio.Event()

    async def on_message(message: object) -> None:
        await anyio.lowlevel.checkpoint()
        if era == "legacy" and isinstance(message, types.ToolListChangedNotification):
            heard.set()

    url = server.url + path
    transport = sse_client(url) if path == "/sse" else streamable_http_client(url)
    async with Client(transport, mode=era, message_handler=on_message, cache=None, read_timeout_seconds=WAIT) as client:
        if era == "legacy":
            yield client, heard
            return
        async with anyio.create_task_group() as group, client.listen(tools_list_changed=True) as events:

            async def hear() -> None:
                async for _ in events:
                    heard.set()

            group.start_soon(hear)
            yield client, heard
            group.cancel_scope.cancel()
