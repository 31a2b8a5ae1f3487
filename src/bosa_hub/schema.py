"""JSON Schemas as every published client takes them: a type beside each `$ref` and in each branch of an `anyOf`."""

from collections.abc import Mapping
from typing import TypeAlias, cast

from pydantic import BaseModel, TypeAdapter

Schema: TypeAlias = dict[str, object]
_MAPS = {"properties", "$defs"}
_VALUES = {"default", "examples", "enum", "const"}
_META: Schema = {"anyOf": [{"type": "object", "additionalProperties": True}, {"type": "null"}]}


def request_schema(model: type[BaseModel]) -> Schema:
    """The input schema of an action.

    Raises:
        TypeError: A field cannot be told to the published clients.

    """
    schema = _typed_schema(model.model_json_schema(by_alias=False), model.__name__)
    for name, field in model.model_fields.items():
        if not field.is_required() and not _accepts_null(_properties(schema)[name]):
            raise TypeError(f"{model.__name__}.{name} is optional and does not accept null: declare it as `… | None`.")
    return schema


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
    if "$ref" in typed:
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


def _branches(node: Schema, key: str) -> list[Schema]:
    return cast("list[Schema]", node.get(key, []))


def _properties(schema: Schema) -> Mapping[str, Schema]:
    return cast("Mapping[str, Schema]", schema["properties"])


def _accepts_null(schema: Schema) -> bool:
    return schema.get("type") == "null" or any(branch.get("type") == "null" for branch in _branches(schema, "anyOf"))
