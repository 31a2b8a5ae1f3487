"""A compact schema says all that a model reads, in the words that every model API takes."""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bosa_connectors.shapes import members
from bosa_mcp.compact import compact
from bosa_mcp.invisible import plain

from .scripted_api import Json, takes

# Random schemas as a generator of models writes them, each beside the compact form that it should have: first the
# compact one is drawn, then what a model does not read is put around it.

_NAMES = st.sampled_from(["a", "b", "title", "examples", "default", "type", "$ref", "x-mcp-header", "größe", "a.b/c~d"])
_SCALARS: tuple[st.SearchStrategy[Json], ...] = (
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={
            "minLength": st.integers(0, 9),
            "maxLength": st.integers(10, 99),
            "pattern": st.sampled_from(["^a+$", "[0-9]{4}"]),
            "format": st.sampled_from(["date-time", "uri"]),
        },
    ),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["integer", "number"])},
        optional={
            "minimum": st.integers(-9, 0),
            "maximum": st.floats(1, 9),
            "exclusiveMinimum": st.just(0),
            "exclusiveMaximum": st.just(100),
            "multipleOf": st.sampled_from([0.5, 2]),
        },
    ),
    st.just({"type": "boolean"}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "enum": st.lists(st.sampled_from("xyz"), min_size=1, unique=True)}
    ),
)


def _nesting(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    arrays = st.fixed_dictionaries(
        {"type": st.just("array"), "items": inner},
        optional={"minItems": st.integers(0, 3), "maxItems": st.just(5), "uniqueItems": st.booleans()},
    )
    maps = st.fixed_dictionaries({"type": st.just("object"), "additionalProperties": inner})
    unions = st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=2, max_size=3)})
    return arrays | maps | unions | _objects(inner)


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    properties = draw(st.dictionaries(_NAMES, _described(inner), max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(properties)), unique=True)) if properties else []
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


@st.composite
def _described(draw: st.DrawFn, inner: st.SearchStrategy[Json]) -> Json:
    return draw(inner) | draw(
        st.fixed_dictionaries(
            {}, optional={"description": st.text(max_size=9).map(plain), "default": st.sampled_from([0, "x"])}
        )
    )


compact_schemas = _objects(st.recursive(st.one_of(_SCALARS), _nesting, max_leaves=8))


class Wordy:
    """Writes a compact schema as the listing of a real API would."""

    def __init__(self, seed: int) -> None:
        self._draw = Random(seed).randrange  # noqa: S311  noise, not a secret
        self.definitions: Json = {}

    def schema(self, short: Json) -> Json:
        node = {key: self._keyword(key, value) for key, value in short.items()}
        if self._draw(2):
            node |= {"title": "A title", "examples": [{"type": "nonsense"}], "deprecated": True, "x-mcp-header": "H"}
        if node.get("type") == "object" and "additionalProperties" not in node and self._draw(2):
            node["additionalProperties"] = bool(self._draw(2))
        if self._draw(3) == 2:
            node = self._referred(node)
        return self._nullable(node) if self._draw(2) else node

    def _keyword(self, key: str, value: Any) -> Any:  # noqa: ANN401  a part of a schema
        if key == "properties":
            return {name: self.schema(each) for name, each in value.items()}
        if key == "anyOf":
            return [self.schema(each) for each in value]
        return self.schema(value) if key in {"items", "additionalProperties"} else value

    def _referred(self, node: Json) -> Json:
        name = f"D {len(self.definitions)}/~"
        beside = self._some(node)
        self.definitions[name] = {key: value for key, value in node.items() if key not in beside}
        kind = {"type": node["type"]} if "type" in node else {}
        return {"$ref": f"#/$defs/D%20{len(self.definitions) - 1}~1~0", **kind, **beside}

    def _nullable(self, node: Json) -> Json:
        beside = self._some(node)
        branch = {key: value for key, value in node.items() if key not in beside}
        if "anyOf" in branch and self._draw(2):  # the union takes null in, as generators write it
            return {"default": None, **branch, "anyOf": [*branch["anyOf"], {"type": "null"}], **beside}
        return {"anyOf": [branch, {"type": "null"}], "default": None, **beside}

    def _some(self, node: Json) -> Json:
        """What of the schema is said outside: beside a reference or the alternatives."""
        return {key: node[key] for key in ("description", "default") if key in node and self._draw(2)}


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)  # schemas are large, and machines busy
@given(compact_schemas, st.integers(0, 1 << 32))
def test_what_a_model_reads_stays_and_nothing_else(short: Json, seed: int) -> None:
    wordy = Wordy(seed)
    properties = {name: wordy.schema(each) for name, each in short["properties"].items()}
    original = {**short, "title": "Request", "properties": properties, "$defs": wordy.definitions}
    untouched = copy.deepcopy(original)
    assert compact(original, {}) == short
    assert original == untouched


