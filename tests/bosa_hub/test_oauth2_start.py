"""Accounts that are linked by OAuth 2, as far as the address where the user agrees."""

import hashlib
import sqlite3
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel

from bosa_hub.accounts import Credential
from bosa_hub.attempts import Begun
from bosa_hub.oauth2 import OAuth2, Tokens
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import RunningHub, running

CALLBACK = "https://app.example/linked?from=hub"


class Key(BaseModel):
    """Another way."""

    key: str


class Calendar(Connector):
    """Linked by OAuth 2 alone."""

    def __init__(self) -> None:
        self.oauth2 = OAuth2(
            authorize_url="https://calendar.example/authorize?tenant=7",
            token_url="https://calendar.example/token",
            client_id="the hub",
            client_secret="precious",
            scopes=("events:read", "events:write"),
        )

    @action(effect="read")
    async def token(self, context: Context) -> str:
        """Show that the token arrives."""
        return context.account.configuration(Tokens).access_token.get_secret_value()


class Both(Calendar):
    """Linked either way."""

    configuration = Key

    @action(effect="read")
    async def key(self, context: Context) -> str:
        """Show that the key arrives."""
        return context.account.configuration(Key).key


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("data"), connectors=[Calendar(), Both()]) as started:
        yield started


@pytest.fixture(scope="module")
def new_user(hub: RunningHub) -> Callable[[], httpx.Client]:
    def make() -> httpx.Client:
        return httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {hub.user_token(uuid4().hex)}"})

    return make


def _begin(user: httpx.Client, connector: str = "calendar", **body: object) -> httpx.Response:
    return user.post(f"/connectors/{connector}/integrations", json={"callback_url": CALLBACK, **body})


def _asked(user: httpx.Client, connector: str = "calendar") -> httpx.QueryParams:
    return httpx.URL(_begin(user, connector).json()["data"]["url"]).params


def test_the_ways_to_link_are_told(hub: RunningHub) -> None:
    def ways(connector: str) -> list[str]:
        answer = httpx.get(f"{hub.url}/connectors/{connector}/auth-schema").json()
        return [way["type"] for way in answer["data"]["supported_auth_types"]]

    assert (ways("calendar"), ways("both")) == (["oauth2"], ["custom", "oauth2"])
    assert "precious" not in httpx.get(f"{hub.url}/connectors/calendar/auth-schema").text


def test_the_user_is_sent_where_they_agree(hub: RunningHub, ada: httpx.Client) -> None:
    answer = _begin(ada)
    assert answer.status_code == 200
    assert answer.json().keys() == {"data", "meta"}
    url = httpx.URL(answer.json()["data"]["url"])
    assert str(url.copy_with(query=None)) == "https://calendar.example/authorize"
    asked = dict(url.params)
    assert len(asked.pop("state")) >= 43
    assert len(asked.pop("code_challenge")) == 43
    assert asked == {
        "tenant": "7",
        "response_type": "code",
        "client_id": "the hub",
        "redirect_uri": f"{hub.url}/connectors/calendar/success-authorize-callback",
        "scope": "events:read events:write",
        "code_challenge_method": "S256",
    }
    assert "precious" not in answer.text
    assert ada.get("/connectors/calendar/integration-exists").json()["data"] == {"has_integration": False}


def test_every_attempt_has_a_state_and_a_challenge_of_its_own(ada: httpx.Client, bob: httpx.Client) -> None:
    attempts = [_asked(user) for user in (ada, ada, bob)]
    for name in ("state", "code_challenge"):
        assert len({attempt[name] for attempt in attempts}) == 3


def test_a_state_is_good_once_for_its_user_connector_and_address(hub: RunningHub, ada: httpx.Client) -> None:
    asked = _asked(ada, "both")
    assert hub.home.attempts.finish("calendar", asked["state"]) is None
    assert hub.home.attempts.finish("both", asked["state"] + "x") is None
    finished = hub.home.attempts.finish("both", asked["state"])
    assert finished
    begun, verifier = finished
    user_id = ada.get("/users/me").json()["data"]["id"]
    assert begun == Begun(user_id, "both", CALLBACK, asked["redirect_uri"], replace_duplicate=False)
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == challenge
    assert hub.home.attempts.finish("both", asked["state"]) is None


