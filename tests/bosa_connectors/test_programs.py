"""What programs write: execute, run, chains and modules, over a real socket."""

import json
import warnings
from array import array
from collections import UserDict, UserList, deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import MappingProxyType
from typing import Any

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, GLConnectors
from bosa_connectors.connector import BosaConnector
from bosa_connectors.errors import (
    ApiError,
    BosaConnectorError,
    ConnectorNotFound,
    InvalidAction,
    InvalidArguments,
)

from .samples import listed, takes
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

LISTING = "/connectors/?modules=notes"
FIND, MAKE, ANY = "/connectors/notes/find", "/connectors/notes/make", "/connectors/notes/any"
FOUND = {"data": [{"id": 1, "user": {"login": "u", "name": "U"}}], "meta": {"has_next": False}}
WORDS = {"type": "array", "items": {"type": "string"}}
ACTIONS = {
    "find": listed(
        takes(q={"type": "string"}, page={"type": "integer"}, response_fields=WORDS, required=("q",)), path=FIND
    ),
    "make": listed(
        takes(
            title={"type": "string"},
            tags={"anyOf": [WORDS, {"type": "null"}]},
            place=takes(city={"type": "string"}),
            required=("title",),
        ),
        path=MAKE,
    ),
    "count": listed(
        takes(
            page={"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
            ratio={"type": "number"},
            open={"type": "boolean"},
            ids={"type": "array", "items": {"type": "integer"}},
            place=takes(zip={"type": "integer"}),
            name={"type": "string"},
        ),
        path=ANY,
    ),
    "any": listed(path=ANY),
}


@pytest.fixture(autouse=True)
def notes(api: ScriptedApi) -> None:
    api.answers |= {
        LISTING: Answer.of({"notes": ACTIONS}),
        FIND: Answer.of(FOUND),
        MAKE: Answer.of({"data": {"id": 1, "user": {"login": "u", "name": "U"}}, "meta": None}),
        ANY: Answer.of({"data": None, "meta": None}),
    }


def sent(api: ScriptedApi) -> Any:  # noqa: ANN401  JSON
    """The arguments of the last call."""
    return api.asked[-1].arguments


async def test_execute_gives_the_body_as_sent_and_the_status(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    body, status = await connector.execute("notes", "find", input_={"q": " x "}, token="jwt")
    assert (body, status) == (FOUND, 200)
    assert api.lines == [f"GET {LISTING}", f"POST {FIND}"]
    assert sent(api) == {"q": " x "}
    assert api.asked[-1].said["authorization"] == "Bearer jwt"


async def test_a_connector_is_discovered_once_for_all_that_a_program_does(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    await connector.execute("notes", "any")
    await (await connector.connect("notes")).action("any").execute()
    await (await connector.get_connector("notes")).execute("any", 1)
    await connector.run("notes", "any")
    assert api.lines == [f"GET {LISTING}", *[f"POST {ANY}"] * 4]


async def test_run_gives_a_response_of_the_same(connector: AsyncBosaConnector) -> None:
    response = await connector.run("notes", "find", {"q": "x"})
    assert (response.get_data(), response.get_meta(), response.get_status()) == (*FOUND.values(), 200)
    assert (response.ok, response.is_list(), response.has_next()) == (True, True, False)


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (Answer.of({"message": "no"}, 404), {"message": "no"}),
        (Answer(500, {"content-type": "text/plain"}, b"oops"), "oops"),
        (Answer(502, {"content-type": "text/html"}, b"<h1>oops</h1>"), "<h1>oops</h1>"),
        (Answer(204), None),
        (Answer.of([1, 2]), [1, 2]),
    ],
)
async def test_execute_and_run_never_raise_on_a_status(
    answer: Answer, body: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[ANY] = answer
    assert await connector.execute("notes", "any") == (body, answer.status)
    response = await connector.run("notes", "any")
    assert (response.get_data(), response.get_status()) == (body, answer.status)
    if answer.status >= 400:
        with pytest.raises(ApiError):
            response.raise_for_status()


async def test_keywords_are_arguments_where_there_is_no_input(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    await connector.execute("notes", "make", title="t", tags=("a", "b"))
    assert sent(api) == {"title": "t", "tags": ["a", "b"]}


class Kind(Enum):
    OPEN = "open"
    BOTH = ("open", "closed")


async def test_what_is_as_good_as_json_is_taken_for_it_at_any_depth(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    kinds = {Kind.OPEN.value: Kind.OPEN}
    odd = UserDict({"keys": kinds.keys(), "values": [kinds.values()], "proxy": MappingProxyType({"in": (Kind.BOTH,)})})
    meant = {"keys": ["open"], "values": [["open"]], "proxy": {"in": [["open", "closed"]]}}
    await connector.execute("notes", "any", odd)
    assert sent(api) == meant
    await connector.run("notes", "any", {"deep": [odd]}, kind=Kind.OPEN)
    assert sent(api) == {"deep": [meant], "kind": "open"}


class Column(UserList[Any]):
    """A column of a table, or one of its cells, as NumPy and pandas have them."""

    def tolist(self) -> Any:  # noqa: ANN401  JSON
        return self.data[0] if len(self.data) == 1 else self.data


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (lambda: Decimal("1.5"), 1.5),
        (lambda: Fraction(1, 2), 0.5),
        (lambda: range(3), [0, 1, 2]),
        (lambda: deque("ab"), ["a", "b"]),
        (lambda: (each for each in "ab"), ["a", "b"]),
        (lambda: map(str, (1, 2)), ["1", "2"]),
        (lambda: array("d", [1.5]), [1.5]),
        (lambda: Column([7]), 7),
        (lambda: Column([Column([True]), Decimal(2)]), [True, 2.0]),
    ],
)
async def test_numbers_and_rows_of_other_kinds_are_taken_for_what_they_are(
    given: Callable[[], object], meant: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    await connector.execute("notes", "any", {"it": given()})
    assert sent(api) == {"it": meant}


async def test_a_number_that_is_none_is_refused(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments, match="JSON cannot say this"):
        await connector.execute("notes", "any", {"it": Decimal("NaN")})
    assert api.lines == [f"GET {LISTING}"]


async def test_input_and_keywords_are_put_together(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    await connector.run("notes", "make", {"title": "t"}, tags=["a"], title="t")
    assert sent(api) == {"title": "t", "tags": ["a"]}


async def test_where_input_and_keywords_disagree_the_input_counts_with_a_warning(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.warns(UserWarning, match="'title' is given in the input and, otherwise, as a keyword"):
        await connector.execute("notes", "make", input_={"title": "t"}, title="u", tags=["a"])
    assert sent(api) == {"title": "t", "tags": ["a"]}


@pytest.mark.parametrize("odd", ["text", 5, ["a"]])
async def test_input_that_is_no_object_is_refused(
    odd: Any,  # noqa: ANN401  that is the point
    api: ScriptedApi,
    connector: AsyncBosaConnector,
) -> None:
    with pytest.raises(InvalidArguments, match=f"Expected an object, got {type(odd).__name__}"):
        await connector.execute("notes", "make", input_=odd)
    assert api.asked == []


async def test_what_the_caller_gave_is_never_changed(connector: AsyncBosaConnector) -> None:
    params, headers = {"q": "x", "odd": {"a": [1]}}, {"x-trace": "1"}
    before = json.dumps([params, headers])
    with pytest.warns(UserWarning, match="odd"):
        await connector.execute("notes", "find", input_=params, headers=headers, token="jwt", identifier="me")
    assert json.dumps([params, headers]) == before


async def test_an_unknown_argument_is_left_out_with_a_warning_that_names_the_nearest(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.warns(UserWarning, match="tgas") as warned:
        await connector.execute("notes", "make", input_={"title": "t", "tgas": ["a"]})
    assert [str(each.message) for each in warned] == [
        "notes.make takes no argument 'tgas': it is left out. Did you mean 'tags'?"
    ]
    assert sent(api) == {"title": "t"}


async def test_an_unknown_argument_inside_another_is_left_out_likewise(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.warns(UserWarning, match="takes no argument 'place.zip'"):
        await connector.execute("notes", "make", title="t", place={"city": "c", "zip": "1"})
    assert sent(api) == {"title": "t", "place": {"city": "c"}}


async def test_a_warning_points_at_the_program(connector: AsyncBosaConnector, shell: Shell) -> None:
    if shell == "blocking":  # in a thread there is no program to point at
        return
    with warnings.catch_warnings(record=True, action="always") as warned:
        await connector.execute("notes", "find", q="x", odd=1)
        await connector.run("notes", "find", q="x", odd=1)
        await connector.run("notes", "find", {"q": "x"}, q="y")
        await connector.connect("notes").action("find").params({"q": "x", "odd": 1}).run()
        (await connector.get_connector("notes")).validate_request("find", {"q": "x", "odd": 1})
    assert [each.filename for each in warned] == [__file__] * 5


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"page": "2"}, {"page": 2}),
        ({"ratio": "-1.5"}, {"ratio": -1.5}),
        ({"ratio": "1"}, {"ratio": 1}),
        ({"open": "True"}, {"open": True}),
        ({"ids": ["1", 2]}, {"ids": [1, 2]}),
        ({"place": {"zip": "10115"}}, {"place": {"zip": 10115}}),
        ({"open": "1"}, {"open": True}),
        ({"open": " No"}, {"open": False}),
        ({"open": 0}, {"open": False}),
        ({"page": True}, {"page": 1}),
        ({"ids": [True, 2]}, {"ids": [1, 2]}),
        ({"page": ""}, {}),
        ({"name": "größe".encode()}, {"name": "größe"}),
    ],
)
async def test_what_older_programs_may_give_for_something_else_is_taken_for_it_with_a_warning(
    given: dict[str, Any], meant: dict[str, Any], api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.warns(UserWarning, match=r"notes.count takes .* for '[\w.]+': what is given there is taken for that"):
        await connector.execute("notes", "count", given)
    assert json.dumps(sent(api)) == json.dumps(meant)  # true is 1 to Python


@pytest.mark.parametrize(
    "odd",
    [
        *({"page": odd} for odd in ("two", "1.5", "true", "null")),
        *({"ratio": odd} for odd in ("1e999", "NaN")),
        *({"ids": odd} for odd in ("1", "[1]")),
        *({"open": odd} for odd in ("2", 2, "")),
        *({"name": odd} for odd in (b"\xff", 1, True)),
    ],
)
async def test_what_is_another_kind_of_value_is_refused(
    odd: dict[str, Any], api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidArguments):
        await connector.execute("notes", "count", odd)
    assert api.lines == [f"GET {LISTING}"]


@pytest.mark.parametrize(("action", "odd"), [("make", {"tgas": ["a"]}), ("find", {"page": "2"})])
async def test_a_strict_connector_sets_nothing_right(
    action: str, odd: dict[str, Any], api: ScriptedApi, shell: Shell
) -> None:
    async with connecting(shell, api.url, strict=True) as connector:
        with pytest.raises(InvalidArguments, match=next(iter(odd))):
            await connector.execute("notes", action, odd, title="t", q="x")
    assert api.lines == [f"GET {LISTING}"]


async def test_all_that_is_wrong_beside_what_is_unknown_is_told(connector: AsyncBosaConnector) -> None:
    with pytest.warns(UserWarning, match="odd"), pytest.raises(ValueError, match=r"^Invalid parameters: ") as caught:
        await connector.execute("notes", "make", odd=1)
    assert str(caught.value) == "Invalid parameters: {'title': 'Field required'}"


async def test_an_action_that_takes_anything_gets_everything(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    await connector.execute("notes", "any", input_={"a": {"b.c": None}}, d=1)
    assert sent(api) == {"a": {"b.c": None}, "d": 1}


async def test_response_fields_are_sent_where_the_action_declares_them(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    body, _ = await connector.execute("notes", "find", q="x", response_fields=["user.login"])
    assert sent(api) == {"q": "x", "response_fields": ["user.login"]}
    assert body == FOUND


async def test_response_fields_are_applied_to_the_reply_where_the_action_does_not_declare_them(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    body, _ = await connector.execute("notes", "make", title="t", response_fields=["user.login"])
    response = await connector.run("notes", "make", {"title": "t", "response_fields": ["user.login"]})
    assert sent(api) == {"title": "t"}
    assert body == {"data": {"user": {"login": "u"}}, "meta": None}
    assert response.get_data() == {"user": {"login": "u"}}


async def test_response_fields_do_not_touch_a_failure(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[MAKE] = Answer.of({"message": "no", "data": {"id": 1}}, 409)
    body, status = await connector.execute("notes", "make", title="t", response_fields=["user"])
    assert (body, status) == ({"message": "no", "data": {"id": 1}}, 409)


@pytest.mark.parametrize("odd", ["id", [1], {"id": True}])
async def test_response_fields_that_are_no_paths_are_refused(odd: object, connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments, match="array of dotted paths"):
        await connector.execute("notes", "make", title="t", response_fields=odd)


async def test_selected_fields_do_not_end_a_walk_whose_token_is_in_the_data(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    mails, path = takes(page_token={"type": "string"}), "/connectors/notes/mails"
    declared = takes(page_token={"type": "string"}, response_fields=WORDS)
    for schema, asked in ((mails, {}), (declared, {"response_fields": ["mails.id", "next_page_token"]})):
        api.answers |= {
            LISTING: Answer.of({"notes": {"mails": listed(schema, path=path)}}),
            path: Answer.of({"data": {"mails": [{"id": 1, "x": 2}], "next_page_token": "two"}, "meta": None}),
        }
        await connector.refresh_connector("notes")
        first = await connector.run("notes", "mails", {"response_fields": ["mails.id"]})
        assert first.get_data() == {"mails": [{"id": 1}]}
        api.answers[path] = Answer.of({"data": {"mails": [{"id": 3, "x": 4}]}, "meta": None})
        assert first.has_next()
        second = await first.next_page()
        assert (second.get_data(), second.has_next()) == ({"mails": [{"id": 3}]}, False)
        assert sent(api) == {"page_token": "two", **asked}


async def test_the_texts_that_programs_match_on(connector: AsyncBosaConnector) -> None:
    with pytest.raises(ValueError, match=r"^Invalid action 'x'\. Available actions: find, make, count, any$") as caught:
        await connector.execute("notes", "x")
    assert isinstance(caught.value, InvalidAction)
    with pytest.raises(ValueError, match=r"^Invalid parameters: \{'title': 'Field required'\}$"):
        await connector.execute("notes", "make", input_={"tags": None})


@pytest.mark.parametrize("answer", [Answer.of({}), Answer.of({"notes": ACTIONS})])
async def test_a_connector_that_there_is_not_is_named(
    answer: Answer, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/connectors/?modules=x"] = answer
    for use in (connector.execute("x", "do"), connector.run("x", "do"), connector.get_connector("x")):
        with pytest.raises(BosaConnectorError) as caught:
            await use
        assert str(caught.value) == "No connector found for app 'x'"
        assert isinstance(caught.value, ConnectorNotFound)
    with pytest.raises(ConnectorNotFound):
        await connector.connect("x")


@pytest.mark.parametrize(
    "answer", [Answer(401), Answer(500), Answer(200, {"content-type": "text/html"}, b"<html>"), Answer.of([])]
)
async def test_a_connector_that_cannot_be_had_is_a_connectors_error(
    answer: Answer, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/connectors/?modules=x"] = answer
    with pytest.raises(BosaConnectorError):
        await connector.execute("x", "do")


async def test_max_attempts_below_one_is_refused_before_anything_is_sent(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    for attempts in (0, -1):
        with pytest.raises(ValueError, match=r"^max_attempts must be at least 1$"):
            await connector.execute("notes", "any", max_attempts=attempts)
    assert api.asked == []


@pytest.mark.parametrize("odd", [5, None, b"notes", ["notes"]], ids=repr)
async def test_a_name_that_is_no_text_is_refused_with_what_was_expected(
    odd: Any,  # noqa: ANN401  that is the point
    api: ScriptedApi,
    connector: AsyncBosaConnector,
) -> None:
    for use in (connector.execute(odd, "any"), connector.get_connector(odd), connector.refresh_connector(odd)):
        with pytest.raises(InvalidArguments, match=f"'app_name': 'This is of type {type(odd).__name__}, not text'"):
            await use
    assert api.asked == []
    with pytest.raises(InvalidAction) as caught:
        await connector.execute("notes", odd)
    assert str(caught.value).startswith(f"Invalid action {odd!r}. Available actions: ")


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), (0, 1), (1, -1), (1,), (1, 2, 3), [1, 2], "5", ("1", 2)])
async def test_a_timeout_that_is_none_is_refused_before_anything_is_sent(
    seconds: Any,  # noqa: ANN401  that is the point
    api: ScriptedApi,
    connector: AsyncBosaConnector,
) -> None:
    with pytest.raises(ValueError, match=r"^timeout must be seconds above 0"):
        await connector.run("notes", "any", timeout=seconds)
    assert api.asked == []


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ({"identifier": "me"}, "me"),
        ({"account": "me"}, "me"),
        ({"identifier": "me", "account": "other"}, "me"),
        ({}, None),
    ],
)
async def test_the_account_that_acts_goes_along_under_both_names(
    accounts: dict[str, Any], expected: str | None, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    await connector.execute("notes", "any", **accounts)
    said = api.asked[-1].said
    assert (said.get("x-bosa-integration"), said.get("x-integration")) == (expected, expected)


async def test_a_chain_is_a_call(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    notes = await connector.connect("notes")
    chain = notes.action("find").params({"q": "x"}).token("jwt").headers({"x-trace": "1"}).max_attempts(2).timeout(5)
    assert await chain.identifier("me").execute() == (FOUND, 200)
    assert sent(api) == {"q": "x"}
    said = api.asked[-1].said
    assert (said["authorization"], said["x-trace"], said["x-integration"]) == ("Bearer jwt", "1", "me")


async def test_a_chain_may_be_used_again_and_each_setter_replaces(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    chain = (await connector.connect("notes")).action("find")
    params = {"q": "x"}
    chain.params(params).token("jwt")  # as a statement of its own
    params["q"] = "changed later"
    await chain.execute()
    assert (await chain.params({"q": "y", "page": 2}).token(None).run()).get_data() == FOUND["data"]
    assert [asked.arguments for asked in api.asked[1:]] == [{"q": "x"}, {"q": "y", "page": 2}]
    assert ["authorization" in asked.headers for asked in api.asked[1:]] == [True, False]


async def test_the_chains_of_one_connector_know_nothing_of_each_other(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    notes = await connector.connect("notes")
    await notes.action("find").params({"q": "x"}).token("alice").headers({"x-trace": "1"}).execute()
    await notes.action("any").execute()
    assert api.asked[-1].said == {"content-type": "application/json", "x-api-key": "client-key"}
    assert sent(api) == {}


async def test_account_in_a_chain_warns_and_identifier_wins(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    chain = (await connector.connect("notes")).action("any")
    with pytest.warns(DeprecationWarning, match="Use 'identifier' instead"):
        chain.account("older")
    await chain.execute()
    await chain.identifier("newer").execute()
    assert [asked.said["x-integration"] for asked in api.asked[1:]] == ["older", "newer"]


async def test_headers_may_be_given_as_they_were_to_requests(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    headers = {"X-None": None, "X-Bytes": b"bytes", "Accept": "text/csv"}
    await connector.execute("notes", "any", headers=headers)
    await (await connector.connect("notes")).action("any").headers(headers).run()
    await (await connector.get_connector("notes")).execute("any", headers={**headers, "X-API-Key": b"other"})
    for asked in api.asked[1:]:
        assert (asked.headers["x-bytes"], asked.headers["accept"], asked.headers.get("x-none")) == (
            "bytes",
            "text/csv",
            None,
        )
    assert [asked.said["x-api-key"] for asked in api.asked[1:]] == ["client-key", "client-key", "other"]


async def test_a_chain_refuses_what_a_call_refuses(connector: AsyncBosaConnector) -> None:
    notes = await connector.connect("notes")
    with pytest.raises(ValueError, match=r"^Invalid action 'x'"):
        await notes.action("x").execute()
    with pytest.raises(ValueError, match=r"^max_attempts must be at least 1$"):
        await notes.action("any").max_attempts(0).run()
    with pytest.raises(ValueError, match=r"^timeout must be seconds above 0"):
        await notes.action("any").timeout(0).run()


async def test_a_chain_that_is_awaited_only_at_its_end(api: ScriptedApi) -> None:
    async with AsyncBosaConnector(api.url, "client-key") as connector:
        body, status = await connector.connect("notes").action("find").params({"q": "x"}).execute()
    assert (body, status) == (FOUND, 200)


async def test_many_users_at_once_and_no_token_crosses(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    async def use(user: int) -> None:
        for turn in range(5):
            await connector.execute(
                "notes", "any", user=user, turn=turn, token=f"token-{user}", identifier=f"me-{user}"
            )

    async with anyio.create_task_group() as users:
        for user in range(20):
            users.start_soon(use, user)
    calls = [asked for asked in api.asked if asked.line == f"POST {ANY}"]
    assert len(calls) == 100
    assert len(api.asked) == 101
    for call in calls:
        user = call.arguments["user"]
        assert (call.said["authorization"], call.said["x-integration"]) == (f"Bearer token-{user}", f"me-{user}")


async def test_max_attempts_repeats_what_is_worth_it(connector: AsyncBosaConnector, api: ScriptedApi) -> None:
    api.answers[ANY] = Answer.of({"message": "busy"}, 429, retry_after="0")
    assert (await connector.execute("notes", "any", max_attempts=3))[1] == 429
    assert (await connector.execute("notes", "any"))[1] == 429
    assert len(api.asked) == 1 + 3 + 1


def test_the_later_name_knows_where_the_later_generation_is() -> None:
    with warnings.catch_warnings(), GLConnectors() as connector:
        assert isinstance(connector, BosaConnector)
        assert connector.api_base_url == "https://connector.gdplabs.id"


async def test_the_later_name_sends_no_key_unless_it_has_one(api: ScriptedApi) -> None:
    with GLConnectors(api.url) as without, GLConnectors(api.url, "key", error_contract=2) as connector:
        without.execute("notes", "any")
        connector.execute("notes", "any")
    calls = [asked.said for asked in api.asked if asked.line.startswith("POST")]
    assert [call.get("x-api-key") for call in calls] == [None, "key"]
    assert calls[1]["x-gl-error-contract"] == "2"
