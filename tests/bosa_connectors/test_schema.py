"""Arguments against a schema: everything that is wrong, where, and what would be right."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bosa_connectors import Action, AsyncBosaConnector, Call
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem
from bosa_connectors.schema import check
from bosa_connectors.wording import describe

from .samples import action, takes
from .scripted import Answer, ScriptedApi

INTEGER = {"type": "integer"}
STRING = {"type": "string"}
NULL = {"type": "null"}
REQUIRED = "Field required"
UNKNOWN = "Unknown field"


def problems(schema: Mapping[str, object], arguments: Mapping[str, object]) -> list[Problem]:
    """What is wrong with these arguments."""
    return found(action(schema), arguments)


def found(checked: Action, arguments: Mapping[str, object]) -> list[Problem]:
    """What is wrong with the arguments of this action."""
    try:
        check(checked, arguments)
    except InvalidArguments as invalid:
        return list(invalid.errors)
    return []


def paths(schema: Mapping[str, object], arguments: Mapping[str, object]) -> list[str]:
    """Where something is wrong."""
    return [problem.path for problem in problems(schema, arguments)]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    schema = takes(
        title=STRING,
        body=STRING,
        size={"type": "integer", "minimum": 1, "maximum": 100},
        state={"enum": ["open", "closed"]},
        required=("title", "body"),
    )
    assert problems(schema, {"titel": "x", "size": 0, "state": "opened"}) == [
        Problem("body", REQUIRED, "string"),
        Problem("size", "Expected integer from 1 to 100, got 0", "integer from 1 to 100"),
        Problem("state", 'Expected one of open, closed, got "opened"', "one of open, closed", "open"),
        Problem("titel", UNKNOWN, "one of title, body, size, state", "title"),
        Problem("title", REQUIRED, "string"),
    ]


def test_the_second_item_stands_before_the_tenth() -> None:
    rows = takes(rows={"type": "array", "items": INTEGER})
    assert paths(rows, {"rows": ["x"] * 11}) == [f"rows.{number}" for number in range(11)]


def test_the_message_names_every_path() -> None:
    with pytest.raises(InvalidArguments, match=r"^Invalid parameters: \{'x': 'Field required'\}$"):
        check(action(takes(x=STRING, required=("x",))), {})


@pytest.mark.parametrize("names", [(), ("x",)])
def test_an_unknown_name_is_wrong_even_where_nothing_or_little_is_known(names: tuple[str, ...]) -> None:
    [problem] = problems({"type": "object", "properties": dict.fromkeys(names, STRING)}, {"zzz": 1})
    assert (problem.path, problem.message, problem.nearest) == ("zzz", UNKNOWN, None)
    assert problem.expected == ("one of x" if names else "nothing")


def test_a_required_name_is_known_also_where_nothing_else_is_said_of_it() -> None:
    schema = takes(title=STRING, inner=takes(a=INTEGER, required=("b",)), required=("body",))
    assert problems(schema, {"body": {"x": 1}, "inner": {"a": 1, "b": None}}) == []
    assert problems(schema, {"title": "x", "inner": {}, "zzz": 1}) == [
        Problem("body", REQUIRED, "any value"),
        Problem("inner.b", REQUIRED, "any value"),
        Problem("zzz", UNKNOWN, "one of title, inner, body"),
    ]
    assert paths({**schema, "additionalProperties": False}, {"body": 1}) == []


def test_paths_are_dotted_and_hold_the_indices_of_lists() -> None:
    point = takes(x=INTEGER, required=("x",))
    schema = takes(rows={"type": "array", "items": {"type": "array", "items": point}})
    assert paths(schema, {"rows": [[{"x": 1}, {"y": 2}], [{"x": "q"}]]}) == ["rows.0.1.x", "rows.0.1.y", "rows.1.0.x"]


def test_tuples_and_maps_are_looked_into() -> None:
    pair = {"type": "array", "prefixItems": [STRING, takes(x=INTEGER)]}
    by_name = {"type": "object", "additionalProperties": takes(x=INTEGER)}
    schema = takes(pair=pair, by_name=by_name)
    assert paths(schema, {"pair": ["a", {"y": 1}], "by_name": {"k": {"x": "q"}}}) == ["by_name.k.x", "pair.1.y"]


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (STRING, 1, "string"),
        ({"type": ["string", "null"]}, 1, "string or null"),
        ({"type": "array", "items": STRING}, "a", "array of string"),
        ({"type": "array", "items": STRING, "minItems": 2}, [], "array of at least 2 items, each string"),
        ({"type": "array", "maxItems": 2}, [1, 2, 3], "array of at most 2 items"),
        ({"type": "array", "minItems": 2, "maxItems": 4}, [], "array of 2 to 4 items"),
        ({"type": "array", "minItems": 2, "maxItems": 2}, [], "array of 2 items"),
        (
            {"type": "array", "prefixItems": [STRING, INTEGER], "maxItems": 2},
            1,
            "array of at most 2 items: string; integer",
        ),
        (INTEGER, True, "integer"),
        (INTEGER, 1.5, "integer"),
        ({"type": "integer", "minimum": 1}, 0, "integer of at least 1"),
        ({"type": "integer", "maximum": 9}, 10, "integer of at most 9"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 1, "number above 0 below 1"),
        ({"type": "number", "multipleOf": 0.5}, 0.7, "number that is a multiple of 0.5"),
        ({"type": "string", "minLength": 2, "maxLength": 4}, "abcde", "string of 2 to 4 characters"),
        ({"type": "string", "pattern": "^a"}, "b", "string that matches ^a"),
        ({"type": "string", "format": "date", "maxLength": 9}, "x" * 10, "string (date) of at most 9 characters"),
        ({"type": "string", "format": "binary"}, 1, "string (a file)"),
        ({"const": "a"}, "b", '"a"'),
        ({"const": None}, "b", "null"),
        ({"enum": ["a", 1, None]}, "b", "one of a, 1, null"),
        ({"enum": ["", "a"]}, "b", 'one of "", a'),
        ({"enum": list(range(25))}, 25, "and 5 more"),
        ({"anyOf": [INTEGER, STRING, NULL]}, [], "integer or string or null"),
        ({"oneOf": [INTEGER, INTEGER]}, "a", "integer"),
        ({"$ref": "#/properties/other"}, 1, "object"),
        (takes(x=INTEGER, y=INTEGER, required=("x", "y")), 1, "object with x and y"),
        (takes(required=tuple("abcdefgh")), 1, "object with a and b and c and d and e and f and 2 more"),
        ({"$ref": "#/$defs/point"}, 1, "object with x"),
    ],
)
def test_what_was_expected_is_said_in_words(schema: object, value: object, expected: str) -> None:
    point = takes(x=INTEGER, required=("x",))
    [problem] = problems(takes(a=schema, other=takes()) | {"$defs": {"point": point}}, {"a": value})
    assert problem.path == "a"
    assert expected in problem.expected
    assert problem.message.startswith(f"Expected {problem.expected}, got ")


@pytest.mark.parametrize("schema", [True, {}, {"description": "whatever"}, None, "odd"])
def test_a_schema_that_asks_for_nothing_expects_any_value(schema: object) -> None:
    assert describe(schema) == "any value"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "null"),
        (True, "true"),
        ("ä", '"ä"'),
        ([1, 2], "an array of 2"),
        ({"a": 1}, "an object of 1"),
        ("x" * 100_000, f'"{"x" * 58}…'),
        (b"content", '"<bytes>"'),
    ],
)
def test_what_came_instead_is_shown_in_bounds(value: object, shown: str) -> None:
    [problem] = problems(takes(a=INTEGER), {"a": value})
    assert problem.message == f"Expected integer, got {shown}"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (STRING, ""),
        (INTEGER, 1.0),
        ({"type": "integer", "minimum": 1, "maximum": 100}, 100),
        ({"type": ["string", "null"]}, None),
        ({"enum": ["a", None]}, None),
        ({"type": "any"}, [1, {"a": None}]),
        ({"type": "any", "description": "x"}, "text"),
        ({"type": "bytes"}, "a reference to a file"),
        ({"type": "array", "items": {"type": "any"}}, [1, "a", None]),
        ({"anyOf": [{"type": "any"}, NULL]}, 1),
        (True, [1]),
        ({"type": "object"}, {"whatever": 1}),
        ({"type": "object", "additionalProperties": True}, {"whatever": 1}),
        ({"type": "object", "additionalProperties": INTEGER}, {"whatever": 1}),
        ({**takes(a=STRING), "additionalProperties": True}, {"whatever": 1}),
        ({**takes(a=STRING), "patternProperties": {"^x-": INTEGER}}, {"x-a": 1, "other": 1}),
        ({**takes(a=STRING), "unevaluatedProperties": True}, {"whatever": 1}),
    ],
)
def test_what_fits_passes(schema: object, value: object) -> None:
    assert problems(takes(value=schema), {"value": value}) == []


def test_a_file_is_a_string_here() -> None:
    [problem] = problems(takes(file={"type": "bytes"}), {"file": 5})
    assert problem == Problem("file", "Expected string (a file), got 5", "string (a file)")


def test_what_additional_properties_ask_for_is_asked_for() -> None:
    assert paths(takes(a={"type": "object", "additionalProperties": INTEGER}), {"a": {"b": "x"}}) == ["a.b"]


# Unions


@pytest.mark.parametrize("union", ["anyOf", "oneOf"])
def test_a_union_reports_what_is_wrong_within_the_branch_that_was_meant(union: str) -> None:
    point = takes(x=INTEGER, required=("x",))
    schema = takes(at={union: [point, {"type": "array", "items": point}, NULL]})
    assert paths(schema, {"at": {"x": "q", "y": 1}}) == ["at.x", "at.y"]
    assert paths(schema, {"at": [{"x": 1}, {}]}) == ["at.1.x"]
    words = "object with x or array of object with x or null"
    assert problems(schema, {"at": "here"}) == [Problem("at", f'Expected {words}, got "here"', words)]


@pytest.mark.parametrize(
    "beside",
    [{"$ref": "#/$defs/point"}, {"oneOf": [takes(x=INTEGER, required=("x",))]}, {"allOf": [{"$ref": "#/$defs/point"}]}],
    ids=["reference", "union", "parts"],
)
def test_of_what_a_type_and_more_beside_it_expect_the_more_is_told(beside: dict[str, object]) -> None:
    schema = takes(at={"type": "object", **beside}) | {"$defs": {"point": takes(x=INTEGER, required=("x",))}}
    assert [problem.expected for problem in problems(schema, {"at": "here"})] == ["object with x"]


def test_a_union_within_a_union_is_followed() -> None:
    schema = takes(a={"anyOf": [{"anyOf": [takes(x=INTEGER), NULL]}, NULL]})
    assert paths(schema, {"a": {"x": "q"}}) == ["a.x"]


def test_where_several_branches_may_have_been_meant_the_union_is_said_as_a_whole() -> None:
    schema = takes(a={"anyOf": [takes(x=INTEGER), takes(y=INTEGER)]})
    assert paths(schema, {"a": {"x": "q", "y": "q"}}) == ["a"]


def test_a_branch_whose_names_were_spelt_otherwise_was_meant() -> None:
    at = {"anyOf": [takes(date=STRING, required=("date",)), takes(date_time=STRING, zone=STRING), NULL]}
    [problem] = problems(takes(at=at), {"at": {"dateTime": "12:00", "zone": "UTC"}})
    assert (problem.path, problem.nearest) == ("at.dateTime", "date_time")


BY = {"anyOf": [takes(id=INTEGER, required=("id",)), takes(name=STRING, kind=STRING, required=("name", "kind")), NULL]}


@pytest.mark.parametrize(
    ("given", "where", "expected"),
    [
        ({}, "by", "an object with id, or an object with name and kind"),
        ({"name": "x"}, "by", "an object with id without name, or an object with kind"),
        ({"id": "x"}, "by.id", "integer"),
        ({"name": 5, "kind": "x"}, "by.name", "string"),
    ],
)
def test_alternatives_are_told_apart_by_the_names_that_they_take(given: object, where: str, expected: str) -> None:
    [problem] = problems(takes(by=BY), {"by": given})
    assert (problem.path, problem.expected) == (where, expected)


def test_alternatives_of_another_type_are_passed_over_also_where_they_are_a_union_themselves() -> None:
    schema = takes(a={"anyOf": [{"oneOf": [STRING, INTEGER]}, takes(x=INTEGER), NULL]})
    assert paths(schema, {"a": {"x": "q"}}) == ["a.x"]


def test_an_alternative_is_told_by_what_it_asks_of_the_object_as_a_whole() -> None:
    some = {"type": "object", "minProperties": 2}
    [problem] = problems(takes(a={"anyOf": [some, takes(x=INTEGER), takes(y=INTEGER)]}), {"a": {"x": "q"}})
    assert problem.expected.startswith("an object of at least 2 members, or an object where x is integer")


def test_of_alternatives_with_much_that_is_wrong_the_names_are_told_first() -> None:
    numbers, truths = ({"type": "array", "items": {"type": kind}} for kind in ("integer", "boolean"))
    union = {"anyOf": [takes(a=numbers, x=STRING, required=("x",)), takes(a=truths, y=STRING, required=("y",))]}
    [problem] = problems(takes(p=union), {"p": {"a": ["no"] * 1_000}})
    assert problem.expected.startswith("an object with x where a.0 is integer")
    assert len(problem.expected) <= 300


def test_what_must_be_given_with_nothing_else_is_said_at_the_root() -> None:
    schema = {**takes(a=STRING, b=STRING), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}
    [neither], [both] = problems(schema, {}), problems(schema, {"a": "x", "b": "x"})
    assert neither.expected == "an object with a, or an object with b"
    assert both.expected == "exactly one of object with a or object with b, not several"


@pytest.mark.parametrize("given", ["HIGH", "hihg", "High "])
def test_the_nearest_of_the_possible_values_is_named(given: str) -> None:
    schema = takes(p={"anyOf": [{"type": "string", "enum": ["low", "high"]}, NULL]})
    assert [problem.nearest for problem in problems(schema, {"p": given})] == ["high"]


@pytest.mark.parametrize(
    ("branches", "value"),
    [
        ([INTEGER, {"type": "number"}], 1),
        ([{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}], "2026-11-30"),
        ([takes(name=STRING, x=INTEGER), takes(name=STRING, y=INTEGER)], {"name": "n"}),
        ([takes(a=STRING, b=STRING, required=each) for each in (("a",), ("a", "b"))], {"a": "x", "b": "y"}),
    ],
    ids=str,
)
def test_alternatives_that_nothing_tells_apart_may_all_allow_a_value(branches: list[object], value: object) -> None:
    assert problems(takes(a={"oneOf": branches}), {"a": value}) == []


def test_the_constant_by_which_alternatives_are_known_is_asked_for_where_several_fit() -> None:
    branches = [takes(name=STRING, kind={"const": kind}) for kind in ("cat", "dog")]
    assert problems(takes(a={"oneOf": branches}), {"a": {"name": "n"}}) == [
        Problem("a.kind", REQUIRED, "one of cat, dog")
    ]


FILTER = {
    "title": "CustomFieldFilter",
    "discriminator": {"propertyName": "type", "mapping": {"string": "#/$defs/Text", "number": "#/$defs/Number"}},
    "oneOf": [{"$ref": "#/$defs/Text", "type": "object"}, {"$ref": "#/$defs/Number", "type": "object"}],
}
TEXT = takes(
    type={"const": "string", "default": "string", "type": "string"},
    field_name=STRING,
    value=STRING,
    required=("field_name", "value"),
)
NUMBER = takes(
    type={"const": "number", "default": "number", "type": "string"},
    field_name=STRING,
    value={"type": "number"},
    required=("field_name", "value"),
)
FILTERED = {
    **takes(filters={"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Filter", "type": "object"}}, NULL]}),
    "$defs": {"Filter": FILTER, "Text": TEXT, "Number": NUMBER},
}


def test_a_filter_that_fits_its_type_passes() -> None:
    assert problems(FILTERED, {"filters": [{"type": "number", "field_name": "size", "value": 1}]}) == []


@pytest.mark.parametrize(
    ("sent", "where", "expected"),
    [
        ({"type": "number", "field_name": "size", "value": "x"}, "filters.0.value", "number"),
        ({"type": "number", "field_nam": "size", "value": 1}, "filters.0.field_name", "string"),
        ({"type": "string", "field_name": "size", "value": "x", "valu": 1}, "filters.0.valu", "one of type"),
    ],
)
def test_a_union_with_a_discriminator_reports_within_the_branch_that_it_names(
    sent: object, where: str, expected: str
) -> None:
    by_path = {problem.path: problem.expected for problem in problems(FILTERED, {"filters": [sent]})}
    assert expected in by_path[where]


def test_a_union_of_which_no_branch_is_named_asks_for_what_all_of_them_require() -> None:
    [problem] = problems(FILTERED, {"filters": [{"value": "x"}]})
    assert (problem.path, problem.message) == ("filters.0.field_name", "Field required")
    assert problem.expected == "string"


def test_a_discriminator_that_names_no_branch_is_what_is_wrong() -> None:
    sent = {"type": "strin", "field_name": "size", "value": "x"}
    assert problems(FILTERED, {"filters": [sent]}) == [
        Problem("filters.0.type", 'Expected one of string, number, got "strin"', "one of string, number", "string")
    ]


def test_a_discriminator_may_name_a_branch_by_several_values() -> None:
    union = {"anyOf": [takes(kind={"enum": kinds}, x=STRING) for kinds in (["cat"], ["dog", "puppy"])]}
    [problem] = problems(takes(pet=union), {"pet": {"kind": "cow", "x": 5}})
    assert (problem.path, problem.expected) == ("pet.kind", "one of cat, dog, puppy")


@pytest.mark.parametrize("constant", [{"const": "a"}, {"enum": ["a"]}])
def test_a_constant_within_the_one_branch_that_can_have_been_meant_is_what_is_wrong(constant: dict[str, Any]) -> None:
    assert paths(takes(a={"anyOf": [takes(kind=constant), NULL]}), {"a": {"kind": "b"}}) == ["a.kind"]


# References and recursion


def test_local_references_are_followed() -> None:
    schema = {**takes(a={"$ref": "#/$defs/A", "type": "object"}), "$defs": {"A": takes(x=INTEGER)}}
    assert paths(schema, {"a": {"x": "q", "y": 1}}) == ["a.x", "a.y"]
    assert paths(schema, {"a": {"x": 1}}) == []


def test_a_schema_that_is_a_reference_to_the_whole_is_followed() -> None:
    schema = {"$ref": "#/$defs/Request", "$defs": {"Request": takes(x=INTEGER, required=("x",))}}
    assert paths(schema, {"y": 1}) == ["x", "y"]


@pytest.mark.parametrize("reference", ["#", "#/$defs/Node", "#node"])
def test_a_recursive_schema_is_followed_as_deep_as_the_arguments_go(reference: str) -> None:
    node = takes(name=STRING, children={"type": "array", "items": {"$ref": reference}})
    schema = {**node, "$anchor": "node", "$defs": {"Node": node}}
    tree: dict[str, Any] = {"name": "a", "children": [{"name": "b", "children": [{"name": 1, "childen": []}]}]}
    assert problems(schema, tree) == [
        Problem("children.0.children.0.childen", UNKNOWN, "one of name, children", "children"),
        Problem("children.0.children.0.name", "Expected string, got 1", "string"),
    ]


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef"])
@pytest.mark.parametrize("place", ["{}/schema.json", "other.json", "#/$defs/There"])
async def test_another_document_is_not_asked_for_and_what_it_would_say_is_left_to_the_api(
    keyword: str, place: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/schema.json"] = api.answers["/other.json"] = Answer.of(STRING)
    api.answers["/connectors/notes/do"] = Answer.of({"data": 1, "meta": None})
    there = {"$defs": {"There": {"$ref": f"{api.url}/schema.json"}}}
    around = {"$id": f"{api.url}/schema.json", "$schema": f"{api.url}/dialect", **there}
    schema = {**takes(a={keyword: place.format(api.url), "maxLength": 2}), **around}
    await connector.send(Call(action(schema), {"a": "x"}))
    assert [asked.line for asked in api.asked] == ["POST /connectors/notes/do"]
    assert paths(schema, {"a": "too long"}) == ["a"]


# Objects that are put together from parts

XY = {"x": 1, "y": 2}
X, Y = takes(x=INTEGER), takes(y=INTEGER)
DEFS = {"X": X, "Y": Y, "Alias": {"$ref": "#/$defs/X"}, "a/b": X}


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [X, Y]},
        {"allOf": [{"$ref": "#/$defs/X"}, {"$ref": "#/$defs/Y"}]},
        {"allOf": [{"$ref": "#/$defs/X"}], **Y},
        {"$ref": "#/$defs/X", **Y},
        {"allOf": [{"allOf": [{"$ref": "#/$defs/X"}]}, Y]},
        {**X, "anyOf": [{"$ref": "#/$defs/Y"}, takes(z=INTEGER)]},
        {**X, "oneOf": [{**Y, "required": ["y"]}, takes(z=INTEGER, required=("z",))]},
        {**X, "if": {"properties": {"x": {"const": 1}}}, "then": {"required": ["y"]}},
        {**X, "dependentSchemas": {"x": {"required": ["y"]}}},
        {**X, **takes(x=INTEGER, y=INTEGER), "not": {"required": ["z"]}},
        {"allOf": [{"$ref": "#/$defs/Alias"}, Y]},
        {"allOf": [{"anyOf": [{"$ref": "#/$defs/X"}, {"$ref": "#/$defs/Alias"}]}, Y]},
        {"allOf": [X], "anyOf": [Y]},
        {"$ref": "#/$defs/X", "anyOf": [Y, takes(z=INTEGER)]},
        {**Y, "if": {"required": ["y"]}, "then": {"$ref": "#/$defs/X"}},
        {**Y, "if": {"required": ["z"]}, "else": {"$ref": "#/$defs/X"}},
        {**Y, "dependentSchemas": {"y": {"$ref": "#/$defs/X"}}},
        {"allOf": [{"$ref": "#/$defs/a~1b"}, Y]},
    ],
)
def test_a_part_of_an_object_does_not_refuse_the_names_of_the_others(schema: dict[str, Any]) -> None:
    assert problems({**schema, "$defs": DEFS}, XY) == []
    assert problems({**takes(a=schema), "$defs": DEFS}, {"a": XY}) == []


def test_a_part_may_be_named_by_an_anchor() -> None:
    schema = {"allOf": [{"$ref": "#x"}, Y], "$defs": {"X": {**X, "$anchor": "x"}}}
    assert problems(schema, XY) == []


def test_a_condition_holds_for_what_it_does_not_mention() -> None:
    kinds = {"kind": {"properties": {"t": {"const": 1}}, "required": ["t"]}}
    schema = {
        **takes(kind=takes(t=INTEGER, u=INTEGER), other=STRING),
        "if": {"properties": kinds, "required": ["kind"]},
        "then": {"required": ["other"]},
    }
    assert paths(schema, {"kind": {"t": 1, "u": 2}}) == ["other"]
    assert paths(schema, {"kind": {"t": 2, "u": 2}}) == []


def test_what_a_part_asks_for_is_still_asked_for() -> None:
    schema = {"allOf": [{"$ref": "#/$defs/X"}, {**Y, "required": ["y"]}], "$defs": DEFS}
    assert problems(schema, {"x": "q"}) == [
        Problem("x", 'Expected integer, got "q"', "integer"),
        Problem("y", REQUIRED, "integer"),
    ]


def test_a_whole_object_within_a_part_is_closed() -> None:
    schema = {"allOf": [takes(a={"$ref": "#/$defs/X"}), Y], "$defs": DEFS}
    assert paths(schema, {"a": {"x": 1, "z": 2}, "y": 1}) == ["a.z"]


OPEN: list[dict[str, Any]] = [
    {"allOf": [X, {"type": "object", "additionalProperties": True}]},
    {"allOf": [X, {"type": "object", "patternProperties": {"^s": {}}}]},
    {**X, "anyOf": [{"type": "object"}, {"type": "null"}]},
    {"allOf": [{**X, "discriminator": {"propertyName": "x"}}, {"minProperties": 1}]},
    {"allOf": [{"required": ["y"]}, {"minProperties": 1}]},
]
CLOSED: list[dict[str, Any]] = [
    {"allOf": [{"$ref": "#/$defs/X"}, Y]},
    {"allOf": [{**X, "additionalProperties": False}, {**Y, "additionalProperties": False}]},
    {"allOf": [X], **Y, "additionalProperties": False},
    {"allOf": [X, Y], "unevaluatedProperties": False},
    {**X, "oneOf": [{**Y, "required": ["y"]}, takes(z=INTEGER, required=("z",)), NULL]},
    {**X, "if": {"required": ["y"]}, "then": Y},
    {**takes(x=INTEGER, y=INTEGER), "anyOf": [{"required": ["x"]}, {"required": ["y"]}]},
    {**takes(x=INTEGER, y=INTEGER), "unevaluatedProperties": False},
]


@pytest.mark.parametrize("schema", CLOSED, ids=str)
def test_a_name_that_no_part_of_an_object_knows_is_unknown(schema: dict[str, Any]) -> None:
    [root] = problems({**schema, "$defs": DEFS}, {**XY, "ecks": 3})
    [below] = problems({**takes(a=schema), "$defs": DEFS}, {"a": {**XY, "Y_": 3}})
    assert (root.path, root.message, root.nearest) == ("ecks", UNKNOWN, None)
    assert (below.path, below.message, below.nearest) == ("a.Y_", UNKNOWN, "y")


@pytest.mark.parametrize("schema", OPEN, ids=str)
def test_where_a_part_takes_any_name_so_does_the_whole(schema: dict[str, Any]) -> None:
    assert problems(schema, {**XY, "some": 3}) == []


def test_only_the_unknown_name_is_reported_where_patterns_allow_others() -> None:
    schema: dict[str, Any] = {**X, "patternProperties": {"^x-": {}}, "additionalProperties": False}
    assert paths(schema, {"x": 1, "x-a": 1, "bad": 1}) == ["bad"]


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [X], "unevaluatedProperties": False},
        {**takes(x=INTEGER, other=STRING), "dependentRequired": {"x": ["wrong"]}},
        takes(x=INTEGER, wrong=False),
    ],
    ids=["unevaluatedProperties", "dependentRequired", "false"],
)
def test_rarer_keywords_name_what_is_wrong(schema: dict[str, Any]) -> None:
    sent = {"x": 1} if "dependentRequired" in schema else {"x": 1, "wrong": 2}
    [problem] = problems(schema, sent)
    assert "wrong" in f"{problem.path} {problem.message}"


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"type": "array", "items": STRING, "uniqueItems": True}, ["a", "a"], "items that are all different"),
        ({"type": "object", "minProperties": 1}, {}, "an object of at least 1 members"),
        ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 2}, "an object of at most 1 members"),
        ({"type": "object", "propertyNames": {"maxLength": 1}}, {"ab": 1}, "a name: string of at most 1 characters"),
        ({"type": "array", "contains": INTEGER}, ["a"], "at least 1 of integer"),
        ({"type": "array", "contains": INTEGER, "minContains": 2}, [1], "at least 2 of integer"),
        ({"type": "array", "contains": INTEGER, "maxContains": 1}, [1, 2], "at least 1 and at most 1 of integer"),
        ({"type": "array", "prefixItems": [INTEGER], "items": False}, [1, 2], "an array of at most 1 items"),
        ({"type": "array", "prefixItems": [INTEGER], "unevaluatedItems": False}, [1, 2], "an array of at most 1 items"),
        ({"not": STRING}, "a", "anything but string"),
        ({"not": {"required": ["b", "c"]}}, {"b": 1, "c": 1}, "anything but object with b and c"),
        (False, "a", "nothing: leave it out"),
    ],
    ids=str,
)
def test_rarer_keywords_say_what_would_be_right_and_not_what_was_given(
    schema: object, value: object, expected: str
) -> None:
    [problem] = problems(takes(a=schema), {"a": value})
    assert problem.expected == expected
    assert problem.message.startswith(f"Expected {expected}, got ")


def test_an_argument_that_another_one_asks_for_is_named() -> None:
    schema = {**takes(a=STRING, b=INTEGER), "dependentRequired": {"a": ["b"]}}
    assert problems(schema, {"a": "x"}) == [Problem("b", "Field required where 'a' is given", "integer")]


ECMA = [r"^\p{L}+$", r"^\P{Script=Greek}", r"(?<year>\d{4})-\k<year>", r"\u{1F600}", r"\cA"]


@pytest.mark.parametrize("pattern", ECMA)
def test_a_pattern_that_python_cannot_read_is_left_to_the_api(pattern: str) -> None:
    schema = takes(
        a={"type": "string", "pattern": pattern},
        b={"type": "object", "patternProperties": {pattern: INTEGER, "^x": INTEGER}, "additionalProperties": False},
    )
    assert problems(schema, {"a": "ä", "b": {"ä": 1}}) == []
    assert paths(schema, {"a": 1, "b": {"x": "1"}}) == ["a", "b.x"]


ROWS: dict[str, Any] = {"type": "array", "items": INTEGER}


@pytest.mark.parametrize("rows", [ROWS, {"anyOf": [ROWS, NULL]}, {"oneOf": [NULL, ROWS]}], ids=["it", "any", "one"])
def test_of_very_many_problems_only_so_many_are_told(rows: object) -> None:
    assert len(problems(takes(rows=rows), {"rows": ["x"] * 100_000})) == 1_000


# Schemas that make no sense


def deep(levels: int) -> dict[str, Any]:
    """A list of lists of lists …"""
    schema: dict[str, Any] = INTEGER
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


NONSENSE: list[Any] = [
    {"type": "nonsense"},
    {"type": 5},
    {"type": []},
    {"type": {}},
    {"type": ["string", "string"]},
    {"$ref": "#/$defs/Missing"},
    {"$ref": "#/$defs/Loop"},
    {"$ref": 5},
    {"$ref": "http://["},
    {"pattern": "["},
    {"required": True},
    {"required": ["a", 5]},
    {"enum": "a"},
    {"enum": []},
    {"minimum": "1"},
    {"items": 5},
    {"prefixItems": []},
    {"anyOf": {}},
    {"anyOf": []},
    {"oneOf": []},
    {"allOf": []},
    {"anyOf": [[]]},
    {"properties": {"x": 5}},
    {"properties": []},
    {"additionalProperties": []},
    {"unevaluatedProperties": 3},
    {"$id": "#a#"},
    {"$anchor": "no anchor"},
    {"$defs": {"Unused": {"type": 5, "pattern": "["}}},
    {"definitions": 5},
    "string",
    5,
    [],
    None,
    {"$ref": "#/title"},
    {"$ref": "#/required/x"},
    {"$ref": "#/minProperties/x"},
]


@pytest.mark.parametrize("odd", NONSENSE, ids=str)
async def test_what_makes_no_sense_says_nothing(odd: object, api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/connectors/notes/do"] = Answer.of({"data": 1, "meta": None})
    around = {"title": "Odd", "required": ["a"], "minProperties": 0, "$defs": {"Loop": {"$ref": "#/$defs/Loop"}}}
    for schema in ({**takes(a=odd), **around}, {**takes(a=STRING), "definitions": {"Unused": odd}}):
        assert (await connector.send(Call(action(schema), {"a": "x"}))).data == 1


async def test_a_schema_that_cannot_be_followed_costs_its_action_alone(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/connectors/notes/do"] = Answer.of({"data": 1, "meta": None})
    with pytest.raises(InvalidSchema, match=r"notes\.odd") as caught:
        await connector.send(Call(action(takes(a=deep(5000)), name="odd"), {"a": "x"}))
    assert len(str(caught.value)) <= 600
    assert api.asked == []
    assert (await connector.send(Call(action(), {}))).data == 1


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("INTEGER", "x", "integer"),
        ("int", "x", "integer"),
        (["str", "null"], 5, "string or null"),
        ("date", 5, "string (date)"),
        ("dict", [], "object"),
    ],
    ids=str,
)
def test_types_in_the_words_of_others_mean_what_they_plainly_say(kind: object, value: object, expected: str) -> None:
    assert [problem.expected for problem in problems(takes(a={"type": kind}), {"a": value})] == [expected]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": ["any", "null"]},
        {"allOf": [{"type": "any"}]},
        {"type": "array", "contains": {"type": "any"}},
        {"allOf": [{"$ref": "#/$defs/Part"}]},
        {**takes(x={"type": "any"}), "anyOf": [{"type": "any"}]},
    ],
)
def test_types_that_json_schema_does_not_know_are_understood_anywhere(schema: dict[str, Any]) -> None:
    part = takes(x={"type": "any"}, y={"type": "bytes"})
    value = ["x"] if schema.get("type") == "array" else {"x": 1}
    assert problems({**takes(a=schema), "$defs": {"Part": part}}, {"a": value}) == []


def test_arguments_nested_too_deeply_are_invalid_arguments() -> None:
    node = takes(child={"$ref": "#"})
    tree: dict[str, Any] = {}
    for _ in range(500):
        tree = {"child": tree}
    with pytest.raises(InvalidArguments):
        check(action(node), tree)


def deeper(frames: int, call: Callable[[], None]) -> None:
    """A call from so many frames further down."""
    deeper(frames - 1, call) if frames else call()


@pytest.mark.parametrize(
    "note",
    [
        {"examples": {"one": {"value": "x"}}},
        {"examples": "x"},
        {"deprecated": "use q"},
        {"readOnly": "no"},
        {"title": 5},
        {"$comment": ["x"]},
        {"contentEncoding": None},
        {"required": ["a", "a"]},
    ],
    ids=str,
)
def test_an_odd_note_does_not_matter(note: dict[str, object]) -> None:
    schema = takes(p={**takes(a=STRING), **note})
    assert problems(schema, {"p": {"a": "x"}}) == []
    assert paths(schema, {"p": {"a": 5}}) == ["p.a"]


# Where the stack ends is where a library below might give up in its own way.


@pytest.mark.parametrize("frames", range(12))
def test_what_has_no_end_breaks_nothing_however_deep_the_program_is(frames: int) -> None:
    loop = {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/Loop"}]}
    tree = {"type": ["string", "array"], "items": {"$ref": "#/$defs/Tree"}}
    schema = takes(loop={"$ref": "#/$defs/Loop"}, tree={"$ref": "#/$defs/Tree"})
    checked = action({**schema, "$defs": {"Loop": loop, "Tree": tree}})
    with pytest.raises(InvalidSchema, match=r"notes\.do has no end"):
        deeper(frames, lambda: check(checked, {"loop": 5}))
    nested: list[Any] = []
    for _ in range(300):
        nested = [nested]
    with pytest.raises(InvalidArguments, match="Nested too deeply"):
        deeper(frames, lambda: check(checked, {"tree": nested}))


# Compiled once


def test_a_schema_is_compiled_on_the_first_call_and_then_kept() -> None:
    schema = takes(a=INTEGER)
    first, second = action(schema), action(schema)
    assert found(first, {"a": 1}) == []
    schema["properties"] = {"b": INTEGER}
    assert found(first, {"a": 1}) == []
    assert [problem.path for problem in found(second, {"a": 1})] == ["a"]


def test_checking_leaves_the_schema_and_the_arguments_as_they_were() -> None:
    schema = takes(a={"type": "any"}, b={"type": "bytes"})
    arguments = {"a": 1, "c": 2}
    assert paths(schema, arguments) == ["c"]
    assert schema == takes(a={"type": "any"}, b={"type": "bytes"})
    assert arguments == {"a": 1, "c": 2}


@pytest.mark.parametrize(("value", "is_wrong"), [(1, False), ("x", True)])
def test_what_a_part_says_of_further_names_counts_for_them(value: object, *, is_wrong: bool) -> None:
    part = {**takes(a=STRING), "additionalProperties": INTEGER}
    schema = {"type": "object", "allOf": [part, takes(b=INTEGER)]}
    assert bool(problems(schema, {"a": "x", "c": value})) is is_wrong


def test_of_what_has_to_be_given_beside_a_name_only_what_is_not_there_is_told() -> None:
    schema = {**takes(a=STRING, b=STRING, c=STRING), "dependentRequired": {"a": ["b", "c"], "b": ["a"]}}
    [lacking] = problems(schema, {"a": "x", "b": "x"})
    assert (lacking.path, lacking.message) == ("c", "Field required where 'a' is given")


def test_a_whole_that_is_its_own_part_where_a_condition_holds_is_checked_where_it_does_not() -> None:
    again = {"$ref": "#/$defs/A"}
    whole = {**takes(a=INTEGER, b=INTEGER), "if": {"required": ["a"]}, "then": again}
    schema = {**takes(p=again), "$defs": {"A": whole}}
    assert problems(schema, {"p": {"b": 1}}) == []
    assert paths(schema, {"p": {"b": "x"}}) == ["p.b"]