def parameter(schema: object, **root: object) -> object:
    """The compact form of one parameter."""
    made = compact({**takes(p=schema), **root}, {})
    properties = made["properties"]
    assert isinstance(properties, dict)
    return properties["p"]  # pyright: ignore[reportUnknownVariableType]  any schema


LONGITUDE, LATITUDE = ({"type": "number", "description": f"{name}."} for name in ("longitude", "latitude"))
TREE: Json = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}}},
}


@pytest.mark.parametrize(
    ("schema", "short"),
    [
        (True, {}),
        (False, {"not": {}}),
        ({"type": "any"}, {}),
        ({"type": ["any", "null"]}, {}),
        ({"type": []}, {}),
        ({"type": ["string", "null"]}, {"type": "string"}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": ["string", "integer", "null"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ({"type": "array"}, {"type": "array", "items": {}}),
        ({"type": "bytes"}, {"type": "string"}),
        ({"type": "string", "contentEncoding": "base64"}, {"type": "string", "format": "base64"}),
        ({"type": "string", "format": "binary", "description": "binary"}, {"type": "string", "description": "binary"}),
        ({"type": ["null"]}, {"type": "null"}),
        ({"anyOf": [{"type": "null"}]}, {"anyOf": [{"type": "null"}]}),
        ({"const": "x"}, {"enum": ["x"]}),
        ({"enum": ["x", None]}, {"enum": ["x"]}),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"type": "string"}),
        ({"anyOf": [{"type": "string"}, {"const": None}]}, {"type": "string"}),
        ({"anyOf": [{"type": "string"}, {"enum": [None]}]}, {"type": "string"}),
        ({"anyOf": [{"type": "string"}, {"type": "null", "description": "none"}]}, {"type": "string"}),
        ({"type": ["array", "null"]}, {"type": "array", "items": {}}),
        (
            {"type": ["array", "string"], "items": {"minLength": 1}},
            {"anyOf": [{"type": "array", "items": {"minLength": 1}}, {"type": "string"}]},
        ),
        (
            {"type": ["string", "integer"], "anyOf": [{"minLength": 3}, {"minimum": 3}]},
            {
                "anyOf": [{"minLength": 3}, {"minimum": 3}],
                "allOf": [{"anyOf": [{"type": "string"}, {"type": "integer"}]}],
            },
        ),
        ({"type": "string", "default": None}, {"type": "string"}),
        ({"type": "boolean", "default": False}, {"type": "boolean", "default": False}),
        ({"$ref": "#/properties/p/$defs/X", "$defs": {"X": {"minimum": 1}}}, {"minimum": 1}),
        (
            {"oneOf": [{"const": 1}, {"type": "object"}], "discriminator": {"propertyName": "type"}},
            {"anyOf": [{"enum": [1]}, {"type": "object"}]},
        ),
        (
            {"type": "object", "patternProperties": {"^x": {"type": "any"}}, "propertyNames": {"maxLength": 3}},
            {"type": "object", "patternProperties": {"^x": {}}, "propertyNames": {"maxLength": 3}},
        ),
        (
            {"type": "array", "prefixItems": [{"type": "string", "title": "T"}], "contains": {"const": 1}},
            {"type": "array", "items": {}, "contains": {"enum": [1]}, "description": "In this order: string."},
        ),
        (
            {"type": "array", "prefixItems": [{"enum": ["a", "b"]}, {"type": "integer"}], "items": False},
            {"type": "array", "items": {"anyOf": [{"enum": ["a", "b"]}, {"type": "integer"}]}, "maxItems": 2}
            | {"description": "In this order: one of a, b; integer."},
        ),
        (
            {"type": "array", "prefixItems": [LONGITUDE, LATITUDE], "minItems": 2, "maxItems": 2, "description": "At."},
            {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
            | {"description": "At. In this order: number (longitude); number (latitude)."},
        ),
        (
            {"if": {"required": ["a"]}, "then": {"minProperties": 2}, "dependentRequired": {"a": ["b"]}},
            {"if": {"required": ["a"]}, "then": {"minProperties": 2}, "dependentRequired": {"a": ["b"]}},
        ),
    ],
    ids=str,
)
def test_a_parameter_in_short(schema: object, short: object) -> None:
    assert parameter(schema) == short


