"""What goes along with a call in its headers, and where it never goes."""

from types import MappingProxyType
from typing import Any

import pytest

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.errors import InvalidHeader

from .raw import answer, answering, raw_api
from .samples import action
from .scripted import Answer, ScriptedApi

DO = "/connectors/notes/do"
OK = Answer.of({"data": 1})
WHO = Credentials("client-key", "jwt", "me")


def call(**headers: str) -> Call:
    """A call with these headers of the caller's own; underscores stand for hyphens."""
    return Call(action(), {"body": "private"}, WHO, headers={name.replace("_", "-"): headers[name] for name in headers})


async def test_the_callers_own_headers_go_along(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = OK
    await connector.send(call(X_Trace="abc", Accept_Language="de"))
    said = api.asked[0].said
    assert (said["x-trace"], said["accept-language"], said["authorization"]) == ("abc", "de", "Bearer jwt")


# The caller's headers dict is mutated, so the next call carries the last user's token


async def test_the_callers_headers_stay_as_they_were(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = OK
    headers = {"X-Trace": "abc"}
    await connector.send(Call(action(), {}, Credentials(user_token="first"), headers=headers))
    await connector.send(Call(action(), {}, headers=headers))
    await connector.send(Call(action(), {}, headers=MappingProxyType(headers)))
    assert headers == {"X-Trace": "abc"}
    assert [asked.said.get("authorization") for asked in api.asked] == ["Bearer first", None, None]


@pytest.mark.parametrize("name", ["authorization", "X-API-Key", "x-integration", "x-bosa-integration", "Content-Type"])
async def test_who_calls_is_said_by_the_credentials_alone(
    name: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = OK
    await connector.send(call(**{name: "someone-else"}))
    assert "someone-else" not in api.asked[0].headers.values()


@pytest.mark.parametrize(
    "name", ["Cookie", "Host", "Content-Length", "Transfer-Encoding", "Connection", "a b", "", "ä"]
)
async def test_a_header_that_a_call_cannot_have_is_refused_by_name(
    name: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidHeader, match=f"The header '{name.lower()}' cannot be sent along"):
        await connector.send(call(**{name: "x"}))
    assert api.asked == []


@pytest.mark.parametrize(
    "value", ["hush\r\nx-admin: 1", "hüsh", "hush\x00", " hush", "hush\n", 5, b"hush\r", "hüsh!".encode()]
)
async def test_a_value_that_no_header_can_carry_is_refused_without_repeating_it(
    value: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(ValueError, match="The value for the header x-note holds a character") as caught:
        await connector.send(call(X_Note=value))
    assert "hush" not in f"{caught.value!r} {caught.value!s}"
    assert api.asked == []


@pytest.mark.parametrize("odd", [5, b"hush", ["hush"]], ids=repr)
async def test_who_calls_is_said_in_text_or_refused_without_repeating_it(
    odd: Any,  # noqa: ANN401  that is the point
    api: ScriptedApi,
    connector: AsyncBosaConnector,
) -> None:
    for name, who in {
        "client key": Credentials(api_key=odd),
        "user token": Credentials(user_token=odd),
        "account": Credentials(account=odd),
    }.items():
        with pytest.raises(InvalidHeader, match=f"The {name} is of type {type(odd).__name__}: expected text") as caught:
            await connector.send(Call(action(), {}, who))
        assert "hush" not in str(caught.value)
    with pytest.raises(InvalidHeader, match="The client key is of type"):
        AsyncBosaConnector(api.url, odd)
    with pytest.raises(ValueError, match="not the address of an API"):
        AsyncBosaConnector(odd)
    assert api.asked == []


# X-API-Key follows redirects to another host


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["{other}/steal", "//{host}/steal", "http://localhost:{port}/steal", "https://{host}/steal", "/here"]
)
async def test_nothing_follows_a_redirect(
    status: int, location: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    async with raw_api(answering(answer())) as other:
        host = other.url.removeprefix("http://")
        target = location.format(other=other.url, host=host, port=host.rpartition(":")[2])
        api.answers |= {DO: Answer(status, {"location": target}), "/here": OK}
        reply = await connector.send(call())
        assert (reply.status, reply.headers["location"], other.connections) == (status, target, 0)
    assert "redirects are not followed" in str(reply.error)
    assert api.lines == [f"POST {DO}"]


@pytest.mark.parametrize("status", [301, 307])
async def test_a_listing_that_redirects_is_not_followed_either(
    status: int, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    async with raw_api(answering(answer(b'{"notes": {}}'))) as other:
        api.answers["/connectors/?modules=notes"] = Answer(status, {"location": f"{other.url}/connectors/"})
        with pytest.raises(ValueError, match="redirects are not followed"):
            await connector.catalogue("notes")
        assert other.connections == 0
