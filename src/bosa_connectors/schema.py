"""Arguments checked against an action's schema: JSON Schema 2020-12 in full, compiled once per action, on first use.

References to other documents are refused without a request.
"""

import re
from collections.abc import Collection, Mapping
from types import NoneType
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem
from bosa_connectors.form import Source, StandIn
from bosa_connectors.problems import Node, explain
from bosa_connectors.references import follow
from bosa_connectors.shapes import is_array, is_object, items, members

if TYPE_CHECKING:
    from bosa_connectors.glance import Check

_FILE = StandIn("(a file)")
_COMPILED: "WeakKeyDictionary[Action, Check]" = WeakKeyDictionary()
_SCALARS = (str, int, float, NoneType)
_DEEP = 100
"""Levels of arguments that no action means to take."""
_NO_MISTAKE = 20
"""Levels that can be followed, unless the schema leads from itself to itself."""
_PANIC = "PanicException"
"""What rpds, which jsonschema is built on, makes of a RecursionError within it: it derives from BaseException alone."""

_OWN_DEFINITION = re.compile("#/[^/%~]+/[^/%~]+")
_ECMA = re.compile(r"\\[pP]\{[^{}]{1,100}\}|\\u\{[0-9a-fA-F]{1,6}\}|\\c[A-Za-z]|\\k<\w+>|\(\?<(?P<group>[^\W\d]\w*)>")
"""What Python writes in another way, or not at all."""
_NOTES = frozenset(
    {"title", "description", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
    | {"contentMediaType", "contentEncoding", "contentSchema"}
)
"""Keywords that allow everything, whatever is written there: OpenAPI's `examples` are no list, for one."""
_NOTHING: Node = {"not": {}}
"""What `false` means, in a form of which the validator says where it stands."""
_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions", "schemas", "dependentSchemas"})
_PARTS = frozenset({"allOf", "not", "if", "then", "else", "contains", "dependentSchemas"})
_CONDITIONS = frozenset({"if", "not", "contains"})
_UNIONS = frozenset({"anyOf", "oneOf"})
_BELOW = _PARTS | _UNIONS | {"items", "additionalProperties", "prefixItems", "propertyNames", "components"}
_COMPOSING = (_PARTS - {"contains"}) | _UNIONS | {"$ref", "$dynamicRef"}
_OPEN = _COMPOSING | {"additionalProperties", "patternProperties", "unevaluatedProperties"}


def check(action: Action, arguments: Mapping[str, object]) -> None:
    """Raises InvalidArguments with everything that is wrong, InvalidSchema where the schema itself makes no sense."""
    try:
        found = _COMPILED.get(action) or _compile(action)
        errors = found(_without_files(action, arguments))
    except (AttributeError, TypeError, ValueError) as odd:
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} cannot be followed: {odd}"[:500]) from odd
    except BaseException as odd:
        if not isinstance(odd, RecursionError) and type(odd).__name__ != _PANIC:
            raise
        if is_deep(arguments, _NO_MISTAKE):
            raise InvalidArguments([Problem("", "Nested too deeply", "fewer levels")]) from odd
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} has no end.") from odd
    if errors:
        raise InvalidArguments(dict.fromkeys(problem for error in errors for problem in explain(error)))


def _without_files(action: Action, arguments: Mapping[str, object]) -> Mapping[str, object]:
    return {name: _stand_in(value) for name, value in arguments.items()} if action.binary else arguments


def _stand_in(value: object) -> object:
    if isinstance(value, Source):
        return _FILE
    return [_stand_in(each) for each in value] if is_array(value) else value


def is_deep(value: object, levels: int = _DEEP) -> bool:
    """Whether a value is nested more deeply than this, or than any action means to take."""
    level = [value]
    for _ in range(levels):
        level = [
            below
            for each in level
            for below in (
                each.values() if isinstance(each, dict) else each if isinstance(each, list) else members(each).values()
            )
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
    node = _read(node)
    schema = {key: value for key, value in node.items() if key not in _NOTES} | _proper_type(node.get("type"))
    if _is_named_twice(node.get("required")):
        schema["required"] = list(dict.fromkeys(items(node["required"])))
    for key, value in node.items():
        below = _is_part_below(key, node, is_part=is_part)
        if key in _BY_NAME:
            schema[key] = {name: _proper(each, parts, is_part=below) for name, each in members(value).items()}
        elif key in _BELOW and not isinstance(value, bool):
            # a condition stays whole: to close what it does not mention would change when it holds
            schema[key] = _proper(value, None if key in _CONDITIONS else parts, is_part=below)
    if "properties" in node and not is_part and not _OPEN & node.keys():
        known = members(schema["properties"])
        unsaid: dict[str, object] = {str(name): {} for name in items(node.get("required")) if name not in known}
        schema["properties"] = {**known, **unsaid}  # what must be given may be given
        schema["additionalProperties"] = False
    return schema


def _is_named_twice(required: object) -> bool:
    names = [name for name in items(required) if isinstance(name, str)]
    return len(set(names)) < len(names) == len(items(required))


def _read(node: Node) -> Node:
    """The schema without the patterns that Python cannot read, of which the API alone can tell what they mean."""
    by_name = members(node.get("patternProperties"))
    foreign = {name for name in by_name if is_pattern(name) and not _is_read(name)}
    if foreign:
        kept = {name: each for name, each in by_name.items() if name not in foreign}
        node = {**node, "patternProperties": kept, "additionalProperties": True}
    if "pattern" in node and is_pattern(node["pattern"]) and not _is_read(node["pattern"]):
        node = {key: value for key, value in node.items() if key != "pattern"}
    return node


def is_pattern(text: object) -> bool:
    """Whether this is a regular expression, as JSON Schema takes them from ECMAScript."""
    return isinstance(text, str) and (_is_read(text) or _is_read(_ECMA.sub(_as_python, text)))


def _as_python(found: re.Match[str]) -> str:
    return f"(?P<{found['group']}>" if found["group"] else "a"


def _is_read(pattern: object) -> bool:
    try:
        return isinstance(pattern, str) and bool(re.compile(pattern))
    except (re.error, RecursionError, OverflowError):
        return False


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
        target = follow(root, str(schema["$ref"]))
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
    if _OWN_DEFINITION.fullmatch(reference) and is_object(target := follow(root, reference)):
        schema["$ref"] = Link.to(target, reference)
    for key, value in schema.items():
        for each in members(value).values() if key in _BY_NAME else [value] if key in _BELOW else []:
            _link(each, root)
