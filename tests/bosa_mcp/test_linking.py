"""What a person is told came of linking an account, whatever the API says; and that no more is done than they asked."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import mcp_types as types
import pytest
from mcp.client import ClientRequestContext
from starlette.responses import Response

from bosa_connectors.calls import Credentials

from .conftest import KEY, TOKEN, answer, refusal
from .linkable import GOOD_KEY, Linkable, fill_in, link_in, linkable, opened
from .scripted_api import WAIT, Answer, Asked, Json, ScriptedApi, fails, says, takes
from .test_acting_accounts import accounts_of

WHO = Credentials(KEY, TOKEN)
FORM: Json = {
    "type": "object",
    "properties": {"region": {"enum": ["eu", "us"]}, "path": {"type": "string", "writeOnly": True}},
}
ANSWERS = {"answer0": "eu", "answer1": GOOD_KEY}
DONE = says({"success": True})
EXPIRED = fails(409, "Expired.", code="INTEGRATION_EXPIRED")


@pytest.fixture
def shop(api: ScriptedApi) -> ScriptedApi:
    """An API where an account of the shop is linked by a form, or at the service."""
    api.offer("shop", "order", takes())
    accounts_of(api)
    api.odd["/connectors/shop/auth-schema"] = says(
        {"supported_auth_types": [{"type": "custom", "config": FORM}, {"type": "oauth2"}]}
    )
    return api


@pytest.fixture
async def it(shop: ScriptedApi) -> AsyncGenerator[Linkable]:
    async with linkable(shop.url, WHO, "auto") as it:
        yield it


async def link(it: Linkable, **more: object) -> str:
    return (await answer(it.client, "bosa_connect", connector="shop", **more))["data"]["url"]


def configures(shop: ScriptedApi, answer: Answer) -> None:
    shop.odd["/connectors/shop/integrations"] = answer


def configured(shop: ScriptedApi) -> list[Asked]:
    return [asked for asked in shop.sent("shop/integrations") if asked.method == "POST"]


async def sent_to_service(shop: ScriptedApi, url: str) -> str:
    """Where the service leads a person back to who would rather agree there."""
    configures(shop, says({"url": "https://service.example/agree"}))
    assert 'href="?consent"' in (await opened(url)).text
    away = await opened(f"{url}?consent")
    assert (away.status_code, away.headers["location"]) == (303, "https://service.example/agree")
    return configured(shop)[-1].arguments["callback_url"]


@pytest.mark.parametrize(
    "lost",
    [
        Response(b'{"data": {"succ', media_type="application/json"),
        fails(502, f"Nobody answers {GOOD_KEY}."),
        fails(504),
        fails(500, code="OUTCOME_UNKNOWN"),
    ],
    ids=["cut off", "502", "504", "the API says so"],
)
async def test_a_configuration_of_which_nobody_knows_what_came_is_not_sent_again(
    shop: ScriptedApi, it: Linkable, lost: Response
) -> None:
    configures(shop, lost)
    url = await link(it)
    told = await fill_in(url, **ANSWERS)
    assert (told.status_code, "It is not known what happened" in told.text) == (502, True)
    assert GOOD_KEY not in told.text  # although a path is usually none that has to be hidden
    again = await fill_in(url, **ANSWERS)
    assert (again.status_code, "Whether an account was linked is not known." in again.text) == (410, True)
    assert len(configured(shop)) == 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"success": False, "error": f"The shop does not know {GOOD_KEY}."}, "The shop does not know [hidden]."),
        ({"success": False}, "The API gave no reason."),
        ({"success": None}, "data.success"),
        ({}, "data.success"),
    ],
)
async def test_an_account_is_linked_by_a_form_only_where_the_api_says_so(
    shop: ScriptedApi, it: Linkable, said: Json, shown: str
) -> None:
    configures(shop, says(said))
    url = await link(it)
    told = await fill_in(url, **ANSWERS)
    assert (told.status_code, shown in told.text) == (422, True)
    assert "is connected" not in told.text
    assert GOOD_KEY not in told.text
    configures(shop, DONE)
    assert "shop is connected" in (await fill_in(url, **ANSWERS)).text


@pytest.mark.parametrize(
    "said",
    [
        fails(422, f"Not {GOOD_KEY}."),
        fails(422, details=[{"loc": ["body", "configuration", "region"], "msg": f"Not {GOOD_KEY}."}]),
        fails(422, details=[{"loc": ["body"], "msg": f"Not {GOOD_KEY}."}]),
    ],
    ids=["message", "beside a question", "about none"],
)
async def test_no_failure_of_the_api_shows_what_was_confided(shop: ScriptedApi, it: Linkable, said: Response) -> None:
    configures(shop, said)
    told = await fill_in(await link(it), **ANSWERS)
    assert (told.status_code, "Not [hidden]." in told.text) == (422, True)
    assert GOOD_KEY not in told.text
    assert "Replace the account" not in told.text  # there is none of this name


async def test_what_the_schema_refuses_is_not_sent(shop: ScriptedApi, it: Linkable) -> None:
    configures(shop, DONE)
    url = await link(it)
    assert (await fill_in(url, **{**ANSWERS, "answer0": "moon"})).status_code == 422
    assert configured(shop) == []
    assert (await fill_in(url, **ANSWERS)).status_code == 200
    assert configured(shop)[0].arguments["configuration"] == {"region": "eu", "path": GOOD_KEY}


@pytest.mark.parametrize(
    ("replaces", "before", "after", "said"),
    [
        (True, ["home"], ["home"], "The account was linked anew."),
        (True, ["home"], ["home", "work"], "Account &#x27;work&#x27; was linked."),
        (True, [], [], "An account was linked."),
        (True, ["home"], None, "An account was linked."),
        (True, None, ["home"], "An account was linked."),
        (False, ["home"], ["home"], "An account was linked."),
        (False, [], None, "An account was linked."),
        (False, None, ["home"], "An account was linked."),
        (False, [], ["home"], "Account &#x27;home&#x27; was linked."),
    ],
)
async def test_an_account_is_said_to_be_linked_anew_only_where_one_was_replaced(  # noqa: PLR0913, PLR0917  a table
    shop: ScriptedApi,
    it: Linkable,
    replaces: bool,  # noqa: FBT001  one of two
    before: list[str] | None,
    after: list[str] | None,
    said: str,
) -> None:
    url = await link(it, replace=replaces)

    async def configure(_: object) -> Response:
        tells(shop, after)
        return DONE

    configures(shop, configure)
    tells(shop, before)
    assert said in (await fill_in(url, **ANSWERS)).text


def tells(shop: ScriptedApi, accounts: list[str] | None) -> None:
    """The API tells of these accounts, or does not answer."""
    if accounts is None:
        shop.odd["/users/me"] = fails(500)
    else:
        accounts_of(shop, *accounts)


async def test_a_link_that_replaces_an_account_is_only_for_whoever_asked_for_such_a_one(it: Linkable) -> None:
    links = [await link(it), await link(it, replace=True)]
    assert links[0] != links[1]
    assert links == [await link(it), await link(it, replace=True)]
    assert len({each.partition("/connect/")[0] for each in links}) == 1  # one web server serves them all


async def test_whoever_comes_back_before_the_api_knows_of_an_account_may_look_again(
    shop: ScriptedApi, it: Linkable
) -> None:
    back = await sent_to_service(shop, await link(it))
    assert "shop is not connected" in (await opened(back)).text
    shop.odd["/users/me"] = fails(500)
    untold = (await opened(back)).text
    assert "shop is not connected" in untold
    assert "The API does not say whether an account is linked." in untold
    accounts_of(shop, "home")
    assert "Account &#x27;home&#x27; was linked." in (await opened(back)).text
    assert "This link has been used." in (await opened(back)).text


@pytest.mark.parametrize("said", [fails(500, "Down."), says({"url": "javascript:alert(1)"})])
async def test_where_the_service_cannot_be_asked_the_form_is_still_there(
    shop: ScriptedApi, it: Linkable, said: Response
) -> None:
    configures(shop, said)
    url = await link(it)
    told = await opened(f"{url}?consent")
    assert (told.status_code, "The service cannot be asked" in told.text) == (502, True)
    assert "location" not in told.headers
    assert (await opened(url)).status_code == 200


@pytest.mark.parametrize("said", ["error=access_denied&error_description=You+said+no.", "success=False&message=No."])
@pytest.mark.parametrize("replaces", [False, True])
async def test_whoever_comes_back_with_an_error_has_linked_nothing_and_the_link_is_used(
    shop: ScriptedApi,
    it: Linkable,
    said: str,
    replaces: bool,  # noqa: FBT001  one of two
) -> None:
    accounts_of(shop, "home")
    back = await sent_to_service(shop, await link(it, replace=replaces))
    told = (await opened(f"{back}?{said}")).text
    assert "shop is not connected" in told
    assert "No account was linked." in told
    again = await opened(back)
    assert (again.status_code, "No account was linked." in again.text) == (410, True)


@pytest.mark.parametrize(
    ("replaces", "who", "is_anew"), [(True, "home", True), (True, "work", False), (False, "home", False)]
)
async def test_at_the_service_an_account_is_linked_anew_only_where_one_that_was_there_is_meant_to_be(
    shop: ScriptedApi,
    it: Linkable,
    replaces: bool,  # noqa: FBT001  one of two
    who: str,
    is_anew: bool,  # noqa: FBT001  one of two
) -> None:
    accounts_of(shop, "home")
    back = await sent_to_service(shop, await link(it, replace=replaces))
    told = (await opened(f"{back}?user_identifier={who}")).text
    assert ("The account was linked anew." in told, "shop is connected" in told) == (is_anew, is_anew)


@pytest.mark.parametrize("replaces", [False, True])
async def test_to_come_back_without_an_error_where_there_is_no_account_is_to_have_linked_none(
    shop: ScriptedApi,
    it: Linkable,
    replaces: bool,  # noqa: FBT001  one of two
) -> None:
    back = await sent_to_service(shop, await link(it, replace=replaces))
    assert "shop is not connected" in (await opened(back)).text


@dataclass(slots=True)
class Denying:
    """A person who is asked to open a link, and says no at the service."""

    shop: ScriptedApi
    links: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestURLParams)
        self.links.append(params.url)
        back = await sent_to_service(self.shop, params.url)
        assert "shop is not connected" in (await opened(f"{back}?error=access_denied")).text
        return types.ElicitResult(action="accept")


async def test_a_call_whose_person_says_no_at_the_service_is_not_repeated_and_gives_no_link_that_is_used(
    shop: ScriptedApi, era: str
) -> None:
    accounts_of(shop, "home", selected="home")
    shop.answer("shop/order", EXPIRED)
    person = Denying(shop)
    budget = 2 * WAIT if era == "legacy" else 1.5  # there it does not go on waiting for what will not come
    async with linkable(shop.url, WHO, era, person=person, call_budget=budget) as it:
        error = await refusal(it.client, "shop_order")
    assert error["kind"] == "not_connected"
    [link] = person.links
    assert link not in error["hint"]
    if era == "legacy":  # else the call that is sent again asks anew
        assert "ask them before you call it again" in error["hint"]
    else:
        assert link_in(error) != link
