"""The models of the public surface, each where programs import it from."""

from typing import Any, Final

from bosa_connectors import lazy

_HOMES: Final = {name: f"models.{name}" for name in ("action", "file", "integration", "result", "token", "user")}


def __getattr__(name: str) -> Any:  # noqa: ANN401  one of the modules
    return lazy.found(__name__, _HOMES, name)
