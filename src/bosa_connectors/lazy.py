"""Names that a module offers and imports only when they are used: its `__getattr__` asks here."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def found(module: str, homes: Mapping[str, str], name: str) -> Any:  # noqa: ANN401  whatever has the name
    """What has this name in the module that `homes` gives for it; that module, where the name is its own."""
    if name not in homes:
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    home = import_module(f"bosa_connectors.{homes[name]}")
    return home if homes[name].rpartition(".")[2] == name else getattr(home, name)