MANY: Json = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/Many"}}]}
CLOSED: list[Json] = [{**takes(**{name: {"type": "string"}}), "additionalProperties": False} for name in ("id", "name")]
LISTS: list[list[object]] = [[], [[]]]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"$ref": "#/$defs/Many"}, ["x", ["y", ["z"]]]),
        ({"$ref": "#/$defs/Lists"}, LISTS),
        ({"oneOf": CLOSED}, {"id": "1"}),
    ],
    ids=str,
)
def test_what_an_action_takes_is_not_refused_by_what_is_listed(schema: Json, value: object) -> None:
    definitions: Json = {"$defs": {"Many": MANY, "Lists": {"type": "array", "items": {"$ref": "#/$defs/Lists"}}}}
    original: Any = Draft202012Validator({**definitions, **schema})
    listed: Any = Draft202012Validator(members(parameter(schema, **definitions)))
    assert original.is_valid(value)
    assert listed.is_valid(value)


def test_a_reference_that_leads_back_to_itself_becomes_a_plain_object() -> None:
    tree = parameter({"$ref": "#/$defs/Tree"}, **{"$defs": {"Tree": TREE}})
    children = {"type": "array", "items": {"type": "object"}}
    assert tree == {"type": "object", "properties": {"name": {"type": "string"}, "children": children}}


def test_a_reference_to_the_whole_schema_ends() -> None:
    assert parameter({"$ref": "#"}) == {"type": "object", "properties": {"p": {"type": "object"}}}


@pytest.mark.parametrize(
    "root",
    [
        {"$ref": "#/$defs/R", "$defs": {"R": takes("a", a={"type": "string"}, b={"type": "integer"})}},
        {"allOf": [takes("a", a={"type": "string"}), takes(b={"type": "integer"})]},
        {"anyOf": [takes(a={"type": "string"}), {"$ref": "#/$defs/B"}], "$defs": {"B": takes(b={"type": "integer"})}}
        | {"required": ["a"]},
        {"oneOf": [takes(b={"type": "integer"}), takes()], **takes("a", a={"type": "string"})},
    ],
    ids=["$ref", "allOf", "anyOf", "oneOf"],
)
def test_the_root_is_an_object_without_unions_whatever_it_was(root: Json) -> None:
    assert compact(root, {}) == takes("a", a={"type": "string"}, b={"type": "integer"})


def test_an_action_that_takes_nothing_takes_an_empty_object() -> None:
    assert compact({}, {}) == {"type": "object", "properties": {}}


