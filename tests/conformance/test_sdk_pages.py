"""Our clients walk through the pages of the published server and of our hub, and find the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pytest

from bosa_hub.connectors import built_in
from bosa_hub.serve import running

from ..bosa_connectors.shells import SHELLS, Shell, connecting  # noqa: TID252  test folders are no packages
from .side_by_side.hub_probe import ITEMS, Probe

if TYPE_CHECKING:
    from .published import PublishedServer


@dataclass(frozen=True, slots=True)
class Served:
    """A server with the probe, and who calls it."""

    url: str
    client_key: str
    token: str


@pytest.fixture(scope="module", params=["hub", "published"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    which: Literal["hub", "published"] = request.param
    if which == "published":
        server: PublishedServer = request.getfixturevalue("published_server")
        yield Served(server.url, server.client_key, server.new_user())
    else:
        with running(tmp_path_factory.mktemp("hub"), connectors=[*built_in(), Probe()]) as hub:
            yield Served(hub.url, hub.client_key, hub.user_token("ada"))


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> Shell:
    return request.param


@pytest.mark.parametrize("action", ["list_pages", "list_cursors", "list_tokens"])
async def test_a_walk_finds_every_item_once(served: Served, shell: Shell, action: str) -> None:
    async with connecting(shell, served.url, served.client_key) as bosa:
        response = await bosa.run("probe", action, token=served.token)
        assert [item async for item in response.iter_items()] == ITEMS
        pages = await response.get_all_items()
    assert [len(page["data"]) for page in pages] == [30] * 8 + [10]
    assert [page["meta"]["has_next"] for page in pages] == [True] * 8 + [False]


@pytest.mark.parametrize("action", ["list_pages", "list_cursors"])
async def test_a_walk_goes_there_and_back(served: Served, shell: Shell, action: str) -> None:
    async with connecting(shell, served.url, served.client_key) as bosa:
        response = await bosa.run("probe", action, {"per_page": 100}, token=served.token)
        starts = [response.get_data()[0]["id"]]
        while response.has_next():
            response = await response.next_page()
            starts.append(response.get_data()[0]["id"])
        while response.has_prev():
            response = await response.prev_page()
            starts.append(response.get_data()[0]["id"])
    assert starts == [1, 101, 201, 101, 1]


async def test_a_single_reply_has_no_pages(served: Served, shell: Shell) -> None:
    async with connecting(shell, served.url, served.client_key) as bosa:
        response = await bosa.run("probe", "get", {"shape": "object"}, token=served.token)
        assert (response.is_list(), response.has_next(), response.has_prev()) == (False, False, False)
        assert [item async for item in response.iter_items()] == [response.get_data()]
        failed = await bosa.run("probe", "get", {"shape": "boom"}, token=served.token)
    assert (failed.ok, failed.get_status()) == (False, 500)
