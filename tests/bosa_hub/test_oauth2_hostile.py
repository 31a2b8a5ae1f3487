"""OAuth 2 with states, codes and services that are not as they should be."""

import json
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event

import anyio
import httpx
import pytest
from anyio import to_thread
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from bosa_hub.naming import is_account_name
from bosa_hub.oauth2 import SOON, Tokens, name_in
from bosa_hub.serve import RunningHub

from .oauth_bench import Things, agreed, begin, hub_with, link, new_user, things, told
from .oauth_provider import CLIENT_SECRET, Odd, Provider, providing


class Others(Things):
    """Another connector at the same service."""


@pytest.fixture(scope="module")
def service() -> Iterator[Provider]:
    with providing() as started:
        yield started


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, service: Provider) -> Iterator[RunningHub]:
    with hub_with(tmp_path_factory.mktemp("data"), Things(service), Others(service)) as started:
        yield started


@pytest.fixture
def provider(service: Provider) -> Provider:
    service.reset()
    return service


@pytest.fixture
def ada(hub: RunningHub) -> Iterator[httpx.Client]:
    with new_user(hub) as user:
        yield user


def _is_linked(user: httpx.Client, connector: str = "things") -> bool:
    return user.get(f"/connectors/{connector}/integration-exists").json()["data"]["has_integration"]


def _refused(callback: httpx.URL | str) -> bool:
    answer = httpx.get(callback)
    assert "Location" not in answer.headers
    return (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_OAUTH_STATE")


def _answering(body: object, status: int = 200) -> Odd:
    async def answer(_request: Request) -> Response:
        return JSONResponse(body, status)

    return answer


def test_a_state_that_is_not_ours_or_missing_or_there_twice_is_refused(ada: httpx.Client) -> None:
    back = httpx.URL(agreed(begin(ada)))
    state = back.params["state"]
    for odd in (
        back.copy_set_param("state", state[:-1] + ("a" if state[-1] != "a" else "b")),
        back.copy_set_param("state", ""),
        back.copy_remove_param("state"),
        back.copy_add_param("state", state),
        back.copy_set_param("state", "\x00' OR 1=1 --" * 99),
    ):
        assert _refused(odd)
    assert not _is_linked(ada)
    assert told(str(back))["user_identifier"]


def test_a_state_works_once(ada: httpx.Client, provider: Provider) -> None:
    back = agreed(begin(ada))
    told(back)
    assert _refused(back)
    assert provider.count("/token") == 1


def test_a_state_that_comes_many_times_at_once_works_once(ada: httpx.Client, provider: Provider) -> None:
    back = agreed(begin(ada))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(partial(httpx.get, timeout=30), [back] * 8))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [302] + [400] * 7
    assert provider.count("/token") == 1


def test_who_only_looks_does_not_use_a_state_up(ada: httpx.Client) -> None:
    back = agreed(begin(ada))
    assert httpx.head(back).status_code == 405
    assert told(back)["user_identifier"]


def test_a_state_expires(hub: RunningHub, ada: httpx.Client, provider: Provider) -> None:
    back = agreed(begin(ada))
    with closing(sqlite3.connect(hub.home.identity.database.path)) as database, database:
        database.execute("UPDATE attempts SET expires_at = expires_at - 601")
    assert _refused(back)
    assert provider.count("/token") == 0


def test_a_state_is_of_no_use_at_another_connector(ada: httpx.Client) -> None:
    back = agreed(begin(ada))
    assert _refused(back.replace("/things/", "/others/"))
    assert not _is_linked(ada, "others")
    assert told(back)["user_identifier"]


def test_a_code_that_was_given_for_another_attempt_is_of_no_use(hub: RunningHub, ada: httpx.Client) -> None:
    with new_user(hub) as bob:
        to_ada, to_bob = httpx.URL(agreed(begin(ada))), httpx.URL(agreed(begin(bob)))
        swapped = to_ada.copy_set_param("code", to_bob.params["code"])
        assert told(str(swapped))["error"] == "integration_error"
        assert not _is_linked(ada)
        assert not _is_linked(bob)