@pytest.mark.parametrize(
    ("said", "listed"),
    [
        ({"description": "What is left out stays."}, {"description": "What is left out stays."}),
        ({"additionalProperties": {"type": "string", "title": "T"}}, {"additionalProperties": {"type": "string"}}),
        ({"patternProperties": {"^x_": {"type": "integer"}}}, {"patternProperties": {"^x_": {"type": "integer"}}}),
        ({"dependentRequired": {"a": ["b"]}}, {"dependentRequired": {"a": ["b"]}}),
        (
            {"minProperties": 1, "maxProperties": 2},
            {"description": "At least 1 of the arguments. At most 2 of the arguments."},
        ),
        (
            {"propertyNames": {"maxLength": 3}},
            {"description": "Names of arguments: string of at most 3 characters."},
        ),
        (
            {"patternProperties": {"_": {"type": "integer"}}},
            {"description": "Further arguments that match _: integer."},
        ),
        (
            {"patternProperties": {each: {"type": "integer"} for each in ("i", "m", "s", "t", "_")}},
            {"description": " ".join(f"Further arguments that match {each}: integer." for each in "imst_")},
        ),
        (
            {"oneOf": [{"required": ["a"]}, {"required": ["b", "c"]}], "description": "Who."},
            {"description": "Who. Give a, or b and c."},
        ),
        ({"anyOf": [{"required": ["a"]}, {}]}, {"description": "Give a, or none of these."}),
        ({"allOf": [{"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}]}, {"description": "Give a, or b."}),
        ({"not": {"required": ["a", "b"]}}, {"description": "Not together: a and b."}),
        (
            {"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]}, "else": {"required": ["c"]}},
            {"description": "Where a is one of x, give b, else c."},
        ),
        (
            {"allOf": [{"if": {"required": ["a"]}, "then": {"required": ["b"]}}]},
            {"description": "Where a is given, give b."},
        ),
        (
            {"dependentRequired": {"a": ["c"]}, "dependentSchemas": {"a": {"required": ["b", "c"]}}},
            {"dependentRequired": {"a": ["b", "c"]}},
        ),
    ],
    ids=str,
)
def test_what_a_root_says_of_its_arguments_together_stays(said: Json, listed: Json) -> None:
    ours: Json = {"max_items": {"type": "integer"}}
    names = {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}}
    assert compact({**takes(**names), **said}, ours) == {**takes(**names, **ours), **listed}


@pytest.mark.parametrize("pattern", [r"^\p{L}+$", r"(?<year>\d{4})"])
def test_a_pattern_in_another_dialect_stays_for_the_model_to_read(pattern: str) -> None:
    assert parameter({"type": "string", "pattern": pattern}) == {"type": "string", "pattern": pattern}
    by_name = {**takes(), "patternProperties": {pattern: {"type": "string"}}}
    assert compact(by_name, {})["patternProperties"] == {pattern: {"type": "string"}}


def test_a_required_argument_is_listed_also_where_the_api_says_nothing_more_of_it() -> None:
    assert compact(takes("p", q={"type": "string"}), {}) == takes("p", q={"type": "string"}, p={})


def test_a_parameter_of_ours_takes_the_place_of_the_one_of_that_name() -> None:
    schema = takes("p", p={"$ref": "https://elsewhere.example/huge"}, q={"type": "string"})
    assert compact(schema, {"p": {"type": "array"}}) == takes("p", q={"type": "string"}, p={"type": "array"})


def bomb() -> Iterator[tuple[str, Json]]:
    for level in range(30):
        twice = {"$ref": f"#/$defs/D{level + 1}"}
        yield f"D{level}", takes(left=twice, right=twice)
    yield "D30", {"type": "string"}


def nested(levels: int) -> Json:
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


def mixed(levels: int) -> Json:
    schema: Json = {"type": "string"}
    for _ in range(levels):
        schema = {"type": ["array", "string"], "items": schema}
    return schema


NONSENSE: dict[str, tuple[object, Json]] = {
    "no schema": (5, {}),
    "null": (None, {}),
    "an unknown type": ({"type": "strnig"}, {}),
    "an unknown type among others": ({"type": ["string", "strnig"]}, {}),
    "a type of another language": ({"type": "str"}, {"type": "string"}),
    "a type in capitals": ({"type": "STRING"}, {"type": "string"}),
    "a type that is a format": ({"type": "uuid"}, {"type": "string", "format": "uuid"}),
    "a type twice": ({"type": ["string", "string"]}, {"type": "string"}),
    "a type that is an object": ({"type": {"anyOf": []}}, {}),
    "a type that is a list in a list": ({"type": [["string"]]}, {}),
    "a remote reference": ({"$ref": "https://elsewhere.example/schema.json", "type": "object"}, {"type": "object"}),
    "a relative reference": ({"$ref": "other.json#/a"}, {}),
    "a reference to nowhere": ({"$ref": "#/$defs/Nowhere", "description": "It."}, {"description": "It."}),
    "a reference to an anchor": ({"$ref": "#anchor"}, {}),
    "a reference to itself": ({"$ref": "#/properties/p"}, {}),
    "a reference that is no text": ({"$ref": 5}, {}),
    "a pattern that is none": ({"type": "string", "pattern": "(unclosed"}, {"type": "string"}),
    "a pattern that is a number": ({"type": "string", "pattern": 5}, {"type": "string"}),
    "a pattern for names that is none": ({"patternProperties": {"(": {}, "a": {}}}, {"patternProperties": {"a": {}}}),
    "properties that are no object": ({"type": "object", "properties": [{"type": "string"}]}, {"type": "object"}),
    "a property that is a type": ({"properties": {"a": "string"}}, {"properties": {"a": {"type": "string"}}}),
    "items that are a type": ({"type": "array", "items": "string"}, {"type": "array", "items": {"type": "string"}}),
    "alternatives that are no list": ({"anyOf": {"type": "string"}}, {}),
    "no alternatives": ({"anyOf": [], "oneOf": [], "allOf": []}, {}),
    "an alternative that is no schema": ({"anyOf": [{"type": "string"}, "null"]}, {"type": "string"}),
    "an enum that is no list": ({"enum": "a, b"}, {}),
    "an enum of nothing": ({"type": "string", "enum": []}, {"type": "string"}),
    "a limit that is text": ({"type": "integer", "minimum": "1"}, {"type": "integer"}),
    "a limit that is true": ({"type": "integer", "minimum": True}, {"type": "integer"}),
    "a multiple of nothing": ({"type": "integer", "multipleOf": 0}, {"type": "integer"}),
    "a multiple of true": ({"type": "integer", "multipleOf": True}, {"type": "integer"}),
    "a negative length": ({"type": "string", "minLength": -1}, {"type": "string"}),
    "half a length": ({"type": "string", "maxLength": 1.5}, {"type": "string"}),
    "a description that is a number": ({"description": 5}, {}),
    "a description in lines": ({"description": ["One.", "Two."]}, {"description": "One. Two."}),
    "required that is a name": ({"type": "object", "required": "a"}, {"type": "object"}),
    "required that is a number": ({"type": "object", "required": [5]}, {"type": "object"}),
    "required that is a list": ({"type": "object", "required": [["a"]]}, {"type": "object"}),
    "uniqueItems that is a number": ({"type": "array", "items": {}, "uniqueItems": 1}, {"type": "array", "items": {}}),
    "dependentRequired that is a list": ({"dependentRequired": ["a"]}, {}),
    "dependentRequired of a name": ({"dependentRequired": {"a": "b"}}, {}),
    "dependentRequired of a name and of names": ({"dependentRequired": {"a": "b", "c": ["d"]}}, {}),
}


@pytest.mark.parametrize(("schema", "short"), NONSENSE.values(), ids=NONSENSE)
def test_what_makes_no_sense_is_left_out(schema: object, short: Json) -> None:
    assert parameter(schema) == short


@pytest.mark.parametrize("root", [{"required": [["a"]]}, {"type": {"anyOf": []}}, {"properties": []}], ids=str)
def test_a_root_that_makes_no_sense_is_an_object(root: Json) -> None:
    assert compact(root, {}) == {"type": "object", "properties": {}}


LARGE: dict[str, object] = {"references that multiply": {"$ref": "#/$defs/D0"}, "500 levels": nested(500)}


@pytest.mark.parametrize("schema", LARGE.values(), ids=LARGE)
def test_a_schema_that_is_too_large_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match=r"too large once its references are inlined"):
        parameter(schema, **{"$defs": dict(bomb())})


def lists(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "schema", [{"default": lists(300)}, {"enum": [lists(300)]}, mixed(95)], ids=["default", "enum", "types"]
)
def test_a_schema_that_cannot_be_written_is_refused(schema: object) -> None:
    with pytest.raises(ValueError, match=r"properties\.p|too large"):
        parameter(schema)


def test_what_is_said_beside_a_reference_that_leads_back_stays() -> None:
    tree = {"type": "object", "properties": {"parent": {"$ref": "#/$defs/Tree", "description": "The one above."}}}
    assert "The one above." in str(parameter({"$ref": "#/$defs/Tree"}, **{"$defs": {"Tree": tree}}))


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "integer", "minimum": 5}, {"type": "null"}], "minimum": 1},
        {
            "anyOf": [{"oneOf": [{"minimum": 5}, {"maximum": 0}]}, {"type": "null"}],
            "oneOf": [{"const": 9}, {"const": 0}],
        },
        {"$ref": "#/$defs/Five", "minimum": 1},
    ],
    ids=["limit", "alternatives", "reference"],
)
def test_two_constraints_of_one_kind_both_stay(schema: object) -> None:
    assert "'minimum': 5" in str(parameter(schema, **{"$defs": {"Five": {"type": "integer", "minimum": 5}}}))


