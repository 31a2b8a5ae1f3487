"""What OpenAPI 3.0 and older drafts of JSON Schema say in words of their own, as JSON Schema 2020-12 says it.

Generators of models write these all the same: `nullable`, limits that are exclusive or not, a tuple as a list of items,
`required` on the argument itself, null for a keyword that is not set. Whoever reads a schema knows one dialect.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias, cast

from bosa_connectors.references import BY_NAME, UNIONS, branches, follow, steps
from bosa_connectors.shapes import is_array, is_object, items, members

_Node: TypeAlias = Mapping[str, object]
_Kinds: TypeAlias = dict[str, dict[str, list[object]]]
"""By reference: the values by which a discriminator knows what is there, below the name that holds them."""

_BY_NAME: Final = BY_NAME | {"dependencies"}
_BELOW: Final = frozenset(
    {"allOf", *UNIONS, "prefixItems", "items", "additionalItems", "contains", "additionalProperties", "propertyNames"}
    | {"not", "if", "then", "else", "components"}
)
_SAYS_NULL: Final = frozenset({"default", "const"})
"""Keywords of which null is a value."""
_LABELS: Final = frozenset(
    {"title", "description", "default", "example", "examples", "nullable", "deprecated", "readOnly", "writeOnly"}
)
"""What stands beside a schema and has no say in what it allows."""
_ITEM: Final = re.compile(r"/items/(\d+)(?=/|$)")
"""On the way of a pointer: one item of a tuple."""
_DEFINITIONS: Final = ("#/$defs", "#/definitions", "#/components/schemas")
_COMPOSING: Final = frozenset({"$ref", "allOf", *UNIONS, "const"})


def may_be_older(text: str) -> bool:
    """Whether something in a schema's JSON may be of another dialect: nearly none has, and a walk takes longer."""
    unset = text.count(": null") - sum(text.count(f'"{key}": null') for key in _SAYS_NULL)
    return unset > 0 or any(word in text for word in _WRITTEN)


def today(schema: _Node) -> _Node:
    """The schema in JSON Schema 2020-12: itself, where that is how it is written."""
    signs = _signs(schema)
    kinds = _kinds(signs, schema)
    try:
        read = members(_read(schema)) if any(map(_is_older, signs)) else schema
    except RecursionError:  # nested more deeply than anybody takes, which is said where it is listed
        return schema
    for reference, names in kinds.items():
        read = _of_kind(read, steps(reference), names)
    return read


def _signs(schema: _Node) -> list[_Node]:
    """The objects in it that may be in another dialect: to look closely at all of them takes ten times as long."""
    found: list[_Node] = []
    ahead: list[object] = [schema]
    for each in ahead:
        if type(each) is dict:  # as JSON is read
            node = cast("_Node", each)
            values = node.values()
            if not _SIGNS.isdisjoint(node) or None in values:
                found.append(node)
            ahead += values
        elif type(each) is list:
            ahead += cast("list[object]", each)
    return found


def _is_older(node: _Node) -> bool:
    return (
        not _OLDER.isdisjoint(node)
        or is_array(node.get("items"))
        or isinstance(node.get("required"), bool)
        or any(value is None and key not in _SAYS_NULL for key, value in node.items())
    )


def _kinds(nodes: Sequence[_Node], root: _Node) -> _Kinds:
    """What discriminators alone say: alternatives that do not name the value by which they are known."""
    parts = [items(node.get("allOf")) for node in nodes]
    bases = {str(members(each).get("$ref")) for several in parts if len(several) > 1 for each in several}
    found: _Kinds = {}
    telling = [node for node in nodes if "propertyName" in members(node.get("discriminator"))]
    for node, reference in [*_alternatives(telling), *(_extending(telling, root) if telling else ())]:
        discriminator = members(node["discriminator"])
        name, mapping = str(discriminator["propertyName"]), members(discriminator.get("mapping"))
        if reference in bases or _is_known(name, follow(root, reference)):
            continue
        last = steps(f"/{reference}")[-1]
        named = [value for value, target in mapping.items() if target in (reference, last)] or [last]
        known = found.setdefault(reference, {}).setdefault(name, [])
        known += [value for value in named if value not in known]
    return found


