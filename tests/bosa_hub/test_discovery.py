"""What the published clients need from a listing, checked on every action there is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast

import httpx
import pytest
from jsonschema import validate
from pydantic import BaseModel, Field

from bosa_hub.actions import actions, listing_item
from bosa_hub.plugin import Connector, Context, Page, Result, action
from bosa_hub.serve import running

Items: TypeAlias = list[tuple[str, dict[str, Any]]]

_ITEM = ["method", "plugin_path", "path", "docstring", "parameters", "request_body", "response", "x-bosa-effect"]
_ANSWERS_NO_DATA = {"ping", "refuse", "break_down", "download_file", "export_notes"}
_ANSWERS_NO_LIST_OF_OBJECTS = {
    *("read_text_file", "write_text_file", "upload_file", "move_file", "delete_file"),
    *("create_note", "get_note", "update_note", "delete_note"),
    *("numbers", "annotated"),
}
_TAKES_NOTHING: dict[str, Any] = {"properties": {}}
_EFFECTS = {
    "files": {
        "list_files": "read",
        "search_files": "read",
        "read_text_file": "read",
        "download_file": "read",
        "upload_file": "create",
        "write_text_file": "update",
        "move_file": "update",
        "delete_file": "delete",
    },
    "notes": {
        "create_note": "create",
        "get_note": "read",
        "update_note": "update",
        "delete_note": "delete",
        "list_notes": "read",
        "search_notes": "read",
        "export_notes": "read",
    },
    "sql": {"query": "read", "list_tables": "read", "describe_table": "read"},
}


@pytest.fixture(scope="session")
def items(anyone: httpx.Client) -> Items:
    return [(name, item) for own in anyone.get("/connectors").json().values() for name, item in own.items()]


def test_the_connectors_offer_their_actions_with_their_effects(anyone: httpx.Client) -> None:
    listing = anyone.get("/connectors/", params={"modules": ",".join(_EFFECTS)}).json()
    assert {c: {name: item["x-bosa-effect"] for name, item in own.items()} for c, own in listing.items()} == _EFFECTS


def test_every_item_has_what_clients_look_for(items: Items) -> None:
    for name, item in items:
        assert list(item) == [key for key in _ITEM if key != "request_body" or item["parameters"]]
        assert item["method"] == "POST"
        assert item["plugin_path"] == f"/{name}"
        assert item["path"].endswith(f"/{name}")
        assert item["docstring"]
        parameters: dict[str, Any] = item["parameters"]
        request: dict[str, Any] | None = parameters.get("request")
        assert item.get("request_body") == (request and request["schema"])
        assert request is None or (request["name"], request["required"]) == ("request", True)
        assert request is None or item["request_body"]["title"]


def test_every_field_is_described_and_nullable_where_optional(items: Items) -> None:
    for _, item in items:
        schema: dict[str, Any] = item.get("request_body") or _TAKES_NOTHING
        for name, field in schema["properties"].items():
            assert len(field["description"]) < 120
            assert name in schema.get("required", []) or {"type": "null"} in field["anyOf"]
            assert field.get("default") is None


def test_every_alternative_and_reference_has_its_type(items: Items) -> None:
    for _, item in items:
        for schema in (item.get("request_body"), item["response"]):
            for node in _nodes(schema):
                assert not isinstance(node.get("type"), list)
                assert ("$ref" not in node and "oneOf" not in node) or node["type"]
                assert all(branch["type"] for branch in node.get("anyOf", []))


def test_whatever_answers_takes_response_fields(items: Items) -> None:
    for name, item in items:
        fields: dict[str, Any] = (item.get("request_body") or _TAKES_NOTHING)["properties"]
        assert ("response_fields" in fields) == (name not in _ANSWERS_NO_DATA)


def test_whatever_may_answer_a_list_of_objects_takes_response_filters(items: Items) -> None:
    for name, item in items:
        fields: dict[str, Any] = (item.get("request_body") or _TAKES_NOTHING)["properties"]
        assert ("response_filters" in fields) == (name not in _ANSWERS_NO_DATA | _ANSWERS_NO_LIST_OF_OBJECTS)


def test_response_filters_are_told_as_the_published_server_tells_them(items: Items) -> None:
    schema = dict(items)["list_notes"]["request_body"]
    filters, null = schema["properties"]["response_filters"]["anyOf"]
    assert (filters["type"], null) == ("array", {"type": "null"})
    kinds = {kind: ref.removeprefix("#/$defs/") for kind, ref in filters["items"]["discriminator"]["mapping"].items()}
    assert list(kinds) == ["date_range", "number", "number_list", "number_range", "string", "string_list"]
    assert filters["items"]["discriminator"]["propertyName"] == "type"
    assert {branch["$ref"].removeprefix("#/$defs/") for branch in filters["items"]["oneOf"]} == set(kinds.values())
    for kind, definition in kinds.items():
        assert schema["$defs"][definition]["properties"]["type"]["const"] == kind
        assert "field_name" in schema["$defs"][definition]["required"]


def test_the_filters_cost_a_listing_little(items: Items) -> None:
    schema = dict(items)["list_notes"]["request_body"]
    assert len(json.dumps([schema["properties"]["response_filters"], schema["$defs"]])) < 6000


def test_a_response_is_the_schema_of_the_envelope_or_any(items: Items, ada: httpx.Client) -> None:
    named = dict(items)
    assert named["get"]["response"] == {"type": "any"}
    for name, arguments in [
        ("create_note", {"title": "x", "body": "y"}),
        ("list_notes", {}),
        ("list_files", {}),
        ("write_text_file", {"path": "a", "text": "b"}),
        ("search_files", {"query": "a"}),
        ("query", {"query": "SELECT * FROM books"}),
        ("describe_table", {"table": "books"}),
        ("ping", {}),
    ]:
        answer = ada.post(named[name]["path"], json=arguments).json()
        validate(answer, named[name]["response"])


class Inner(BaseModel):
    value: int


class Tree(BaseModel):
    children: list["Tree"] | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Rich(BaseModel):
    inner: Inner | None = None
    tree: Tree
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    either: int | str
    anyOf: list[str] | None = Field(default=None, examples=[{"$ref": "data"}])  # noqa: N815  a name that looks like a keyword


class WithDefault(BaseModel):
    days: int = 3


class Mixed(BaseModel):
    choice: Literal["a", 1] | None = None


class Anything(BaseModel):
    things: list[Any] | None = None


class WithFields(BaseModel):
    response_fields: list[str] | None = None


class Rooms(Connector):
    name = "grand_hotel"

    @action(effect="send")
    async def book(self, request: Rich, context: Context) -> Page[Tree]:
        """Take a room."""
        raise NotImplementedError


class Vague(Connector):
    @action(effect="read")
    async def anything(self) -> Any:  # noqa: ANN401  what is tested
        """Return anything."""

    @action(effect="read")
    async def pages(self) -> Page:  # pyright: ignore[reportMissingTypeArgument, reportUnknownParameterType]  what is tested
        """Return pages of anything."""
        raise NotImplementedError


class HTTPProbe(Connector):
    @action(effect="read")
    async def look(self, request: WithDefault) -> None:
        """Look."""


class Undecided(Connector):
    @action(effect="read")
    async def choose(self, request: Mixed) -> None:
        """Choose."""


class Loose(Connector):
    @action(effect="read")
    async def gather(self, request: Anything) -> None:
        """Gather."""


class Blocking(Connector):
    @action(effect="read")  # pyright: ignore[reportArgumentType, reportUntypedFunctionDecorator]  what is tested
    def wait(self) -> None:
        """Wait."""


class Untold(Connector):
    @action(effect="read")  # pyright: ignore[reportUntypedFunctionDecorator]  what is tested
    async def guess(self, request) -> None:  # noqa: ANN001  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]  what is tested
        """Guess."""


class Own(Connector):
    @action(effect="read")
    async def pick(self, request: WithFields) -> list[int]:
        """Pick."""
        raise NotImplementedError


class Greedy(Connector):
    @action(effect="read")
    async def take(self, everything: str) -> None:
        """Take."""


def test_a_rich_model_becomes_what_published_clients_can_read() -> None:
    (found,) = actions([Rooms()])["grand_hotel"].values()
    item = listing_item(found)
    for schema in (item.get("request_body"), item["response"]):
        for node in _nodes(schema):
            assert "$ref" not in node or node["type"] == "object"
            assert all(branch["type"] for branch in node.get("anyOf", []))
    assert item["path"] == "/connectors/grand_hotel/book"


def test_what_a_model_says_of_itself_is_told_and_nothing_where_it_says_nothing(items: Items) -> None:
    said = {name: item["request_body"].get("description") for name, item in items if "request_body" in item}
    assert (said["list_files"], said["get"], said["annotated"]) == ("Which folder.", None, None)


def test_a_type_that_says_nothing_becomes_any() -> None:
    for found in actions([Vague()])["vague"].values():
        assert listing_item(found)["response"] == {"type": "any"}


def test_a_connector_is_named_like_its_class() -> None:
    assert (HTTPProbe.name, Greedy.name, Rooms.name) == ("http_probe", "greedy", "grand_hotel")


@pytest.mark.parametrize(
    ("connector", "said"),
    [
        (HTTPProbe(), "WithDefault.days is optional and does not accept null"),
        (Undecided(), "one JSON type for each alternative"),
        (Loose(), r"Anything.things: published clients need one JSON type for the items"),
        (Blocking(), "blocking.wait is no `async def`"),
        (Untold(), "untold.guess does not say what `request` is"),
        (Own(), r"own.pick has \['response_fields'\] in its model"),
        (Greedy(), r"greedy.take takes \['everything'\]"),
    ],
)
def test_an_action_that_no_client_could_call_stops_the_hub_with_the_reason(
    connector: Connector, said: str, tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=said), running(tmp_path, connectors=[connector]):
        raise AssertionError("it runs")


def test_two_connectors_of_one_name_stop_the_hub() -> None:
    with pytest.raises(ValueError, match="'grand_hotel'"):
        actions([Rooms(), Rooms()])


class Plumbing(Connector):
    @action(effect="read")
    async def integrations(self) -> None:
        """Look like an endpoint of accounts."""


class Slashed(Connector):
    name = "a/b"


@pytest.mark.parametrize(("connector", "said"), [(Slashed(), "'a/b' is no name"), (Plumbing(), "'integrations'")])
def test_a_name_that_clients_cannot_call_is_refused(connector: Connector, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        actions([connector])


def test_an_effect_is_one_of_five() -> None:
    with pytest.raises(ValueError, match=r"no effect 'wreck'\. Choose one of read, create, update, delete, send"):
        action(effect="wreck")  # pyright: ignore[reportArgumentType]  what is tested


def test_a_page_by_number_needs_its_size_and_total() -> None:
    with pytest.raises(TypeError, match="per_page and total"):
        _ = Page([1], page=1).meta


def test_a_page_and_a_result_may_say_of_what_they_are() -> None:
    assert Page[int]([1], next_cursor=None).items == [1]
    assert Result[int](1).data == 1


def test_of_pages_that_hold_nothing_there_are_none() -> None:
    by_number = Page[int]([], page=1, per_page=0, total=3).meta
    assert (by_number["total_page"], by_number["has_next"]) == (0, False)
    assert Page[int]([], per_page=0, total=3, previous_cursor="a").meta["total_page"] == 0


def _nodes(schema: object) -> Iterator[dict[str, Any]]:
    """Every schema in a schema; names of properties and examples are none."""
    if isinstance(schema, list):
        for each in cast("list[object]", schema):
            yield from _nodes(each)
    elif isinstance(schema, dict):
        node = cast("dict[str, Any]", schema)
        yield node
        for key, value in node.items():
            if key in {"properties", "$defs"}:
                yield from _nodes(list(value.values()))
            elif key not in {"examples", "default"}:
                yield from _nodes(value)