def test_a_reference_to_an_array_keeps_its_items() -> None:
    tags = {"type": "array", "items": {"type": "string"}}
    assert parameter({"$ref": "#/$defs/Tags", "type": "array"}, **{"$defs": {"Tags": tags}}) == tags


def test_a_parameter_that_is_another_in_each_alternative_may_be_any_of_them() -> None:
    kinds: list[Json] = [{"type": kind} for kind in ("string", "integer", "boolean")]
    assert compact({"anyOf": [takes(a=kind) for kind in kinds]}, {}) == takes(a={"anyOf": kinds})
    told: Json = {"anyOf": kinds[:2], "description": "A name or a number."}
    assert compact({"anyOf": [takes(a=told), takes(a=kinds[2])]}, {}) == takes(a={"anyOf": [told, kinds[2]]})


def test_a_parameter_may_be_called_anything() -> None:
    assert compact(takes(**{"a(": {"type": "string"}}), {}) == takes(**{"a(": {"type": "string"}})


@pytest.mark.parametrize(
    ("inner", "outer", "both"),
    [
        (
            {"type": "string", "minLength": 1, "description": "In."},
            {"minLength": 1, "description": "Out."},
            {"type": "string", "minLength": 1, "description": "Out. In."},
        ),
        ({"type": "integer", "minimum": 5}, {"minimum": 1}, {"minimum": 1, "allOf": [{"minimum": 5}]}),
        (
            {"type": "integer", "minimum": 5, "allOf": [{"maximum": 9}]},
            {"minimum": 1, "allOf": [{"maximum": 8}]},
            {"minimum": 1, "allOf": [{"maximum": 8}, {"maximum": 9}, {"minimum": 5}]},
        ),
        (
            {"type": "integer", "allOf": [{"maximum": 9}]},
            {"allOf": [{"maximum": 8}]},
            {"allOf": [{"maximum": 8}, {"maximum": 9}]},
        ),
        (
            {**takes("a", a=LATITUDE), "description": "In."},
            {"description": "Out."},
            {**takes("a", a=LATITUDE), "description": "Out. In."},
        ),
        (
            {"type": "object", "description": "In."},
            {**takes("a", a=LATITUDE), "description": "Out."},
            {**takes("a", a=LATITUDE), "description": "Out. In."},
        ),
        (
            {**takes("a", a=LATITUDE), "patternProperties": {"^x": LATITUDE}},
            {**takes("b", "a", b=LATITUDE), "patternProperties": {"^y": LATITUDE}},
            {**takes("a", "b", a=LATITUDE, b=LATITUDE), "patternProperties": {"^x": LATITUDE, "^y": LATITUDE}},
        ),
    ],
)
def test_what_stands_beside_a_schema_is_added_to_it(inner: Json, outer: Json, both: Json) -> None:
    assert parameter({"anyOf": [inner, {"type": "null"}], **outer}) == {"type": inner["type"], **both}


