"""Calls beside each other: connectors that are left alone, and how many calls of a user there may be at once."""

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from mcp import Client

from bosa_connectors.aio import AsyncBosaConnector
from bosa_mcp.access import Caller
from bosa_mcp.calling import Parts
from bosa_mcp.circuits import FAILURES, REST, Circuits
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.inputs import Inputs
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.store import Store

from .conftest import PLANTED, answer
from .scripted_api import WAIT, ScriptedApi, says, takes


@asynccontextmanager
async def speaking(execution: Execution, era: str, user: str = "me") -> AsyncGenerator[Client]:
    """A user's client of a server that carries its calls out like this."""
    caller, store = Caller(user, PLANTED), execution.store
    parts = Parts(Tools(execution.connector), execution, store, lambda _: caller, 80_000, Inputs(store), Files(store))
    async with Client(create_server(parts), mode=era, read_timeout_seconds=WAIT) as client:
        yield client


async def test_a_connector_is_tried_again_by_a_call_whose_arguments_have_to_be_repaired_first(
    api: ScriptedApi, era: str
) -> None:
    api.offer("shop", "find_items", takes(count={"type": "integer"}))
    api.answer("shop/find_items", says([1]))
    circuits = Circuits()
    for _ in range(FAILURES):
        circuits.tell("shop", "me", time.monotonic() - REST, is_down=True)
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000, circuits)
        async with speaking(execution, era) as client:
            assert (await answer(client, "shop_find_items", count="3"))["data"] == [1]
