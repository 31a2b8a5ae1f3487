"""A JSON Schema in the compact form that every model API takes: what a model reads stays, the rest goes.

Local references are inlined (one that leads back to itself becomes a plain object), `X | null` becomes `X`, and titles,
examples, null defaults, discriminators and foreign keywords are left out. Arguments are checked against the original.
"""

import math
from collections.abc import Callable, Mapping
from typing import Final

from bosa_connectors.references import follow
from bosa_connectors.schema import is_deep, is_pattern
from bosa_connectors.shapes import is_array, is_number, is_object, items, members
from bosa_mcp.invisible import INVISIBLE, plain
from bosa_mcp.together import ALTERNATIVES, UNIONS, beside, parts

MOST_NODES: Final = 20_000
"""References that multiply each other would otherwise make a schema of any size."""
MOST_LEVELS: Final = 100


def compact(schema: Mapping[str, object], instead: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """The compact form of an action's schema, `instead` taking the place of arguments of these names.

    Always an object without unions at its root. A ValueError says which part of the schema makes no sense.
    """
    if "properties" in schema:
        own = {name: each for name, each in members(schema["properties"]).items() if name not in instead}
        schema = {**schema, "properties": own}
    root = _Compactor(schema).node(schema, (), ())
    properties: dict[str, object] = {}
    for part in parts(root, ALTERNATIVES):
        for name, each in members(part.get("properties")).items():
            properties[name] = _either(properties[name], each) if name in properties else each
    names = dict.fromkeys(str(name) for part in parts(root) for name in items(part.get("required")))
    for name in names:
        properties.setdefault(name, {})
    listed = {**properties, **instead}
    required = {"required": list(names)} if names else {}
    whole: dict[str, object] = {"type": "object", "properties": listed, **required, **beside(root, names, instead)}
    if is_deep(whole):
        raise ValueError("the schema is too large: nested more deeply than a list of tools can hold")
    return whole


def refuse_invisible(schema: Mapping[str, object]) -> None:
    """A ValueError for a name or a value with characters that nobody sees: it cannot be given as it is shown."""
    ahead: list[object] = [schema]
    for value in ahead:
        ahead += [*value, *value.values()] if is_object(value) else items(value)
        if isinstance(value, str) and INVISIBLE.search(value):
            raise ValueError(f"its schema holds {ascii(value)[:100]}, with characters that nobody sees")


def _either(one: object, other: object) -> object:
    """A parameter that is one thing in one alternative, and another in the next."""
    if one == other:
        return one
    known = items(members(one).get("anyOf")) if len(members(one)) == 1 else []
    return {"anyOf": [*(known or [one]), other]}


class _Compactor:
    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._nodes = 0

    def node(self, schema: object, path: tuple[str, ...], within: tuple[str, ...]) -> dict[str, object]:
        """One schema; `path` says where it stands, `within` which references led to it."""
        self._nodes += 1
        if self._nodes > MOST_NODES or len(path) > MOST_LEVELS:
            raise ValueError("the schema is too large once its references are inlined")
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not is_object(schema):
            raise ValueError(f"{_where(path)} is no schema")
        if "$ref" in schema:
            return self._reference(schema, path, within)
        if len(schema) == 1 and "type" in schema:  # half of all
            return _typed({}, schema["type"], path)
        kept: dict[str, object] = {}
        for key, value in schema.items():
            if key in _VALUES:
                kept |= _said(key, value, path)
            elif key in _NESTING:
                kept |= self._nesting(key, value, (*path, key), within)
        return _without_null(_typed(kept, schema.get("type"), path))

    def _nesting(self, key: str, value: object, path: tuple[str, ...], within: tuple[str, ...]) -> dict[str, object]:
        if key in _ONE_SCHEMA:
            is_plain = key == "additionalProperties" and isinstance(value, bool)
            return {} if is_plain else {key: self.node(value, path, within)}
        if key in _SCHEMAS and is_array(value):
            return {key: [self.node(each, path, within) for each in value]}
        if key in _SCHEMAS_BY_NAME and is_object(value) and (key != "patternProperties" or all(map(is_pattern, value))):
            return {key: {name: self.node(each, (*path, name), within) for name, each in value.items()}}
        raise ValueError(f"{_where(path)} makes no sense")

    def _reference(
        self, schema: Mapping[str, object], path: tuple[str, ...], within: tuple[str, ...]
    ) -> dict[str, object]:
        reference = str(schema["$ref"])
        if reference in within:
            beside = {key: value for key, value in schema.items() if key not in {"$ref", "type"}}
            return _merged({"type": "object"}, self.node(beside, path, within))
        target = self.node(self._follow(reference, path), (*path, "$ref"), (*within, reference))
        beside = {
            key: value for key, value in schema.items() if key != "$ref" and not (key == "type" and key in target)
        }
        return _merged(target, self.node(beside, path, within))

    def _follow(self, reference: str, path: tuple[str, ...]) -> object:
        if not reference.startswith("#"):
            raise ValueError(f"{_where(path)} refers to another document, {reference[:200]!r}")
        if (found := follow(self._root, reference)) is None:
            raise ValueError(f"{_where(path)} refers to {reference[:200]!r}, which is not there")
        return found


def _said(key: str, value: object, path: tuple[str, ...]) -> dict[str, object]:
    """A keyword that holds no schema, as a model reads it."""
    if not _VALUES[key](value):
        raise ValueError(f"{_where((*path, key))} makes no sense")
    if (key == "default" and value is None) or (key == "format" and value == "binary"):
        return {}
    if key == "description":
        return {key: plain(str(value))}
    return {"enum": [value]} if key == "const" else {key: value}


def _typed(kept: dict[str, object], kind: object, path: tuple[str, ...]) -> dict[str, object]:
    """The schema with its type in one word; several become a union, for some APIs refuse a list."""
    if kind is None:
        return kept
    if isinstance(kind, str) and kind in _TYPES:  # nearly always
        return {"type": kind, **(_OF_ANYTHING if kind == "array" else {}), **kept}
    kinds = ["string" if each == "bytes" else each for each in (kind if is_array(kind) else [kind])]
    for each in kinds:
        if each is not None and each != "any" and not (isinstance(each, str) and each in _TYPES):
            raise ValueError(f"{_where(path)} has the type {str(each)[:40]!r}, which there is not")
    meant = [each for each in kinds if each != "null"] or kinds
    if not meant or None in meant or "any" in meant:
        return kept
    if len(meant) == 1:
        return {"type": meant[0], **(_OF_ANYTHING if meant == ["array"] else {}), **kept}
    of_items = kept.pop("items", {}) if "array" in meant else None
    union = [{"type": each, "items": of_items} if each == "array" else {"type": each} for each in meant]
    return (
        {**kept, "allOf": [*items(kept.get("allOf")), {"anyOf": union}]}
        if "anyOf" in kept
        else {**kept, "anyOf": union}
    )


def _without_null(schema: dict[str, object]) -> dict[str, object]:
    """The schema without null: an argument that may be null may be left out."""
    if _NULLABLE.isdisjoint(schema):
        return schema
    if "enum" in schema:
        values = [value for value in items(schema["enum"]) if value is not None]
        schema = {**schema, "enum": values} if values or not schema["enum"] else {"type": "null"}
    for union in UNIONS[:2]:
        if union not in schema:
            continue
        branches = [branch for branch in map(members, items(schema[union])) if branch.get("type") != "null"]
        if len(branches) == 1:
            schema = _merged(branches[0], {key: value for key, value in schema.items() if key != union})
        elif branches:
            schema = {**schema, union: branches}
    return schema


def _merged(inner: Mapping[str, object], outer: Mapping[str, object]) -> dict[str, object]:
    """Both schemas in one."""
    merged = {**inner, **outer}
    if len(merged) == len(inner) + len(outer):  # they speak of different things, as nearly always
        return merged
    for key in ("properties", "patternProperties"):
        if key in inner and key in outer:
            merged[key] = {**members(inner[key]), **members(outer[key])}
    if "required" in inner and "required" in outer:
        merged["required"] = list(dict.fromkeys([*items(inner["required"]), *items(outer["required"])]))
    hidden = {key: value for key, value in inner.items() if key not in _JOINED and outer.get(key, value) != value}
    if hidden:
        merged["allOf"] = [
            *items(outer.get("allOf")),
            *(items(hidden.pop("allOf", None))),
            *([hidden] if hidden else []),
        ]
    said = [str(each["description"]) for each in (outer, inner) if each.get("description")]
    return {**merged, "description": " ".join(dict.fromkeys(said))} if said else merged


def _where(path: tuple[str, ...]) -> str:
    return ".".join(path)[-200:] or "the schema"


def _is_anything(_: object) -> bool:
    return True


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return is_number(value) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return is_number(value) and value >= 0 and value % 1 == 0


def _is_factor(value: object) -> bool:
    return isinstance(value, (int, float)) and _is_number(value) and value > 0


def _is_names(value: object) -> bool:
    return is_array(value) and all(isinstance(name, str) for name in value)


def _is_names_by_name(value: object) -> bool:
    return is_object(value) and all(map(_is_names, value.values()))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


_JOINED: Final = frozenset({"properties", "patternProperties", "required", "description", "default", "type"})
"""What two schemas say in one; of anything else that both say, the one stands below `allOf`."""
_TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_OF_ANYTHING: Final[Mapping[str, object]] = {"items": {}}
_NULLABLE: Final = frozenset({"enum", *UNIONS[:2]})
_ONE_SCHEMA: Final = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
)
_SCHEMAS: Final = frozenset({"prefixItems", *UNIONS})
_SCHEMAS_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_NESTING: Final = _ONE_SCHEMA | _SCHEMAS | _SCHEMAS_BY_NAME
_VALUES: Final[Mapping[str, Callable[[object], bool]]] = {
    "description": _is_text,
    "enum": is_array,
    "const": _is_anything,
    "default": _is_anything,
    "format": _is_text,
    "pattern": is_pattern,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "multipleOf": _is_factor,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minItems": _is_count,
    "maxItems": _is_count,
    "minProperties": _is_count,
    "maxProperties": _is_count,
    "minContains": _is_count,
    "maxContains": _is_count,
    "uniqueItems": _is_flag,
    "required": _is_names,
    "dependentRequired": _is_names_by_name,
}
"""Keywords that stay as they are, each with what makes sense for it."""
