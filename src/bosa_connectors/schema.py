"""Arguments checked against an action's schema: JSON Schema 2020-12 in full, compiled once per action, on first use.

References to other documents are refused without a request.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, TypeAlias, cast
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem, nearest
from bosa_connectors.form import Source, StandIn
from bosa_connectors.shapes import is_array, is_object, items, members

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from bosa_connectors.glance import Check

Node: TypeAlias = Mapping[str, object]
"""One schema inside a schema."""


_FILE = StandIn("(a file)")
_COMPILED: "WeakKeyDictionary[Action, Check]" = WeakKeyDictionary()
_SCALARS = (str, int, float, NoneType)
_DEEP = 100
"""Levels of arguments that no action means to take."""

UNKNOWN = "Unknown field"
A_FILE = "a Path, bytes, a ConnectorFile, or a file opened in binary mode"
_OWN_DEFINITION = re.compile("#/[^/%~]+/[^/%~]+")
_NOTHING: Node = {"not": {}}
"""What `false` means, in a form of which the validator says where it stands."""
_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_PARTS = frozenset({"allOf", "not", "if", "then", "else", "contains", "dependentSchemas"})
_CONDITIONS = frozenset({"if", "not", "contains"})
_UNIONS = frozenset({"anyOf", "oneOf"})
_BELOW = _PARTS | _UNIONS | {"items", "additionalProperties", "prefixItems", "propertyNames"}
_COMPOSING = (_PARTS - {"contains"}) | _UNIONS | {"$ref", "$dynamicRef"}
_OPEN = _COMPOSING | {"additionalProperties", "patternProperties", "unevaluatedProperties"}


def check(action: Action, arguments: Mapping[str, object]) -> None:
    """Raises InvalidArguments with everything that is wrong, InvalidSchema where the schema itself makes no sense."""
    try:
        found = _COMPILED.get(action) or _compile(action)
        errors = found(_without_files(action, arguments))
    except (RecursionError, AttributeError, TypeError, ValueError) as odd:
        if isinstance(odd, RecursionError) and is_deep(arguments):
            raise InvalidArguments([Problem("", "Nested too deeply", f"at most {_DEEP} levels")]) from odd
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} cannot be followed: {odd}"[:500]) from odd
    if errors:
        raise InvalidArguments(dict.fromkeys(problem for error in errors for problem in _problems(error)))


def _without_files(action: Action, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return {name: _stand_in(value) for name, value in arguments.items()} if action.binary else arguments


def _stand_in(value: object) -> object:
    if isinstance(value, Source):
        return _FILE
    return [_stand_in(each) for each in value] if is_array(value) else value


def is_deep(value: object) -> bool:
    """Whether a value is nested more deeply than any action means to take."""
    level = [value]
    for _ in range(_DEEP):
        level = [
            below
            for each in level
            for below in (each if is_array(each) else members(each).values())
            if not isinstance(below, _SCALARS)
        ]
        if not level:
            return False
    return True


def _compile(action: Action) -> "Check":
    from bosa_connectors import glance  # noqa: PLC0415  jsonschema takes long to import, and a program may never call

    parts: set[int] = set()
    _mark_parts(action.schema, action.schema, parts, is_part=False)
    schema = members(_proper(action.schema, parts, is_part=False))
    if (reason := glance.refusal(schema)) is not None:
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} makes no sense: {reason[:300]}")
    _link(schema, schema)
    return _COMPILED.setdefault(action, glance.compiled(schema, takes_files=bool(action.binary)))


# A name that the schema does not know is an error here, although JSON Schema says otherwise: servers drop it in
# silence. Objects that are put together from parts stay as they are, for a part does not know the others' names.


def _proper(node: object, parts: Collection[int] | None, *, is_part: bool) -> object:
    """The schema with unknown names refused, and the types `any` and `bytes`, which are none, put in proper terms."""
    if is_array(node):
        return [_proper(each, parts, is_part=is_part) for each in node]
    if not is_object(node):
        return node if node is not False else _NOTHING
    is_part = is_part or parts is None or id(node) in parts
    schema = dict(node) | _proper_type(node.get("type"))
    for key, value in node.items():
        below = _is_part_below(key, node, is_part=is_part)
        if key in _BY_NAME:
            schema[key] = {name: _proper(each, parts, is_part=below) for name, each in members(value).items()}
        elif key in _BELOW and not isinstance(value, bool):
            # a condition stays whole: to close what it does not mention would change when it holds
            schema[key] = _proper(value, None if key in _CONDITIONS else parts, is_part=below)
    if "properties" in node and not is_part and not _OPEN & node.keys():
        schema["additionalProperties"] = False
    return schema


def _proper_type(kind: object) -> dict[str, object]:
    kinds = kind if is_array(kind) else [kind]
    if "any" in kinds:
        return {"type": ["object", "array", "string", "number", "boolean", "null"]}
    if "bytes" in kinds:
        known = ["string" if each == "bytes" else each for each in kinds]
        return {"type": known if is_array(kind) else "string", "format": "binary"}
    return {}


def _mark_parts(node: object, root: Node, parts: set[int], *, is_part: bool) -> None:
    """Adds to `parts` the id of each schema that a reference makes a part of an object, not a whole one."""
    for each in items(node):
        _mark_parts(each, root, parts, is_part=is_part)
    schema = members(node)
    if "$ref" in schema and (is_part or _has_parts_beside("$ref", schema)):
        target = _follow(root, str(schema["$ref"]))
        if id(target) not in parts:
            parts.add(id(target))
            _mark_parts(target, root, parts, is_part=True)
    for key, value in schema.items():
        below = _is_part_below(key, schema, is_part=is_part)
        if key in _BY_NAME:
            for each in members(value).values():
                _mark_parts(each, root, parts, is_part=below)
        elif key in _BELOW:
            _mark_parts(value, root, parts, is_part=below)


def _is_part_below(key: str, node: Node, *, is_part: bool) -> bool:
    return key in _PARTS or (key in _UNIONS and (is_part or _has_parts_beside(key, node)))


def _has_parts_beside(key: str, node: Node) -> bool:
    return bool((_COMPOSING | {"properties", "patternProperties"}) & (node.keys() - {key}))


def _link(node: object, root: Node) -> None:
    """Lets the references in a schema of our own know where they lead, if that is a definition in it."""
    from bosa_connectors.glance import Link  # noqa: PLC0415  as above

    for each in items(node):
        _link(each, root)
    if not isinstance(node, dict) or ("$id" in node and node is not root):
        return
    schema = cast("dict[str, object]", node)
    reference = str(schema.get("$ref"))
    if _OWN_DEFINITION.fullmatch(reference) and is_object(target := _follow(root, reference)):
        schema["$ref"] = Link.to(target, reference)
    for key, value in schema.items():
        for each in members(value).values() if key in _BY_NAME else [value] if key in _BELOW else []:
            _link(each, root)


def _follow(root: Node, reference: str) -> object:
    if not reference.startswith("#/"):
        return root if reference == "#" else _anchored(root, reference.removeprefix("#"))
    found: object = root
    for part in reference.split("/")[1:]:
        found = members(found).get(unquote(part).replace("~1", "/").replace("~0", "~"))
    return found


def _anchored(node: object, name: str) -> object:
    schema = members(node)
    below = (_anchored(each, name) for each in (*schema.values(), *items(node)))
    return schema if schema.get("$anchor") == name else next((found for found in below if found), None)


def _problems(error: "ValidationError") -> Iterator[Problem]:
    """What is wrong, in words that a person or a model can act on."""
    path, schema, instance = _path(error.absolute_path), members(error.schema), cast("object", error.instance)
    known = members(schema.get("properties"))
    if error.validator == "required":
        for name in items(error.validator_value):
            if name not in members(instance):
                yield Problem(_join(path, str(name)), "Field required", describe(known.get(str(name))))
    elif error.validator == "additionalProperties" and error.validator_value is False:
        patterns = [re.compile(pattern) for pattern in members(schema.get("patternProperties"))]
        for name in members(instance):
            if name not in known and not any(pattern.search(name) for pattern in patterns):
                yield Problem(_join(path, name), UNKNOWN, _one_of(list(known)), nearest(name, known))
    elif error.validator == "format":
        yield Problem(path, f"Expected a file, got {_shown(instance)}: give {A_FILE}", A_FILE)
    elif within := list(_within_union(error)):
        yield from within
    else:
        is_described = error.validator in _DESCRIBED
        expected = describe(schema) if is_described else error.message[:_LONG]
        yield Problem(path, f"Expected {expected}, got {_shown(instance)}" if is_described else expected, expected)


def _within_union(error: "ValidationError") -> Iterator[Problem]:
    """Where a union fails: what is wrong within the one branch that was meant, if that can be told."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or () if error.validator in _UNIONS else ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    possible = [errors for errors in branches.values() if not any(_is_of_another_type(each, error) for each in errors)]
    meant = [errors for errors in possible if not any(_tells_apart(each, error) for each in errors)]
    if len(chosen := possible if len(possible) == 1 else meant) == 1:
        for inner in chosen[0]:
            yield from _problems(inner)
    elif possible and not meant:
        apart = [each for errors in possible for each in errors if _tells_apart(each, error)]
        if len({_path(each.absolute_path) for each in apart}) == 1:
            known = [value for each in apart for value in items(each.validator_value) or [each.validator_value]]
            expected = _one_of(list(dict.fromkeys(map(str, known))))
            shown = _shown(cast("object", apart[0].instance))
            yield Problem(_path(apart[0].absolute_path), f"Expected {expected}, got {shown}", expected)
    elif len(meant) > 1:
        yield from _lacking_in_all(meant, error)


