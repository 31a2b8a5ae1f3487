"""OpenAPI 3.0 and older drafts of JSON Schema say the same in other words: a catalogue knows one dialect."""

from typing import Any

import pytest

from bosa_connectors.calls import Action
from bosa_connectors.catalogue import parse
from bosa_connectors.errors import InvalidArguments
from bosa_connectors.schema import check

from .samples import listed, takes

INTEGER, TEXT = {"type": "integer"}, {"type": "string"}
OWNER = takes(name=TEXT, required=("name",))
_SOUNDS = ("purr", "bark")


def action(schema: dict[str, Any]) -> Action:
    """The action that takes this."""
    return parse("notes", {"notes": {"do": listed(schema)}})["do"]


@pytest.mark.parametrize(
    ("written", "today"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True}, {}),
        ({"$id": "#owner", "type": "string"}, {"$anchor": "owner", "type": "string"}),
        ({"type": "string", "enum": ["a"], "nullable": True}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"type": "string", "minLength": 3, "enum": ["abc", None], "nullable": True},
            {"type": ["string", "null"], "minLength": 3, "enum": ["abc", None]},
        ),
        ({"type": ["string", "null"], "nullable": True}, {"type": ["string", "null"]}),
        ({"minLength": 3, "nullable": True}, {"anyOf": [{"minLength": 3}, {"type": "null"}]}),
        (
            {"nullable": True, "description": "Whose.", "allOf": [{"$ref": "#/$defs/Owner"}]},
            {"description": "Whose.", "anyOf": [{"$ref": "#/$defs/Owner"}, {"type": "null"}]},
        ),
        (
            {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 9},
        ),
        (
            {"type": "number", "exclusiveMinimum": 0, "minimum": 1},
            {"type": "number", "exclusiveMinimum": 0, "minimum": 1},
        ),
        ({"type": "number", "exclusiveMinimum": True, "multipleOf": 2}, {"type": "number", "multipleOf": 2}),
        (
            {"type": "array", "items": [TEXT, INTEGER], "additionalItems": False},
            {"type": "array", "prefixItems": [TEXT, INTEGER], "items": False},
        ),
        ({"type": "array", "items": [TEXT], "minItems": 1}, {"type": "array", "prefixItems": [TEXT], "minItems": 1}),
        (
            {"type": "object", "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
            {"type": "object", "dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}},
        ),
        (
            {"dependencies": {"a": ["b"]}, "dependentRequired": {"c": ["d"]}},
            {"dependentRequired": {"a": ["b"], "c": ["d"]}},
        ),
        (
            {"dependencies": {"a": {"required": ["b"]}}, "dependentSchemas": {"c": {}}},
            {"dependentSchemas": {"a": {"required": ["b"]}, "c": {}}},
        ),
        (
            takes(a={**TEXT, "required": True}, b={**TEXT, "required": False}, c=TEXT, required=("c",)),
            takes(a=TEXT, b=TEXT, c=TEXT, required=("c", "a")),
        ),
        (
            {"type": "string", "description": None, "enum": None, "items": None, "default": None},
            {"type": "string", "default": None},
        ),
        (
            {"title": "Owner", "default": {}, "allOf": [{"$ref": "#/$defs/Owner"}]},
            {"title": "Owner", "default": {}, "$ref": "#/$defs/Owner"},
        ),
        (
            {"type": "string", "contentMediaType": "application/octet-stream"},
            {"type": "string", "format": "binary"},
        ),
        (
            {"type": "string", "contentMediaType": "application/octet-stream", "contentEncoding": "base64"},
            {"type": "string", "contentMediaType": "application/octet-stream", "contentEncoding": "base64"},
        ),
        ({"type": "string", "contentMediaType": "text/html"}, {"type": "string", "contentMediaType": "text/html"}),
        ({"minLength": 2, "allOf": [{"maxLength": 3}]}, {"minLength": 2, "allOf": [{"maxLength": 3}]}),
        (
            {"description": "Out.", "allOf": [{"description": "In.", "type": "string"}]},
            {"description": "Out.", "allOf": [{"description": "In.", "type": "string"}]},
        ),
        (
            {"title": "Out", "allOf": [{"title": "In", "type": "string"}]},
            {"title": "Out", "type": "string"},
        ),
        (
            {"type": "array", "items": {"anyOf": [{"not": {"type": "string", "nullable": True}}]}},
            {"type": "array", "items": {"anyOf": [{"not": {"type": ["string", "null"]}}]}},
        ),
        (
            takes(nullable=TEXT, items=TEXT, dependencies=OWNER, required=("items",)),
            takes(nullable=TEXT, items=TEXT, dependencies=OWNER, required=("items",)),
        ),
        (
            {"const": None, "default": {"nullable": True, "a": None}},
            {"const": None, "default": {"nullable": True, "a": None}},
        ),
    ],
    ids=str,
)
def test_what_others_say_is_known_as_json_schema_says_it(written: dict[str, Any], today: dict[str, Any]) -> None:
    schema = {**takes(p=written), "$defs": {"Owner": OWNER}}
    known = action(schema)
    assert known.properties["p"] == today
    assert action(dict(known.schema)).schema == known.schema


def test_an_item_of_a_tuple_may_be_referred_to() -> None:
    place = takes(lat={"type": "number"})
    known = action(takes(pair={"type": "array", "items": [place, TEXT]}, at={"$ref": "#/properties/pair/items/0"}))
    check(known, {"pair": [{"lat": 1}, "x"], "at": {"lat": 1}})
    with pytest.raises(InvalidArguments, match=r"at\.lat"):
        check(known, {"at": {"lat": "north"}})


