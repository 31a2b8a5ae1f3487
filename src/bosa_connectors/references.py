"""Where one schema leads to others: by a reference, as alternatives, as parts."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote

from bosa_connectors.shapes import is_array, items, members

UNIONS: Final = ("anyOf", "oneOf")
"""Keywords of alternatives."""
BRANCHING: Final = (*UNIONS, "allOf")
"""Keywords of alternatives and of parts."""
BY_NAME: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "schemas", "dependentSchemas"})
"""Keywords that hold schemas, each with its name."""


def branches(schema: Mapping[str, object], keywords: Iterable[str] = UNIONS) -> list[object]:
    """The alternatives, or what else there is below these keywords."""
    return [each for key in keywords for each in items(schema.get(key))]


def steps(pointer: str) -> list[str]:
    """The names and places on the way that a pointer such as `#/$defs/User` or `#/anyOf/0` goes."""
    return [unquote(step).replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def follow(root: Mapping[str, object], reference: str) -> object:
    """What stands at `#`, at a pointer, or at an anchor (`#user`); None where nothing does."""
    if not reference.startswith("#/"):
        return root if reference == "#" else _anchored(root, reference[1:]) if reference.startswith("#") else None
    found: object = root
    for step in steps(reference):
        if is_array(found):
            found = found[int(step)] if step.isdecimal() and int(step) < len(found) else None
        else:
            found = members(found).get(step)
    return found


def _anchored(root: object, name: str) -> object:
    ahead = [root]
    for node in ahead:
        schema = members(node)
        if name in (schema.get("$anchor"), schema.get("$dynamicAnchor")):
            return schema
        ahead += [*schema.values(), *items(node)]
    return None
