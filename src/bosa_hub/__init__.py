"""A BOSA API to run yourself, and what a connector of one's own is made of.

Names are loaded on first use: `import bosa_hub` alone loads no web server.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bosa_hub.errors import (
        BadRequest,
        Busy,
        Conflict,
        Forbidden,
        HubError,
        NotFound,
        RateLimited,
        TooLarge,
        Unauthenticated,
        UpstreamFailed,
    )
    from bosa_hub.oauth2 import OAuth2, Tokens
    from bosa_hub.plugin import Account, Connector, Context, Page, Result, action
    from bosa_hub.transfer import InputFile, OutputFile

__all__ = [
    "Account",
    "BadRequest",
    "Busy",
    "Conflict",
    "Connector",
    "Context",
    "Forbidden",
    "HubError",
    "InputFile",
    "NotFound",
    "OAuth2",
    "OutputFile",
    "Page",
    "RateLimited",
    "Result",
    "Tokens",
    "TooLarge",
    "Unauthenticated",
    "UpstreamFailed",
    "action",
]

_HOMES = {
    "Account": "plugin",
    "BadRequest": "errors",
    "Busy": "errors",
    "Conflict": "errors",
    "Connector": "plugin",
    "Context": "plugin",
    "Forbidden": "errors",
    "HubError": "errors",
    "InputFile": "transfer",
    "NotFound": "errors",
    "OAuth2": "oauth2",
    "OutputFile": "transfer",
    "Page": "plugin",
    "RateLimited": "errors",
    "Result": "plugin",
    "Tokens": "oauth2",
    "TooLarge": "errors",
    "Unauthenticated": "errors",
    "UpstreamFailed": "errors",
    "action": "plugin",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
