from collections.abc import AsyncIterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types.version import LATEST_HANDSHAKE_VERSION, LATEST_MODERN_VERSION

from .published import PLANETS, PublishedServer
from .serving import answer, connected, refusal

SHAPES: dict[str, Any] = {
    "object": {
        "a_b": 1,
        "none": None,
        "user": {"login": "u", "id": 1},
        "tags": ["x", "y"],
        "labels": [{"n": "a", "c": "r"}, {"n": "b"}],
    },
    "list": [{"id": i, "name": f"item {i}", "owner": {"login": f"user{i}"}, "body": "x" * 200} for i in range(1, 5)],
    "null": None,
    "text": "hello",
    "number": 5,
    "empty": [],
}


@pytest.fixture(scope="module", params=["auto", "legacy"])
def mode(request: pytest.FixtureRequest) -> str:
    """How the client finds out which era the server speaks."""
    return request.param


@pytest.fixture(scope="module")
async def client(
    mode: str, published_server: PublishedServer, published_user: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    settings = published_server.settings(published_user)
    async with connected(mode, tmp_path_factory.mktemp("server"), settings) as client:
        yield client


async def test_each_mode_speaks_its_era(client: Client, mode: str) -> None:
    expected = {"auto": LATEST_MODERN_VERSION, "legacy": LATEST_HANDSHAKE_VERSION}
    assert client.protocol_version == expected[mode]


async def test_sql_query_returns_the_rows_of_a_table(client: Client) -> None:
    reply = await answer(client, "sql_query", query="SELECT name, moons FROM planets ORDER BY name")
    assert reply["data"] == PLANETS


async def test_sql_query_takes_variables(client: Client) -> None:
    query = "SELECT name FROM planets WHERE moons > :least"
    reply = await answer(client, "sql_query", query=query, variables={"least": 50})
    assert reply["data"] == [{"name": "Jupiter"}]


async def test_fields_are_selected_from_an_action_that_does_not_declare_them(client: Client) -> None:
    reply = await answer(client, "sql_query", query="SELECT * FROM planets ORDER BY name", response_fields=["moons"])
    assert reply["data"] == [{"moons": planet["moons"]} for planet in PLANETS]


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_reply_of_any_shape_is_the_data_of_the_result(client: Client, shape: str) -> None:
    assert await answer(client, "probe_get", shape=shape) == {"data": SHAPES[shape], "meta": None}


async def test_fields_are_selected_from_an_action_that_declares_them(client: Client) -> None:
    reply = await answer(client, "probe_get", shape="object", response_fields=["labels.c", "user.login", "missing"])
    assert reply["data"] == {"labels": [{"c": "r"}, {}], "user": {"login": "u"}}


async def test_an_action_that_takes_nothing_acts_for_the_user_whose_secrets_it_repeats_in_vain(client: Client) -> None:
    seen = (await answer(client, "probe_whoami"))["data"]
    assert seen["x_api_key"] == "[hidden]"
    assert seen["authorization"] == "Bearer [hidden]"
    assert seen["content_type"] == "application/json"


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("probe_list_pages", {"per_page": 100}),
        ("probe_list_pages", {}),
        ("probe_list_cursors", {"per_page": 40}),
        ("probe_list_tokens", {"page_size": 40}),
    ],
)
async def test_the_next_arguments_lead_through_every_item_once(
    client: Client, tool: str, arguments: dict[str, Any]
) -> None:
    seen: list[dict[str, Any]] = []
    following: dict[str, Any] | None = {"arguments": arguments}
    while following and len(seen) <= 250:
        reply = await answer(client, tool, **following["arguments"])
        seen += reply["data"]
        following = reply.get("next")
    assert list(map(itemgetter("id"), seen)) == list(range(1, 251))


async def test_selected_fields_stay_selected_on_the_next_page(client: Client) -> None:
    first = await answer(client, "probe_list_pages", per_page=2, response_fields=["id"])
    second = await answer(client, "probe_list_pages", **first["next"]["arguments"])
    assert second["data"] == [{"id": 3}, {"id": 4}]


