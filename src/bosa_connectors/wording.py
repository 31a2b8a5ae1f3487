"""What a schema expects, and what came instead, in a few words."""

import json
from collections.abc import Iterator, Mapping, Sequence

from bosa_connectors.references import UNIONS
from bosa_connectors.shapes import is_array, is_object, items, members

_IMPLIED = {
    "object": frozenset({"$ref", "properties", "required"}),
    "string": frozenset({"minLength", "maxLength", "pattern"}),
}
"""What is meant where no type is said."""


_MOST_NAMES = 6


def kinds(expected: str) -> set[str]:
    """The types that are expected, as `describe` says them."""
    return {each.partition(" ")[0] for each in expected.split(" or ")}


def describe(schema: object) -> str:
    """What a schema expects, in a few words: `integer from 1 to 100`, `one of open, closed`."""
    node = members(schema)
    if "const" in node:
        return json.dumps(node["const"])
    if "enum" in node:
        return one_of(items(node["enum"]))
    for union in UNIONS:
        if union in node:
            return " or ".join(dict.fromkeys(describe(branch) for branch in items(node[union])))
    kind = node.get("type") or next((kind for kind, said in _IMPLIED.items() if not said.isdisjoint(node)), "any value")
    words = " or ".join(str(each) for each in kind) if is_array(kind) else str(kind)
    needs = _needs(members(getattr(node.get("$ref"), "target", node)))
    return "".join((words, needs, *_limits(node), _each(node)))


def _each(node: Mapping[str, object]) -> str:
    """What every item of a list is."""
    if not is_object(node.get("items")) or "prefixItems" in node:
        return ""
    is_bounded = "minItems" in node or "maxItems" in node
    return f"{', each' if is_bounded else ' of'} {describe(node['items'])}"


def _needs(node: Mapping[str, object]) -> str:
    """The names without which an object is none of these."""
    names = list(map(str, items(node.get("required"))))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f" with {' and '.join(names[:_MOST_NAMES])}{more}" if names else ""


def _limits(node: Mapping[str, object]) -> Iterator[str]:
    if "format" in node:
        yield " (a file)" if node["format"] == "binary" else f" ({node['format']})"
    for low, high, unit in _RANGES:
        if low in node and node[low] == node.get(high):
            yield f" of {node[low]}{unit}" if unit else f" that is {node[low]}"
        elif low in node and high in node:
            yield f" {'of' if unit else 'from'} {node[low]} to {node[high]}{unit}"
        elif low in node or high in node:
            yield f" of at {'least' if low in node else 'most'} {node.get(low, node.get(high))}{unit}"
    for key, words in _LIMITS.items():
        if key in node:
            yield f" {words} {node[key]}"
    if "prefixItems" in node:
        yield f": {'; '.join(map(describe, items(node['prefixItems'])))}"


_RANGES = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"), ("minItems", "maxItems", " items"))
_LIMITS = {
    "exclusiveMinimum": "above",
    "exclusiveMaximum": "below",
    "multipleOf": "that is a multiple of",
    "pattern": "that matches",
}


def one_of(values: Sequence[object], most: int = 20) -> str:
    """The values that are possible, or the first of them."""
    shown = [value if isinstance(value, str) and value.strip() else json.dumps(value) for value in values]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return f"one of {', '.join(shown[:most])}{more}" if shown else "nothing"


def show(value: object, most: int = 60) -> str:
    """A value in bounds: of what is large, how large it is."""
    if is_object(value) or is_array(value):
        return f"an {'object' if is_object(value) else 'array'} of {len(value)}"
    text = json.dumps(value, ensure_ascii=False, default=_kind)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _kind(value: object) -> str:
    """What is no JSON, as a file is, without a word of what is in it."""
    return f"<{type(value).__name__}>"
