"""A connector as older programs hold it."""

from typing import Any

import pytest

from bosa_connectors import AsyncBosaConnector, BosaConnectorModule
from bosa_connectors.auth import ApiKeyAuthenticator
from bosa_connectors.errors import ConnectorNotFound
from bosa_connectors.module import BosaConnectorError

from .samples import listed, takes
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

LISTING = "/connectors/?modules=notes"
DO = "/connectors/notes/do"
TEXT: dict[str, object] = {"type": "string"}
NULL: dict[str, object] = {"type": "null"}
FILE: dict[str, object] = {"type": "string", "format": "binary"}
ITEM: dict[str, object] = {"$ref": "#/$defs/Item"}
TYPES: list[tuple[dict[str, object], str]] = [
    (TEXT, "<class 'str'>"),
    ({"type": "integer"}, "<class 'int'>"),
    ({"type": "number"}, "<class 'float'>"),
    ({"type": "boolean"}, "<class 'bool'>"),
    ({"type": "object"}, "<class 'dict'>"),
    ({"type": "array"}, "<class 'list'>"),
    ({"type": "array", "items": TEXT}, "typing.List[str]"),
    ({"type": "array", "items": {"type": "array", "items": TEXT}}, "typing.List[typing.List[str]]"),
    (FILE, "<class 'bytes'>"),
    ({"type": "bytes"}, "<class 'bytes'>"),
    ({"type": "array", "items": FILE}, "typing.List[bytes]"),
    ({"anyOf": [TEXT, NULL]}, "typing.Optional[str]"),
    ({"anyOf": [{"type": "array", "items": TEXT}, NULL]}, "typing.Optional[typing.List[str]]"),
    ({"anyOf": [TEXT, {"type": "integer"}]}, "typing.Union[str, int]"),
    ({"anyOf": [TEXT, NULL, {"type": "integer"}]}, "typing.Union[str, int, NoneType]"),
    ({"type": ["string", "null"]}, "typing.Optional[str]"),
    ({"type": "object", **ITEM}, "<class 'dict'>"),
    (ITEM, "<class 'dict'>"),
    ({"$ref": "#/$defs/Missing"}, "typing.Any"),
    ({"type": "any"}, "typing.Any"),
    ({}, "typing.Any"),
    ({"enum": ["a"]}, "typing.Any"),
]


def answer(**properties: object) -> Answer:
    schema = takes(required=("title",), **properties) | {"$defs": {"Item": {"type": "object"}}}
    return Answer.of({"notes": {"do": listed(schema, docstring="Does it.\n\n            Args:\n                x: y")}})


@pytest.fixture(autouse=True)
def notes(api: ScriptedApi) -> None:
    api.answers |= {
        LISTING: answer(title=TEXT, tags={"anyOf": [{"type": "array", "items": TEXT}, NULL]}),
        DO: Answer.of({"data": 1, "meta": None}),
    }


async def test_a_module_lists_its_actions(connector: AsyncBosaConnector) -> None:
    module = await connector.get_connector("notes")
    assert module.get_actions() == [("do", DO, "Does it.\n\nArgs:\n    x: y")]
    assert module.app_name == "notes"


async def test_a_module_lists_the_parameters_of_an_action(connector: AsyncBosaConnector) -> None:
    module = await connector.get_connector("notes")
    assert module.get_action_parameters("do") == [
        {"name": "title", "type": "<class 'str'>", "required": True},
        {"name": "tags", "type": "typing.Optional[typing.List[str]]", "required": False},
    ]
    assert module.get_action_parameters("unknown") == []


@pytest.mark.parametrize(("schema", "said"), TYPES)
async def test_a_type_is_told_in_the_words_of_python(schema: dict[str, object], said: str, api: ScriptedApi) -> None:
    api.answers[LISTING] = answer(title=schema)
    async with AsyncBosaConnector(api.url) as connector:
        [parameter] = (await connector.get_connector("notes")).get_action_parameters("do")
    assert parameter["type"] == said


