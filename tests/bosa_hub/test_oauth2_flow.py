"""An account that is linked by OAuth 2, from the consent of its user to its end."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import jwt
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_hub.plugin import Context
from bosa_hub.serve import RunningHub

from .oauth_bench import Things, agreed, begin, hub_with, link, new_user, things, told
from .oauth_provider import CLIENT_SECRET, Provider, providing


@pytest.fixture(scope="module")
def service() -> Iterator[Provider]:
    with providing() as started:
        yield started


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, service: Provider) -> Iterator[RunningHub]:
    with hub_with(tmp_path_factory.mktemp("data"), Things(service)) as started:
        yield started


@pytest.fixture
def provider(service: Provider) -> Provider:
    service.reset()
    return service


@pytest.fixture
def ada(hub: RunningHub) -> Iterator[httpx.Client]:
    with new_user(hub) as user:
        yield user


def _accounts(user: httpx.Client) -> list[str]:
    return [each["user_identifier"] for each in user.get("/users/me").json()["data"]["integrations"]]


def test_a_user_agrees_and_an_action_acts_for_them(ada: httpx.Client, provider: Provider) -> None:
    assert things(ada).json()["error"]["code"] == "INTEGRATION_NOT_FOUND"
    assert link(ada) == {"user_identifier": "ada@service.example"}
    answer = things(ada)
    assert (answer.status_code, answer.json()["data"]["things"]) == (200, [1, 2, 3])
    shown = ada.get("/connectors/things/integrations/ada@service.example").json()["data"]
    kept = json.loads(shown["auth_string"])
    assert kept["access_token"] in provider.grants[0].access
    assert (shown["auth_scopes"], shown["selected"]) == (["things:read"], True)
    assert provider.count("/token") == 1


async def test_the_sdk_links_calls_and_disconnects(hub: RunningHub, provider: Provider) -> None:
    token = hub.user_token("ada")
    async with AsyncBosaConnector(hub.url, hub.client_key) as bosa:
        url = await bosa.initiate_connector_auth("things", token, "http://127.0.0.1:9/linked")
        async with httpx.AsyncClient() as browser:
            back = (await browser.get(url)).headers["Location"]
            end = httpx.URL((await browser.get(back)).headers["Location"])
        assert (str(end.copy_with(query=None)), dict(end.params)) == (
            "http://127.0.0.1:9/linked",
            {"user_identifier": "ada@service.example"},
        )
        assert await bosa.user_has_integration("things", token)
        call = Call((await bosa.catalogue("things"))["list_things"], {}, Credentials(user_token=token))
        before = (await bosa.send(call)).data
        provider.end_access()
        after = (await bosa.send(call)).data
        assert isinstance(before, dict)
        assert isinstance(after, dict)
        assert before["token"] != after["token"]
        refresh_token = provider.grants[0].refresh_token
        assert (await bosa.remove_integration("things", token, "ada@service.example")).success
    assert provider.revoked == [refresh_token]
    assert provider.grants == []


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"email": "ada@x.example", "login": "ada"}, "ada@x.example"),
        ({"login": "ada", "id": 7}, "ada"),
        ({"id": 4711}, "4711"),
        ({"name": "Ada Lövelace", "sub": "abc-7"}, "abc-7"),
        ({"login": "../../etc/passwd", "email": None, "id": 5}, "5"),
        ({"login": ["a"], "name": "x" * 201}, "things"),
        ({}, "things"),
    ],
)
def test_an_account_is_called_as_the_service_says_as_far_as_that_is_a_name(
    ada: httpx.Client, provider: Provider, said: dict[str, object], named: str
) -> None:
    provider.user = said
    assert link(ada) == {"user_identifier": named}


def test_an_id_token_names_the_account_and_spares_a_question(ada: httpx.Client, provider: Provider) -> None:
    async def with_id_token(_request: Request) -> Response:
        id_token = jwt.encode({"sub": "1", "email": "from@token.example"}, "k" * 32, algorithm="HS256")
        return JSONResponse({"access_token": "a", "id_token": id_token})

    provider.odd = with_id_token
    assert link(ada) == {"user_identifier": "from@token.example"}
    assert provider.count("/userinfo") == 0


def test_a_connector_may_name_its_accounts_itself(tmp_path: Path, provider: Provider) -> None:
    class Named(Things):
        name = "things"

        async def account_identifier(self, configuration: object, context: Context) -> str:
            del configuration
            return f"of {context.user_id[:4]}"

    with hub_with(tmp_path, Named(provider)) as hub, new_user(hub) as ada:
        assert link(ada)["user_identifier"].startswith("of ")


def test_two_users_link_their_own_accounts(hub: RunningHub, ada: httpx.Client, provider: Provider) -> None:
    with new_user(hub) as bob:
        to_ada, to_bob = begin(ada), begin(bob)
        provider.user = {"email": "bob@service.example", "sub": "8"}
        assert told(agreed(to_bob)) == {"user_identifier": "bob@service.example"}
        assert (_accounts(ada), _accounts(bob)) == ([], ["bob@service.example"])
        provider.user = {"email": "ada@service.example", "sub": "7"}
        told(agreed(to_ada))
        assert (_accounts(ada), _accounts(bob)) == (["ada@service.example"], ["bob@service.example"])
        tokens = {things(user).json()["data"]["token"] for user in (ada, bob)}
        assert len(tokens) == 2


def test_an_account_is_not_replaced_unless_that_is_wanted(ada: httpx.Client) -> None:
    link(ada)
    first = things(ada).json()["data"]["token"]
    refused = link(ada)
    assert refused["error"] == "duplicate_user_error"
    assert "replace_duplicate" in refused["error_description"]
    assert things(ada).json()["data"]["token"] == first
    assert link(ada, replace_duplicate=True) == {"user_identifier": "ada@service.example"}
    assert things(ada).json()["data"]["token"] != first


def test_access_is_renewed_before_it_ends(ada: httpx.Client, provider: Provider) -> None:
    provider.lifetimes = [30, 3600]
    link(ada)
    [old] = provider.grants[0].access
    new = ada.post("/connectors/things/token", json={}).json()["data"]
    assert new in provider.grants[0].access
    assert new != old
    assert ada.post("/connectors/things/token", json={}).json()["data"] == new
    assert provider.count("/token") == 2


def test_access_that_the_service_refuses_is_renewed_once(ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    provider.end_access()
    assert things(ada).status_code == 200
    assert (provider.count("/token"), provider.count("/things")) == (2, 2)
    assert things(ada).status_code == 200
    assert (provider.count("/token"), provider.count("/things")) == (2, 3)


def test_what_cannot_be_sent_twice_is_sent_once_and_the_next_call_has_new_access(
    ada: httpx.Client, provider: Provider
) -> None:
    link(ada)
    provider.end_access()
    statuses = [ada.post("/connectors/things/stream_thing", json={}).json()["data"] for _ in range(2)]
    assert statuses == [401, 200]


def test_many_calls_at_once_on_hubs_that_share_a_folder_renew_once(tmp_path: Path, provider: Provider) -> None:
    provider.lifetimes = [30]
    with (
        hub_with(tmp_path, Things(provider)) as hub,
        hub_with(tmp_path, Things(provider)) as other,
        new_user(hub, "ada") as here,
        new_user(other, "ada") as there,
        ThreadPoolExecutor(16) as threads,
    ):
        link(here)
        answers = list(threads.map(things, [here, there] * 12))
        assert {answer.status_code for answer in answers} == {200}
        assert provider.count("/token") == 2
        provider.end_access()
        answers = list(threads.map(things, [here, there] * 12))
        assert {answer.status_code for answer in answers} == {200}
        assert provider.count("/token") == 3


def _claim_last(hub: RunningHub, seconds: float) -> None:
    """As if a process renewed the account that was linked last."""
    with closing(sqlite3.connect(hub.home.identity.database.path)) as database, database:
        last = "SELECT id, ? FROM accounts ORDER BY number DESC LIMIT 1"
        database.execute(f"INSERT INTO renewals {last}", (time.time() + seconds,))


def _claims(hub: RunningHub, user: httpx.Client) -> int:
    user_id = user.get("/users/me").json()["data"]["id"]
    with closing(sqlite3.connect(hub.home.identity.database.path)) as database:
        its = "SELECT count(*) FROM renewals JOIN accounts ON account = id WHERE user_id = ?"
        return database.execute(its, (user_id,)).fetchone()[0]


def test_another_account_is_not_held_up(hub: RunningHub, ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    _claim_last(hub, 9)
    with new_user(hub) as bob:
        link(bob)
        provider.end_access()
        assert things(bob).status_code == 200
    assert _claims(hub, ada) == 1


def test_a_renewal_whose_process_died_is_taken_over(hub: RunningHub, ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    provider.end_access()
    _claim_last(hub, -1)
    assert _claims(hub, ada) == 1
    assert things(ada).status_code == 200
    assert _claims(hub, ada) == 0


def test_a_grant_that_its_user_took_back_is_asked_about_once(ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    provider.grants.clear()
    for _ in range(3):
        refused = things(ada)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "INTEGRATION_EXPIRED")
        assert "Link it again" in refused.json()["message"]
    assert provider.count("/token") == 2
    assert link(ada, replace_duplicate=True)
    assert things(ada).status_code == 200


def test_an_account_is_removed_although_the_service_is_down(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    with hub_with(tmp_path, Things(provider, revoke_url="http://127.0.0.1:9/revoke")) as hub, new_user(hub) as ada:
        link(ada)
        assert ada.delete("/connectors/things/integrations/ada@service.example").json()["data"] == {"success": True}
        assert _accounts(ada) == []
    assert "was not revoked: it does not answer" in caplog.text


def test_a_service_that_takes_no_grant_back_is_not_asked_to(tmp_path: Path, provider: Provider) -> None:
    with hub_with(tmp_path, Things(provider, revoke_url=None)) as hub, new_user(hub) as ada:
        link(ada)
        assert ada.delete("/connectors/things/integrations").json()["data"] == {"success": True}
    assert provider.revoked == []


def test_no_secret_is_in_the_folder_the_log_or_an_answer(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "bosa_hub")
    with hub_with(tmp_path, Things(provider)) as hub, new_user(hub) as ada:
        url = begin(ada)
        answers = [url, ada.get("/users/me").text, ada.get("/connectors/things/auth-schema").text, str(link(ada))]
        provider.end_access()
        things(ada)
        provider.grants.clear()
        answers += [things(ada).text, ada.get("/users/me").text, ada.get("/docs").text]
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"planted-" not in kept
    ours = "".join(record.getMessage() for record in caplog.records if record.name == "bosa_hub")
    assert "planted-" not in ours + "".join(answers)
    assert CLIENT_SECRET.startswith("planted-")


def test_a_public_address_is_where_the_service_sends_users(tmp_path: Path, provider: Provider) -> None:
    with hub_with(tmp_path, Things(provider), public_url="https://hub.example/bosa") as hub, new_user(hub) as ada:
        asked = httpx.URL(begin(ada)).params
        assert asked["redirect_uri"] == "https://hub.example/bosa/connectors/things/success-authorize-callback"
        assert httpx.get(f"{hub.url}/connectors/names", headers={"Host": "hub.example"}).status_code == 200
        assert httpx.get(f"{hub.url}/connectors/names", headers={"Host": "evil.example"}).status_code == 421


def test_a_hub_without_an_application_says_what_its_operator_must_do(tmp_path: Path, provider: Provider) -> None:
    with hub_with(tmp_path, Things(provider), applications={}) as hub, new_user(hub) as ada:
        refused = ada.post("/connectors/things/integrations", json={"callback_url": "http://localhost/"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (500, "OAUTH2_NOT_SET_UP")
        assert "BOSA_HUB_OAUTH" in refused.json()["message"]


def test_the_secret_may_be_shown_in_a_header(tmp_path: Path, provider: Provider) -> None:
    with hub_with(tmp_path, Things(provider, auth_method="client_secret_basic")) as hub, new_user(hub) as ada:
        assert link(ada) == {"user_identifier": "ada@service.example"}
        provider.end_access()
        assert things(ada).status_code == 200


def test_without_the_extra_a_connector_is_left_out_with_advice_and_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "agreeing.py").write_text(
        "from bosa_hub import Connector, OAuth2, action\n"
        "class Agreeing(Connector):\n"
        "    oauth2 = OAuth2(authorize_url='https://a.example/a', token_url='https://a.example/t')\n"
        "    @action(effect='read')\n"
        "    async def get(self) -> str:\n"
        "        return ''\n"
    )
    script = (
        "import sys; sys.modules['httpx_oauth'] = None\n"
        "from bosa_hub.connectors import built_in; from bosa_hub.loading import load; import bosa_hub.serve\n"
        f"from pathlib import Path; loaded = load(['agreeing:Agreeing'], built_in(), Path({str(tmp_path)!r}))\n"
        "print([each.name for each in loaded.connectors], *loaded.failures)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("['files', 'notes', 'sql'] The connector 'agreeing:Agreeing' was left out: ")
    assert "pip install 'bosa-mcp[hub-oauth]'" in ran.stdout