def _lacking_in_all(branches: "list[list[ValidationError]]", union: "ValidationError") -> Iterator[Problem]:
    """What each of the branches requires, and is not there: it may say which of them is meant."""
    lacking = [
        {
            str(name): members(members(inner.schema).get("properties")).get(str(name))
            for inner in errors
            if inner.validator == "required" and _depth(inner, union) == 0
            for name in items(inner.validator_value)
            if name not in members(cast("object", inner.instance))
        }
        for errors in branches
    ]
    for name in lacking[0]:
        if all(name in each for each in lacking):
            expected = describe({"anyOf": [each[name] for each in lacking]})
            yield Problem(_join(_path(union.absolute_path), name), "Field required", expected)


def _is_of_another_type(inner: "ValidationError", union: "ValidationError") -> bool:
    return inner.validator == "type" and _depth(inner, union) == 0


def _depth(inner: "ValidationError", union: "ValidationError") -> int:
    return len(inner.absolute_path) - len(union.absolute_path)


def _tells_apart(inner: "ValidationError", union: "ValidationError") -> bool:
    """Whether this error says that the branch was not meant: a constant in it, by which branches are told apart."""
    is_constant = inner.validator == "const" or (inner.validator == "enum" and len(items(inner.validator_value)) == 1)
    return is_constant and _depth(inner, union) <= 1


