"""Actions and listings that the tests share."""

from collections.abc import Mapping
from typing import Any

from bosa_connectors.calls import Action

ANYTHING: Mapping[str, object] = {"type": "object"}


def action(schema: Mapping[str, object] = ANYTHING, *, name: str = "do", path: str = "/connectors/notes/do") -> Action:
    """An action of the connector `notes`."""
    return Action("notes", name, path, "", schema)


def takes(*, required: tuple[str, ...] = (), **properties: object) -> dict[str, Any]:
    """The schema of an object with these properties."""
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


def listed(schema: object = ANYTHING, *, path: object = "/connectors/notes/do", **more: object) -> dict[str, Any]:
    """An action as a discovery document lists it."""
    return {
        "method": "POST",
        "path": path,
        "docstring": "Does it.",
        "parameters": {"request": {"name": "request", "required": True, "schema": schema}},
        **more,
    }
