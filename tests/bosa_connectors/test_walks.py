"""Walks through pages, in both shells: every item once, forward and back, and an end to every walk."""

import asyncio
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import AsyncBosaConnector
from bosa_connectors.action_response import AsyncActionResponse
from bosa_connectors.calls import Call, Reply
from bosa_connectors.errors import Failure, NotFound, PagingError, RateLimited
from bosa_connectors.walks import MAX_ALIKE

from .pages import FORWARD_ONLY, STYLES, Arguments, listing, paged, reply, responding
from .raw import Connection, answer, raw_api
from .shells import SHELLS, Shell

LISTINGS = st.lists(st.fixed_dictionaries({"n": st.integers()}), max_size=25)
SIZES = st.integers(1, 7)
in_both_shells = pytest.mark.parametrize("how", SHELLS)
in_any_style = pytest.mark.parametrize("style", STYLES)


@in_both_shells
@in_any_style
@settings(deadline=None, max_examples=30)
@given(items=LISTINGS, size=SIZES)
async def test_a_walk_yields_every_item_once(how: Shell, style: str, items: list[object], size: int) -> None:
    api = listing(style, items, size)
    response = api.respond(how, q="x")
    assert [item async for item in response.iter_items()] == items
    assert len(api.asked) == max(1, -(-len(items) // size))
    assert all(arguments["q"] == "x" for arguments in api.asked)


@in_both_shells
@in_any_style
@settings(deadline=None, max_examples=30)
@given(items=LISTINGS, size=SIZES)
async def test_all_pages_are_collected_with_their_meta(how: Shell, style: str, items: list[object], size: int) -> None:
    pages = await listing(style, items, size).respond(how).get_all_items()
    assert all(page.keys() == {"data", "meta"} for page in pages)
    in_data = [page["data"].get("messages", []) if style == "in data" else page["data"] for page in pages]
    assert [item for data in in_data for item in data] == items


@in_both_shells
@pytest.mark.parametrize("style", sorted(STYLES.keys() - FORWARD_ONLY))
@settings(deadline=None, max_examples=30)
@given(items=LISTINGS, size=SIZES)
async def test_a_walk_to_the_end_and_back_sees_the_same_pages(
    how: Shell, style: str, items: list[object], size: int
) -> None:
    response = listing(style, items, size).respond(how)
    there, back = [response.get_data()], list[object]()
    while response.has_next():
        response = await response.next_page()
        there.append(response.get_data())
    while response.has_prev():
        response = await response.prev_page()
        back.append(response.get_data())
    assert [item for page in there for item in page] == items
    assert back == there[-2::-1]
    assert (await response.prev_page()).get_data() == response.get_data()


@in_both_shells
@given(turns=st.lists(st.booleans(), max_size=20), style=st.sampled_from(["page", "cursor", "from_last"]))
@settings(deadline=None, max_examples=30)
async def test_any_turns_of_pages_lead_where_they_say(how: Shell, turns: list[bool], style: str) -> None:
    items = [{"n": number} for number in range(7)]
    response, at = listing(style, items, 2).respond(how), 0
    for forward in turns:
        response = await (response.next_page() if forward else response.prev_page())
        at = min(at + 1, 3) if forward else max(at - 1, 0)
        assert response.get_data() == items[at * 2 : at * 2 + 2]


@pytest.mark.parametrize("style", sorted(FORWARD_ONLY))
async def test_an_api_that_only_leads_forward_has_no_page_before(shell: Shell, style: str) -> None:
    response = await listing(style, [{"n": 1}, {"n": 2}], 1).respond(shell).next_page()
    assert response.has_prev() is False
    assert (await response.prev_page()).get_data() == response.get_data()


async def test_a_walk_may_begin_at_the_last_page(shell: Shell) -> None:
    items = [{"n": number} for number in range(5)]
    last = listing("from_last", items, 2).respond(shell, from_last=True)
    assert (last.get_data(), last.has_next()) == (items[3:], False)
    before = await last.prev_page()
    assert before.get_data() == items[1:3]
    assert (await before.next_page()).get_data() == items[3:]


async def test_a_page_that_is_asked_for_twice_is_no_repetition(shell: Shell) -> None:
    first = listing("page_token", [1, 2, 3], 1).respond(shell)
    for _ in range(2):
        second = await first.next_page()
        assert (await second.next_page()).get_data() == [3]


def answers(*pages: Reply) -> Callable[[Call], Reply]:
    """An API that answers one after the other, and the last for ever."""
    left = list(pages)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def ahead(cursor: object, data: object = None) -> Reply:
    """A page that says where the next one is."""
    return reply({"has_next": True, "forwards_cursor": cursor}, data if data is not None else [cursor])


LIARS: dict[str, tuple[str, list[Reply]]] = {
    "the same cursor again": ("cursor", [ahead("a")]),
    "a cursor of several pages before": ("cursor", [*map(ahead, "abcb"), ahead("z")]),
    "the same page again": ("page", [reply({"page": 1, "has_next": True}, [1])]),
    "an earlier page": ("page", [reply({"page": n, "has_next": True}, [n]) for n in (1, 2, 1)]),
    "a page and no cursor": ("cursor", [reply({"has_next": True, "forwards_cursor": None}, [1])]),
    "a page and no argument": ("q", [reply({"has_next": True}, [1])]),
    "a cursor and no argument": ("q", [ahead("a")]),
    "the same for ever": ("page", [reply({"has_next": True}, [1])]),
    "nothing for ever": ("page", [reply({"has_next": True}, [])]),
}


@pytest.mark.parametrize("lie", LIARS)
async def test_an_api_that_leads_nowhere_ends_the_walk_with_an_error(shell: Shell, lie: str) -> None:
    argument, pages = LIARS[lie]
    response = responding(shell, answers(*pages), Call(paged(argument), {}))
    assert response.has_next() is True
    with pytest.raises(PagingError):
        await response.get_all_items()


async def test_a_walk_of_ever_the_same_page_is_bounded(shell: Shell) -> None:
    came: list[object] = []
    response = responding(shell, answers(reply({"has_next": True}, [1])), Call(paged("page"), {}))
    with pytest.raises(PagingError, match=f"{MAX_ALIKE} pages in a row that hold the same"):
        await fill(came, response.iter_items())
    assert len(came) == MAX_ALIKE


async def test_what_came_before_the_lie_is_not_lost(shell: Shell) -> None:
    send = answers(*map(ahead, "abcb"), ahead("z"))
    came: list[object] = []
    with pytest.raises(PagingError, match="back to a page that was there before: cursor 'b'"):
        await fill(came, responding(shell, send, Call(paged("cursor"), {})).iter_items())
    assert came == ["a", "b", "c", "b"]


async def test_pages_that_hold_the_same_are_walked_as_long_as_that_may_be_so(shell: Shell) -> None:
    items = [{"state": "open"}] * (MAX_ALIKE - 2) + [{"state": "closed"}]
    walked = [item async for item in listing("page", items, 1).respond(shell).iter_items()]
    assert walked == items


async def test_a_walk_that_leads_back_to_where_it_began_ends_there(shell: Shell) -> None:
    response = responding(shell, answers(ahead("b"), ahead("a")), Call(paged("cursor"), {"cursor": "a"}))
    second = await response.next_page()
    with pytest.raises(PagingError, match="back to a page that was there before: cursor 'a'"):
        await second.next_page()


async def test_there_is_no_way_back_from_a_page_without_a_number(shell: Shell) -> None:
    response = responding(shell, answers(reply({"has_prev": True}, [])), Call(paged("page"), {}))
    with pytest.raises(PagingError, match="There is a page before"):
        await response.prev_page()


@pytest.mark.parametrize("said", [1, 5, None])
async def test_a_page_before_that_cannot_be_is_an_error(shell: Shell, said: int | None) -> None:
    api = answers(reply({"has_prev": True, "page": said}, []))
    response = responding(shell, api, Call(paged("page"), {"page": 1}))
    with pytest.raises(PagingError, match="says that there is one before page"):
        await response.prev_page()


async def test_a_cursor_back_to_the_same_page_is_an_error(shell: Shell) -> None:
    api = answers(reply({"has_prev": True, "backwards_cursor": "a"}, []))
    response = await responding(shell, api, Call(paged("cursor"), {})).prev_page()
    with pytest.raises(PagingError, match="that page again"):
        await response.prev_page()


LIMITED = Reply(429, {}, {"message": "slow down"}, error=RateLimited(Failure(status=429, message="slow down")))
WALKS: dict[str, Callable[[AsyncActionResponse], Any]] = {
    "next_page": lambda response: response.next_page(),
    "get_all_items": lambda response: response.get_all_items(),
    "iter_items": lambda response: collected(response.iter_items()),
    "iter_pages": lambda response: collected(response.iter_pages()),
}


async def fill(came: list[object], iterator: Any) -> None:  # noqa: ANN401  of either shell
    """Keeps what comes, also where an error ends it."""
    async for item in iterator:
        came.append(item)  # noqa: PERF401  a comprehension would lose it all


async def collected(iterator: Any) -> list[Any]:  # noqa: ANN401  of either shell
    return [each async for each in iterator]


@pytest.mark.parametrize("walk", WALKS)
async def test_an_error_in_the_middle_of_a_walk_is_raised(shell: Shell, walk: str) -> None:
    response = responding(shell, answers(ahead("a"), LIMITED), Call(paged("cursor"), {}))
    with pytest.raises(RateLimited, match="slow down"):
        await WALKS[walk](response)


@pytest.mark.parametrize("walk", [*WALKS, "prev_page"])
async def test_a_walk_from_an_error_raises_it(shell: Shell, walk: str) -> None:
    response = responding(shell, answers(LIMITED), Call(paged("cursor"), {}))
    assert (response.has_next(), response.has_prev()) == (False, False)
    with pytest.raises(RateLimited):
        await WALKS.get(walk, lambda response: response.prev_page())(response)


async def test_a_page_that_failed_may_be_asked_for_again(shell: Shell) -> None:
    response = responding(shell, answers(ahead("a"), LIMITED, ahead("b")), Call(paged("cursor"), {}))
    with pytest.raises(RateLimited):
        await response.next_page()
    assert (await response.next_page()).get_data() == ["b"]


async def test_a_blocking_walk_asks_for_a_page_when_it_is_due() -> None:
    api = listing("page", [1, 2, 3, 4, 5], 2)
    items = api.respond("blocking").iter_items()
    asked = [(await anext(items), len(api.asked)) for _ in range(5)]
    assert asked == [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)]


def others() -> set[asyncio.Task[Any]]:
    """The tasks that are there beside this one."""
    return asyncio.all_tasks() - {task for task in (asyncio.current_task(),) if task}


async def ended(before: set[asyncio.Task[Any]]) -> None:
    """Waits until no other tasks are there than before."""
    while left := others() - before:
        await asyncio.wait(left, timeout=5)


class Slow:
    """An API that answers each further page when it is told to."""

    def __init__(self, *pages: Reply) -> None:
        self.left = list(pages[1:])
        self.called = asyncio.Event()
        self.go = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.asked: list[Arguments] = []
        self.response = AsyncActionResponse(self.send, Call(paged("cursor"), {}), pages[0])

    async def send(self, call: Call) -> Reply:
        self.asked.append(call.arguments)
        self.called.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        return self.left.pop(0)


LAST = reply({"has_next": False}, ["last"])


async def test_the_next_page_is_fetched_while_the_caller_works_and_no_further_one() -> None:
    api = Slow(ahead("a"), ahead("b"), LAST)
    api.go.set()
    items = api.response.iter_items()
    assert await anext(items) == "a"
    await api.called.wait()
    await asyncio.sleep(0)
    assert api.asked == [{"cursor": "a"}]
    assert [item async for item in items] == ["b", "last"]
    assert len(api.asked) == 2


@pytest.mark.parametrize("walk", ["iter_items", "iter_pages"])
async def test_a_walk_that_is_left_gives_up_the_page_ahead(walk: str) -> None:
    before, api = others(), Slow(ahead("a"), LAST)
    async for _ in getattr(api.response, walk)():
        await api.called.wait()
        break
    await api.cancelled.wait()
    await ended(before)


async def test_a_walk_that_is_closed_leaves_no_task_behind() -> None:
    before, api = others(), Slow(ahead("a"), LAST)
    items = api.response.iter_items()
    await anext(items)
    await api.called.wait()
    await items.aclose()
    assert others() == before
    assert api.cancelled.is_set()


async def test_a_walk_whose_caller_is_cancelled_gives_up_the_page_ahead() -> None:
    before, api = others(), Slow(ahead("a"), LAST)
    walk = asyncio.create_task(collected(api.response.iter_items()))
    await api.called.wait()
    walk.cancel()
    with pytest.raises(asyncio.CancelledError):
        await walk
    assert api.cancelled.is_set()
    await ended(before)


async def test_a_walk_whose_caller_runs_out_of_time_gives_up_the_page_ahead() -> None:
    before, api, came = others(), Slow(ahead("a"), LAST), list[object]()
    with anyio.CancelScope() as scope:
        async for item in api.response.iter_items():
            came.append(item)
            await api.called.wait()
            scope.cancel()
    assert (came, scope.cancelled_caught) == (["a"], True)
    await api.cancelled.wait()
    await ended(before)


async def test_an_error_of_the_page_ahead_is_raised_when_its_turn_comes() -> None:
    api = Slow(reply({"has_next": True, "forwards_cursor": "a"}, ["x", "y"]), LIMITED)
    api.go.set()
    items = api.response.iter_items()
    assert await anext(items) == "x"
    await api.called.wait()
    await asyncio.sleep(0)
    assert await anext(items) == "y"
    with pytest.raises(RateLimited):
        await anext(items)
    assert await anext(items, "nothing more") == "nothing more"


async def test_an_error_of_the_page_ahead_that_no_one_waits_for_is_no_warning() -> None:
    heard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    try:
        api = Slow(ahead("a"), LIMITED)
        api.go.set()
        items = api.response.iter_items()
        await anext(items)
        await api.called.wait()
        await asyncio.sleep(0)
        await items.aclose()
        del items, api
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(usual)
    assert heard == []


def test_a_loop_may_end_in_the_middle_of_a_walk() -> None:
    async def leave() -> Slow:
        api = Slow(ahead("a"), LAST)
        items = api.response.iter_items()
        await anext(items)
        await api.called.wait()
        return api

    assert asyncio.run(leave()).cancelled.is_set()


async def test_a_request_on_its_way_is_given_up_with_the_walk() -> None:
    before, call, under_way = others(), Call(paged("cursor"), {}), anyio.Event()

    async def page_then_silence(connection: Connection) -> None:
        await connection.request()
        await connection.write(answer(b'{"data": [1], "meta": {"has_next": true, "forwards_cursor": "a"}}'))
        await connection.request()
        under_way.set()
        await connection.gone()

    async with raw_api(page_then_silence) as api, AsyncBosaConnector(api.url) as bosa:
        async for _ in AsyncActionResponse(bosa.send, call, await bosa.send(call)).iter_items():
            await under_way.wait()
            break
        await api.closed.wait()
    await ended(before)


async def test_many_walk_through_the_same_response_at_once(shell: Shell) -> None:
    items = [{"n": number} for number in range(30)]
    response = listing("page_token", items, 4).respond(shell)
    async with asyncio.TaskGroup() as walkers:
        walks = [walkers.create_task(collected(response.iter_items())) for _ in range(10)]
    assert [walk.result() for walk in walks] == [items] * 10


async def test_a_page_that_does_not_exist_says_so(shell: Shell) -> None:
    gone = Reply(404, {}, {"message": "no such page"}, error=NotFound(Failure(status=404, message="no such page")))
    response = responding(shell, answers(ahead("a"), gone), Call(paged("cursor"), {}))
    with pytest.raises(NotFound, match="no such page"):
        await response.next_page()