def describe(schema: object) -> str:
    """What a schema expects, in a few words: `integer from 1 to 100`, `one of open, closed`."""
    node = members(schema)
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return _one_of(items(node["enum"]))
    for union in ("anyOf", "oneOf"):
        if union in node:
            return " or ".join(dict.fromkeys(describe(branch) for branch in items(node[union])))
    kind = node.get("type", "object" if "$ref" in node or "properties" in node else "any value")
    words = " or ".join(str(each) for each in kind) if is_array(kind) else str(kind)
    return words + "".join(_limits(node))


def _limits(node: Mapping[str, object]) -> Iterator[str]:
    if "format" in node:
        yield " (a file)" if node["format"] == "binary" else f" ({node['format']})"
    if is_object(node.get("items")):
        yield f" of {describe(node['items'])}"
    for low, high, unit in _RANGES:
        if low in node and high in node:
            yield f" {'of' if unit else 'from'} {node[low]} to {node[high]}{unit}"
        elif low in node or high in node:
            yield f" of at {'least' if low in node else 'most'} {node.get(low, node.get(high))}{unit}"
    for key, words in _LIMITS.items():
        if key in node:
            yield f" {words} {node[key]}"


_DESCRIBED = frozenset(
    {"type", "enum", "const", "anyOf", "oneOf", "pattern", "format", "multipleOf", "minimum", "maximum"}
    | {"exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"}
)
"""Keywords that a description of the schema tells of."""
_LONG = 300

_RANGES = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"))
_LIMITS = {
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
    "multipleOf": "that is a multiple of",
    "pattern": "that matches",
}


def _one_of(values: Sequence[object], most: int = 20) -> str:
    shown = [value if isinstance(value, str) else json.dumps(value) for value in values]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return f"one of {', '.join(shown[:most])}{more}" if shown else "nothing"


def _shown(value: object, most: int = 60) -> str:
    if is_object(value) or is_array(value):
        return f"an {'object' if is_object(value) else 'array'} of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=_kind)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _kind(value: object) -> str:
    """What is no JSON, as a file is, without a word of what is in it."""
    return f"<{type(value).__name__}>"


def _path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
