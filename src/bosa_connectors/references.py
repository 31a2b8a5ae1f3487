"""Where a reference within a schema leads."""

from collections.abc import Mapping
from urllib.parse import unquote

from bosa_connectors.shapes import is_array, items, members


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
