"""Arguments checked against an action's schema: JSON Schema 2020-12 in full, compiled once per action, on first use.

What makes no sense in a schema says nothing, nor does what would be in another document, which is never asked for.
"""

import re
from collections.abc import Collection, Mapping
from types import NoneType
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem
from bosa_connectors.form import Source, StandIn
from bosa_connectors.keywords import is_read, makes_sense, target, typed
from bosa_connectors.keywords import schema as as_schema
from bosa_connectors.known_names import names
from bosa_connectors.problems import Node, told
from bosa_connectors.references import BRANCHING, BY_NAME, UNIONS, follow
from bosa_connectors.shapes import is_array, is_object, items, members

if TYPE_CHECKING:
    from bosa_connectors.validator import Check

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
_NOTES = frozenset(
    {"title", "description", "examples", "deprecated", "readOnly", "writeOnly", "$comment"}
    | {"contentMediaType", "contentEncoding", "contentSchema", "$schema", "$vocabulary"}
)
"""Keywords that allow everything, whatever is written there: OpenAPI's `examples` are no list, for one."""
_NOTHING: Node = {"not": {}}
"""What `false` means, in a form of which the validator says where it stands."""
_PARTS = frozenset({"allOf", "not", "if", "then", "else", "contains", "dependentSchemas"})
_CONDITIONS = frozenset({"if", "not", "contains"})
_LISTS = frozenset({*BRANCHING, "prefixItems"})
_OTHERS = frozenset({"additionalProperties", "unevaluatedProperties", "unevaluatedItems"})
_BELOW = _PARTS | _LISTS | _OTHERS | {"items", "propertyNames", "components"}
_COMPOSING = (_PARTS - {"contains"}) | {*UNIONS, "$ref", "$dynamicRef"}


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
        raise InvalidArguments(told(errors))


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
    from bosa_connectors import validator  # noqa: PLC0415  jsonschema takes long to import, and a program may never call

    parts: set[int] = set()
    _mark_parts(action.schema, action.schema, parts, is_part=False)
    schema = members(_proper(action.schema, action.schema, parts, is_part=False))
    _link(schema, schema)
    return _COMPILED.setdefault(action, validator.compiled(schema, takes_files=bool(action.binary)))


# A name that the schema does not know is an error here, although JSON Schema says otherwise: servers drop it in
# silence. The parts of an object are not closed each, for a part does not know the others' names, but their whole is.


def _proper(node: object, root: Node, parts: Collection[int] | None, *, is_part: bool) -> object:
    """The schema with unknown names refused, and without what makes no sense."""
    is_part = is_part or parts is None or id(node) in parts
    node = as_schema(node)
    if isinstance(node, bool):
        return node or _NOTHING
    node = _read(node, root)
    schema = dict(node)
    for key, value in node.items():
        below = _is_part_below(key, node, is_part=is_part)
        if key in BY_NAME:
            named = members(value).items()
            schema[key] = {name: _proper(each, root, parts, is_part=below) for name, each in named}
        elif key in _LISTS:
            schema[key] = [_proper(each, root, parts, is_part=below) for each in items(value)]
        elif key in _BELOW and not isinstance(value, bool):
            # a condition stays whole: to close what it does not mention would change when it holds
            schema[key] = _proper(value, root, None if key in _CONDITIONS else parts, is_part=below)
    if parts is None:
        return schema
    whole = _open(schema) if is_part else _closed(schema, node, root)
    # names first: what is wrong below may be more than is told
    return dict(sorted(whole.items(), key=lambda said: said[0] in _BELOW | BY_NAME and said[1] is not False))


def _open(schema: Node) -> Node:
    """A part, be it closed for itself: generators close each part, and mean the whole."""
    return {key: value for key, value in schema.items() if key != "additionalProperties" or value is not False}


def _closed(schema: Node, node: Node, root: Node) -> Node:
    """A whole that refuses the names which neither it nor any of its parts knows."""
    known = names(node, root)
    has_parts = any(_is_part_below(key, node, is_part=False) for key in node)
    has_parts = has_parts or ("$ref" in node and _has_parts_beside("$ref", node))
    if known is None or "propertyNames" in node or not (has_parts or "properties" in node):
        return schema
    if has_parts:
        return {**_open(schema), "propertyNames": {"enum": known}}
    told = members(schema["properties"])
    unsaid: dict[str, object] = {name: {} for name in known if name not in told}  # what must be given may be given
    closed = {key: value for key, value in schema.items() if key != "unevaluatedProperties"}
    return {**closed, "properties": {**told, **unsaid}, "additionalProperties": False}


def _read(node: Node, root: Node) -> Node:
    """What a schema says, in JSON Schema's own words: without notes, and without what makes no sense.

    Of a pattern that Python cannot read the API alone can tell what it means.
    """
    said = {key: value for key, value in node.items() if key not in _NOTES and makes_sense(key, value)}
    if "type" in said:
        said |= typed(said.pop("type"))
    for key in said.keys() & {"$ref", "$dynamicRef"}:
        if target(root, said[key]) is None:
            del said[key]
    if not is_read(said.get("pattern", "")):
        del said["pattern"]
    by_name = members(said.get("patternProperties"))
    if not all(map(is_read, by_name)):
        kept = {name: each for name, each in by_name.items() if is_read(name)}
        said |= {"patternProperties": kept, "additionalProperties": True}
    return said


def _mark_parts(node: object, root: Node, parts: set[int], *, is_part: bool) -> None:
    """Adds to `parts` the id of each schema that a reference makes a part of an object, not a whole one."""
    for each in items(node):
        _mark_parts(each, root, parts, is_part=is_part)
    schema = members(node)
    if "$ref" in schema and (is_part or _has_parts_beside("$ref", schema)):
        found = follow(root, str(schema["$ref"]))
        if id(found) not in parts:
            parts.add(id(found))
            _mark_parts(found, root, parts, is_part=True)
    for key, value in schema.items():
        below = _is_part_below(key, schema, is_part=is_part)
        if key in BY_NAME:
            for each in members(value).values():
                _mark_parts(each, root, parts, is_part=below)
        elif key in _BELOW:
            _mark_parts(value, root, parts, is_part=below)


def _is_part_below(key: str, node: Node, *, is_part: bool) -> bool:
    return key in _PARTS or (key in UNIONS and (is_part or _has_parts_beside(key, node)))


def _has_parts_beside(key: str, node: Node) -> bool:
    return bool((_COMPOSING | {"properties", "patternProperties"}) & (node.keys() - {key}))


def _link(node: object, root: Node) -> None:
    """Lets the references in a schema of our own know where they lead, if that is a definition in it."""
    from bosa_connectors.validator import Link  # noqa: PLC0415  as above

    for each in items(node):
        _link(each, root)
    if not isinstance(node, dict) or ("$id" in node and node is not root):
        return
    schema = cast("dict[str, object]", node)
    reference = str(schema.get("$ref"))
    if _OWN_DEFINITION.fullmatch(reference) and is_object(found := follow(root, reference)):
        schema["$ref"] = Link.to(found, reference)
    for key, value in schema.items():
        for each in members(value).values() if key in BY_NAME else [value] if key in _BELOW else []:
            _link(each, root)
