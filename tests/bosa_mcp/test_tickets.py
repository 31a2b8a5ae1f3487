"""Links under which accounts are linked, as they come and go."""

import anyio
import pytest

from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.tickets import BadTicket, Purpose, Tickets

from .scripted_api import WAIT


def purpose(who: str) -> Purpose:
    return Purpose(Caller(who, Credentials(user_token=who)), who, "shop", frozenset())


def test_whoever_asks_for_many_links_loses_the_oldest_of_their_own() -> None:
    tickets = Tickets()
    of_bob, first, second, *_ = [tickets.issue(purpose(who)) for who in ("bob", *["ada"] * 101)]
    assert tickets.find(of_bob.id) is of_bob
    assert tickets.find(second.id) is second
    with pytest.raises(BadTicket):
        tickets.find(first.id)


async def test_they_are_over_once_each_is_used_up_or_was_never_given() -> None:
    tickets = Tickets()
    used, dropped = (tickets.issue(purpose("ada")) for _ in range(2))
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(tickets.over)
            await anyio.wait_all_tasks_blocked()
            tickets.drop(dropped)
            await anyio.wait_all_tasks_blocked()
            tickets.use_up(used, "Done.", is_linked=True)
        await tickets.over()
    for each in (used, dropped):
        with pytest.raises(BadTicket):
            tickets.find(each.id)


async def test_a_new_one_is_heard_of() -> None:
    tickets = Tickets()
    with anyio.fail_after(WAIT):
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(tickets.change)
            await anyio.wait_all_tasks_blocked()
            tickets.issue(purpose("ada"))
