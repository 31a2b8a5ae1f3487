"""Keys, tokens and passwords: in no repr, no error, no chain of errors."""

import string
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.base import Exchange
from bosa_connectors.errors import BosaError, OutcomeUnknown
from bosa_connectors.wire import decode, encode

from .raw import hanging_up, raw_api
from .samples import action
from .scripted import Answer, ScriptedApi

SECRETS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=12, max_size=40)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and everything that led to it."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


@settings(deadline=None)
@given(SECRETS, SECRETS)
def test_no_secret_is_in_any_repr(key: str, token: str) -> None:
    made = action()

    def shown(credentials: Credentials) -> list[str]:
        call = Call(made, {"title": "x"}, credentials)
        request = encode(call, api_key=None, error_contract=1)
        return [f"{each!s} {each!r}" for each in (credentials, call, request)]

    assert shown(Credentials(key, token, "me")) == shown(Credentials("another-key", "another-token", "me"))
    assert "me" in repr(Credentials(key, token, "me"))


@settings(deadline=None, max_examples=10)
@given(SECRETS)
def test_a_connector_object_shows_its_address_and_not_its_key(key: str) -> None:
    connector = AsyncBosaConnector("https://api.bosa.id/v1/", key)
    assert f"{connector!r} {connector!s}" == " ".join(["<AsyncBosaConnector https://api.bosa.id/v1>"] * 2)


@pytest.mark.parametrize("field", ["api_key", "user_token", "account"])
@pytest.mark.parametrize(
    "value",
    [
        "hush\r\nx-admin: 1",
        "hush\n",
        "hush\x00",
        "hüsh-hush",
        "hush ",
    ],
)
async def test_a_value_that_no_header_can_carry_is_refused_before_anything_is_sent(
    field: str, value: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(BosaError) as caught:
        await connector.send(Call(action(), {}, Credentials(**{field: value})))
    assert not isinstance(caught.value, OutcomeUnknown)
    assert not [error for error in chain(caught.value) if "hush" in f"{error!s} {error!r}"]
    assert api.asked == []


async def test_the_key_of_the_connector_object_is_checked_likewise(api: ScriptedApi) -> None:
    async with AsyncBosaConnector(api.url, "hush\r\nx-admin: 1") as connector:
        with pytest.raises(BosaError) as caught:
            await connector.send(Call(action(), {}))
    assert "hush" not in str(caught.value)
    assert api.asked == []


async def test_a_failure_on_the_way_tells_no_secret_in_its_whole_traceback() -> None:
    async with raw_api(hanging_up()) as api, AsyncBosaConnector(api.url, "hush-key") as connector:
        with pytest.raises(OutcomeUnknown) as caught:
            await connector.send(Call(action(), {"title": "hush-title"}, Credentials(user_token="hush-token")))
        assert b"hush-token" in api.requests[0]
    told = [f"{error!s} {error!r}" for error in chain(caught.value)]
    assert len(told) > 1
    assert not [text for text in told if "hush" in text]
    assert "OutcomeUnknown" in "".join(traceback.format_exception_only(caught.value))


# Whatever an API answers: what was sent in confidence is in no error, however it is shown

WORDS = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40)
ECHOES = [
    "Token {token} of client {key} is not known.",
    '{{"error": {{"message": "Bad token {token}", "code": "{key}", "request_id": "{token}", "details": "{key}"}}}}',
    '{{"message": "{key}"}}',
    '{{"detail": [{{"loc": ["header", "{token}"], "msg": "{key}"}}]}}',
    "<html>{token}</html>",
]


@pytest.mark.parametrize("echo", range(len(ECHOES)))
@pytest.mark.parametrize("status", [302, 401, 404, 429, 500])
async def test_an_api_that_repeats_secrets_does_not_put_them_into_errors(
    echo: int, status: int, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    credentials = Credentials("sk-client-key-of-theirs", "eyJ-token-of-theirs")
    said = ECHOES[echo].format(key=credentials.api_key, token=credentials.user_token)
    kind = "application/json" if said.startswith("{") else "text/html" if "<html>" in said else "text/plain"
    api.answers["/connectors/notes/do"] = Answer(status, {"content-type": kind}, said.encode())
    reply = await connector.send(Call(action(), {}, credentials))
    assert reply.error is not None
    assert "theirs" not in f"{reply!r} {reply.error} {reply.error!r} {reply.error.failure!r} {reply.error.message}"
    if kind == "application/json":
        assert "theirs" in str(reply.body)  # which stays as the API sent it


@settings(deadline=None)
@given(WORDS, WORDS, st.sampled_from(ECHOES), st.integers(300, 599))
def test_no_secret_survives_in_an_error(key: str, token: str, echo: str, status: int) -> None:
    credentials = Credentials(key, token)
    request = encode(Call(action(), {}, credentials), api_key=None, error_contract=1)
    exchange = Exchange(request, writes=True)
    said = echo.format(key=key, token=token)
    kind = "application/json" if said.startswith("{") else "text/plain"
    reply = exchange.without_secrets(decode(status, {"content-type": kind}, said.encode()))
    shown = f"{reply!r} {reply.error!s} {reply.error!r} {exchange!r}"
    assert key not in shown
    assert token not in shown


async def test_neither_the_libraries_log_secrets_nor_do_we(
    api: ScriptedApi, connector: AsyncBosaConnector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    api.answers["/connectors/notes/do"] = Answer.of({"message": "hush-key hush-token"}, 500)
    await connector.send(Call(action(), {"title": "hush-title"}, Credentials("hush-key", "hush-token")))
    told = [record.getMessage() for record in caplog.records if not record.name.startswith(("uvicorn", "asyncio"))]
    assert [line for line in told if "hush" in line] == []
