"""Which accounts are linked, which acts, and what happens where none does: through clients of both eras."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

import mcp_types as types
import pytest
from mcp.client import ClientRequestContext

from bosa_connectors.calls import Credentials
from bosa_hub.connectors import built_in
from bosa_hub.serve import RunningHub, running
from bosa_mcp.filters import Filter

from .conftest import answer, refusal, tools
from .linkable import GOOD_KEY, Linkable, Shop, as_account, fill_in, link_in, linkable, opened
from .scripted_api import Json

ANSWERS = {"answer0": "home", "answer1": GOOD_KEY, "answer2": "eu"}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    """A hub with a connector that needs an account, beside the usual ones."""
    with running(tmp_path_factory.mktemp("hub"), connectors=[*built_in(), Shop()]) as hub:
        yield hub


@pytest.fixture
def who(shops: RunningHub, request: pytest.FixtureRequest) -> Credentials:
    return Credentials(shops.client_key, shops.user_token(request.node.nodeid))


async def link(it: Linkable, name: str) -> None:
    """Links an account of the shop by the page."""
    told = (await answer(it.client, "bosa_connect", connector="shop"))["data"]
    linked = await fill_in(told["url"], **{**ANSWERS, "answer0": name})
    assert linked.status_code == 200, linked.text


async def test_nothing_is_linked_until_a_person_has_filled_in_the_page_of_the_link(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        assert (await answer(it.client, "bosa_accounts"))["data"] == {"shop": [], "sql": []}
        error = await refusal(it.client, "shop_order", item="tea")
        assert error["kind"] == "not_connected"
        url = link_in(error)
        assert url.startswith("http://127.0.0.1:")
        assert (await answer(it.client, "bosa_connect", connector="shop"))["data"]["url"] == url
        assert (await opened(url)).status_code == 200
        assert (await fill_in(url, **ANSWERS)).status_code == 200
        ordered = await answer(it.client, "shop_order", item="tea")
        assert ordered["data"] == "tea for home"
        assert ordered["notes"] == ["Account 'home' acted, the selected one."]
        [account] = (await answer(it.client, "bosa_accounts", connector="shop"))["data"]["shop"]
        assert (account["account"], account["acts"]) == ("home", True)


async def test_an_account_is_named_by_an_argument_which_the_next_page_keeps(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        for name in ("home", "work"):
            await link(it, name)
        listed = await answer(it.client, "shop_list_orders", account="work")
        assert listed["data"] == ["work"]
        assert listed["notes"] == ["Account 'work' acted."]
        assert listed["next"]["arguments"]["account"] == "work"
        error = await refusal(it.client, "shop_order", item="tea", account="wrok")
        [problem] = error["errors"]
        assert (error["kind"], problem["path"], problem["nearest"]) == ("invalid_arguments", "account", "work")
        assert problem["expected"] == "one of home, work"
        for odd in ("", "a\nb", 7, "x" * 300):
            assert (await refusal(it.client, "shop_order", item="tea", account=odd))["errors"][0]["path"] == "account"


async def test_the_account_of_the_settings_acts_where_a_call_names_none(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, as_account(who, "work"), era) as it:
        for name in ("home", "work"):
            await link(it, name)
        assert (await answer(it.client, "shop_order", item="tea"))["data"] == "tea for work"
        acts = {each["account"]: each["acts"] for each in (await answer(it.client, "bosa_accounts"))["data"]["shop"]}
        assert acts == {"home": False, "work": True}
    async with linkable(shops.url, as_account(who, "elsewhere"), era) as it:
        error = await refusal(it.client, "shop_order", item="tea")
        assert error["kind"] == "not_connected"
        assert "home, work" in error["hint"]
        assert "'elsewhere'" in error["hint"]


async def test_an_account_is_removed_once(shops: RunningHub, who: Credentials, era: str) -> None:
    async with linkable(shops.url, who, era) as it:
        await link(it, "home")
        await answer(it.client, "shop_order", item="tea")
        removed = await answer(it.client, "bosa_disconnect", connector="shop", account="home")
        assert removed["data"] == {"connector": "shop", "account": "home", "removed": True}
        assert (await refusal(it.client, "shop_order", item="tea"))["kind"] == "not_connected"
        assert (await refusal(it.client, "bosa_disconnect", connector="shop", account="home"))["kind"] == "not_found"


async def test_a_database_is_linked_by_the_page_and_named_in_a_query(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        sample = await answer(it.client, "sql_list_tables")
        assert "notes" not in sample
        url = (await answer(it.client, "bosa_connect", connector="sql"))["data"]["url"]
        wrong = await fill_in(url, answer0="mine", answer1="nothing.db")
        assert wrong.status_code == 422
        assert "nothing.db" in wrong.text
        assert (await fill_in(url, answer0="mine", answer1="sample.db")).status_code == 200
        named = await answer(it.client, "sql_list_tables", account="mine")
        assert named["data"] == sample["data"]
        assert named["notes"] == ["Account 'mine' acted."]


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"connector": "nothing"}, "not_found"),
        ({"connector": "notes"}, "unsupported"),
        ({"connector": "../users"}, "not_found"),
        ({"connector": "a\u202eb"}, "not_found"),
        ({}, "invalid_arguments"),
        ({"connector": "shop", "api_key": GOOD_KEY}, "invalid_arguments"),
    ],
)
async def test_there_is_a_link_only_where_there_is_something_to_link(
    shops: RunningHub, who: Credentials, era: str, arguments: Json, kind: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        assert (await refusal(it.client, "bosa_connect", **arguments))["kind"] == kind


async def test_accounts_of_a_connector_that_this_server_does_not_offer_are_left_alone(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        await link(it, "home")
    async with linkable(shops.url, who, era, wanted=Filter(connectors=frozenset({"notes"}))) as it:
        for tool, more in (("bosa_connect", {}), ("bosa_disconnect", {"account": "home"}), ("bosa_accounts", {})):
            assert (await refusal(it.client, tool, connector="shop", **more))["kind"] == "not_found"
    async with linkable(shops.url, who, era) as it:
        told = (await answer(it.client, "bosa_accounts", connector="shop"))["data"]["shop"]
        assert [each["account"] for each in told] == ["home"]


@asynccontextmanager
async def asked(  # noqa: PLR0913  what a test may choose
    shops: RunningHub, who: Credentials, era: str, says: str, *, fills_in: bool, call_budget: float = 20
) -> AsyncGenerator[tuple[Linkable, list[types.ElicitRequestURLParams]]]:
    """A client whose person is asked to open a link, and fills in what is there or not."""
    questions: list[types.ElicitRequestURLParams] = []

    async def person(context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestURLParams)
        questions.append(params)
        if fills_in:
            assert (await fill_in(params.url, **ANSWERS)).status_code == 200
        return types.ElicitResult(action=says)  # pyright: ignore[reportArgumentType]  one of three

    async with linkable(shops.url, who, era, person=person, call_budget=call_budget) as it:
        yield it, questions


async def test_a_client_that_can_ask_has_the_call_go_on_once_the_person_has_linked_an_account(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with asked(shops, who, era, "accept", fills_in=True) as (it, questions):
        ordered = await answer(it.client, "shop_order", item="tea")
        assert ordered["data"] == "tea for home"
        assert ordered["notes"] == ["Account 'home' acted, the selected one."]
    [question] = questions
    assert "shop" in question.message
    assert "/connect/" in question.url


async def test_who_says_no_is_not_asked_again_by_the_server(shops: RunningHub, who: Credentials, era: str) -> None:
    for says_no in ("decline", "cancel"):
        async with asked(shops, who, era, says_no, fills_in=False) as (it, questions):
            error = await refusal(it.client, "shop_order", item="tea")
            assert (error["kind"], len(questions)) == ("not_connected", 1)
            assert "did not agree" in error["hint"]


async def test_to_open_a_link_is_not_to_link_an_account(shops: RunningHub, who: Credentials, era: str) -> None:
    async with asked(shops, who, era, "accept", fills_in=False, call_budget=1.5) as (it, questions):
        error = await refusal(it.client, "shop_order", item="tea")
        assert error["kind"] == "not_connected"
        assert link_in(error) == questions[0].url


async def test_only_reading_leaves_the_list_of_accounts_alone(shops: RunningHub, who: Credentials, era: str) -> None:
    async with linkable(shops.url, who, era, wanted=Filter(read_only=True)) as it:
        assert {name for name in await tools(it.client) if name.startswith("bosa_")} == {"bosa_accounts", "bosa_read"}
        assert (await refusal(it.client, "bosa_connect", connector="shop"))["kind"] == "read_only"


async def test_the_hints_of_these_tools_are_true_and_their_schemas_small(
    shops: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(shops.url, who, era) as it:
        listed = await tools(it.client)
    hints = {name: listed[name].annotations for name in ("bosa_accounts", "bosa_connect", "bosa_disconnect")}
    assert [hint.read_only_hint for hint in hints.values() if hint] == [True, False, False]
    assert [hint.destructive_hint for hint in hints.values() if hint] == [None, False, True]
    assert all(len(listed[name].model_dump_json(exclude_none=True)) < 800 for name in hints)
    assert "account" in listed["shop_order"].input_schema["properties"]
    assert "account" not in listed["notes_get_note"].input_schema["properties"]
