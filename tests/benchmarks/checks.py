"""What the check of a valid call costs, on real schemas or one like them."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bosa_connectors import Action, catalogue, schema
from bosa_connectors.errors import InvalidArguments
from bosa_connectors.shapes import items, members

from .listing import LISTING

_REPETITIONS = 50
_DEEP = 5


def checked(folder: Path | None) -> dict[str, list[float]]:
    """Microseconds for each action, with all arguments given and with those that it must have."""
    listings = [json.loads(file.read_text()) for file in sorted(folder.glob("*.json"))] if folder else [LISTING]
    actions = [
        action
        for listing in listings
        for connector in listing
        for action in catalogue.parse(connector, listing).values()
        if action.properties and not action.binary
    ]
    ways = {"every argument given": every, "what must be given": needed}
    found = {name: [_micros(action, give(action)) for action in actions] for name, give in ways.items()}
    return {name: [each for each in times if each is not None] for name, times in found.items()}


def every(action: Action) -> dict[str, Any]:
    """A value for each argument."""
    return {name: sample(node, action.schema) for name, node in action.properties.items()}


def needed(action: Action) -> dict[str, Any]:
    """A value for each argument that must be there."""
    return {name: value for name, value in every(action).items() if name in items(action.schema.get("required"))}


def sample(node: object, root: Mapping[str, Any], depth: int = 0) -> Any:  # noqa: ANN401  JSON
    """A value that this schema allows, in most cases."""
    node = members(node)
    if "$ref" in node:
        _, kind, name = str(node["$ref"]).split("/")
        return sample(root[kind][name], root, depth)
    for union in ("anyOf", "oneOf"):
        if union in node:
            return sample(items(node[union])[0], root, depth)
    if "const" in node or "enum" in node:
        return node["const"] if "const" in node else items(node["enum"])[0]
    if node.get("type") == "object":
        below = members(node.get("properties") if depth < _DEEP else None)
        return {name: sample(each, root, depth + 1) for name, each in below.items()}
    if node.get("type") == "array":
        return [sample(node.get("items"), root, depth + 1)]
    return {"string": "text", "integer": 1, "number": 1.5, "boolean": True}.get(str(node.get("type")), "text")


def _micros(action: Action, arguments: Mapping[str, object]) -> float | None:
    """Of one check, after the first, which compiles the schema; None where the sample does not fit."""
    try:
        schema.check(action, arguments)
    except InvalidArguments:
        return None
    return median(_seconds(lambda: schema.check(action, arguments)) for _ in range(_REPETITIONS)) * 1e6


def _seconds(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
