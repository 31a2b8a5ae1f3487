"""Arguments checked against an action's schema: JSON Schema 2020-12 in full, compiled once per action, on first use.

The only user of jsonschema. References to other documents are refused without a request.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol, cast
from weakref import WeakKeyDictionary

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem, nearest
from bosa_connectors.shapes import is_array, is_object, items, members


class _Validator(Protocol):
    def iter_errors(self, instance: object) -> Iterable[ValidationError]: ...


_COMPILED: WeakKeyDictionary[Action, _Validator] = WeakKeyDictionary()

_COMPOSING = frozenset({"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "dependentSchemas"})
_OPEN = _COMPOSING | {"additionalProperties", "patternProperties", "unevaluatedProperties"}
_SCHEMAS_BY_NAME = frozenset({"properties", "patternProperties", "$defs", "definitions"})
_SCHEMAS_BELOW = frozenset({"items", "additionalProperties", "prefixItems", "anyOf", "oneOf"})


def check(action: Action, arguments: Mapping[str, object]) -> None:
    """Raises InvalidArguments with everything that is wrong, InvalidSchema where the schema itself makes no sense."""
    validator = _COMPILED.get(action) or _compile(action)
    try:
        errors = list(validator.iter_errors(arguments))
    except (Unresolvable, RecursionError) as odd:
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} cannot be followed: {odd}"[:500]) from odd
    if errors:
        raise InvalidArguments(dict.fromkeys(problem for error in errors for problem in _problems(error)))


def _compile(action: Action) -> _Validator:
    schema = members(_closed(action.schema, kept=frozenset(_parts(action.schema))))
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as odd:
        detail = odd.message if isinstance(odd, SchemaError) else "it is nested too deeply"
        raise InvalidSchema(f"The schema of {action.connector}.{action.name} makes no sense: {detail[:300]}") from odd
    # an empty registry: the default one would fetch a remote reference
    validator = cast("_Validator", Draft202012Validator(schema, registry=Registry()))
    return _COMPILED.setdefault(action, validator)


# A name that the schema does not know is an error here, although JSON Schema says otherwise: servers drop it in
# silence. Objects that are put together from parts stay as they are, for a part does not know the others' names.


def _closed(node: object, kept: frozenset[str]) -> object:
    """The schema with unknown names refused, and the types `any` and `bytes`, which are none, put in proper terms."""
    if not is_object(node):
        return node
    schema = dict(node)
    for key, value in node.items():
        if key in _SCHEMAS_BY_NAME:
            schema[key] = {
                name: each if f"#/{key}/{name}" in kept else _closed(each, kept)
                for name, each in members(value).items()
            }
        elif key in _SCHEMAS_BELOW and not (key in _COMPOSING and "properties" in node):
            schema[key] = [_closed(each, kept) for each in value] if is_array(value) else _closed(value, kept)
    if node.get("type") == "any":
        del schema["type"]
    elif node.get("type") == "bytes":
        schema |= {"type": "string", "format": "binary"}
    if "properties" in node and not _OPEN & node.keys():
        schema["additionalProperties"] = False
    return schema


def _parts(node: object, *, is_part: bool = False) -> Iterator[str]:
    """The local references that stand for a part of an object, not for a whole one."""
    for each in items(node):
        yield from _parts(each, is_part=is_part)
    schema = members(node)
    for key, value in schema.items():
        if key == "$ref" and (is_part or "properties" in schema):
            yield str(value)
        composing = key in _COMPOSING and (key not in {"anyOf", "oneOf"} or "properties" in schema)
        yield from _parts(value, is_part=composing)


def _problems(error: ValidationError) -> Iterator[Problem]:
    """What is wrong, in words that a person or a model can act on."""
    path, schema, instance = _path(error.absolute_path), members(error.schema), cast("object", error.instance)
    known = members(schema.get("properties"))
    if error.validator == "required":
        for name in items(error.validator_value):
            if name not in members(instance):
                yield Problem(_join(path, str(name)), "Field required", describe(known.get(str(name))))
    elif error.validator == "additionalProperties" and error.validator_value is False:
        for name in members(instance):
            if name not in known:
                yield Problem(_join(path, name), "Unknown field", _one_of(list(known)), nearest(name, known))
    elif branch := _likely_branch(error):
        for inner in branch:
            yield from _problems(inner)
    else:
        expected = describe(schema)
        yield Problem(path, f"Expected {expected}, got {_shown(instance)}", expected)


def _likely_branch(error: ValidationError) -> list[ValidationError]:
    """Where a union fails: what is wrong within the one branch that was meant, if that can be told."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or () if error.validator in {"anyOf", "oneOf"} else ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    meant = [errors for errors in branches.values() if not any(_is_of_another_type(each, error) for each in errors)]
    return meant[0] if len(meant) == 1 else []


def _is_of_another_type(inner: ValidationError, union: ValidationError) -> bool:
    return inner.validator in {"type", "const"} and inner.absolute_path == union.absolute_path


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
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