async def test_a_type_that_holds_itself_is_told(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    tree: dict[str, object] = {"$ref": "#/$defs/T"}
    definitions: dict[str, object] = {"$defs": {"T": {"anyOf": [tree, NULL]}}}
    schema = takes(t=tree, l={"type": "array", "items": tree}) | definitions
    api.answers[LISTING] = Answer.of({"notes": {"do": listed(schema)}})
    parameters = (await connector.get_connector("notes")).get_action_parameters("do")
    assert [parameter["name"] for parameter in parameters] == ["t", "l"]


REQUESTS: list[tuple[dict[str, object] | None, tuple[dict[str, object] | None, dict[str, str]]]] = [
    ({"title": " a ", "tags": None}, ({"title": " a "}, {})),
    ({"title": "a", "tags": ("b",)}, ({"title": "a", "tags": ["b"]}, {})),
    ({"title": "a", "response_fields": ["x"]}, ({"title": "a", "response_fields": ["x"]}, {})),
    ({}, (None, {"title": "Field required"})),
    (None, (None, {"title": "Field required"})),
    ({"title": 1, "tags": [2]}, (None, {"title": "Expected string, got 1", "tags.0": "Expected string, got 2"})),
]


@pytest.mark.parametrize(("params", "expected"), REQUESTS)
async def test_a_request_is_validated_without_being_sent(
    params: dict[str, object] | None, expected: object, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    module = await connector.get_connector("notes")
    assert module.validate_request("do", params) == expected
    assert module.validate_request("unknown", params) == (None, {"_schema": "No schema found for action"})
    assert api.lines == [f"GET {LISTING}"]


async def test_validation_knows_no_more_arguments_than_a_call(api: ScriptedApi, shell: Shell) -> None:
    async with connecting(shell, api.url) as connector, connecting(shell, api.url, strict=True) as strict:
        with pytest.warns(UserWarning, match="takes no argument 'titel'"):
            found = (await connector.get_connector("notes")).validate_request("do", {"title": "a", "titel": "b"})
        assert found == ({"title": "a"}, {})
        refused = (await strict.get_connector("notes")).validate_request("do", {"title": "a", "titel": "b"})
        assert refused == (None, {"titel": "Unknown field"})


async def test_a_module_calls(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    module = await connector.get_connector("notes")
    body, status = await module.execute("do", 2, {"title": "a"}, "jwt", None, "me")
    assert (body, status) == ({"data": 1, "meta": None}, 200)
    [call] = [asked for asked in api.asked if asked.line.startswith("POST")]
    assert call.arguments == {"title": "a"}
    assert call.said == {
        "content-type": "application/json",
        "x-api-key": "client-key",
        "authorization": "Bearer jwt",
        "x-bosa-integration": "me",
        "x-integration": "me",
    }


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"authenticator": ApiKeyAuthenticator("theirs")}, "theirs"),
        ({"headers": {"X-Api-Key": "theirs"}}, "theirs"),
        ({"headers": {"x-api-key": "other"}, "authenticator": ApiKeyAuthenticator("theirs")}, "theirs"),
        ({}, "client-key"),
    ],
)
async def test_an_authenticator_says_who_calls(
    options: dict[str, Any], key: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    await (await connector.get_connector("notes")).execute("do", 1, {"title": "a"}, **options)
    assert api.asked[-1].said["x-api-key"] == key


async def test_a_module_refuses_what_a_call_refuses(connector: AsyncBosaConnector) -> None:
    module = await connector.get_connector("notes")
    with pytest.raises(ValueError, match=r"^max_attempts must be at least 1$"):
        await module.execute("do", 0, {"title": "a"})
    with pytest.raises(ValueError, match=r"^Invalid action 'x'\. Available actions: do$"):
        await module.execute("x", 1)
    with pytest.raises(ValueError, match=r"^Invalid parameters: \{'title': 'Field required'\}$"):
        await module.execute("do", 1, {})


async def test_a_module_sees_what_a_refresh_found(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    module = await connector.get_connector("notes")
    api.answers[LISTING] = Answer.of({"notes": {"other": listed()}})
    await connector.refresh_connector("notes")
    assert [name for name, _, _ in module.get_actions()] == ["other"]


async def test_a_module_that_stands_alone_has_no_key(api: ScriptedApi) -> None:
    module = BosaConnectorModule("notes", api.url)
    assert module.execute("do", 1, {"title": "a"}) == ({"data": 1, "meta": None}, 200)
    assert "x-api-key" not in api.asked[-1].headers
    module.execute("do", 1, {"title": "a"}, authenticator=ApiKeyAuthenticator("theirs"))
    module.close()
    assert api.asked[-1].said["x-api-key"] == "theirs"


async def test_a_module_of_a_connector_that_there_is_not_is_not_made(api: ScriptedApi) -> None:
    api.answers["/connectors/?modules=x"] = Answer.of({})
    with pytest.raises(BosaConnectorError, match=r"^No connector found for app 'x'$") as caught:
        BosaConnectorModule("x", api.url)
    assert isinstance(caught.value, ConnectorNotFound)
    with pytest.raises(ValueError, match="The listing is at 'connectors'"):
        BosaConnectorModule("notes", api.url, "elsewhere")


def test_the_constants_of_a_module() -> None:
    assert (BosaConnectorModule.MAX_RETRY, BosaConnectorModule.MAX_BACKOFF_SECONDS) == (10, 64)
    assert BosaConnectorModule.INFO_PATH == "connectors"
    assert {"integrations", "integration-exists", "success-authorize-callback"} <= set(
        BosaConnectorModule.EXCLUDED_ENDPOINTS
    )
    assert [BosaConnectorModule.is_retryable_error(status) for status in (200, 404, 429, 500, 503)] == [
        False,
        False,
        True,
        True,
        True,
    ]
