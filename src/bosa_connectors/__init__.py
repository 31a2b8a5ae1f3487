"""A Python SDK for BOSA connectors.

Names are loaded on first use: `import bosa_connectors` alone loads no HTTP library.
"""

import sys
from typing import TYPE_CHECKING

from bosa_connectors import lazy

if TYPE_CHECKING:
    from bosa_connectors.action_response import ActionResponse, AsyncActionResponse
    from bosa_connectors.aio import AsyncBosaConnector
    from bosa_connectors.auth import BosaAuthenticator
    from bosa_connectors.calls import Action, Call, Credentials, Reply
    from bosa_connectors.catalogue import Catalogue
    from bosa_connectors.connector import BosaConnector, GLConnectors
    from bosa_connectors.errors import BosaError
    from bosa_connectors.models.file import ConnectorFile
    from bosa_connectors.module import BosaConnectorModule
    from bosa_connectors.tool import BOSAConnectorToolGenerator

# where click, pygments and rich are installed, importing httpx imports its command line with them: we do without
sys.modules.setdefault("httpx._main", None)  # pyright: ignore[reportArgumentType]  documented: importing it fails

__all__ = [
    "Action",
    "ActionResponse",
    "AsyncActionResponse",
    "AsyncBosaConnector",
    "BOSAConnectorToolGenerator",
    "BosaAuthenticator",
    "BosaConnector",
    "BosaConnectorModule",
    "BosaError",
    "Call",
    "Catalogue",
    "ConnectorFile",
    "Credentials",
    "GLConnectors",
    "Reply",
]

_MODULES = ("action", "action_response", "auth", "connector", "helpers", "models", "module", "tool")
_HOMES = {
    **dict(zip(_MODULES, _MODULES, strict=True)),
    "Action": "calls",
    "ActionResponse": "action_response",
    "AsyncActionResponse": "action_response",
    "AsyncBosaConnector": "aio",
    "BOSAConnectorToolGenerator": "tool",
    "BosaAuthenticator": "auth",
    "BosaConnector": "connector",
    "BosaConnectorModule": "module",
    "BosaError": "errors",
    "Call": "calls",
    "Catalogue": "catalogue",
    "ConnectorFile": "models.file",
    "Credentials": "calls",
    "GLConnectors": "connector",
    "Reply": "calls",
}


def __getattr__(name: str) -> object:
    return lazy.found(__name__, _HOMES, name)


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