@pytest.mark.parametrize("kind", ["array", "object"])
def test_what_leads_back_to_itself_is_an_object_or_what_is_said_beside(kind: str) -> None:
    again = {"$ref": "#/$defs/A", "type": kind}
    short = compact({**takes(a=again), "$defs": {"A": {"type": "array", "items": again}}}, {})
    inner: Json = {"type": kind, **({"items": {}} if kind == "array" else {})}
    assert short == takes(a={"type": "array", "items": inner})


def test_a_parameter_that_is_the_same_in_each_alternative_comes_once() -> None:
    name: Json = {"type": "string", "minLength": 1}
    assert compact({"anyOf": [takes(a=name), takes(a=name, b={})]}, {}) == takes(a=name, b={})


def test_what_stands_in_and_beside_one_alternative_is_put_together() -> None:
    inner = takes("a", a={"type": "string"})
    beside = takes("b", b={"type": "string"})
    assert parameter({"anyOf": [inner, {"type": "null"}], **beside}) == takes(
        "a", "b", **inner["properties"], **beside["properties"]
    )


def test_a_parameter_of_several_alternatives_keeps_the_values_of_each() -> None:
    cat, dog = takes("kind", kind={"const": "cat"}), takes("kind", kind={"const": "dog"})
    assert "cat" in str(compact({"oneOf": [cat, dog]}, {}))


@pytest.mark.parametrize(
    "root",
    [
        {"anyOf": [{"allOf": [takes(b={"type": "string"})]}, takes(c={"type": "string"})]},
        {"allOf": [{"allOf": [takes(b={"type": "string"})]}]},
        {**takes(a={"type": "string"}), "anyOf": [takes(b={"type": "string"}), {"type": "null"}]},
        {**takes(a={"type": "string"}), "if": {"required": ["a"]}, "then": takes(b={"type": "string"})},
    ],
    ids=["allOf in anyOf", "allOf in allOf", "one alternative", "then"],
)
def test_no_parameter_of_the_root_is_lost(root: Json) -> None:
    assert "'b': {'type': 'string'}" in str(compact(root, {}))


def test_both_descriptions_stay() -> None:
    inner = {"type": "string", "description": "ISO 4217."}
    assert "ISO 4217." in str(parameter({"anyOf": [inner, {"type": "null"}], "description": "The currency."}))