def test_that_an_account_is_to_be_replaced_is_remembered(hub: RunningHub, ada: httpx.Client) -> None:
    url = httpx.URL(_begin(ada, replace_duplicate=True).json()["data"]["url"])
    finished = hub.home.attempts.finish("calendar", url.params["state"])
    assert finished
    assert finished[0].replace_duplicate is True


def test_a_state_expires_and_is_forgotten(hub: RunningHub, ada: httpx.Client) -> None:
    old = _asked(ada)["state"]
    with closing(sqlite3.connect(hub.home.identity.database.path)) as connection:
        (expires_at,) = connection.execute("SELECT max(expires_at) FROM attempts").fetchone()
        assert 590 < expires_at - time.time() <= 600
        with connection:
            connection.execute("UPDATE attempts SET expires_at = ?", (time.time() // 1 - 1,))
        assert hub.home.attempts.finish("calendar", old) is None
        new = _asked(ada)["state"]
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (1,)
    assert hub.home.attempts.finish("calendar", new)


def test_states_and_verifiers_are_not_kept_in_clear(hub: RunningHub, ada: httpx.Client) -> None:
    state = _asked(ada)["state"]
    kept = b"".join(path.read_bytes() for path in hub.home.folder.glob("identity.db*"))
    finished = hub.home.attempts.finish("calendar", state)
    assert finished
    assert state.encode() not in kept
    assert finished[1].encode() not in kept
    assert CALLBACK.encode() in kept


@pytest.mark.parametrize(
    "callback", ["javascript:alert(1)", "ftp://a.example", "/linked", "", 5, None, "https://a/" * 300]
)
def test_an_address_to_return_to_must_be_of_the_web(ada: httpx.Client, callback: object) -> None:
    refused = _begin(ada, callback_url=callback)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "callback_url"]


def test_a_connector_that_takes_both_ways_is_told_which(ada: httpx.Client) -> None:
    assert _begin(ada, "both", auth_type="oauth2").json()["data"]["url"]
    custom = {"auth_type": "custom", "configuration": {"key": "k"}}
    assert ada.post("/connectors/both/integrations", json=custom).json()["data"]["success"] is True
    assert ada.post("/connectors/both/key", json={}).json()["data"] == "k"
    refused = ada.post("/connectors/both/token", json={})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "WRONG_ACCOUNT_KIND")
    refused = ada.post("/connectors/calendar/integrations", json=custom)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "AUTH_TYPE_NOT_SUPPORTED")


def test_an_action_gets_the_tokens(hub: RunningHub, ada: httpx.Client) -> None:
    me = hub.home.identity.user_of(ada.headers["Authorization"].removeprefix("Bearer "))
    credential = Credential(
        "oauth2", '{"access_token": "at-1", "expires_at": "2030-01-01T00:00:00Z"}', ("events:read",)
    )
    hub.home.accounts.link(me, "calendar", "ada@calendar.example", credential, replace=False)
    assert ada.post("/connectors/calendar/token", json={}).json()["data"] == "at-1"
    shown = ada.get("/connectors/calendar/integrations/ada@calendar.example").json()["data"]
    assert (shown["auth_string"], shown["auth_scopes"]) == (credential.text, ["events:read"])
    assert "at-1" not in repr(credential)


def _service(**changed: str) -> OAuth2:
    addresses = {"authorize_url": "https://a.example/authorize", "token_url": "https://a.example/token"}
    given: dict[str, Any] = addresses | {"client_id": "id", "client_secret": "precious"} | changed
    return OAuth2(**given)


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": ""},
        {"client_secret": ""},
        {"authorize_url": "http://a.example/authorize"},
        {"token_url": "a.example/token"},
    ],
)
def test_a_service_that_cannot_work_is_refused_where_it_is_declared(changed: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="OAuth2 needs"):
        _service(**changed)


def test_a_service_may_be_one_on_loopback_and_never_shows_its_secret() -> None:
    assert "precious" not in repr(_service(token_url="http://127.0.0.1:9/token"))
