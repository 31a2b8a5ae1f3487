"""Crowds of calls through a proxy that loses, delays and spoils a part of them: nothing doubled, nothing hidden."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call, Credentials
from bosa_connectors.calls import Reply
from bosa_connectors.errors import BosaError, OutcomeUnknown, Unreachable
from bosa_connectors.retry import safe
from bosa_connectors.shapes import items, members
from bosa_hub.serve import RunningHub, running

from ..faults import EVERYTHING, LOSSES, fault_proxy  # noqa: TID252  shared with the tests of the MCP server
from .shells import Shell, connecting

AT_ONCE = 32


@dataclass(slots=True)
class Ledger:
    """What came of many calls."""

    done: list[int] = field(default_factory=list[int])
    refused: list[int] = field(default_factory=list[int])
    """Stated by the API: nothing was done."""
    unknown: list[int] = field(default_factory=list[int])


@dataclass(frozen=True, slots=True)
class Notes:
    """A hub with a fresh user, whose notes can be looked at past every fault."""

    hub: RunningHub
    actions: dict[str, Action]
    user: Credentials

    def titles(self) -> Counter[str]:
        """How often there is a note of each title."""
        with BosaConnector(self.hub.url) as connector:
            return Counter(title for page in range(1, 100) for title in self._page(connector, page))

    def _page(self, connector: BosaConnector, page: int) -> list[str]:
        reply = connector.send(Call(self.actions["list_notes"], {"page": page, "per_page": 100}, self.user))
        return [str(members(note)["title"]) for note in items(reply.data)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub")) as hub:
        yield hub


@pytest.fixture
def notes(hub: RunningHub, tmp_path: Path) -> Notes:
    with BosaConnector(hub.url) as connector:
        actions = dict(connector.catalogue("notes"))
    return Notes(hub, actions, Credentials(hub.client_key, hub.user_token(tmp_path.name)))


async def crowd(calls: int, make: Callable[[int], Awaitable[Reply]]) -> Ledger:
    """So many calls, 32 at once; whoever fails in a way that says nothing of what was done fails the test."""
    ledger, ahead = Ledger(), iter(range(calls))

    async def work() -> None:
        for number in ahead:
            try:
                reply = await make(number)
            except OutcomeUnknown:
                ledger.unknown.append(number)
            except Unreachable:
                ledger.refused.append(number)
            else:
                (ledger.refused if reply.error else ledger.done).append(number)

    async with anyio.create_task_group() as workers:
        for _ in range(AT_ONCE):
            workers.start_soon(work)
    return ledger


def writing(connector: AsyncBosaConnector, notes: Notes) -> Callable[[int], Awaitable[Reply]]:
    """How the n-th note is made."""
    create = notes.actions["create_note"]
    return lambda number: connector.send(
        Call(create, {"title": f"note {number}", "body": "x"}, notes.user, 60, safe("create"))
    )


async def test_a_thousand_writes_of_which_a_fifth_of_the_replies_are_lost_are_done_once_each(
    notes: Notes, shell: Shell
) -> None:
    async with fault_proxy(notes.hub.url, LOSSES) as proxy, connecting(shell, proxy.url) as connector:
        before = Call(notes.actions["create_note"], {"title": "before", "body": "x"}, notes.user, None, safe("create"))
        while not await succeeds(connector, before):
            pass
        ledger = await crowd(1000, writing(connector, notes))
    assert proxy.done.total() - proxy.done["passed"] > 150
    titles = notes.titles()
    assert [title for title, times in titles.items() if times > 1 and title != "before"] == []
    assert (len(ledger.done) + len(ledger.unknown), ledger.refused) == (1000, [])
    assert len(ledger.unknown) < 5  # one in 15,000 loses all six of its replies
    made = titles.keys() - {"before"}
    assert {f"note {number}" for number in ledger.done} <= made
    assert made <= {f"note {number}" for number in (*ledger.done, *ledger.unknown)}


async def succeeds(connector: AsyncBosaConnector, call: Call) -> bool:
    """Whether it does: an API that has answered one write is known to honour keys."""
    try:
        return not (await connector.send(call)).error
    except BosaError:
        return False


async def test_where_the_api_honours_no_keys_each_lost_write_is_said_to_be_unknown(notes: Notes, shell: Shell) -> None:
    async with (
        fault_proxy(notes.hub.url, {**EVERYTHING, **LOSSES}, seed=2, without=[b"idempotency-key"]) as proxy,
        connecting(shell, proxy.url) as connector,
    ):
        ledger = await crowd(300, writing(connector, notes))
    made = notes.titles()
    assert max(made.values()) == 1
    assert {f"note {number}" for number in ledger.done} <= made.keys()
    assert made.keys() & {f"note {number}" for number in ledger.refused} == set()
    assert made.keys() <= {f"note {number}" for number in (*ledger.done, *ledger.unknown)}
    assert len(ledger.unknown) == sum(proxy.done[fault] for fault in LOSSES)


async def test_a_thousand_reads_through_every_fault_succeed(notes: Notes, shell: Shell) -> None:
    get = Call(notes.actions["list_notes"], {}, notes.user, 60, safe("read"))
    async with fault_proxy(notes.hub.url, EVERYTHING, seed=3) as proxy, connecting(shell, proxy.url) as connector:
        ledger = await crowd(1000, lambda number: connector.send(replace(get, arguments={"page": number % 7 + 1})))
    assert len(ledger.done) >= 999
    assert proxy.done.total() > 1100
    assert proxy.done.keys() == {"passed", *EVERYTHING}
