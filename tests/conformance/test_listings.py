from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .inspector import Inspector
from .listings import expected_tools, read_listings, serve_listings
from .serving import connected, tool_names


class ListingApi(NamedTuple):
    """An API that only lists, and what it lists."""

    settings: dict[str, str]
    listings: dict[str, Any]


@pytest.fixture(scope="module", params=["files", "published server"])
def api(request: pytest.FixtureRequest) -> Iterator[ListingApi]:
    """The listings that were kept in files, and those of the running server with all its connectors."""
    from_files = request.param == "files"
    listings = read_listings() if from_files else request.getfixturevalue("published_server").listings()
    with serve_listings(listings) as url:
        yield ListingApi({"BOSA_API_BASE_URL": url, "BOSA_API_KEY": "key", "BOSA_USER_TOKEN": "token"}, listings)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_every_listed_action_without_a_file_is_a_tool_and_nothing_else_is(
    api: ListingApi, mode: str, tmp_path: Path
) -> None:
    async with connected(mode, tmp_path, api.settings) as client:
        assert await tool_names(client) == expected_tools(api.listings)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_no_listed_action_becomes_a_tool_that_some_client_refuses(
    api: ListingApi, inspector: Inspector, era: str, tmp_path: Path
) -> None:
    assert inspector.list_strictly(era, tmp_path, api.settings) == expected_tools(api.listings)
