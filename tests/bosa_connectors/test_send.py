"""Calls to a real server that behaves: what is sent, and what comes back."""

import gzip
from typing import Any

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.calls import FileHead
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    InvalidArguments,
    NotFound,
    OutcomeUnknown,
    Unauthenticated,
)
from bosa_connectors.models.file import ConnectorFile

from .raw import answer, answering, raw_api
from .samples import action, takes
from .scripted import Answer, ScriptedApi

DO = "/connectors/notes/do"
OK = Answer.of({"data": {"id": 1}, "meta": {"page": 1}})
NOTE = takes(title={"type": "string"}, body={"type": "string"}, required=("title",))


def call(credentials: Credentials | None = None, **arguments: object) -> Call:
    """A call of an action that takes anything."""
    return Call(action(), arguments, credentials)


async def test_a_call_goes_out_in_json_and_its_data_and_meta_come_back(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = OK
    reply = await connector.send(Call(action(NOTE), {"title": "Größe 😀", "body": None}))
    assert (reply.status, reply.data, reply.meta, reply.error, reply.file) == (200, {"id": 1}, {"page": 1}, None, None)
    assert reply.body == {"data": {"id": 1}, "meta": {"page": 1}}
    assert reply.headers["content-type"] == "application/json"
    [asked] = api.asked
    assert (asked.line, asked.arguments) == (f"POST {DO}", {"title": "Größe 😀"})


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        (None, {"x-api-key": "client-key"}),
        (Credentials(api_key="theirs"), {"x-api-key": "theirs"}),
        (Credentials(user_token="jwt"), {"x-api-key": "client-key", "authorization": "Bearer jwt"}),
        (
            Credentials("theirs", "jwt", "me@example.com"),
            {
                "x-api-key": "theirs",
                "authorization": "Bearer jwt",
                "x-bosa-integration": "me@example.com",
                "x-integration": "me@example.com",
            },
        ),
    ],
)
async def test_the_headers_on_the_wire_say_who_calls_and_nothing_else(
    credentials: Credentials | None, expected: dict[str, str], api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = OK
    await connector.send(call(credentials))
    assert api.asked[0].said == {"content-type": "application/json", **expected}


async def test_what_may_act_carries_a_key_of_its_own_and_what_asks_does_not(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    for name in ("create_it", "create_it", "do", "get_it"):
        await connector.send(Call(action(name=name), {}))
    keys = [asked.headers.get("idempotency-key") for asked in api.asked]
    assert len(set(keys[:3])) == 3
    assert keys[3] is None


async def test_one_connector_object_serves_many_users_at_once(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = OK
    async with anyio.create_task_group() as users:
        for user in range(20):
            users.start_soon(connector.send, call(Credentials(user_token=f"token-{user}"), user=user))
    tokens = {asked.arguments["user"]: asked.said["authorization"] for asked in api.asked}
    assert tokens == {user: f"Bearer token-{user}" for user in range(20)}
    await connector.send(call())
    assert "authorization" not in api.asked[-1].headers


async def test_the_second_error_contract_is_asked_for_on_every_request(api: ScriptedApi) -> None:
    api.answers |= {DO: OK, "/connectors/?modules=notes": Answer.of({"notes": {}})}
    async with AsyncBosaConnector(api.url, error_contract=2) as connector:
        await connector.catalogue("notes")
        await connector.send(call())
    assert [asked.said["x-gl-error-contract"] for asked in api.asked] == ["2", "2"]


async def test_a_connection_is_used_again(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers |= {DO: OK, "/gone": Answer.of({"message": "gone"}, 404), "/none": Answer(204)}
    api.answers["/connectors/?modules=notes"] = Answer.of({"notes": {}})
    for path in (DO, "/gone", "/none", DO):
        await connector.send(Call(action(path=path), {}))
    await connector.catalogue("notes")
    assert len(api.asked) == 5
    assert len({asked.connection for asked in api.asked}) == 1


async def test_no_cookie_is_ever_sent(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = Answer(200, {"set-cookie": "session=alice; Path=/; HttpOnly"}, b'{"data": 1}')
    api.answers["/connectors/?modules=notes"] = Answer.of({"notes": {}}, set_cookie="seen=1")
    await connector.catalogue("notes")
    for user in ("alice", "bob"):
        await connector.send(call(Credentials(user_token=user)))
    await connector.refresh_connector("notes")
    assert len(api.asked) == 4
    assert not [asked for asked in api.asked if "cookie" in asked.headers]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_nothing_reaches_the_other_origin(
    status: int, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    async with raw_api(answering(answer())) as other:
        api.answers[DO] = Answer(status, {"location": f"{other.url}/steal"})
        reply = await connector.send(call(Credentials("key", "jwt"), secret="x"))
        assert other.connections == 0
    assert (reply.status, type(reply.error)) == (status, ApiError)
    assert f"redirects to {other.url}, and redirects are not followed" in str(reply.error)
    assert reply.headers["location"] == f"{other.url}/steal"
    assert len(api.asked) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_api_is_not_followed_either(
    status: int, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= {DO: Answer(status, {"location": "/elsewhere"}), "/elsewhere": OK}
    reply = await connector.send(call())
    assert "redirects to another path" in str(reply.error)
    assert len(api.asked) == 1


@pytest.mark.parametrize("location", ["http://[odd", "mailto:a@b.example", "javascript:alert(1)"])
async def test_a_redirect_to_nowhere_is_an_error_like_any_other(
    location: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = Answer(302, {"location": location})
    try:
        reply = await connector.send(call())
    except BosaError:
        return
    assert reply.error is not None


@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_address_of_the_api_may_carry_a_prefix_and_a_slash(slash: str, api: ScriptedApi) -> None:
    api.answers |= {
        f"/bosa/v1{DO}": OK,
        "/bosa/v1/connectors/?modules=notes": Answer.of({"notes": {}}),
        "/bosa/v1/connectors/names": Answer.of([]),
    }
    async with AsyncBosaConnector(f"{api.url}/bosa/v1{slash}") as connector:
        assert connector.api_base_url == f"{api.url}/bosa/v1"
        await connector.get_available_modules()
        await connector.catalogue("notes")
        assert (await connector.send(call())).data == {"id": 1}
    assert len(api.asked) == 3


async def test_a_path_beyond_ascii_is_percent_encoded(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/gr%C3%B6%C3%9Fe/a%20b"] = OK
    reply = await connector.send(Call(action(path="/connectors/größe/a%20b"), {}))
    assert reply.data == {"id": 1}


# What comes back


@pytest.mark.parametrize(
    ("answer", "data"),
    [
        (Answer(204), None),
        (Answer(200), None),
        (Answer(200, {"content-type": "application/json"}, b"  "), None),
        (Answer.of({"data": [1, "a", None], "meta": None}), [1, "a", None]),
        (Answer.of({"data": "text", "meta": None}), "text"),
        (Answer.of({"data": None, "meta": None}), None),
        (Answer.of([1]), [1]),
        (Answer.of(5, 201), 5),
        (Answer(200, {}, b'{"data": 1}'), 1),
        (Answer(200, {"content-type": "application/json; charset=latin-1"}, b'{"data": "\xe4"}'), "ä"),
        (Answer(200, {"content-type": "application/vnd.bosa+json"}, b'{"data": 1}'), 1),
        (
            Answer(
                200,
                {"content-type": "application/json", "content-encoding": "gzip"},
                gzip.compress(b'{"data": [1]}'),
            ),
            [1],
        ),
        (Answer(200, {}, b'{"data": [NaN, -Infinity, 1e999, "\\ud800"]}'), [None, None, None, "?"]),
    ],
)
async def test_a_success_of_any_shape_becomes_data(
    answer: Answer, data: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = answer
    reply = await connector.send(call())
    assert (reply.status, reply.data, reply.error, reply.file) == (answer.status, data, None, None)


async def test_nothing_is_asked_for_that_unpacks_to_more_than_is_taken(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = OK
    await connector.send(call())
    assert api.asked[-1].headers["accept-encoding"] == "gzip"


async def test_a_reply_nested_hundreds_of_levels_deep_is_read(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = Answer(200, {}, b"[" * 400 + b"]" * 400)
    data: Any = (await connector.send(call())).data
    for _ in range(399):
        [data] = data
    assert data == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(200, {"content-type": "application/json"}, b"<html>"), "says that it is JSON and is not"),
        (Answer(200, {"content-type": "application/json"}, b"[" * 100_000), "says that it is JSON and is not"),
        (Answer(200, {"content-encoding": "gzip"}, b"not gzip"), "cannot be decompressed"),
        (Answer(200, {"content-encoding": "gzip"}, gzip.compress(b'{"data": 1}')[:-12]), "cannot be decompressed"),
        *(
            (Answer(200, {"content-encoding": packing}, b"never unpacked"), "cannot be decompressed")
            for packing in ("gzip, gzip", "deflate", "br", "zstd")
        ),
    ],
)
async def test_an_answer_that_cannot_be_read_is_a_bad_reply_and_the_next_call_is_not_affected(
    answer: Answer, message: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= {DO: answer, "/good": OK}
    with pytest.raises(BadReply, match=message):
        await connector.send(Call(action(name="get_it"), {}))
    with pytest.raises(OutcomeUnknown):
        await connector.send(call())
    assert (await connector.send(Call(action(path="/good"), {}))).data == {"id": 1}


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        (Answer.of({"error": {"message": "No key."}}, 401), Unauthenticated, "401: No key."),
        (Answer.of({"detail": "Not here."}, 404, content_type="application/problem+json"), NotFound, "404: Not here."),
        (Answer(500, {"content-type": "text/plain"}, b"It broke."), ApiError, "500: It broke."),
        (Answer(502, {"content-type": "text/html"}, b"<html>"), ApiError, "502: The API gave no reason."),
    ],
)
async def test_a_failure_is_the_error_of_the_reply_and_is_not_raised(
    answer: Answer, kind: type[ApiError], message: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = answer
    reply = await connector.send(call())
    assert (type(reply.error), reply.status, reply.data) == (kind, answer.status, None)
    assert str(reply.error).startswith(message)


async def test_a_call_that_is_not_found_is_tried_nowhere_else(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    reply = await connector.send(call())
    assert isinstance(reply.error, NotFound)
    assert api.lines == [f"POST {DO}"]


# Files


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="report 1.pdf"', "report 1.pdf"),
        ("attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.pdf", "größe.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        (None, None),
    ],
)
async def test_a_file_gives_its_head_and_its_bytes(
    disposition: str | None, name: str | None, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    headers = {"content-type": "application/pdf"} | ({"content-disposition": disposition} if disposition else {})
    api.answers[DO] = Answer(200, headers, b"%PDF")
    reply = await connector.send(call())
    assert reply.file == FileHead(name, "application/pdf", 4)
    assert isinstance(reply.data, ConnectorFile)
    assert (reply.data.file, reply.data.filename, reply.body) == (b"%PDF", name, reply.data)


# Before anything is sent


async def test_arguments_that_do_not_fit_are_not_sent(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.send(Call(action(NOTE), {"titel": "x"}))
    assert [problem.path for problem in caught.value.errors] == ["titel", "title"]
    assert api.asked == []


async def test_an_optional_null_is_as_good_as_absent_and_a_required_one_is_checked(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[DO] = OK
    await connector.send(Call(action(NOTE), {"title": "x", "body": None}))
    with pytest.raises(InvalidArguments, match="Expected string, got null"):
        await connector.send(Call(action(NOTE), {"title": None}))
    assert [asked.arguments for asked in api.asked] == [{"title": "x"}]


async def test_an_unknown_name_is_refused_whatever_its_value(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments, match="Unknown field"):
        await connector.send(Call(action(NOTE), {"title": "x", "bodi": None}))
    assert api.asked == []


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
async def test_a_number_that_json_cannot_say_is_refused_whatever_the_schema_asks(
    value: float, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    schema = takes(size={"type": "number", "multipleOf": 0.01})
    with pytest.raises(InvalidArguments, match="size"):
        await connector.send(Call(action(schema), {"size": value}))
    assert api.asked == []


async def test_the_arguments_stay_as_they_were(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[DO] = OK
    arguments = {"title": "x", "body": None}
    await connector.send(Call(action(NOTE), arguments))
    assert arguments == {"title": "x", "body": None}


async def test_a_path_too_long_for_a_url_is_an_error_of_ours(connector: AsyncBosaConnector) -> None:
    with pytest.raises(BosaError):
        await connector.send(Call(action(path=f"/{'x' * 70_000}"), {}))


# The end


async def test_a_closed_connector_says_so(api: ScriptedApi) -> None:
    connector = AsyncBosaConnector(api.url)
    await connector.aclose()
    await connector.aclose()
    for use in (connector.send(call()), connector.catalogue("notes"), connector.get_available_modules()):
        with pytest.raises(RuntimeError, match="closed"):
            await use
    assert api.asked == []


async def test_leaving_the_block_closes_the_connections() -> None:
    async def until_the_client_hangs_up(connection: Any) -> None:  # noqa: ANN401  a raw connection
        await connection.request()
        await connection.write(answer())
        await connection.gone()

    async with raw_api(until_the_client_hangs_up) as api:
        async with AsyncBosaConnector(api.url) as connector:
            await connector.send(call())
            assert not api.closed.is_set()
        with anyio.fail_after(5):
            await api.closed.wait()
