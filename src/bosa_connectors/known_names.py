"""Which names an object may have whose schema is composed (`allOf`, `anyOf`, `$ref`, …): no part knows all of them."""

from collections.abc import Iterator, Mapping
from typing import Final

from bosa_connectors.keywords import may_be_object, target
from bosa_connectors.references import UNIONS, branches
from bosa_connectors.shapes import is_object, items, members

_CONDITIONAL: Final = ("if", "then", "else")


def names(node: Mapping[str, object], root: Mapping[str, object]) -> list[str] | None:
    """The names that the schema or one of its parts tells of; None where others may be given as well."""
    parts = list(_parts(node, root, set()))
    told = [part for part in parts if "properties" in part]
    if any(map(_is_open, parts)) or all(map(_is_base, told)):  # or nothing is told
        return None
    if any(_is_any_object(branch, root) for part in parts for branch in branches(part)):
        return None
    return list(dict.fromkeys(name for part in parts for name in _named(part)))


def _parts(node: object, root: Mapping[str, object], seen: set[int]) -> Iterator[Mapping[str, object]]:
    """The schema, and everything that an object of it may be put together from."""
    if not is_object(node) or id(node) in seen:
        return
    seen.add(id(node))
    yield node
    below = [target(root, node.get("$ref")), *(node.get(key) for key in _CONDITIONAL)]
    below += branches(node, ("allOf", *UNIONS))
    for each in (*below, *members(node.get("dependentSchemas")).values()):
        yield from _parts(each, root, seen)


def _named(part: Mapping[str, object]) -> list[str]:
    return [*members(part.get("properties")), *map(str, items(part.get("required")))]


def _is_open(part: Mapping[str, object]) -> bool:
    others = (part.get(key, False) for key in ("additionalProperties", "unevaluatedProperties"))
    return "$dynamicRef" in part or bool(part.get("patternProperties")) or any(each is not False for each in others)


def _is_base(part: Mapping[str, object]) -> bool:
    """Whether a value says of which kind it is: that kind may have names of its own."""
    return "discriminator" in part and part.keys().isdisjoint(UNIONS)


def _is_any_object(branch: object, root: Mapping[str, object]) -> bool:
    """Whether an alternative allows objects, and says nothing of their names."""
    parts = list(_parts(branch, root, set()))
    return all(may_be_object(part.get("type")) for part in parts) and not any(
        _named(part) or {"const", "enum"} & part.keys() for part in parts
    )
