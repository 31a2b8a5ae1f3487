"""Laws of the check: what a schema allows passes, and one thing wrong is reported as that one thing."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import combinations
from typing import Any, TypeAlias, cast

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]  untyped there

from bosa_connectors.dialects import today
from bosa_connectors.errors import InvalidArguments
from bosa_connectors.schema import check
from bosa_connectors.shapes import is_array, is_object

from .samples import action, takes

Trail: TypeAlias = tuple[str | int, ...]
Node: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Fitting:
    """A schema, a value that fits it, and the objects within that value."""

    schema: dict[str, Any]
    value: Any
    objects: tuple[tuple[Trail, frozenset[str]], ...] = ()
    """Where they are, each with the names that it must have."""


SCALARS: list[tuple[dict[str, Any], st.SearchStrategy[Any]]] = [
    ({"type": "string"}, st.text(max_size=5)),
    ({"type": "string", "minLength": 1, "maxLength": 3}, st.text(min_size=1, max_size=3)),
    ({"type": "integer"}, st.integers()),
    ({"type": "integer", "minimum": 1, "maximum": 100}, st.integers(1, 100)),
    ({"type": "number"}, st.floats(allow_nan=False, allow_infinity=False) | st.integers()),
    ({"type": "boolean"}, st.booleans()),
    ({"type": "null"}, st.none()),
    ({"enum": ["open", "closed", 3]}, st.sampled_from(["open", "closed", 3])),
    ({"const": "x"}, st.just("x")),
    ({"type": "any"}, st.none() | st.lists(st.integers(), max_size=2)),
    ({}, st.dictionaries(st.text(max_size=2), st.none(), max_size=2)),
    ({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}, st.none() | st.integers() | st.text()),
]


@st.composite
def scalars(draw: st.DrawFn) -> Fitting:
    schema, values = draw(st.sampled_from(SCALARS))
    return Fitting(schema, draw(values))


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Fitting]) -> Fitting:
    fields = draw(st.dictionaries(st.sampled_from("abcdef"), inner, min_size=1, max_size=4))
    required = draw(st.frozensets(st.sampled_from(sorted(fields))))
    absent = draw(st.frozensets(st.sampled_from(sorted(fields)))) - required
    present = {name: field for name, field in fields.items() if name not in absent}
    schema = takes(required=tuple(sorted(required)), **{name: field.schema for name, field in fields.items()})
    below = [((name, *trail), names) for name, field in present.items() for trail, names in field.objects]
    return Fitting(schema, {name: field.value for name, field in present.items()}, (((), required), *below))


@st.composite
def wrapped(draw: st.DrawFn, inner: st.SearchStrategy[Fitting]) -> Fitting:
    """A list, a nullable value, or a reference: what real schemas put around an object."""
    fitting = draw(inner)
    if draw(st.booleans()):
        value, below = [fitting.value], tuple(((0, *trail), names) for trail, names in fitting.objects)
        return Fitting({"type": "array", "items": fitting.schema}, value, below)
    return Fitting({"anyOf": [fitting.schema, {"type": "null"}]}, fitting.value, fitting.objects)


FITTINGS = objects(st.recursive(scalars(), lambda inner: objects(inner) | wrapped(objects(inner)), max_leaves=6))


def wrong(schema: Mapping[str, object], arguments: Mapping[str, object]) -> list[tuple[str, str]]:
    """Path and message of everything that is wrong."""
    try:
        check(action(schema), arguments)
    except InvalidArguments as invalid:
        return [(problem.path, problem.message) for problem in invalid.errors]
    return []


def changed(fitting: Fitting, trail: Trail) -> tuple[Any, Any]:
    """A copy of the value, and the object at this place within it."""
    value = deepcopy(fitting.value)
    at = value
    for step in trail:
        at = at[step]
    return value, at


def dotted(*trail: str | int) -> str:
    return ".".join(map(str, trail))


@settings(deadline=None, max_examples=50)
@given(FITTINGS)
def test_a_value_that_fits_its_schema_passes(fitting: Fitting) -> None:
    assert wrong(fitting.schema, fitting.value) == []


@settings(deadline=None, max_examples=50)
@given(FITTINGS, st.data())
def test_an_unknown_name_anywhere_is_the_one_thing_that_is_wrong(fitting: Fitting, data: st.DataObject) -> None:
    trail, _ = data.draw(st.sampled_from(fitting.objects))
    value, at = changed(fitting, trail)
    at["unknown"] = data.draw(st.none() | st.integers())
    assert wrong(fitting.schema, value) == [(dotted(*trail, "unknown"), "Unknown field")]


@settings(deadline=None, max_examples=50)
@given(FITTINGS, st.data())
def test_a_missing_name_anywhere_is_the_one_thing_that_is_wrong(fitting: Fitting, data: st.DataObject) -> None:
    places = [(trail, name) for trail, names in fitting.objects for name in sorted(names)]
    assume(places)
    trail, name = data.draw(st.sampled_from(places))
    value, at = changed(fitting, trail)
    del at[name]
    assert wrong(fitting.schema, value) == [(dotted(*trail, name), "Field required")]


TWINS = st.sampled_from([0, 0.0, False, 1, 1.0, True, "1"])
"""Some of which are equal, as JSON Schema has it."""
VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", ""]) | st.just(1.0),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["kind", "x"]), inner, max_size=2),
    max_leaves=5,
)
KINDS = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])
CONSTANTS: list[Node] = [{"const": "a"}, {"const": "b"}, {"const": 1}, {"enum": ["a"]}]
TERMS: list[Node] = [
    {"enum": ["a", 1]},
    {"minLength": 1},
    {"maxLength": 0},
    {"minimum": 1},
    {"maximum": 1},
    {"minItems": 1},
    {"maxItems": 1},
    {"required": ["x"]},
    {"additionalProperties": {"minLength": 1}},
    {"format": "date"},
    {"pattern": "a"},
    {},
]
STANDARD = cast("Mapping[str, Any]", Draft202012Validator.VALIDATORS)
REFERENCES: list[Node] = [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}]


@st.composite
def terms(draw: st.DrawFn) -> Node:
    kinds = draw(KINDS | st.lists(KINDS, min_size=1, max_size=2, unique=True))
    return draw(st.sampled_from([{"type": kinds}, {"type": kinds, "title": "T"}, *TERMS]))


@st.composite
def composed(draw: st.DrawFn, inner: st.SearchStrategy[Node]) -> Node:
    first, second = draw(inner), draw(inner)
    known = [
        {**takes(kind=draw(st.sampled_from(CONSTANTS)), x=node), "additionalProperties": True}
        for node in (first, second)
    ]
    ways: list[Node] = [
        known[0],
        {"oneOf": known},
        {"oneOf": [first, second]},
        {"anyOf": [first, second]},
        {"items": first},
        {"additionalProperties": first},
        {"properties": {"x": first}, "patternProperties": {"x": second}, "additionalProperties": first},
        {"prefixItems": [first], "items": second},
        {**first, **second},
    ]
    return draw(st.sampled_from(ways))


LOOSELY = cast("type[Draft202012Validator]", extend(Draft202012Validator, {"oneOf": STANDARD["anyOf"]}))
"""What several alternatives allow may pass."""
DEFINITIONS = st.recursive(terms(), composed, max_leaves=3)
NODES = st.recursive(terms() | st.sampled_from(REFERENCES), composed, max_leaves=6)


@given(st.lists(st.recursive(TWINS, lambda each: st.lists(each, max_size=2) | st.fixed_dictionaries({"x": each}))))
@example([False, [0]])
@example([True, 1, 1.5])
def test_items_are_different_where_no_two_are_equal(values: list[object]) -> None:
    allowed = wrong(takes(a={"uniqueItems": True}), {"a": values}) == []
    assert allowed is not any(equal(*pair) for pair in combinations(values, 2))


def equal(one: object, other: object) -> bool:
    """As JSON Schema has it: 1.0 is 1, and true is no number."""
    if is_array(one) and is_array(other):
        return len(one) == len(other) and all(map(equal, one, other))
    if is_object(one) and is_object(other):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return isinstance(one, bool) is isinstance(other, bool) and one == other


@settings(deadline=None, max_examples=200)
@given(NODES, DEFINITIONS, DEFINITIONS, VALUES)
@example({"items": {"type": "integer"}}, {}, {}, [1, "a"])
@example({"oneOf": [{"properties": {"kind": {"const": "a"}}, "additionalProperties": True}, {}]}, {}, {}, {"kind": "a"})
@example({"oneOf": [{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}]}, {"type": "string"}, {"type": "string"}, "a")
def test_what_passes_at_a_glance_is_what_the_standard_lets_pass(
    node: Node, one: Node, two: Node, value: object
) -> None:
    below = {"one": {**one, "$ref": "#/$defs/two"}, "two": two}
    schema = {**takes(given=node), "$defs": below, "additionalProperties": True}
    standard: Any = Draft202012Validator(schema)
    loosely: Any = LOOSELY(schema)
    passes = wrong(schema, {"given": value}) == []
    assert passes or not standard.is_valid({"given": value})
    assert loosely.is_valid({"given": value}) or not passes


OTHERS = [
    "$id",
    "$anchor",
    "$dynamicAnchor",
    "$schema",
    "$vocabulary",
    "$defs",
    "definitions",
    "dependencies",
    "nullable",
]
KEYWORDS = st.sampled_from([*OTHERS, *STANDARD])
WORDS = st.sampled_from(["", "string", "str", "x", "#", "#x", "#/p", "a#b", "(", "1"])
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([1.5, float("inf")]) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | WORDS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(st.dictionaries(KEYWORDS, ODD, max_size=4), VALUES)
def test_whatever_a_schema_says_values_can_be_checked_against_it(node: Node, value: object) -> None:
    said = today({**takes(given=node), "$defs": {"x": node}})
    assume("'$ref': '#" not in str(said) and "'$dynamicRef': '#" not in str(said))  # these may have no end
    wrong(said, {"given": value})
