"""JSON Schemas as every published client takes them: a type beside each `$ref` and in each branch of an `anyOf`."""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bosa_connectors.shapes import is_object, items, members

Schema: TypeAlias = dict[str, object]
_MAPS = {"properties", "$defs"}
_VALUES = {"default", "examples", "enum", "const"}
_PLAIN_BYTES: Final = "plain-bytes"
_META: Schema = {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]}


def request_schema(model: type[BaseModel]) -> Schema:
    """The input schema of an action.

    Raises:
        TypeError: A field cannot be told to the published clients.

    """
    schema = _typed_schema(model.model_json_schema(by_alias=False, schema_generator=_Requests), model.__name__)
    if any(node.get("format") == _PLAIN_BYTES for node in _nodes(schema)):
        raise TypeError(f"{model.__name__} takes bytes: declare a file as InputFile, text as str.")
    definitions = cast("Mapping[str, Schema]", schema.get("$defs", {}))
    if any(_takes_file(field) for each in definitions.values() for field in _properties(each).values()):
        raise TypeError(f"{model.__name__} has a file within an object: a form can hold it as a field of its own only.")
    for name, field in model.model_fields.items():
        if not field.is_required() and not _accepts(_properties(schema)[name], "null"):
            raise TypeError(f"{model.__name__}.{name} is optional and does not accept null: declare it as `… | None`.")
        if any("items" in way and "type" not in _items(way) for way in _ways(_properties(schema)[name])):
            raise TypeError(f"{model.__name__}.{name}: published clients need one JSON type for the items of a list.")
    return schema


class _Requests(GenerateJsonSchema):
    """Tells bytes from files."""

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        return {**super().bytes_schema(schema), "format": _PLAIN_BYTES}


def form_lists(schema: Schema) -> frozenset[str] | None:
    """The fields that a form may repeat; None where no field is a file, and the arguments come as JSON."""
    fields = _properties(schema)
    if not any(map(_takes_file, fields.values())):
        return None
    return frozenset(name for name, field in fields.items() if _accepts(field, "array"))


def reply_schema(hint: object, title: str) -> Schema:
    """The schema of the whole envelope around data of this type."""
    adapter = TypeAdapter[object](cast("type[object]", hint))
    data = cast("Schema", adapter.json_schema(by_alias=False, mode="serialization"))
    definitions = data.pop("$defs", None)
    schema: Schema = {
        "title": title,
        "type": "object",
        "properties": {"data": data, "meta": _META},
        "required": ["data", "meta"],
    }
    return _typed_schema(schema | ({"$defs": definitions} if definitions else {}), title)


def _typed_schema(schema: Schema, owner: str) -> Schema:
    definitions = cast("Mapping[str, Schema]", schema.get("$defs", {}))
    return cast("Schema", _typed(schema, definitions, owner))


def _typed(node: object, definitions: Mapping[str, Schema], owner: str) -> object:
    if isinstance(node, list):
        return [_typed(item, definitions, owner) for item in cast("list[object]", node)]
    if not isinstance(node, dict):
        return node
    typed: Schema = {}
    for key, value in cast("Schema", node).items():
        if key in _VALUES:
            typed[key] = value
        elif key in _MAPS:
            named = cast("Schema", value)
            typed[key] = {name: _typed(schema, definitions, owner) for name, schema in named.items()}
        else:
            typed[key] = _typed(value, definitions, owner)
    if "$ref" in typed or "oneOf" in typed:
        typed["type"] = _type_of(typed, definitions, owner)
    for branch in _branches(typed, "anyOf"):
        branch["type"] = _type_of(branch, definitions, owner)
    return _described(typed)


def _described(node: Schema) -> Schema:
    """A description of `X | null` stands beside the alternatives, where readers look for it."""
    said = [branch.pop("description") for branch in _branches(node, "anyOf") if "description" in branch]
    return {"description": said[0], **node} if len(said) == 1 else node


def _type_of(node: Schema, definitions: Mapping[str, Schema], owner: str) -> str:
    if isinstance(node.get("type"), str):
        return cast("str", node["type"])
    if "$ref" in node:
        return _type_of(definitions[cast("str", node["$ref"]).removeprefix("#/$defs/")], definitions, owner)
    types = {_type_of(branch, definitions, owner) for branch in _branches(node, "oneOf") + _branches(node, "anyOf")}
    if len(types) != 1:
        raise TypeError(f"{owner}: published clients need one JSON type for each alternative, and {node} has none.")
    return types.pop()


def _nodes(value: object) -> Iterator[Schema]:
    if is_object(value):
        yield dict(value)
    for each in (*items(value), *members(value).values()):
        yield from _nodes(each)


def _branches(node: Schema, key: str) -> list[Schema]:
    return cast("list[Schema]", node.get(key, []))


def _properties(schema: Schema) -> Mapping[str, Schema]:
    return cast("Mapping[str, Schema]", schema.get("properties", {}))


def _takes_file(field: Schema) -> bool:
    ways = _ways(field)
    return any(each.get("format") == "binary" for each in (*ways, *(_items(way) for way in ways)))


def _ways(field: Schema) -> list[Schema]:
    """The field as each of the types that it may have."""
    return [field, *_branches(field, "anyOf")]


def _items(field: Schema) -> Schema:
    return cast("Schema", field.get("items", {}))


def _accepts(field: Schema, kind: str) -> bool:
    return any(each.get("type") == kind for each in _ways(field))