@pytest.mark.parametrize(
    ("came", "word"),
    [
        ({"error": "access_denied"}, "cancelled_error"),
        ({"error": "<script>alert(1)</script>"}, "integration_error"),
        ({"error": "server_error", "code": "c"}, "integration_error"),
        ({}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
    ],
)
def test_a_user_who_does_not_agree_comes_back_with_a_word_for_it(
    ada: httpx.Client, provider: Provider, came: dict[str, str], word: str
) -> None:
    asked = httpx.URL(begin(ada)).params
    back = httpx.URL(asked["redirect_uri"]).copy_merge_params({"state": asked["state"], **came})
    said = told(str(back))
    assert said["error"] == word
    assert "script" not in said["error_description"]
    assert (_is_linked(ada), provider.count("/token")) == (False, 0)


@pytest.mark.parametrize("callback", ["https://bank.example@evil.example/", "https://a:b@evil.example/"])
def test_an_address_that_looks_like_another_is_refused(ada: httpx.Client, callback: str) -> None:
    refused = ada.post("/connectors/things/integrations", json={"callback_url": callback})
    assert refused.status_code == 422


def test_nothing_that_comes_back_changes_where_the_user_goes(ada: httpx.Client) -> None:
    back = httpx.URL(agreed(begin(ada))).copy_merge_params({"callback_url": "https://evil.example", "next": "//evil"})
    assert told(str(back))["user_identifier"]


async def _html(_request: Request) -> Response:
    return HTMLResponse(f"<h1>Sign in</h1>{CLIENT_SECRET}")


async def _huge(_request: Request) -> Response:
    async def much() -> AsyncGenerator[bytes]:
        for _ in range(32):
            yield b" " * (1 << 16)
        yield b'{"access_token": "a"}'

    return StreamingResponse(much(), media_type="application/json")


LIES: dict[str, Odd] = {
    "HTML": _html,
    "too much": _huge,
    "no token": _answering({"token_type": "bearer"}),
    "an empty token": _answering({"access_token": ""}),
    "a token of two lines": _answering({"access_token": "a\r\nX-Admin: 1"}),
    "a token that is a number": _answering({"access_token": 5}),
    "a token of another kind": _answering({"access_token": "a", "token_type": "mac"}),
    "an end that is none": _answering({"access_token": "a", "expires_in": "soon"}),
    "an end without end": _answering({"access_token": "a", "expires_in": 10**40}),
    "a list": _answering(["access_token", "a"]),
    "a text": _answering("access_token"),
    "null": _answering(None),
    "an error that is fine": _answering({"error": "bad_verification_code", "error_description": CLIENT_SECRET}),
    "an odd error": _answering({"error": {"access_token": CLIENT_SECRET}}),
    "a failure": _answering({"error": CLIENT_SECRET}, 500),
    "a failure that is no JSON": _html,
    "too many requests": _answering({}, 429),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_service_that_lies_links_nothing_and_is_quoted_nowhere(
    ada: httpx.Client, provider: Provider, lie: str, caplog: pytest.LogCaptureFixture
) -> None:
    provider.odd = LIES[lie]
    said = link(ada)
    assert said["error"] == "integration_error"
    assert CLIENT_SECRET not in said["error_description"] + caplog.text
    assert not _is_linked(ada)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_service_that_points_elsewhere_is_not_followed(ada: httpx.Client, provider: Provider, status: int) -> None:
    with providing() as elsewhere:

        async def away(_request: Request) -> Response:
            return RedirectResponse(f"{elsewhere.url}/token", status)

        provider.odd = away
        assert link(ada)["error"] == "integration_error"
        assert elsewhere.seen == []


def test_a_service_that_is_down_links_nothing(tmp_path: Path, provider: Provider) -> None:
    with (
        hub_with(tmp_path, Things(provider, token_url="http://127.0.0.1:9/token")) as hub,
        new_user(hub) as ada,
    ):
        assert "it does not answer" in link(ada)["error_description"]


def test_a_service_that_never_comes_to_an_end_is_waited_for_ten_seconds(ada: httpx.Client, provider: Provider) -> None:
    async def drip(_request: Request) -> Response:
        async def drops() -> AsyncGenerator[bytes]:
            for _ in range(40):
                yield b" "
                await anyio.sleep(0.5)  # as slow services do

        return StreamingResponse(drops(), media_type="application/json")

    provider.odd = drip
    assert "within 10 s" in link(ada)["error_description"]


def test_access_that_lasts_is_used_while_the_service_renews_nothing(
    ada: httpx.Client, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.lifetimes = [30]
    link(ada)
    provider.odd = _answering({}, 503)
    assert things(ada).status_code == 200
    assert "could not be renewed: it answers 503" in caplog.text


def test_access_that_has_ended_is_asked_for_again_later(ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    provider.end_access()
    provider.odd = _answering({"error": "temporarily_unavailable"}, 503)
    refused = things(ada)
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "ACCESS_NOT_RENEWED")
    assert refused.json()["error"]["recovery"] == {"retryable": True, "retry_after_seconds": 5}
    provider.odd = None
    assert things(ada).status_code == 200


def test_a_service_whose_application_is_wrong_costs_no_account(ada: httpx.Client, provider: Provider) -> None:
    link(ada)
    provider.end_access()
    provider.odd = _answering({"error": "invalid_client"}, 401)
    assert things(ada).json()["error"]["code"] == "ACCESS_NOT_RENEWED"
    provider.odd = None
    assert things(ada).status_code == 200


def _holding(provider: Provider, asked: Event, go_on: Event, *, is_granted_first: bool) -> Odd:
    async def answer(request: Request) -> Response:
        provider.odd = None
        granted = await provider.token(request) if is_granted_first else None
        asked.set()
        await to_thread.run_sync(go_on.wait, 20)
        return granted or await provider.token(request)

    return answer


@pytest.mark.parametrize("is_granted_first", [False, True])
@pytest.mark.parametrize("is_linked_anew", [False, True])
def test_an_account_that_is_changed_while_it_is_renewed_stays_as_its_user_left_it(
    ada: httpx.Client, provider: Provider, *, is_linked_anew: bool, is_granted_first: bool
) -> None:
    link(ada)
    provider.end_access()
    asked, go_on = Event(), Event()
    provider.odd = _holding(provider, asked, go_on, is_granted_first=is_granted_first)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(things, ada)
        assert asked.wait(10)
        if is_linked_anew:
            link(ada, replace_duplicate=True)
        else:
            ada.delete("/connectors/things/integrations")
        go_on.set()
        status = answer.result(20).status_code
    assert status == (200 if is_linked_anew else 404)
    assert _is_linked(ada) is is_linked_anew
    assert len(provider.grants) == (2 if is_linked_anew else 0)
    if is_linked_anew:
        shown = ada.get("/connectors/things/integrations/ada@service.example").json()["data"]["auth_string"]
        assert json.loads(shown)["refresh_token"] == provider.grants[1].refresh_token


_moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone


@given(_moments, st.timedeltas(min_value=-2 * SOON, max_value=2 * SOON))
def test_access_is_due_a_minute_before_it_ends_or_when_it_was_refused(now: datetime, left: timedelta) -> None:
    tokens = Tokens(access_token=SecretStr("a"), expires_at=now + left)
    assert tokens.is_due(now) is (left <= SOON)
    assert tokens.is_due(now, "a")
    assert tokens.is_due(now, "b") is (left <= SOON)
    assert not Tokens(access_token=SecretStr("a")).is_due(now)


@given(st.dictionaries(st.sampled_from(["email", "login", "name", "sub", "id"]), st.text() | st.integers() | st.none()))
def test_what_a_service_says_names_an_account_or_nothing(said: dict[str, object]) -> None:
    name = name_in(said)
    assert name is None or is_account_name(name)


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=1), st.none() | _moments)
def test_tokens_are_the_same_after_they_were_kept(secret: str, moment: datetime | None) -> None:
    tokens = Tokens(access_token=SecretStr(secret), refresh_token=SecretStr(secret), expires_at=moment)
    assert Tokens.model_validate_json(tokens.text) == tokens
