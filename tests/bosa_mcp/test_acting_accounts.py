"""Which of the accounts that an API tells of acts in a call."""

import anyio
import pytest

from bosa_connectors.calls import Credentials

from .conftest import KEY, TOKEN, answer, refusal, tools
from .linkable import linkable
from .scripted_api import WAIT, Json, ScriptedApi, fails, says, takes

USER: Json = {
    "id": "6f1c7e0a-9a51-4c39-8f9e-1d9b6d0f2a11",
    "client_id": "6f1c7e0a-9a51-4c39-8f9e-1d9b6d0f2a12",
    "identifier": "me",
    "secret_preview": "…",
    "is_active": True,
}


def accounts_of(api: ScriptedApi, *names: str, selected: str | None = None) -> None:
    """The API says that these are linked to the connector shop, beside what is linked elsewhere."""
    linked = [
        {**USER, "user_id": USER["id"], "connector": connector, "user_identifier": name, "selected": name == selected}
        for connector, name in (("elsewhere", "other"), ("elsewhere", selected), *(("shop", name) for name in names))
        if name
    ]
    api.odd["/users/me"] = says({**USER, "integrations": linked})


@pytest.fixture
def scripted(api: ScriptedApi) -> ScriptedApi:
    api.offer("shop", "order", takes("item", item={"type": "string"}))
    api.answer("shop/order", says("done"))
    api.odd["/connectors/shop/auth-schema"] = says({"supported_auth_types": [{"type": "oauth2"}]})
    return api


SCRIPTED = Credentials(KEY, TOKEN)


async def test_of_several_accounts_none_of_which_is_selected_the_person_has_to_choose(
    scripted: ScriptedApi, era: str
) -> None:
    accounts_of(scripted, "home", "work")
    async with linkable(scripted.url, SCRIPTED, era) as it:
        error = await refusal(it.client, "shop_order", item="tea")
        assert error["kind"] == "ambiguous_account"
        assert error["errors"][0]["expected"] == "one of home, work"
        assert scripted.sent("shop/order") == []
        assert (await answer(it.client, "shop_order", item="tea", account="work"))["data"] == "done"
    assert scripted.sent("shop/order")[0].headers["x-integration"] == "work"


async def test_the_only_account_acts_although_the_api_does_not_say_that_it_is_selected(
    scripted: ScriptedApi, era: str
) -> None:
    accounts_of(scripted, "home")
    async with linkable(scripted.url, SCRIPTED, era) as it:
        assert (await answer(it.client, "shop_order", item="tea"))["notes"] == ["Account 'home' acted, the only one."]


async def test_an_account_that_is_quite_new_may_be_named_at_once(scripted: ScriptedApi, era: str) -> None:
    accounts_of(scripted, "home", selected="home")
    async with linkable(scripted.url, SCRIPTED, era) as it:
        await answer(it.client, "shop_order", item="tea")
        accounts_of(scripted, "home", "work", selected="home")
        told = await answer(it.client, "shop_order", item="tea", account="work")
        assert told["notes"] == ["Account 'work' acted."]
        assert (await answer(it.client, "shop_order", item="tea"))["notes"] == [
            "Account 'home' acted, the selected one."
        ]
        error = await refusal(it.client, "shop_order", item="tea", account="wok")
        assert error["errors"][0]["nearest"] == "work"


async def test_who_acts_is_not_asked_at_each_call(scripted: ScriptedApi, era: str) -> None:
    accounts_of(scripted, "home", selected="home")
    async with linkable(scripted.url, SCRIPTED, era) as it:
        for _ in range(5):
            await answer(it.client, "shop_order", item="tea")
    assert len([asked for asked in scripted.asked if asked.path == "/users/me"]) == 1


@pytest.mark.parametrize("status", [404, 500])
async def test_an_api_that_does_not_say_who_acts_is_called_all_the_same(
    scripted: ScriptedApi, era: str, status: int
) -> None:
    scripted.odd["/users/me"] = fails(status)
    async with linkable(scripted.url, SCRIPTED, era) as it:
        for _ in range(3):
            assert "notes" not in await answer(it.client, "shop_order", item="tea")
    assert len([asked for asked in scripted.asked if asked.path == "/users/me"]) == 1


async def test_without_a_user_there_is_nothing_to_link(scripted: ScriptedApi, era: str) -> None:
    async with linkable(scripted.url, Credentials(KEY), era) as it:
        assert (await refusal(it.client, "bosa_connect", connector="shop"))["kind"] == "unauthenticated"
        assert (await answer(it.client, "shop_order", item="tea"))["data"] == "done"


async def test_an_argument_of_this_name_stays_the_actions_own(scripted: ScriptedApi, era: str) -> None:
    scripted.offer("shop", "pay", takes(account={"type": "integer"}))
    scripted.answer("shop/pay", says("paid"))
    accounts_of(scripted, "home", "work", selected="home")
    async with linkable(scripted.url, SCRIPTED, era) as it:
        assert set((await tools(it.client))["shop_pay"].input_schema["properties"]) >= {"account", "bosa_account"}
        await answer(it.client, "shop_pay", account=7, bosa_account="work")
    [paid] = scripted.sent("shop/pay")
    assert paid.arguments == {"account": 7}
    assert paid.headers["x-integration"] == "work"


async def test_connectors_of_an_api_that_does_not_say_how_they_are_linked_take_no_account(
    scripted: ScriptedApi, era: str
) -> None:
    del scripted.odd["/connectors/shop/auth-schema"]
    async with linkable(scripted.url, SCRIPTED, era) as it:
        assert "account" not in (await tools(it.client))["shop_order"].input_schema["properties"]
        await answer(it.client, "shop_order", item="tea")
    assert not any(asked.path == "/users/me" for asked in scripted.asked)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", ""])
async def test_an_address_that_a_browser_would_run_is_no_link(scripted: ScriptedApi, era: str, url: str) -> None:
    accounts_of(scripted)
    scripted.odd["/connectors/shop/integrations"] = says({"url": url})
    async with linkable(scripted.url, SCRIPTED, era) as it:
        assert (await refusal(it.client, "bosa_connect", connector="shop"))["kind"] == "bad_reply"
        with anyio.fail_after(WAIT / 2):
            await it.linking.tickets.over()  # nobody waits for it
