"""What is about users and their accounts, where older programs import it from."""

from typing import Any, Final

from bosa_connectors import lazy

_HOMES: Final = {name: f"helpers.{name}" for name in ("authenticator", "integrations")}


def __getattr__(name: str) -> Any:  # noqa: ANN401  one of the modules
    return lazy.found(__name__, _HOMES, name)
