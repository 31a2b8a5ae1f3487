"""Calls beside each other: connectors that are left alone, and how many calls of a user there may be at once."""

import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from threading import Event, Semaphore

import anyio
from anyio import to_thread
from mcp import Client
from starlette.requests import Request
from starlette.responses import Response

from bosa_connectors.aio import AsyncBosaConnector
from bosa_mcp.access import Caller
from bosa_mcp.calling import Parts
from bosa_mcp.circuits import FAILURES, REST, Circuits
from bosa_mcp.execution import AT_ONCE, IN_ALL, Execution
from bosa_mcp.files import Files
from bosa_mcp.inputs import Inputs
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.store import Store

from .conftest import PLANTED, Connect, answer, refusal
from .scripted_api import WAIT, ScriptedApi, fails, says, takes


@asynccontextmanager
async def speaking(execution: Execution, era: str, user: str = "me") -> AsyncGenerator[Client]:
    """A user's client of a server that carries its calls out like this."""
    caller, store = Caller(user, PLANTED), execution.store
    parts = Parts(Tools(execution.connector), execution, store, lambda _: caller, 80_000, Inputs(store), Files(store))
    async with Client(create_server(parts), mode=era, read_timeout_seconds=WAIT) as client:
        yield client


class Hanging:
    """Answers of an API that do not come, counted."""

    def __init__(self, api: ScriptedApi, awaited: int) -> None:
        self._api = api
        self._missing = awaited
        self._all_there = Event()

    async def __call__(self, request: Request) -> Response:
        self._missing -= 1
        if not self._missing:
            self._all_there.set()
        return await self._api.hang(request)

    async def are_all_there(self) -> None:
        assert await to_thread.run_sync(self._all_there.wait, WAIT)


def rested() -> Circuits:
    """After failures of `shop`, the next call to which tries whether it is up again."""
    circuits = Circuits()
    for _ in range(FAILURES):
        circuits.tell("shop", "me", time.monotonic() - REST, is_down=True)
    return circuits


async def test_a_connector_is_tried_again_by_a_call_whose_arguments_have_to_be_repaired_first(
    api: ScriptedApi, era: str
) -> None:
    api.offer("shop", "find_items", takes(count={"type": "integer"}))
    api.answer("shop/find_items", says([1]))
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000, rested())
        async with speaking(execution, era) as client:
            assert (await answer(client, "shop_find_items", count="3"))["data"] == [1]


async def test_a_connector_is_tried_again_where_the_call_that_tried_it_was_given_up(api: ScriptedApi, era: str) -> None:
    hanging = Hanging(api, 1)
    api.offer("shop", "find_items")
    api.answer("shop/find_items", hanging, says([1]))
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000, rested())
        async with speaking(execution, era) as client:
            async with anyio.create_task_group() as calls:
                calls.start_soon(client.call_tool, "shop_find_items")
                await hanging.are_all_there()
                assert (await refusal(client, "shop_find_items"))["kind"] == "unreachable"
                calls.cancel_scope.cancel()
            assert await to_thread.run_sync(api.abandoned.wait, WAIT)
            assert (await answer(client, "shop_find_items"))["data"] == [1]


async def test_a_call_that_finds_no_place_in_its_time_is_refused_and_not_sent(api: ScriptedApi, era: str) -> None:
    hanging = Hanging(api, AT_ONCE)
    api.offer("shop", "find_items")
    api.offer("shop", "create_order")
    api.answer("shop/find_items", hanging)
    api.answer("shop/create_order", says(1))
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000)
        async with (
            speaking(execution, era) as client,
            speaking(replace(execution, call_budget=0.1), era) as hurried,
            anyio.create_task_group() as calls,
        ):
            for _ in range(AT_ONCE):
                calls.start_soon(client.call_tool, "shop_find_items")
            await hanging.are_all_there()
            error = await refusal(hurried, "shop_create_order")
            assert error["kind"] == "rate_limited"
            assert "Nothing was sent" in error["message"]
            calls.cancel_scope.cancel()
    assert not api.sent("shop/create_order")


