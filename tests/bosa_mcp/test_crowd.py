"""Crowds of calls through the server: replies lost on the way, many at once, one of them given up."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from mcp import Client
from mcp.client.stdio import stdio_client
from starlette.requests import Request
from starlette.responses import Response

from bosa_connectors import BosaConnector, Call, Credentials
from bosa_connectors.shapes import items, members
from bosa_hub.serve import RunningHub

from ..faults import EVERYTHING, LOSSES, fault_proxy  # noqa: TID252  shared with the tests of the SDK
from .conftest import KEY, TOKEN, Connect
from .processes import parameters
from .scripted_api import WAIT, Json, ScriptedApi, says, takes

AT_ONCE = 32


@dataclass(slots=True)
class Ledger:
    """What clients were told of many calls: which succeeded, and which failed with what kind of error."""

    done: list[int] = field(default_factory=list[int])
    failed: dict[str, list[int]] = field(default_factory=dict[str, list[int]])

    async def crowd(
        self, client: Client, calls: int, tool: str, arguments: Callable[[int], Json], first: int = 0
    ) -> None:
        """So many calls, 32 at once, numbered from `first`."""
        ahead = iter(range(calls))

        async def work() -> None:
            for number in ahead:
                result = await client.call_tool(tool, arguments(number))
                if not result.is_error:
                    self.done.append(first + number)
                    continue
                error = members(members(result.structured_content)["error"])
                self.failed.setdefault(str(error["kind"]), []).append(first + number)

        async with anyio.create_task_group() as workers:
            for _ in range(AT_ONCE):
                workers.start_soon(work)


def titles(hub: RunningHub, user: Credentials) -> Counter[str]:
    """How often there is a note of each title, looked at past every fault."""
    with BosaConnector(hub.url) as connector:
        action = connector.catalogue("notes")["list_notes"]
        pages = (connector.send(Call(action, {"page": page, "per_page": 100}, user)) for page in range(1, 15))
        return Counter(str(members(note)["title"]) for page in pages for note in items(page.data))


def note(number: int) -> Json:
    return {"title": f"note {number}", "body": "x"}


def names(numbers: Iterable[int]) -> set[str]:
    return {f"note {number}" for number in numbers}


async def listed(client: Client) -> None:
    """Returns once the tools are known: what lists them may be lost as well."""
    while not any(tool.name.startswith("notes_") for tool in (await client.list_tools()).tools):
        pass


async def test_a_thousand_writes_of_which_a_fifth_of_the_replies_are_lost_are_done_once_each(
    hub: RunningHub, hub_user: Credentials, connect: Connect
) -> None:
    ledger = Ledger()
    async with (
        fault_proxy(hub.url, LOSSES, seed=4) as proxy,
        connect(proxy.url, "notes", credentials=hub_user) as client,
    ):
        await listed(client)
        while (await client.call_tool("notes_create_note", {"title": "first", "body": "x"})).is_error:
            pass  # an API that has answered one write is known to honour keys
        await ledger.crowd(client, 1000, "notes_create_note", note)
    assert sum(proxy.done[fault] for fault in LOSSES) > 150
    unknown = ledger.failed.pop("outcome_unknown", [])  # one in 15,000 loses all six of its replies
    assert (ledger.failed, len(ledger.done) + len(unknown)) == ({}, 1000)
    assert len(unknown) < 5
    made = titles(hub, hub_user)
    assert [title for title, times in made.items() if times > 1 and title != "first"] == []
    assert names(ledger.done) <= made.keys() - {"first"} <= names([*ledger.done, *unknown])


async def test_where_the_api_honours_no_keys_no_lost_write_is_doubled_or_claimed_and_each_is_said_to_be_unknown(
    hub: RunningHub, hub_user: Credentials, connect: Connect
) -> None:
    ledger = Ledger()
    async with fault_proxy(hub.url, LOSSES, seed=6, without=[b"idempotency-key"]) as proxy:

        async def write(first: int) -> None:  # a server each: after five losses in a row it leaves the API alone
            async with connect(proxy.url, "notes", credentials=hub_user) as client:
                await listed(client)
                await ledger.crowd(client, 50, "notes_create_note", lambda number: note(first + number), first)

        async with anyio.create_task_group() as writers:
            for first in range(0, 1000, 50):
                writers.start_soon(write, first)
    unknown, refused = ledger.failed.pop("outcome_unknown"), ledger.failed.pop("unreachable", [])
    assert ledger.failed == {}
    assert len(ledger.done) + len(unknown) + len(refused) == 1000
    assert len(unknown) > 50
    made = titles(hub, hub_user)
    assert max(made.values()) == 1
    assert names(ledger.done) <= made.keys() <= names([*ledger.done, *unknown])


async def test_a_thousand_reads_through_every_fault_recover(
    hub: RunningHub, hub_user: Credentials, connect: Connect
) -> None:
    ledger = Ledger()
    async with (
        fault_proxy(hub.url, EVERYTHING, seed=5) as proxy,
        connect(proxy.url, "notes", credentials=hub_user) as client,
    ):
        await listed(client)
        await ledger.crowd(client, 1000, "notes_list_notes", lambda number: {"page": number % 7 + 1})
    assert len(ledger.done) >= 999, ledger.failed
    assert proxy.done.keys() == {"passed", *EVERYTHING}


async def test_fifty_calls_at_once_over_one_pipe_and_one_of_them_given_up(
    api: ScriptedApi, era: str, tmp_path: Path
) -> None:
    api.offer("shop", "find", takes("number", number={"type": "integer"}))

    async def find(request: Request) -> Response:
        number = json.loads(await request.body())["number"]
        return await api.hang(request) if number == 25 else says({"number": number})

    api.answer("shop/find", find)
    command = parameters(
        tmp_path, BOSA_API_BASE_URL=api.url, BOSA_API_KEY=KEY, BOSA_USER_TOKEN=TOKEN, BOSA_LOG_LEVEL="error"
    )
    found: dict[int, Any] = {}
    with (tmp_path / "stderr").open("w+") as log:
        async with Client(stdio_client(command, log), mode=era, read_timeout_seconds=WAIT) as client:

            async def call(number: int) -> None:
                found[number] = (await client.call_tool("shop_find", {"number": number})).structured_content

            async with anyio.create_task_group() as calls, anyio.create_task_group() as given_up:
                given_up.start_soon(call, 25)
                for number in (number for number in range(50) if number != 25):
                    calls.start_soon(call, number)
                assert await to_thread.run_sync(api.reached.wait, WAIT)
                given_up.cancel_scope.cancel()
            assert await to_thread.run_sync(api.abandoned.wait, WAIT)
            await call(99)
        log.seek(0)
        assert log.read() == ""
    assert found == {number: {"data": {"number": number}, "meta": None} for number in (*range(50), 99) if number != 25}
