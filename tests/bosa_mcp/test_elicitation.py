"""Accounts whose users agree at a service: asked for in the middle of a call, linked anew, and given back."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import mcp_types as types
import pytest
from mcp.client import ClientRequestContext

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub, running

from ..bosa_hub.oauth_bench import Things, hub_with  # noqa: TID252  test folders are no packages
from ..bosa_hub.oauth_provider import Provider, providing  # noqa: TID252  likewise
from .conftest import answer, refusal
from .linkable import GOOD_KEY, Shop, fill_in, link_in, linkable, opened
from .many_users import Person, SharedServer, shared_server
from .scripted_api import WAIT

ADA = "ada@service.example"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with providing() as provider:
        yield provider


@pytest.fixture(autouse=True)
def _as_new(provider: Provider) -> None:  # pyright: ignore[reportUnusedFunction]  pytest uses it
    provider.reset()


@pytest.fixture(scope="module")
def hub(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with hub_with(tmp_path_factory.mktemp("hub"), Things(provider)) as hub:
        yield hub


@pytest.fixture(scope="module")
def server(hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedServer]:
    with shared_server(tmp_path_factory.mktemp("shared"), hub.url, hub.client_key) as server:
        yield server


@pytest.fixture
def who(hub: RunningHub, request: pytest.FixtureRequest) -> Credentials:
    return Credentials(hub.client_key, hub.user_token(request.node.nodeid))


@dataclass(slots=True)
class Browsing:
    """A person who is asked to open a link, does, and agrees at the service as this user of it."""

    provider: Provider
    user: Mapping[str, object] = field(default_factory=lambda: {"sub": "7", "email": ADA})
    questions: list[str] = field(default_factory=list[str])
    pages: list[str] = field(default_factory=list[str])

    async def __call__(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        del context
        assert isinstance(params, types.ElicitRequestURLParams)
        self.questions.append(params.message)
        self.provider.user = self.user
        self.pages.append((await followed(params.url)).text)
        return types.ElicitResult(action="accept")


async def followed(url: str) -> httpx.Response:
    """Where a browser ends up that begins here."""
    async with httpx.AsyncClient(follow_redirects=True, timeout=WAIT) as browser:
        return await browser.get(url)


async def test_an_account_is_linked_at_the_service_and_our_page_says_so(
    hub: RunningHub, who: Credentials, era: str
) -> None:
    async with linkable(hub.url, who, era) as it:
        told = (await answer(it.client, "bosa_connect", connector="things"))["data"]
        assert told["how"] == "at the service"
        landed = await followed(told["url"])
        assert "things is connected" in landed.text
        assert ADA in landed.text
        assert "This link has been used" in (await opened(str(landed.url))).text
        got = await answer(it.client, "things_list_things")
        assert got["notes"] == [f"Account {ADA!r} acted, the selected one."]


async def test_a_call_waits_until_its_person_has_agreed_at_the_service(
    hub: RunningHub, who: Credentials, provider: Provider, era: str
) -> None:
    person = Browsing(provider)
    async with linkable(hub.url, who, era, person=person) as it:
        got = await answer(it.client, "things_list_things")
    assert got["data"]["things"] == [1, 2, 3]
    assert person.questions == ["things needs an account of yours. Open this page to link one."]
    assert "things is connected" in person.pages[0]


async def test_an_account_that_the_service_accepts_no_more_is_linked_anew_in_the_middle_of_a_call(
    hub: RunningHub, who: Credentials, provider: Provider, era: str
) -> None:
    person = Browsing(provider)
    async with linkable(hub.url, who, era, person=person) as it:
        await answer(it.client, "things_list_things")
        provider.grants.clear()
        got = await answer(it.client, "things_list_things")
        [account] = (await answer(it.client, "bosa_accounts"))["data"]["things"]
    assert got["data"]["things"] == [1, 2, 3]
    assert account["account"] == ADA
    assert person.questions[1] == (
        f"Your account {ADA!r} on things is of no use any more. Open this page to link it anew."
    )
    assert "linked anew" in person.pages[1]


async def test_another_account_that_is_linked_in_place_of_one_of_no_use_acts_from_then_on(
    hub: RunningHub, who: Credentials, provider: Provider, era: str
) -> None:
    person = Browsing(provider)
    async with linkable(hub.url, who, era, person=person) as it:
        await answer(it.client, "things_list_things")
        provider.grants.clear()
        person.user = {"sub": "8", "email": "work@service.example"}
        got = await answer(it.client, "things_list_things")
        assert got["notes"] == ["Account 'work@service.example' acted, the selected one."]
        provider.grants.clear()
        person.user = {"sub": "9", "email": "third@service.example"}
        error = await refusal(it.client, "things_list_things", account="work@service.example")
        assert error["kind"] == "not_connected"
        assert person.questions[-1].startswith("Your account 'work@service.example' on things is of no use")
        acting = [
            each["account"] for each in (await answer(it.client, "bosa_accounts"))["data"]["things"] if each["acts"]
        ]
    assert acting == ["work@service.example"]


async def test_whoever_cannot_be_asked_gets_the_link_that_links_the_account_anew(
    hub: RunningHub, who: Credentials, provider: Provider, era: str
) -> None:
    async with linkable(hub.url, who, era) as it:
        await followed((await answer(it.client, "bosa_connect", connector="things"))["data"]["url"])
        provider.grants.clear()
        error = await refusal(it.client, "things_list_things")
        assert (error["kind"], error["code"]) == ("not_connected", "INTEGRATION_EXPIRED")
        assert "linked anew" in (await followed(link_in(error))).text
        assert (await answer(it.client, "things_list_things"))["data"]["things"] == [1, 2, 3]


async def test_an_account_whose_secret_cannot_be_read_any_more_is_filled_in_anew(tmp_path: Path, era: str) -> None:
    answers = {"answer0": "home", "answer1": GOOD_KEY, "answer2": "eu"}
    with running(tmp_path, connectors=[Shop()]) as hub:
        who = Credentials(hub.client_key, hub.user_token("ada"))
        async with linkable(hub.url, who, era) as it:
            await fill_in((await answer(it.client, "bosa_connect", connector="shop"))["data"]["url"], **answers)
            with closing(sqlite3.connect(hub.home.identity.database.path)) as connection, connection:
                connection.execute("UPDATE accounts SET credential = CAST(substr(credential, 1, 60) AS BLOB)")
            error = await refusal(it.client, "shop_order", item="tea")
            assert (error["kind"], error["code"]) == ("not_connected", "INTEGRATION_UNREADABLE")
            assert (await fill_in(link_in(error), **answers)).status_code == 200
            assert (await answer(it.client, "shop_order", item="tea"))["data"] == "tea for home"


async def test_an_account_that_is_removed_is_given_back_to_the_service(
    hub: RunningHub, who: Credentials, provider: Provider, era: str
) -> None:
    async with linkable(hub.url, who, era, person=Browsing(provider)) as it:
        await answer(it.client, "things_list_things")
        [grant] = provider.grants
        removed = await answer(it.client, "bosa_disconnect", connector="things", account=ADA)
    assert removed["data"]["removed"] is True
    assert provider.revoked == [grant.refresh_token]
    assert provider.grants == []


async def test_over_http_each_links_and_removes_an_account_of_their_own(
    hub: RunningHub, server: SharedServer, provider: Provider, era: str, request: pytest.FixtureRequest
) -> None:
    people = [Person(name, hub.user_token(f"{name} {request.node.nodeid}")) for name in ("alice", "bob")]
    browsing = [Browsing(provider, {"sub": each.name, "email": f"{each.name}@service.example"}) for each in people]
    async with (
        server.client(people[0], era, asked=browsing[0]) as hers,
        server.client(people[1], era, asked=browsing[1]) as his,
    ):
        for client, name in ((hers, "alice"), (his, "bob")):
            got = await answer(client, "things_list_things")
            assert got["notes"] == [f"Account '{name}@service.example' acted, the selected one."]
        theirs = "alice@service.example"
        assert (await refusal(his, "bosa_disconnect", connector="things", account=theirs))["kind"] == "not_found"
        await answer(hers, "bosa_disconnect", connector="things", account=theirs)
        assert (await answer(his, "things_list_things"))["data"]["things"] == [1, 2, 3]
    assert [len(each.questions) for each in browsing] == [1, 1]
    assert [grant.user for grant in provider.grants] == ["bob"]
    assert "planted-" not in "".join(server.log)
