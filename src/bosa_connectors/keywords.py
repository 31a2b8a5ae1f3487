"""Which values each keyword of JSON Schema may have, and what is meant by other words for its types.

Foreign listings hold types that do not exist, limits that are texts, empty unions. A keyword whose value makes no sense
is ignored: the API alone can tell what it means, and its action can be called all the same.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from bosa_connectors.references import BRANCHING, follow
from bosa_connectors.shapes import is_array, is_number, is_object

TYPES: Final = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})
_ECMA: Final = re.compile(
    r"\\[pP]\{[^{}]{1,100}\}|\\u\{[0-9a-fA-F]{1,6}\}|\\c[A-Za-z]|\\k<\w+>|\(\?<(?P<group>[^\W\d]\w*)>"
)
"""What Python writes in another way, or not at all."""
_ANCHOR: Final = re.compile(r"[A-Za-z_][\w.-]*", re.ASCII)


def schema(node: object) -> Mapping[str, object] | bool:
    """What stands where a schema is expected: a text names a type, and what is none allows anything."""
    if is_object(node) or isinstance(node, bool):
        return node
    return {"type": node} if isinstance(node, str) else {}


def makes_sense(key: str, value: object) -> bool:
    """Whether a keyword may say this; of one that is not known nobody can tell."""
    said = _OTHERS.get(key) or VALUES.get(key)
    return said is None or said(value)


def typed(kind: object) -> dict[str, object]:
    """The type in JSON Schema's own words, with the format that it implies; nothing where anything may be meant."""
    if isinstance(kind, str) and kind in TYPES:
        return {"type": kind}
    meant: list[str] = []
    form: dict[str, object] = {}
    for each in kind if is_array(kind) else [kind]:
        word = each.casefold() if isinstance(each, str) else ""
        known = word if word in TYPES else _MEANT.get(word)
        if known is None:
            return {}
        meant.append(known)
        form |= {"format": _FORMATS[word]} if word in _FORMATS else {}
    kinds = list(dict.fromkeys(meant))
    return {**form, "type": kinds if len(kinds) > 1 else kinds[0]} if kinds else {}


def may_be_object(kind: object) -> bool:
    """Whether values of this type can be objects."""
    meant = typed(kind).get("type", "object")
    return "object" in meant if is_array(meant) else meant == "object"


def target(root: Mapping[str, object], reference: object) -> Mapping[str, object] | bool | None:
    """The schema that a reference within this one leads to; None where there is none, or it leads back to itself alone.

    Other documents are never asked for: what they say, nobody knows here.
    """
    first = found = _at(root, reference)
    seen: set[int] = set()
    while is_object(found) and "$ref" in found:
        if id(found) in seen:
            return None
        seen.add(id(found))
        found = _at(root, found["$ref"])
    return first if is_object(first) or isinstance(first, bool) else None


def _at(root: Mapping[str, object], reference: object) -> object:
    return follow(root, reference) if isinstance(reference, str) else None


def is_pattern(text: object) -> bool:
    """Whether this is a regular expression, as JSON Schema takes them from ECMAScript."""
    return isinstance(text, str) and (is_read(text) or is_read(_ECMA.sub(_as_python, text)))


def is_read(pattern: object) -> bool:
    """Whether Python reads this regular expression."""
    try:
        return isinstance(pattern, str) and bool(re.compile(pattern))
    except (re.error, RecursionError, OverflowError):
        return False


def _as_python(found: re.Match[str]) -> str:
    return f"(?P<{found['group']}>" if found["group"] else "a"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return is_number(value) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return is_number(value) and value >= 0 and value % 1 == 0


def _is_names(value: object) -> bool:
    return is_array(value) and all(isinstance(name, str) for name in value)


def _is_some(value: object) -> bool:
    return is_array(value) and bool(value)


def _is_prose(value: object) -> bool:
    return isinstance(value, str) or _is_names(value)  # line by line


def _is_id(value: object) -> bool:
    return isinstance(value, str) and "#" not in value[:-1]


def _is_anchor(value: object) -> bool:
    return isinstance(value, str) and bool(_ANCHOR.fullmatch(value))


_FORMATS: Final[Mapping[str, str]] = {
    "bytes": "binary",
    "file": "binary",
    "date": "date",
    "datetime": "date-time",
    "date-time": "date-time",
    "time": "time",
    "uuid": "uuid",
    "uri": "uri",
    "url": "uri",
    "email": "email",
}
"""Types that are texts of a format."""
_MEANT: Final[Mapping[str, str]] = {
    **dict.fromkeys(("str", "text", *_FORMATS), "string"),
    **dict.fromkeys(("int", "int32", "int64", "long"), "integer"),
    **dict.fromkeys(("float", "double", "decimal"), "number"),
    "bool": "boolean",
    **dict.fromkeys(("list", "tuple", "set"), "array"),
    **dict.fromkeys(("dict", "map"), "object"),
    "none": "null",
}
VALUES: Final[Mapping[str, Callable[[object], bool]]] = {
    "description": _is_prose,
    "enum": _is_some,
    "const": lambda _: True,
    "default": lambda _: True,
    "format": _is_text,
    "contentEncoding": _is_text,
    "pattern": is_pattern,
    "minimum": _is_number,
    "maximum": _is_number,
    "exclusiveMinimum": _is_number,
    "exclusiveMaximum": _is_number,
    "multipleOf": lambda value: is_number(value) and 0 < value < math.inf,
    "minLength": _is_count,
    "maxLength": _is_count,
    "minItems": _is_count,
    "maxItems": _is_count,
    "minProperties": _is_count,
    "maxProperties": _is_count,
    "minContains": _is_count,
    "maxContains": _is_count,
    "uniqueItems": lambda value: isinstance(value, bool),
    "required": _is_names,
    "dependentRequired": lambda value: is_object(value) and all(map(_is_names, value.values())),
}
"""Keywords that hold no schema, each with what it may say."""
_OTHERS: Final[Mapping[str, Callable[[object], bool]]] = {
    **dict.fromkeys((*BRANCHING, "prefixItems"), _is_some),
    **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), is_object),
    **dict.fromkeys(("$anchor", "$dynamicAnchor"), _is_anchor),
    "$id": _is_id,
}
