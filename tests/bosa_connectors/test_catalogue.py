"""A discovery document becomes a catalogue, and one odd item costs only itself."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from bosa_connectors import Catalogue
from bosa_connectors.catalogue import parse
from bosa_connectors.errors import BadReply, BosaError, ConnectorNotFound, InvalidAction, InvalidArguments
from bosa_connectors.schema import check

from .samples import action, listed, takes

QUERY: dict[str, Any] = {
    "method": "POST",
    "plugin_path": "/query",
    "path": "/connectors/sql/query",
    "docstring": "Runs a query.\n\n            Args:\n                request: ...",
    "parameters": {
        "request": {
            "name": "request",
            "required": True,
            "schema": {**takes(query={"type": "string"}, required=("query",)), "title": "SqlQueryRequest", "$defs": {}},
        },
        "http_headers": {"name": "http_headers", "required": True, "schema": {"title": "ExposedDefaultHeaders"}},
    },
    "request_body": {"type": "object"},
    "response": {"type": "any"},
}


def catalogue(**items: object) -> Catalogue:
    """The catalogue of `notes` where these are listed."""
    return parse("notes", {"notes": items})


def test_an_action_is_what_its_item_says() -> None:
    query = parse("sql", {"sql": {"query": QUERY}})["query"]
    schema = QUERY["parameters"]["request"]["schema"]
    assert (query.connector, query.name, query.path, query.schema) == (
        "sql",
        "query",
        "/connectors/sql/query",
        schema,
    )
    assert (query.description, query.binary) == (QUERY["docstring"], frozenset())
    assert query.properties == {"query": {"type": "string"}}


@pytest.mark.parametrize("name", ["reports/by_month", "get-users", "größe", "日本", "a b", "integrations_of"])
def test_a_name_is_kept_as_it_is_written(name: str) -> None:
    listing = parse("notes", {"notes": {name: listed(path=f"/connectors/notes/{name.replace(' ', '%20')}")}})
    assert (list(listing), listing[name].name) == ([name], name)


@pytest.mark.parametrize(
    "name",
    [
        "integrations",
        "integrations/mine",
        "/integrations",
        "integration-exists",
        "success-authorize-callback",
        "auth-schema",
        "admin",
        "admin/revoke_integrations",
    ],
)
def test_plumbing_is_neither_offered_nor_refused(name: str) -> None:
    listing = parse("notes", {"notes": {name: listed(), "administer": listed()}})
    assert (list(listing), listing.refused) == (["administer"], {})


@pytest.mark.parametrize("method", ["GET", "DELETE", "post", None, ["POST"]])
def test_only_post_is_an_action(method: object) -> None:
    listing = catalogue(a=listed(method=method), b=listed())
    assert (list(listing), listing.refused) == (["b"], {})


@pytest.mark.parametrize("docstring", [None, 5, [], {}])
def test_an_action_without_a_docstring_has_an_empty_description(docstring: object) -> None:
    assert catalogue(a=listed(docstring=docstring))["a"].description == ""


@pytest.mark.parametrize(
    "parameters",
    [{}, None, [], {"http_headers": {"schema": takes(token={"type": "string"})}}, {"headers": {"schema": 5}}],
)
def test_an_action_without_a_request_takes_nothing(parameters: object) -> None:
    action = catalogue(a=listed(parameters=parameters))["a"]
    assert (action.schema, action.properties) == ({"type": "object", "properties": {}}, {})


@pytest.mark.parametrize(
    "path",
    [
        "http://elsewhere.example/do",
        "https://elsewhere.example",
        "//elsewhere.example/do",
        "///do",
        r"/\elsewhere.example/do",
        r"\\elsewhere.example\do",
        "/connectors/../users/me",
        "/..",
        "/connectors/./do",
        "/%2e%2e/do",
        "/.%2E/do",
        "/connectors/%2E%2e",
        "/connectors%2f..%2fusers",
        "/connectors%5C..%5cusers",
        r"/connectors\..\users",
        "/do?x=1",
        "/do#x",
        "/do it",
        "/do\r\nx-api-key: k",
        "/do\x00",
        "/do\x7f",
        "do",
        "",
        None,
        5,
        ["/do"],
    ],
)
def test_a_path_that_leads_elsewhere_costs_that_action_alone(path: object) -> None:
    listing = catalogue(odd=listed(path=path), good=listed())
    assert (list(listing), list(listing.refused)) == (["good"], ["odd"])
    assert "path" in listing.refused["odd"]


@pytest.mark.parametrize("path", ["/do", "/", "/a..b", "/...", "/größe", "/a/b-c_d~e", "/a%20b", "/a%252e%252e/b"])
def test_a_path_on_the_api_is_taken_as_it_is(path: str) -> None:
    assert catalogue(a=listed(path=path))["a"].path == path


def test_what_is_said_about_a_refused_path_is_bounded() -> None:
    assert len(catalogue(odd=listed(path="x" * 100_000)).refused["odd"]) < 300


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (None, "it is not a JSON object"),
        ([], "it is not a JSON object"),
        ("POST", "it is not a JSON object"),
        ({}, "its path 'None' is not a path on the API"),
        (listed(parameters=["request"]), "its parameters are not a JSON object"),
        (listed(parameters={"request": None}), "its request parameter is not a JSON object"),
        (listed(parameters={"request": {}}), "its request schema is not a JSON object"),
        (listed(None), "its request schema is not a JSON object"),
        (listed(True), "its request schema is not a JSON object"),  # noqa: FBT003  a boolean is a JSON Schema
        (listed({"type": "array"}), "its request schema is of type 'array', not an object"),
        (listed({"properties": ["a"]}), "the properties of its request schema are not a JSON object"),
    ],
)
def test_an_item_that_makes_no_sense_costs_itself_and_says_why(item: object, reason: str) -> None:
    listing = catalogue(odd=item, good=listed())
    assert (list(listing), listing.refused) == (["good"], {"odd": reason})


BINARY = {"type": "string", "format": "binary"}
TEXT = {"type": "string"}


@pytest.mark.parametrize(
    "schema",
    [
        BINARY,
        {"type": "bytes"},
        {"type": ["string", "null"], "format": "binary"},
        {"anyOf": [BINARY, {"type": "null"}]},
        {"anyOf": [{"type": "null"}, {"type": "bytes"}]},
        {"oneOf": [BINARY, {"type": "string"}]},
        {"allOf": [BINARY]},
        {"type": "array", "items": BINARY},
        {"type": "array", "items": {"type": "bytes"}},
        {"anyOf": [{"type": "array", "items": BINARY}, {"type": "null"}]},
        {"type": "string", "$ref": "#/$defs/File"},
        {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/File"}}, {"type": "null"}]},
    ],
)
def test_a_file_is_known_in_all_its_forms(schema: Mapping[str, object]) -> None:
    listing = catalogue(a=listed({**takes(file=schema, name={"type": "string"}), "$defs": {"File": BINARY}}))
    assert listing["a"].binary == {"file"}


@pytest.mark.parametrize(
    "schema",
    [{"type": "string"}, {"format": "date"}, {"$ref": "#/$defs/Missing"}, {"$ref": 5}, True, None, {"anyOf": "bytes"}],
)
def test_what_is_no_file_is_not_taken_for_one(schema: object) -> None:
    assert catalogue(a=listed(takes(a=schema)))["a"].binary == frozenset()


def test_looking_for_files_in_a_recursive_schema_ends() -> None:
    tree = {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "array", "items": {"$ref": "#/$defs/Tree"}}]}
    schema = {**takes(tree={"$ref": "#/$defs/Tree"}), "$defs": {"Tree": tree}}
    assert catalogue(a=listed(schema))["a"].binary == frozenset()


def chain(links: int) -> dict[str, Any]:
    """A schema whose field is a file at the end of a chain of references."""
    links_of = {f"N{i}": {"$ref": f"#/$defs/N{i + 1}"} for i in range(links)}
    return {**takes(file={"$ref": "#/$defs/N0"}), "$defs": {**links_of, f"N{links}": BINARY}}


def nest(levels: int) -> dict[str, Any]:
    """A schema whose field is a list of lists of lists …"""
    field: dict[str, Any] = BINARY
    for _ in range(levels):
        field = {"type": "array", "items": field}
    return takes(file=field)


@pytest.mark.parametrize("schema", [chain(2_000), nest(2_000)], ids=["references", "lists"])
def test_a_field_that_goes_on_and_on_costs_no_other_action(schema: dict[str, Any]) -> None:
    assert "good" in catalogue(odd=listed(schema), good=listed())


class Counting(dict[str, Any]):
    """A schema that counts how often it is looked at, without end in sight."""

    looks = 0

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ANN401  as in dict
        type(self).looks += 1
        assert self.looks < 10_000
        return super().get(key, default)


def test_looking_for_files_costs_no_more_than_the_schema_is_long() -> None:
    node = Counting(anyOf=[{"$ref": "#/$defs/Node"}] * 12)
    schema = {**takes(node={"$ref": "#/$defs/Node"}), "$defs": {"Node": node}}
    assert catalogue(a=listed(schema))["a"].binary == frozenset()


def test_a_request_put_together_from_parts_is_known_as_one() -> None:
    owner = {"type": "object", "description": "Whose.", "properties": {"owner": TEXT}, "required": ["owner"]}
    sizes = takes(size={"type": "integer"}, file=BINARY)
    schema = {"allOf": [{"$ref": "#/$defs/O"}, sizes], "$defs": {"O": owner}, **takes(owner=TEXT, required=("size",))}
    found = catalogue(a=listed(schema))["a"]
    assert found.properties == {"owner": TEXT, "size": {"type": "integer"}, "file": BINARY}
    assert (found.required, found.binary) == ({"owner", "size"}, {"file"})
    with pytest.raises(InvalidArguments, match="sise"):
        check(found, {"owner": "x", "size": 1, "sise": 2})


@pytest.mark.parametrize(
    "parts",
    [
        [takes(p=TEXT), takes(p={"type": "integer"})],
        [{**takes(p=TEXT), "additionalProperties": False}],
        [{**takes(p=TEXT), "required": [["p"]]}],
        [takes(p=TEXT, q={"$ref": "#/allOf/0/properties/p"})],
        [{"if": {}}],
        "p",
        [5],
    ],
    ids=str,
)
def test_parts_that_say_more_than_which_arguments_there_are_stay_apart(parts: object) -> None:
    schema = {"type": "object", "allOf": parts}
    assert catalogue(a=listed(schema), good=listed())["a"].schema == schema


def test_the_arguments_of_all_alternatives_are_known() -> None:
    by_id, by_name = takes(id={"type": "integer"}, note=BINARY), takes(name=TEXT, required=("name",))
    schema = {"anyOf": [{"$ref": "#/$defs/I"}, by_name], "$defs": {"I": by_id}, **takes(deep={"type": "boolean"})}
    found = catalogue(a=listed(schema))["a"]
    assert found.properties.keys() == {"id", "note", "name", "deep"}
    assert (found.required, found.binary) == ({"name"}, {"note"})


@pytest.mark.parametrize("document", [None, [], "notes", 5, [{"notes": {}}]])
def test_what_is_no_discovery_document_is_a_bad_reply(document: object) -> None:
    with pytest.raises(BadReply, match="'notes' is not a JSON object"):
        parse("notes", document)


@pytest.mark.parametrize("listing", [None, [], "actions", [{"name": "a"}]])
def test_a_connector_whose_listing_holds_no_names_is_a_bad_reply(listing: object) -> None:
    with pytest.raises(BadReply, match="'notes' does not hold its actions by name"):
        parse("notes", {"notes": listing})


def test_a_connector_that_is_not_listed_is_not_found_and_the_nearest_is_named() -> None:
    with pytest.raises(ConnectorNotFound) as caught:
        parse("note", {"notes": {}, "sql": {}})
    assert caught.value.nearest == "notes"


def test_an_unknown_action_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InvalidAction, match=r"^Invalid action 'c'\. Available actions: a, b$") as caught:
        catalogue(a=listed(), b=listed()).action("c")
    assert isinstance(caught.value, BosaError)


def test_a_catalogue_is_a_mapping_that_stays_as_it_is() -> None:
    actions, refused = {"a": action()}, {"odd": "for a reason"}
    listing = Catalogue("notes", actions, refused)
    actions.clear()
    refused.clear()
    assert (list(listing), len(listing), "a" in listing, dict(listing.refused)) == (
        ["a"],
        1,
        True,
        {"odd": "for a reason"},
    )
    assert listing.action("a") is listing["a"]
    with pytest.raises(TypeError):
        cast("Any", listing.refused)["b"] = ""
    with pytest.raises(TypeError):
        cast("Any", listing)["b"] = action()


def test_the_repr_of_a_catalogue_is_short() -> None:
    assert repr(catalogue(a=listed(), b=listed())) == "<Catalogue notes: 2 actions>"
