"""A Python SDK for BOSA connectors.

Names are loaded on first use: `import bosa_connectors` alone loads no HTTP library.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bosa_connectors.aio import AsyncBosaConnector
    from bosa_connectors.calls import Action, Call, Credentials, Reply
    from bosa_connectors.catalogue import Catalogue
    from bosa_connectors.connector import BosaConnector
    from bosa_connectors.errors import BosaError

__all__ = ["Action", "AsyncBosaConnector", "BosaConnector", "BosaError", "Call", "Catalogue", "Credentials", "Reply"]

_HOMES = {
    "Action": "calls",
    "AsyncBosaConnector": "aio",
    "BosaConnector": "connector",
    "BosaError": "errors",
    "Call": "calls",
    "Catalogue": "catalogue",
    "Credentials": "calls",
    "Reply": "calls",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
