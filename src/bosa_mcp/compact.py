"""A JSON Schema in the compact form that every model API takes: what a model reads stays, the rest goes.

Local references are inlined (one that leads back to itself becomes a plain object, or whatever it leads to), `X | null`
becomes `X`, `oneOf` becomes `anyOf`, and titles, examples, null defaults, discriminators and foreign keywords are left
out. Arguments are checked against the original, which allows nothing but null that this refuses.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bosa_connectors.keywords import TYPES, VALUES, is_pattern, makes_sense, target, typed
from bosa_connectors.keywords import schema as as_schema
from bosa_connectors.references import BRANCHING, UNIONS
from bosa_connectors.schema import is_deep
from bosa_connectors.shapes import is_array, is_number, is_object, items, members
from bosa_connectors.wording import describe
from bosa_mcp.invisible import INVISIBLE, plain
from bosa_mcp.root_keywords import ALTERNATIVES, parts, root_keywords

MOST_NODES: Final = 20_000
"""References that multiply each other would otherwise make a schema of any size."""
MOST_LEVELS: Final = 100


def compact(
    schema: Mapping[str, object], instead: Mapping[str, Mapping[str, object]], called: Callable[[str], str] = str
) -> dict[str, object]:
    """The compact form of an action's schema, `instead` taking the place of arguments of these names.

    Sentences name the arguments as they are `called`.

    Always an object without unions at its root. A ValueError says that the schema is too large.
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
    whole: dict[str, object] = {
        "type": "object",
        "properties": listed,
        **required,
        **root_keywords(root, names, instead, called),
    }
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
        if not is_object(schema) and not is_object(schema := as_schema(schema)):
            return {} if schema else {"not": {}}
        if "$ref" in schema:
            return self._reference(schema, path, within)
        if len(schema) == 1 and "type" in schema:  # half of all
            return _typed({}, schema["type"])
        kept: dict[str, object] = {}
        for key, value in schema.items():
            if key in VALUES:
                kept |= _said(key, value)
            elif key in _NESTING and makes_sense(key, value):
                kept |= self._nesting(key, value, (*path, key), within)
        if "oneOf" in kept:  # generators write it for any union, and what a branch says here may fit several
            kept = _merged({"anyOf": kept.pop("oneOf")}, kept)
        if "prefixItems" in kept:
            kept = _in_order(kept)
        return _without_null(_typed(kept, schema.get("type")))

    def _nesting(self, key: str, value: object, path: tuple[str, ...], within: tuple[str, ...]) -> dict[str, object]:
        if key in _ONE_SCHEMA:
            is_plain = key == "additionalProperties" and isinstance(value, bool)
            return {} if is_plain else {key: self.node(value, path, within)}
        if key in _SCHEMAS:
            return {key: [self.node(each, path, within) for each in items(value)]}
        named = {name: each for name, each in members(value).items() if key != "patternProperties" or is_pattern(name)}
        return {key: {name: self.node(each, (*path, name), within) for name, each in named.items()}}

    def _reference(
        self, schema: Mapping[str, object], path: tuple[str, ...], within: tuple[str, ...]
    ) -> dict[str, object]:
        reference = str(schema["$ref"])
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        if reference in within:
            found = target(self._root, reference)
            kind = "object" if self._is_object(found) else members(found).get("type")
            return self.node({"type": kind, **beside}, path, within)
        if (found := target(self._root, schema["$ref"])) is None:
            return self.node(beside, path, within)
        inner = self.node(found, (*path, "$ref"), (*within, reference))
        if "type" in inner:
            beside.pop("type", None)
        return _merged(inner, self.node(beside, path, within))

    def _is_object(self, schema: object, within: tuple[object, ...] = ()) -> bool:
        """Whether a schema that leads back to itself takes nothing but objects, and null."""
        node = members(as_schema(schema))
        if (found := target(self._root, reference := node.get("$ref"))) is not None:
            return reference in within or self._is_object(found, (*within, reference))
        for union in UNIONS:
            if branches := [each for each in items(node.get(union)) if members(each).get("type") != "null"]:
                return all(self._is_object(each, within) for each in branches)
        if "type" not in node:
            parts = any(self._is_object(each, within) for each in items(node.get("allOf")))
            return parts or "properties" in node
        return typed(node["type"]).get("type") in ("object", ["object", "null"], ["null", "object"])


def _said(key: str, value: object) -> dict[str, object]:
    """A keyword that holds no schema, as a model reads it."""
    if (key == "default" and value is None) or (key == "format" and value == "binary") or not VALUES[key](value):
        return {}
    if key == "description":
        return {key: plain(" ".join(map(str, value)) if is_array(value) else str(value))}
    if key == "contentEncoding":  # few models know more
        return {"format": value}
    return {"enum": [value]} if key == "const" else {key: value}


def _in_order(kept: dict[str, object]) -> dict[str, object]:
    """A tuple as a list of any of its items, which says in words in which order they come: few models know more."""
    first, others = items(kept.pop("prefixItems")), kept.get("items")
    if others == {"not": {}}:
        kept["maxItems"] = len(first)
    most = kept.get("maxItems")
    is_whole = is_number(most) and most <= len(first)
    different: list[object] = []
    for each in (*first, *([] if is_whole else [others])):
        plain_ = {key: value for key, value in members(each).items() if key != "description"}
        different += [] if plain_ in different else [plain_]
    of_items = different[0] if len(different) == 1 else {"anyOf": different}
    order = "; ".join(map(_named, first))
    said = f"{kept.get('description', '')} In this order: {order}.".strip()
    return {**kept, "items": {} if {} in different else of_items, "description": said}


def _named(item: object) -> str:
    named = members(item).get("description")
    return f"{describe(item)} ({str(named).rstrip('.')})" if named else describe(item)


def _typed(kept: dict[str, object], kind: object) -> dict[str, object]:
    """The schema with its type in one word; several become a union, for some APIs refuse a list."""
    if kind is None:
        return kept
    if isinstance(kind, str) and kind in TYPES:  # nearly always
        return {"type": kind, **(_OF_ANYTHING if kind == "array" else {}), **kept}
    known = typed(kind)
    if known.get("format", "binary") != "binary":
        kept = {"format": known["format"], **kept}
    kinds = known.get("type", [])
    kinds = kinds if is_array(kinds) else [kinds]
    meant = [each for each in kinds if each != "null"] or kinds
    if not meant:
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
        schema = {**schema, "enum": values} if values else {"type": "null"}
    for union in UNIONS:
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


_JOINED: Final = frozenset({"properties", "patternProperties", "required", "description", "default", "type"})
"""What two schemas say in one; of anything else that both say, the one stands below `allOf`."""
_OF_ANYTHING: Final[Mapping[str, object]] = {"items": {}}
_NULLABLE: Final = frozenset({"enum", *UNIONS})
_ONE_SCHEMA: Final = frozenset(
    {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
)
_SCHEMAS: Final = frozenset({"prefixItems", *BRANCHING})
_SCHEMAS_BY_NAME: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
_NESTING: Final = _ONE_SCHEMA | _SCHEMAS | _SCHEMAS_BY_NAME
