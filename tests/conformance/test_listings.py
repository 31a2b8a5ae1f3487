import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .inspector import Inspector
from .listings import expected_tools, facts, listed_actions, read_listings, serve_listings
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
async def test_every_listed_action_is_a_tool_and_nothing_else_is(api: ListingApi, mode: str, tmp_path: Path) -> None:
    async with connected(mode, tmp_path, api.settings) as client:
        assert await tool_names(client) == expected_tools(api.listings)


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_no_listed_action_becomes_a_tool_that_some_client_refuses(
    api: ListingApi, inspector: Inspector, era: str, tmp_path: Path
) -> None:
    assert inspector.list_strictly(era, tmp_path, api.settings) == expected_tools(api.listings)


BYTES_OF_93_ACTIONS = 120_000
BYTES_OF_OUR_FIELDS = 120


async def test_the_definitions_are_small_and_say_all_that_the_listings_say(api: ListingApi, tmp_path: Path) -> None:
    async with connected("auto", tmp_path, api.settings) as client:
        named = {tool.name: tool for tool in (await client.list_tools()).tools}
    listed = {name: tool for name, tool in named.items() if not name.startswith("bosa_")}
    actions = listed_actions(api.listings)
    assert listed.keys() == actions.keys(), "one page holds them all"
    wire = {name: tool.model_dump(mode="json", by_alias=True, exclude_none=True) for name, tool in listed.items()}
    real = [len(compact(tool)) for name, tool in wire.items() if not name.startswith("probe_")]  # one of the bench's
    assert sum(real) <= BYTES_OF_93_ACTIONS
    for name, tool in listed.items():
        properties = tool.input_schema["properties"]
        ours = {field: properties[field] for field in ("response_fields", "response_filters") if field in properties}
        assert len(compact(ours)) <= BYTES_OF_OUR_FIELDS
        said, original = set(facts(tool.input_schema, {})), set(facts(actions[name], actions[name]))
        assert {each for each in said ^ original if each[0] != "description"} == set(), name
        for _, path, text in (each for each in original if each[0] == "description" and each[1]):
            assert any(text in told for kind, where, told in said if (kind, where) == ("description", path)), (
                name,
                path,
            )
        assert not {"Args:", "Returns:"} & set((tool.description or "").split())
        assert not any(line != line.strip() for line in (tool.description or "").splitlines())


def compact(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