async def test_calls_that_wait_for_those_that_fail_are_answered_at_once_and_not_sent(
    api: ScriptedApi, era: str
) -> None:
    there, released, kinds = Semaphore(0), Event(), Counter[str]()

    async def give_up(_: Request) -> Response:
        there.release()
        await to_thread.run_sync(released.wait, WAIT)
        return fails(504)

    async def order(client: Client) -> None:
        kinds[(await refusal(client, "shop_create_order"))["kind"]] += 1

    api.offer("shop", "create_order")
    api.answer("shop/create_order", give_up)
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000)
        async with speaking(execution, era) as client, anyio.create_task_group() as calls:
            for _ in range(3 * AT_ONCE):
                calls.start_soon(order, client)
            for _ in range(AT_ONCE):
                assert await to_thread.run_sync(partial(there.acquire, timeout=WAIT))
            released.set()
    assert len(api.sent("shop/create_order")) < AT_ONCE + FAILURES
    assert kinds["unreachable"] > AT_ONCE


async def test_calls_are_answered_while_a_large_result_is_made(api: ScriptedApi, connect: Connect) -> None:
    many = [{"id": number, "user": {"login": "me", "name": "Me"}, "tags": ["a", "b", "c"]} for number in range(60_000)]
    api.offer("shop", "list_items")
    api.offer("bank", "get_item")
    api.answer("shop/list_items", says(many))
    api.answer("bank/get_item", says(1))
    answered = 0
    async with connect(api.url) as client:

        async def ask() -> None:
            nonlocal answered
            while True:
                await answer(client, "bank_get_item")
                answered += 1

        await answer(client, "bank_get_item")
        async with anyio.create_task_group() as asking:
            asking.start_soon(ask)
            assert "omitted" in await answer(client, "shop_list_items")
            asking.cancel_scope.cancel()
    assert answered > 30


async def test_calls_of_one_user_to_many_connectors_leave_room_for_another_user(api: ScriptedApi, era: str) -> None:
    hanging = Hanging(api, IN_ALL)
    connectors = [f"shop{number}" for number in range(IN_ALL // AT_ONCE + 1)]
    for name in connectors:
        api.offer(name, "find_items")
        api.answer(f"{name}/find_items", hanging)
    api.offer("bank", "find_items")
    api.answer("bank/find_items", says([1]))
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000)
        async with (
            speaking(execution, era) as client,
            speaking(replace(execution, call_budget=0.1), era) as hurried,
            speaking(execution, era, "you") as other,
            anyio.create_task_group() as calls,
        ):
            for name in connectors * AT_ONCE:
                calls.start_soon(client.call_tool, f"{name}_find_items")
            await hanging.are_all_there()
            assert (await refusal(hurried, "bank_find_items"))["kind"] == "rate_limited"
            assert (await answer(other, "bank_find_items"))["data"] == [1]
            assert sum(len(api.sent(f"{name}/find_items")) for name in connectors) == IN_ALL
            calls.cancel_scope.cancel()


async def test_a_call_under_way_is_not_repeated_once_its_connector_is_left_alone(api: ScriptedApi, era: str) -> None:
    there, released = Event(), Event()

    async def give_up(_: Request) -> Response:
        there.set()
        await to_thread.run_sync(released.wait, WAIT)
        return fails(503, headers={"retry-after": "0"})

    api.offer("shop", "find_items")
    api.answer("shop/find_items", give_up)
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000)
        async with speaking(execution, era) as client, anyio.create_task_group() as calls:
            calls.start_soon(refusal, client, "shop_find_items")
            assert await to_thread.run_sync(there.wait, WAIT)
            for _ in range(FAILURES):
                execution.circuits.tell("shop", "me", time.monotonic(), is_down=True)
            released.set()
    assert len(api.sent("shop/find_items")) == 1


async def test_the_call_that_tries_whether_a_connector_is_up_again_is_repeated_as_any_other(
    api: ScriptedApi, era: str
) -> None:
    api.offer("shop", "find_items")
    api.answer("shop/find_items", fails(503, headers={"retry-after": "0"}), says([1]))
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        execution = Execution(connector, Store.at("memory://"), WAIT, 80_000, rested())
        async with speaking(execution, era) as client:
            assert (await answer(client, "shop_find_items"))["data"] == [1]