async def test_a_failing_action_is_an_error_of_the_api(client: Client) -> None:
    error = await refusal(client, "probe_get", shape="boom")
    assert (error["kind"], error["status"]) == ("api_error", 500)
    assert "boom" in error["message"]


async def test_a_call_right_after_a_failure_is_answered(client: Client) -> None:
    for _ in range(10):  # this server drops the connection after a 500 without a word, sooner or later than we reuse it
        await refusal(client, "probe_get", shape="boom")
        assert (await answer(client, "probe_get", shape="text"))["data"] == "hello"


async def test_a_file_is_kept_and_named_by_its_address(client: Client) -> None:
    result = await client.call_tool("probe_download", {"size": 3, "filename": "a.bin"})
    assert not result.is_error
    assert result.structured_content
    file = result.structured_content["data"]
    assert (file["name"], file["size"]) == ("a.bin", 3)
    assert file["uri"].startswith("bosa://files/")


async def test_files_go_to_an_action_from_another_one_and_from_what_is_written_out(client: Client) -> None:
    came = await client.call_tool("probe_download", {"size": 2_000_000, "filename": "größe.bin"})
    assert came.structured_content
    uri = came.structured_content["data"]["uri"]
    given = {"file": uri, "files": ["data:text/csv;name=a.csv;base64,YSxi", uri]}
    arrived = (await answer(client, "probe_upload", name="x", tags=["a", "b,c"], **given))["data"]
    large = {"filename": "größe.bin", "content_type": "application/octet-stream", "size": 2_000_000}
    assert arrived["files"] == [large, {"filename": "a.csv", "content_type": "text/csv", "size": 3}, large]
    assert (arrived["name"], arrived["tags"]) == ("x", ["a", "b,c"])
    without = (await answer(client, "probe_upload", name="x"))["data"]
    assert without["files"] == []


async def test_what_is_no_file_is_refused_before_anything_is_sent(client: Client) -> None:
    error = await refusal(client, "probe_upload", name="x", files=["report.pdf", f"bosa://files/{'0' * 32}"])
    assert error["kind"] == "invalid_arguments"
    assert [problem["path"] for problem in error["errors"]] == ["files.0", "files.1"]
    assert all("bosa://files/{id}" in problem["expected"] for problem in error["errors"])


async def test_every_invalid_argument_is_named(client: Client) -> None:
    error = await refusal(client, "probe_list_pages", page=0, per_page="many", pgae=1)
    assert error["kind"] == "invalid_arguments"
    nearest = {invalid["path"]: invalid.get("nearest") for invalid in error["errors"]}
    assert nearest == {"page": None, "per_page": None, "pgae": "page"}


async def test_an_action_of_a_connector_without_an_account_is_not_connected(client: Client) -> None:
    error = await refusal(client, "google_drive_list_permissions", file_id="1")
    assert error["kind"] == "not_connected"


async def test_a_user_without_any_account_is_not_connected(
    mode: str, published_server: PublishedServer, tmp_path: Path
) -> None:
    async with connected(mode, tmp_path, published_server.settings(published_server.new_user())) as client:
        error = await refusal(client, "sql_query", query="SELECT 1")
    assert error["kind"] == "not_connected"


async def test_a_token_that_was_never_issued_is_not_authenticated(
    mode: str, published_server: PublishedServer, tmp_path: Path
) -> None:
    async with connected(mode, tmp_path, published_server.settings(published_server.unknown_token())) as client:
        error = await refusal(client, "sql_query", query="SELECT 1")
    assert error["kind"] == "unauthenticated"


async def test_a_client_key_that_was_never_issued_is_not_authenticated(
    mode: str, published_server: PublishedServer, published_user: str, tmp_path: Path
) -> None:
    settings = published_server.settings(published_user)
    async with connected(mode, tmp_path, settings | {"BOSA_API_KEY": settings["BOSA_API_KEY"][:-2] + "zz"}) as client:
        error = await refusal(client, "probe_get", shape="null")
    assert error["kind"] == "unauthenticated"
