"""Keys, tokens and passwords: in no repr, no error, no chain of errors."""

import string
import traceback
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.errors import BosaError, OutcomeUnknown
from bosa_connectors.wire import encode

from .raw import hanging_up, raw_api
from .samples import action
from .scripted import ScriptedApi

SECRETS = st.text(string.ascii_letters + string.digits + string.punctuation, min_size=12, max_size=40)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and everything that led to it."""
    while error:
        yield error
        error = error.__cause__ or error.__context__


@settings(deadline=None)
@given(SECRETS, SECRETS)
def test_no_secret_is_in_any_repr(key: str, token: str) -> None:
    credentials = Credentials(key, token, "me")
    call = Call(action(), {"title": "x"}, credentials)
    request = encode(call, api_key=None, error_contract=1)
    for shown in (credentials, call, request):
        assert key not in repr(shown)
        assert token not in f"{shown!s} {shown!r}"
    assert "me" in repr(credentials)


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