def pets(*, mapping: dict[str, str] | None = None) -> dict[str, Any]:
    friend = {"$ref": "#/components/schemas/Pet"}
    cat, dog = ({"type": "object", "properties": {"kind": TEXT, "friend": friend, name: TEXT}} for name in _SOUNDS)
    union = [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]
    pet = {"oneOf": union, "discriminator": {"propertyName": "kind", **({"mapping": mapping} if mapping else {})}}
    return {
        **takes(pet={"$ref": "#/components/schemas/Pet"}),
        "components": {"schemas": {"Pet": pet, "Cat": cat, "Dog": dog}},
    }


@pytest.mark.parametrize(
    ("mapping", "cat"),
    [
        (None, "Cat"),
        ({"cat": "#/components/schemas/Cat", "dog": "Dog"}, "cat"),
        ({"cat": "Cat", "kitten": "Cat", "dog": "Dog"}, "kitten"),
    ],
)
def test_a_discriminator_tells_alternatives_apart(mapping: dict[str, str] | None, cat: str) -> None:
    known = action(pets(mapping=mapping))
    check(known, {"pet": {"kind": cat, "purr": "loud", "friend": {"kind": cat}}})
    with pytest.raises(InvalidArguments, match=r"pet\.friend\.bark") as wrong:
        check(known, {"pet": {"kind": cat, "friend": {"kind": cat, "bark": "loud"}}})
    assert len(wrong.value.errors) == 1
    with pytest.raises(InvalidArguments, match=r"pet\.kind"):
        check(known, {"pet": {"kind": "cow"}})


@pytest.mark.parametrize(
    "mapping", [{}, {"mapping": {"circle": "#/definitions/Circle", "square": "#/definitions/Square"}}]
)
def test_a_discriminator_of_what_is_extended_tells_the_kinds_apart(mapping: dict[str, Any]) -> None:
    shape = {**takes(kind=TEXT, label=TEXT), "discriminator": {"propertyName": "kind", **mapping}}
    circle, square = (
        {"allOf": [{"$ref": "#/definitions/Shape"}, own]} for own in (takes(r=INTEGER), takes(side=INTEGER))
    )
    either = {"oneOf": [{"$ref": "#/definitions/Circle"}, {"$ref": "#/definitions/Square"}]}
    known = action(
        {**takes(shape=either, any={"$ref": "#/definitions/Shape"})}
        | {"definitions": {"Shape": shape, "Circle": circle, "Square": square}}
    )
    kind = "circle" if mapping else "Circle"
    check(known, {"shape": {"kind": kind, "label": "x", "r": 1}, "any": {"kind": kind, "r": 1}})
    with pytest.raises(InvalidArguments, match=r"shape\.rr"):
        check(known, {"shape": {"kind": kind, "rr": 1}})
    with pytest.raises(InvalidArguments, match=r"shape\.kind") as wrong:
        check(known, {"shape": {"kind": "triangle"}})
    assert kind in wrong.value.errors[0].expected


def test_a_discriminator_names_what_a_reference_means_and_not_how_it_is_written() -> None:
    union = {
        "oneOf": [{"$ref": "#/$defs/a~1b"}, {"$ref": "#/$defs/My%20Cat"}],
        "discriminator": {"propertyName": "kind"},
    }
    known = action({**takes(pet=union), "$defs": {"a/b": takes(kind=TEXT), "My Cat": takes(kind=TEXT)}})
    check(known, {"pet": {"kind": "a/b"}})
    check(known, {"pet": {"kind": "My Cat"}})


def test_what_others_extend_is_not_taken_for_one_of_its_own_kinds() -> None:
    animal, extended = takes(kind=TEXT), {"allOf": [{"$ref": "#/$defs/Animal"}, takes(purr=TEXT)]}
    union = {"oneOf": [{"$ref": "#/$defs/Animal"}, {"$ref": "#/$defs/Cat"}], "discriminator": {"propertyName": "kind"}}
    check(action({**takes(pet=union), "$defs": {"Animal": animal, "Cat": extended}}), {"pet": {"kind": "Lion"}})


@pytest.mark.parametrize("kind", [["object", "null"], "any", ["any"], "OBJECT", "dict"], ids=str)
def test_a_request_may_be_something_else_too(kind: object) -> None:
    assert action({**takes(p=TEXT), "type": kind}).properties == {"p": TEXT}


@pytest.mark.parametrize("kind", [["bytes", "null"], "bytes", "file"], ids=str)
def test_bytes_are_a_file_also_where_they_may_be_null(kind: object) -> None:
    assert action(takes(p={"type": kind, "nullable": True})).binary == {"p"}


ODD: list[Any] = [
    {**takes(a={"required": True}), "required": [[], {}]},
    {"allOf": [{"$ref": []}, {"$ref": {}}]},
    {"oneOf": [{"$ref": "#/$defs/Odd"}], "discriminator": {"propertyName": ["kind"], "mapping": {"a": [{}]}}},
    {"nullable": True, "type": [[]], "enum": {}},
    {"items": [5, None], "dependencies": 5, "exclusiveMinimum": True, "minimum": "x"},
    {"$ref": "#anchor", "nullable": True},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_what_makes_no_sense_in_any_dialect_costs_no_other_action(odd: dict[str, Any]) -> None:
    definition: dict[str, Any] = {"required": [[]], "properties": {"a": {"required": True}}}
    schema: dict[str, Any] = {**takes(p=odd), "$defs": {"Odd": definition}}
    assert "good" in parse("notes", {"notes": {"odd": listed(schema), "good": listed()}})


def test_an_anchor_is_looked_for_however_deep_the_schema_is() -> None:
    schema: dict[str, Any] = {"type": "string", "format": "binary", "$anchor": "deep"}
    for _ in range(2_000):
        schema = {"type": "array", "contains": schema}
    assert action(takes(p={"$ref": "#deep"}, q=schema)).binary == {"p"}
