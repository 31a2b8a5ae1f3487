"""The listing of a connector whose schemas are like those of real ones: 12 KB, most of it to filter the answer."""

from typing import Any, Final

Schema = dict[str, Any]
_TEXT: Final = "What a field is about, in as many words as real listings have for it: one or two lines of text."


def _nullable(*branches: Schema, default: object = None) -> Schema:
    return {"anyOf": [*branches, {"type": "null"}], "default": default, "description": _TEXT, "title": "A Field"}


def _filter(kind: str, **fields: Schema) -> Schema:
    said = {"const": kind, "default": kind, "title": "Type", "type": "string"}
    name = {"type": "string", "title": "Field Name", "description": _TEXT}
    properties = {"field_name": name, "root": _nullable({"type": "string"}), "type": said, **fields}
    return {"type": "object", "title": kind, "description": _TEXT, "properties": properties, "required": ["field_name"]}


def _range(kind: str) -> dict[str, Schema]:
    return {name: _nullable({"type": kind}) for name in ("from_value", "to_value")}


def _list(kind: str) -> Schema:
    return {"type": "array", "items": {"type": kind}, "default": [], "title": "Values"}


_FILTERS: Final = {
    "date_range": _filter("date_range", **_range("string")),
    "string": _filter("string", value={"type": "string"}),
    "string_list": _filter("string_list", values=_list("string")),
    "number": _filter("number", value={"type": "number"}),
    "number_list": _filter("number_list", values=_list("number")),
    "number_range": _filter("number_range", **_range("number")),
}
_REFERENCES: Final = {kind: f"#/$defs/{kind}" for kind in _FILTERS}
_ANY_FILTER: Final = {
    "description": _TEXT,
    "discriminator": {"propertyName": "type", "mapping": _REFERENCES},
    "oneOf": [{"$ref": reference, "type": "object"} for reference in _REFERENCES.values()],
}
_STATE: Final = {"type": "string", "enum": ["open", "closed", "all"], "title": "State", "description": _TEXT}

SCHEMA: Final[Schema] = {
    "type": "object",
    "title": "ListCommitsRequest",
    "$defs": {"AnyFilter": _ANY_FILTER, "State": _STATE, **_FILTERS},
    "required": ["owner", "repo"],
    "properties": {
        "owner": {"type": "string", "description": _TEXT},
        "repo": {"type": "string", "description": _TEXT},
        "state": _nullable({"$ref": "#/$defs/State", "type": "string"}, default="all"),
        "response_fields": _nullable({"type": "array", "items": {"type": "string"}}),
        "response_filters": _nullable({"type": "array", "items": {"$ref": "#/$defs/AnyFilter", "type": "object"}}),
        **{f"text_{number}": _nullable({"type": "string"}) for number in range(12)},
        **{f"number_{number}": _nullable({"type": "integer"}) for number in range(12)},
        **{f"list_{number}": _nullable({"type": "array", "items": {"type": "string"}}) for number in range(3)},
    },
}
ARGUMENTS: Final = {"owner": "octocat", "repo": "hello-world", "state": "open", "number_0": 30, "number_1": 1}
"""What a program gives for it."""
_UPLOAD: Final = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "format": "binary"}},
}


def _action(name: str, schema: Schema) -> Schema:
    return {
        "method": "POST",
        "plugin_path": f"/{name}",
        "path": f"/connectors/bench/{name}",
        "docstring": "Lists what there is.",
        "parameters": {"request": {"name": "request", "required": True, "schema": schema}},
        "request_body": schema,
        "response": {"type": "any"},
    }


LISTING: Final = {
    "bench": {
        "list_commits": _action("list_commits", SCHEMA),
        "upload": _action("upload", _UPLOAD),
        "download": _action("download", {"type": "object", "properties": {}}),
    }
}
