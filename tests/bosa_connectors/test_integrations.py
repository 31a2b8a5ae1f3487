"""Linked accounts: asked for, linked, chosen, looked at, removed, in both families and through both shells."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from bosa_connectors import AsyncBosaConnector
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    Conflict,
    InvalidArguments,
    NotConnected,
    NotFound,
    Unauthenticated,
)
from bosa_connectors.models.result import ActionResult

from .people import BEARER, CURRENT, FAMILIES, KEY, NAMES, SAYS_JSON, Paths, account, data, speak, user
from .scripted import Answer, ScriptedApi

SQL = "/connectors/sql/integrations"
SHOP = f"{SQL}/shop"
EXISTS = "/connectors/sql/integration-exists"
MISSING = "Integration does not exist: No shop account found on sql. Please integrate first."
REFUSED = data({"success": False, "error": MISSING})
REFUSED_BY_STATUS = Answer.of({"error": {"message": MISSING, "code": "X", "request_id": "r1"}, "message": MISSING}, 404)
DONE = ActionResult(success=True, message="success")
CONFIGURED = data({"result": {"configuration_id": "1", "configuration_name": "shop"}, "success": True})

Ask: TypeAlias = Callable[[AsyncBosaConnector], Awaitable[Any]]
ACCOUNT_CALLS: dict[str, Ask] = {
    "select": lambda connector: connector.select_integration("sql", "the-token", "shop"),
    "get": lambda connector: connector.get_integration("sql", "the-token", "shop"),
    "remove": lambda connector: connector.remove_integration("sql", "the-token", "shop"),
}
CALLS: dict[str, Ask] = {
    **ACCOUNT_CALLS,
    "exists": lambda connector: connector.user_has_integration("sql", "the-token"),
    "agree": lambda connector: connector.initiate_connector_auth("sql", "the-token", "https://here.example"),
    "configure": lambda connector: connector.initiate_plugin_configuration("sql", "the-token", {}),
}
METHODS = {"select": "POST", "get": "GET", "remove": "DELETE"}


@pytest.mark.parametrize("answer", [True, False])
async def test_whether_there_is_an_account(answer: bool, api: ScriptedApi, connector: AsyncBosaConnector) -> None:  # noqa: FBT001  pytest's
    api.answers[EXISTS] = data({"has_integration": answer})
    assert await connector.user_has_integration("sql", "the-token") is answer
    assert api.lines == [f"GET {EXISTS}"]
    assert (api.asked[0].said, api.asked[0].body) == (BEARER, b"")


async def test_no_account_is_none_however_the_api_says_it(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[EXISTS] = REFUSED_BY_STATUS
    assert await connector.user_has_integration("sql", "the-token") is False


async def test_a_connector_that_there_is_not_is_no_missing_account(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[EXISTS] = Answer.of({"detail": "Not Found"}, 404)
    with pytest.raises(NotFound, match=r"^404: Not Found"):
        await connector.user_has_integration("sql", "the-token")


async def test_a_user_is_sent_where_an_account_is_agreed_to(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    url = "https://github.example/authorize?client_id=1&state=ä%20b"
    api.answers[SQL] = data({"url": url})
    callback = "https://here.example/back?with=a&query=ü"
    assert await connector.initiate_connector_auth("sql", "the-token", callback) == url
    assert api.lines == [f"POST {SQL}"]
    asked = api.asked[0]
    assert (asked.said, asked.arguments) == ({**BEARER, **SAYS_JSON}, {"callback_url": callback})
    assert asked.headers["idempotency-key"]


async def test_an_account_is_linked_by_a_configuration(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[SQL] = CONFIGURED
    config = {"url": "postgresql://me:hush@db", "options": {"a": [1, None, True]}}
    result = await connector.initiate_plugin_configuration("sql", "the-token", config)
    assert result == ActionResult(success=True, message="Plugin configuration initiated successfully.")
    assert api.lines == [f"POST {SQL}"]
    asked = api.asked[0]
    assert asked.said == {**BEARER, **SAYS_JSON}
    assert asked.arguments == {"auth_type": "custom", "configuration": config}
    assert asked.headers["idempotency-key"]


async def test_an_account_is_replaced_only_where_that_is_asked_for(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[SQL] = data({"url": "https://there.example", "success": True})
    await connector.initiate_connector_auth("sql", "the-token", "https://here.example", replace_duplicate=True)
    await connector.initiate_plugin_configuration("sql", "the-token", {"a": 1}, replace_duplicate=True)
    assert [asked.arguments for asked in api.asked] == [
        {"callback_url": "https://here.example", "replace_duplicate": True},
        {"auth_type": "custom", "configuration": {"a": 1}, "replace_duplicate": True},
    ]


async def test_a_configuration_that_is_refused_with_a_success_status_is_no_success(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[SQL] = data({"success": False, "error": "The database does not answer."})
    result = await connector.initiate_plugin_configuration("sql", "the-token", {"url": "x"})
    assert result == ActionResult(success=False, message="The database does not answer.")
    with pytest.raises(ApiError, match="The database does not answer"):
        await connector.initiate_connector_auth("sql", "the-token", "https://here.example")


async def test_an_account_is_selected_and_removed(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[SHOP] = data({"success": True})
    assert await connector.select_integration("sql", "the-token", "shop") == ActionResult(
        success=True, message="success"
    )
    assert await connector.remove_integration("sql", "the-token", "shop") == ActionResult(
        success=True, message="success"
    )
    assert api.lines == [f"POST {SHOP}", f"DELETE {SHOP}"]
    assert [(asked.said, asked.body) for asked in api.asked] == [(BEARER, b"")] * 2
    keys = [asked.headers["idempotency-key"] for asked in api.asked]
    assert len(set(keys)) == 2


async def test_an_account_is_looked_at_with_its_credential(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    said = account(selected=True, auth_string="postgresql://me:hush@db", auth_scopes=[], newer={"token": "hush"})
    api.answers[SHOP] = data(said)
    integration = await connector.get_integration("sql", "the-token", "shop")
    assert integration == said
    assert isinstance(integration, dict)
    assert integration["auth_string"] == "postgresql://me:hush@db"
    assert api.lines == [f"GET {SHOP}"]
    assert (api.asked[0].said, api.asked[0].body) == (BEARER, b"")


@pytest.mark.parametrize("verb", ["select", "remove"])
@pytest.mark.parametrize("answer", [REFUSED, REFUSED_BY_STATUS], ids=["contract 1", "contract 2"])
async def test_an_unknown_account_is_neither_selected_nor_removed(
    answer: Answer, verb: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[SHOP] = answer
    assert await ACCOUNT_CALLS[verb](connector) == ActionResult(success=False, message=MISSING)
    assert api.lines == [f"{METHODS[verb]} {SHOP}"]


@pytest.mark.parametrize("answer", [REFUSED, REFUSED_BY_STATUS], ids=["contract 1", "contract 2"])
async def test_an_unknown_account_cannot_be_looked_at(
    answer: Answer, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[SHOP] = answer
    with pytest.raises(NotConnected, match=r"^404: Integration does not exist: No shop account") as caught:
        await connector.get_integration("sql", "the-token", "shop")
    assert isinstance(caught.value, ValueError)


async def test_an_account_that_is_missing_in_other_words_cannot_be_looked_at(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[SHOP] = Answer.of({"data": {"success": False}, "meta": None}, x_request_id="r1")
    with pytest.raises(NotFound, match=r"^404: The API gave no reason") as caught:
        await connector.get_integration("sql", "the-token", "shop")
    assert caught.value.failure.request_id == "r1"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("status", "kind"), [(401, Unauthenticated), (409, Conflict), (500, ApiError)])
async def test_a_failure_is_raised_and_never_taken_for_a_success(
    status: int, kind: type[ApiError], call: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= dict.fromkeys((EXISTS, SQL, SHOP), Answer.of({"message": "No."}, status))
    with pytest.raises(ValueError, match=rf"^{status}: No\.") as caught:
        await CALLS[call](connector)
    assert isinstance(caught.value, kind)
    assert len(api.asked) == 1


@pytest.mark.parametrize("call", sorted(CALLS.keys() - {"get"}))
@pytest.mark.parametrize(
    "answer", [data(None), data([]), data({"success": "yes", "url": 5, "has_integration": 1}), data("done")]
)
async def test_an_answer_that_does_not_say_what_came_of_it_is_a_bad_reply(
    answer: Answer, call: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers |= dict.fromkeys((EXISTS, SQL, SHOP), answer)
    with pytest.raises(BadReply, match=r"^The answer lacks what it must say, or says it oddly: data"):
        await CALLS[call](connector)


@pytest.mark.parametrize(
    ("ways", "expected"),
    [
        ([], []),
        ([{"type": "oauth2"}], [{"type": "oauth2"}]),
        ([{"type": "custom", "config": {"type": "object"}}], None),
    ],
)
async def test_the_ways_to_link_an_account(
    ways: list[dict[str, Any]], expected: list[dict[str, Any]] | None, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/connectors/sql/auth-schema"] = data({"supported_auth_types": ways})
    assert await connector.auth_schema("sql") == (ways if expected is None else expected)
    assert api.lines == ["GET /connectors/sql/auth-schema"]
    assert api.asked[0].said == KEY


async def test_a_configuration_is_told_in_json_schemas_own_words_by_an_api_that_puts_all_keys_in_snake_case(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    said = {
        "properties": {
            "any_of": {"any_of": [{"type": "string", "min_length": 1}, {"type": "null"}], "default": {"one_of": 1}},
            "extra_config": {"additional_properties": {"max_items": 3}, "type": "object"},
        },
        "type": "object",
    }
    api.answers["/connectors/sql/auth-schema"] = data({"supported_auth_types": [{"type": "custom", "config": said}]})
    [way] = await connector.auth_schema("sql")
    assert way["config"] == {
        "properties": {
            "any_of": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "null"}], "default": {"one_of": 1}},
            "extra_config": {"additionalProperties": {"maxItems": 3}, "type": "object"},
        },
        "type": "object",
    }


async def test_ways_to_link_that_are_not_said_are_a_bad_reply(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/sql/auth-schema"] = data({"supported": []})
    with pytest.raises(BadReply, match=r"data\.supported_auth_types"):
        await connector.auth_schema("sql")


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
async def test_the_account_that_acts_is_removed_where_none_is_named(
    family: Paths, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    accounts = [account("mill", selected=False), account("me", "mail", selected=True), account(selected=True)]
    speak(api, family, me=data(user(*accounts)))
    api.answers |= {SHOP: data({"success": True}), SQL: data({"success": True})}
    result = await connector.remove_integration("sql", "the-token")
    assert result == DONE
    expected = [f"GET {family.me}", f"DELETE {SHOP}"] if family is CURRENT else [f"DELETE {SQL}"]
    assert api.lines == [NAMES, *expected]
    assert [asked.said for asked in api.asked[1:]] == [BEARER] * len(expected)


async def test_where_no_account_acts_none_is_removed(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    speak(api, me=data(user(account("mill", selected=False), account("me", "mail", selected=True))))
    result = await connector.remove_integration("sql", "the-token")
    assert (result.success, result.message) == (
        False,
        "Integration does not exist: no account of sql is selected. Name the one that is meant.",
    )
    assert api.lines == [NAMES, "GET /users/me"]


@pytest.mark.parametrize(
    ("identifier", "segment"),
    [
        ("../../../users/me", "..%2F..%2F..%2Fusers%2Fme"),
        ("a/b?c=d#e", "a%2Fb%3Fc%3Dd%23e"),
        ("100%2F", "100%252F"),
        ("Ädä 🌍", "%C3%84d%C3%A4%20%F0%9F%8C%8D"),
        ("postgresql+psycopg2:127.0.0.1:bosa", "postgresql%2Bpsycopg2%3A127.0.0.1%3Abosa"),
        ("a\r\nb\\\0", "a%0D%0Ab%5C%00"),
        ("...", "..."),
    ],
)
async def test_an_identifier_and_a_connector_stay_one_segment_of_the_path_whatever_they_hold(
    identifier: str, segment: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    path = f"/connectors/{segment}/integrations/{segment}"
    api.answers[path] = data({"success": True})
    assert (await connector.remove_integration(identifier, "the-token", identifier)).success
    assert (await connector.select_integration(identifier, "the-token", identifier)).success
    assert (await connector.get_integration(identifier, "the-token", identifier)) == {"success": True}
    assert api.lines == [f"DELETE {path}", f"POST {path}", f"GET {path}"]


@pytest.mark.parametrize("odd", ["", ".", "..", None, 5, "half \ud800"])
async def test_what_no_path_can_hold_is_refused_before_anything_is_sent(
    odd: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    asking = [
        ("app_name", connector.auth_schema(odd)),
        ("app_name", connector.user_has_integration(odd, "t")),
        ("app_name", connector.initiate_connector_auth(odd, "t", "https://here.example")),
        ("app_name", connector.initiate_plugin_configuration(odd, "t", {})),
        ("user_identifier", connector.get_integration("sql", "t", odd)),
        ("user_identifier", connector.select_integration("sql", "t", odd)),
        ("app_name", connector.remove_integration(odd, "t")),
    ]
    for name, each in asking:
        with pytest.raises(InvalidArguments, match=f"^Invalid parameters: {{'{name}': '") as caught:
            await each
        assert isinstance(caught.value, ValueError)
    assert api.asked == []


@pytest.mark.parametrize("odd", [None, "url", [1], {"a": {1, 2}}, {"a": float("nan")}, {"hush \ud800": 1}])
async def test_a_configuration_that_is_none_is_refused_before_anything_is_sent(
    odd: dict[str, object], api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.initiate_plugin_configuration("sql", "the-token", odd)
    assert [problem.path for problem in caught.value.errors] == ["config"]
    assert api.asked == []


@pytest.mark.parametrize("call", CALLS)
async def test_a_token_is_asked_for(call: str, api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers |= {SQL: data({"success": True, "url": "u"}), SHOP: data({"success": True})}
    asking: dict[str, Ask] = {
        "select": lambda connector: connector.select_integration("sql", "", "shop"),
        "get": lambda connector: connector.get_integration("sql", "", "shop"),
        "remove": lambda connector: connector.remove_integration("sql", "", "shop"),
        "exists": lambda connector: connector.user_has_integration("sql", ""),
        "agree": lambda connector: connector.initiate_connector_auth("sql", "", "https://here.example"),
        "configure": lambda connector: connector.initiate_plugin_configuration("sql", "", {}),
    }
    with pytest.raises(BosaError, match="'token': 'This is empty'"):
        await asking[call](connector)
    assert api.asked == []