def _alternatives(telling: Iterable[_Node]) -> Iterator[tuple[_Node, str]]:
    """The alternatives of which a discriminator tells."""
    for node in telling:
        for branch in branches(node):
            reference = members(branch).get("$ref")
            if isinstance(reference, str):
                yield node, reference


def _extending(telling: Sequence[_Node], root: _Node) -> Iterator[tuple[_Node, str]]:
    """The definitions that extend one with a discriminator, which tells of each of them."""
    for place in _DEFINITIONS:
        for name, each in members(follow(root, place)).items():
            for part in items(members(each).get("allOf")):
                base = follow(root, str(members(part).get("$ref")))
                if any(base is node for node in telling) and members(base).keys().isdisjoint(UNIONS):
                    yield members(base), f"{place}/{name.replace('~', '~0').replace('/', '~1')}"


def _is_known(name: str, target: object) -> bool:
    said = members(members(members(target).get("properties")).get(name))
    return not {"const", "enum"}.isdisjoint(said)


def _of_kind(node: _Node, place: Sequence[str], names: Mapping[str, list[object]]) -> _Node:
    """With what stands at this place known by these values."""
    if place:
        below = node.get(place[0])
        return {**node, place[0]: _of_kind(below, place[1:], names)} if is_object(below) else node
    properties = members(node.get("properties"))
    told = {name: {**members(properties.get(name)), "enum": values} for name, values in names.items()}
    return {**_requiring(node, names), "properties": {**properties, **told}}


def _read(node: object) -> object:
    """One schema, or several in a list."""
    if is_array(node):
        return [_read(each) for each in node]
    if not is_object(node):
        return node
    node = {
        key: _below(key, value)
        for key, value in _requiring(node, _said_below(node)).items()
        if not _is_unset(key, value)
    }
    for key, said in _WORDS.items():
        if key in node:
            node = said(node)
    return node


def _is_unset(key: str, value: object) -> bool:
    return (value is None and key not in _SAYS_NULL) or (key == "required" and isinstance(value, bool))


def _below(key: str, value: object) -> object:
    if key == "$ref":
        return _ITEM.sub(r"/prefixItems/\1", value) if isinstance(value, str) else value
    if key in _BY_NAME and is_object(value):
        return {name: _read(each) for name, each in value.items()}
    return _read(value) if key in _BELOW else value


def _requiring(node: _Node, names: Iterable[str]) -> _Node:
    required = items(node.get("required"))
    missing = [name for name in names if name not in required]
    return {**node, "required": [*required, *missing]} if missing else node


def _said_below(node: _Node) -> list[str]:
    """The names of which their own schemas say that they have to be given."""
    return [name for name, each in members(node.get("properties")).items() if members(each).get("required") is True]


def _without(node: _Node, *keys: str) -> dict[str, object]:
    return {key: value for key, value in node.items() if key not in keys}


def _only_part(node: _Node) -> _Node:
    """One part alone, which older drafts need to say anything beside a reference."""
    parts, beside = items(node["allOf"]), _without(node, "allOf")
    only = members(parts[0] if len(parts) == 1 else None)
    if not only or beside.keys() - _LABELS or (only.keys() & beside.keys()) - {"title"}:
        return node
    return {**only, **beside}


def _limit(inclusive: str, exclusive: str) -> Callable[[_Node], _Node]:
    def said(node: _Node) -> _Node:
        if not isinstance(node[exclusive], bool):
            return node
        if node[exclusive] and inclusive in node:
            return {**_without(node, inclusive), exclusive: node[inclusive]}
        return _without(node, exclusive)

    return said


