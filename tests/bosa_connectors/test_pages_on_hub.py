"""Pages as a program walks through them on a hub, with connectors of its own and with those that it brings."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from bosa_connectors import AsyncBosaConnector
from bosa_connectors.errors import ApiError
from bosa_hub.connectors import built_in
from bosa_hub.plugin import Connector, Page, Result, action
from bosa_hub.serve import RunningHub, running

from .shells import Shell, connecting

ITEMS = [{"id": number, "owner": {"login": f"user{number % 7}"}} for number in range(1, 251)]


class Pages(BaseModel):
    """A page by number."""

    page: int | None = None
    per_page: int | None = 30


class Cursors(BaseModel):
    """A page by cursor, from either end."""

    cursor: str | None = None
    per_page: int | None = 30
    from_last: bool | None = None


class Tokens(BaseModel):
    """A page by token."""

    page_token: str | None = None
    page_size: int | None = 30


class Things(Connector):
    """250 things, listed in the ways of the published connectors."""

    @action(effect="read")
    async def list_pages(self, request: Pages) -> Page[object]:
        """By number."""
        page, size = request.page or 1, request.per_page or 30
        return Page(ITEMS[(page - 1) * size : page * size], page=page, per_page=size, total=len(ITEMS))

    @action(effect="read")
    async def list_cursors(self, request: Cursors) -> Result[object]:
        """By cursor: after it, or with `from_last` before it."""
        at, size = request.cursor, request.per_page or 30
        end = len(ITEMS) if at is None else int(at)
        start = max(end - size, 0) if request.from_last else 0 if at is None else int(at) + 1
        end = end if request.from_last else min(start + size, len(ITEMS))
        meta = {"has_next": end < len(ITEMS), "has_prev": start > 0}
        return Result(ITEMS[start:end], {**meta, "backwards_cursor": str(start), "forwards_cursor": str(end - 1)})

    @action(effect="read")
    async def list_tokens(self, request: Tokens) -> Result[object]:
        """By token."""
        data, token = _after(request)
        return Result(data, {"has_next": token is not None, "forwards_cursor": token})

    @action(effect="read")
    async def list_messages(self, request: Tokens) -> object:
        """By token, which stands beside the items."""
        data, token = _after(request)
        return {"messages": data, "next_page_token": token}

    @action(effect="read")
    async def list_broken(self, request: Pages) -> Page[object]:
        """By number, as long as it goes well."""
        if request.page == 3:
            raise ValueError("boom")
        return await self.list_pages(request)


def _after(request: Tokens) -> tuple[list[Any], str | None]:
    at, size = int(request.page_token or 0), request.page_size or 30
    return ITEMS[at : at + size], str(at + size) if at + size < len(ITEMS) else None


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub"), connectors=[*built_in(), Things()]) as started:
        yield started


@pytest.fixture
async def bosa(hub: RunningHub, shell: Shell) -> AsyncIterator[AsyncBosaConnector]:
    async with connecting(shell, hub.url, hub.client_key) as connector:
        yield connector


LISTS = ["list_pages", "list_cursors", "list_tokens", "list_messages"]


@pytest.mark.parametrize("name", LISTS)
async def test_a_program_gets_every_thing_once(hub: RunningHub, bosa: AsyncBosaConnector, name: str) -> None:
    response = await bosa.run("things", name, token=hub.user_token("ada"))
    assert [item async for item in response.iter_items()] == ITEMS
    assert len(await response.get_all_items()) == 9


@pytest.mark.parametrize("name", LISTS)
async def test_a_program_gets_every_thing_once_also_of_few_fields(
    hub: RunningHub, bosa: AsyncBosaConnector, name: str
) -> None:
    fields = ["messages.id"] if name == "list_messages" else ["id"]
    response = await bosa.run("things", name, {"response_fields": fields}, token=hub.user_token("ada"))
    assert [item async for item in response.iter_items()] == [{"id": item["id"]} for item in ITEMS]
    if name == "list_messages":
        assert response.get_data().keys() == {"messages"}


@pytest.mark.parametrize("name", ["list_pages", "list_cursors"])
async def test_a_program_goes_forward_and_back(hub: RunningHub, bosa: AsyncBosaConnector, name: str) -> None:
    response = await bosa.run("things", name, {"per_page": 60}, token=hub.user_token("ada"))
    pages = [response.get_data()]
    while response.has_next():
        response = await response.next_page()
        pages.append(response.get_data())
    while response.has_prev():
        response = await response.prev_page()
        pages.append(response.get_data())
    starts = [page[0]["id"] for page in pages]
    assert starts == [1, 61, 121, 181, 241, 181, 121, 61, 1]
    assert sum(map(len, pages[:5])) == 250


async def test_an_error_in_the_middle_of_a_walk_is_raised_and_never_collected(
    hub: RunningHub, bosa: AsyncBosaConnector
) -> None:
    response = await bosa.run("things", "list_broken", token=hub.user_token("ada"))
    with pytest.raises(ApiError) as failure:
        await response.get_all_items()
    assert failure.value.status == 500
    second = await response.next_page()
    with pytest.raises(ApiError):
        await second.next_page()


async def test_a_walk_from_an_error_raises_what_the_api_said(hub: RunningHub, bosa: AsyncBosaConnector) -> None:
    response = await bosa.run("things", "list_broken", {"page": 3}, token=hub.user_token("ada"))
    assert (response.ok, response.get_status()) == (False, 500)
    assert response.get_data()["message"]
    with pytest.raises(ApiError):
        await response.get_all_items()


async def test_each_user_walks_through_notes_of_their_own(
    hub: RunningHub, bosa: AsyncBosaConnector, shell: Shell
) -> None:
    users = {name: hub.user_token(f"{name}, {shell}") for name in ("grace", "alan")}
    titles = {name: [f"{name} {number}" for number in range(5)] for name in users}
    for name, token in users.items():
        for title in titles[name]:
            await bosa.execute("notes", "create_note", input_={"title": title, "body": "…"}, token=token)
    responses = {name: await bosa.run("notes", "list_notes", {"per_page": 2}, token=users[name]) for name in users}
    walks = {name: response.iter_items() for name, response in responses.items()}
    seen: dict[str, list[str]] = {name: [] for name in users}
    for _ in range(5):
        for name, walk in walks.items():
            seen[name].append((await anext(walk))["title"])
    assert {name: sorted(found) for name, found in seen.items()} == titles
    assert [await anext(walk, "nothing more") for walk in walks.values()] == ["nothing more"] * 2


async def test_files_are_walked_by_cursor(hub: RunningHub, bosa: AsyncBosaConnector) -> None:
    token, names = hub.user_token("linus"), [f"{number:02}.txt" for number in range(7)]
    for name in names:
        await bosa.execute("files", "write_text_file", input_={"path": name, "text": name}, token=token)
    response = await bosa.run("files", "list_files", {"per_page": 3}, token=token)
    assert not response.has_prev()
    walked = [item["path"] async for item in response.iter_items()]
    assert sorted(walked) == names
