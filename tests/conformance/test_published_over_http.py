"""The published server behind ours, over HTTP."""

from pathlib import Path

import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from .published import PLANETS, PublishedServer
from .serving import REPLY_SECONDS, answer, refusal
from .web_server import web_server


@pytest.mark.parametrize("flags", [(), ("--json-response", "--stateless")], ids=["streams", "json"])
@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_its_actions_are_called_over_http(
    mode: str, flags: tuple[str, ...], published_server: PublishedServer, published_user: str, tmp_path: Path
) -> None:
    with web_server(tmp_path, *flags, **published_server.settings(published_user)) as url:
        transport = streamable_http_client(f"{url}/mcp")
        async with Client(transport, mode=mode, read_timeout_seconds=REPLY_SECONDS) as client:
            reply = await answer(client, "sql_query", query="SELECT name, moons FROM planets ORDER BY name")
            error = await refusal(client, "sql_query", qurey="SELECT 1")
    assert reply["data"] == PLANETS
    assert error["kind"] == "invalid_arguments"