def _tuple(node: _Node) -> _Node:
    if not is_array(node["items"]):
        return node
    others = {"items": node["additionalItems"]} if "additionalItems" in node else {}
    return {**_without(node, "items", "additionalItems"), "prefixItems": node["items"], **others}


def _dependencies(node: _Node) -> _Node:
    said = members(node["dependencies"])
    names = {name: each for name, each in said.items() if is_array(each)}
    schemas = {name: each for name, each in said.items() if not is_array(each)}
    return {
        **_without(node, "dependencies"),
        **({"dependentRequired": {**names, **members(node.get("dependentRequired"))}} if names else {}),
        **({"dependentSchemas": {**schemas, **members(node.get("dependentSchemas"))}} if schemas else {}),
    }


def _nullable(node: _Node) -> _Node:
    plain = _without(node, "nullable")
    allowing = _without(plain, *_LABELS)
    if node["nullable"] is not True or not allowing:
        return plain
    kind = plain.get("type")
    if kind is None or not _COMPOSING.isdisjoint(plain):
        labels = {key: value for key, value in plain.items() if key in _LABELS}
        return {**labels, "anyOf": [allowing, {"type": "null"}]}
    kinds, values = kind if is_array(kind) else [kind], items(plain.get("enum"))
    told = {"type": kinds if "null" in kinds else [*kinds, "null"]}
    return {**plain, **told, **({"enum": [*values, None]} if "enum" in plain and None not in values else {})}


def _anchor(node: _Node) -> _Node:
    name = str(node["$id"])
    return {**_without(node, "$id"), "$anchor": name[1:]} if name.startswith("#") else node


def _bytes(node: _Node) -> _Node:
    """What OpenAPI 3.1 calls a file."""
    is_file = node["contentMediaType"] == "application/octet-stream" and "contentEncoding" not in node
    return {**_without(node, "contentMediaType"), "format": "binary"} if is_file else node


_WORDS: Final[Mapping[str, Callable[[_Node], _Node]]] = {
    "$id": _anchor,
    "allOf": _only_part,
    "exclusiveMinimum": _limit("minimum", "exclusiveMinimum"),
    "exclusiveMaximum": _limit("maximum", "exclusiveMaximum"),
    "items": _tuple,
    "dependencies": _dependencies,
    "contentMediaType": _bytes,
    "nullable": _nullable,
}
"""Keywords that other dialects have, or mean in another way; one on which another one builds comes first."""
_OLDER: Final = frozenset(_WORDS.keys() - {"items"})
_SIGNS: Final = frozenset({*_WORDS, "required", "discriminator"})
_WRITTEN: Final = (
    *(f'"{word}": ' for word in sorted(_OLDER | {"discriminator"})),
    *('"required": t', '"required": f', '"items": ['),
)
"""Something of this, or a null, is in the JSON of each schema that is not of today."""


_CAMEL: Final = (
    *("anyOf", "oneOf", "allOf", "additionalProperties", "patternProperties", "propertyNames", "prefixItems"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "multipleOf"),
    *("exclusiveMinimum", "exclusiveMaximum", "minContains", "maxContains", "dependentRequired", "dependentSchemas"),
    *("readOnly", "writeOnly", "contentEncoding", "contentMediaType"),
)
_SPELLED: Final = {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", word): word for word in _CAMEL}
_VALUES: Final = frozenset({"default", "const", "enum", "examples", "required"})


def respelled(schema: object) -> object:
    """A schema out of the data of an answer, where all keys are in snake_case: its keywords as they are spelled."""
    if is_array(schema):
        return [respelled(each) for each in schema]
    if not is_object(schema):
        return schema
    spelled = {_SPELLED.get(key, key): value for key, value in schema.items()}
    return {
        key: {name: respelled(each) for name, each in members(value).items()}
        if key in _BY_NAME
        else (value if key in _VALUES else respelled(value))
        for key, value in spelled.items()
    }
