"""Who sends a request over HTTP: the user of the BOSA API whose token it brings, as that API says."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakValueDictionary

import anyio
import mcp_types as types
import structlog
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.shared.exceptions import MCPError
from starlette.authentication import AuthenticationError
from starlette.requests import HTTPConnection

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_connectors.errors import BosaError, Forbidden, InvalidArguments, InvalidHeader, Unauthenticated
from bosa_mcp.access import Caller

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

KNOWN_FOR: Final = 60.0
"""Seconds for which a user stays known."""
FAILED_FOR: Final = 5.0
"""Seconds for which a token that is nobody's, or an API that does not answer, is not asked about again."""
MOST: Final = 10_000
"""Tokens of which something is known at once."""
PATIENCE: Final = 10.0
"""Seconds that the API gets to say whose a token is."""
AT_ONCE: Final = 16
"""Questions to the API at the same time."""

log = structlog.get_logger("bosa_mcp")


class CannotTell(AuthenticationError):
    """The API does not say whose a token is: it may be right all the same."""

    def __str__(self) -> str:
        return "The BOSA API does not say whose this token is: try again soon."


@dataclass(frozen=True, slots=True)
class _Known:
    user: AccessToken | None = field(default=None, repr=False)
    """None for a token that is nobody's."""
    is_unsure: bool = False
    """The API did not say."""


class Users:
    """The users of one API, by the tokens that they bring: each answer of the API is kept for a while.

    A `TokenVerifier` of the mcp package, which binds sessions to the client and the user that a token stands for.
    """

    def __init__(
        self,
        connector: AsyncBosaConnector,
        api_key: str | None,
        clock: Callable[[], float] = time.monotonic,
        most: int = MOST,
    ) -> None:
        self._connector = connector
        self._api_key = api_key
        self._clock = clock
        self._most = most
        self._known: OrderedDict[bytes, tuple[float, _Known]] = OrderedDict()
        self._asking: WeakValueDictionary[bytes, anyio.Lock] = WeakValueDictionary()
        self._at_once = anyio.Semaphore(AT_ONCE)

    async def verify_token(self, token: str) -> AccessToken | None:
        """Whom a token stands for, None where it is nobody's. Raises CannotTell where the API does not say."""
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        lock = self._asking.setdefault(key, anyio.Lock())
        async with lock:  # many requests with one token ask once
            known = self._recall(key)
            if known is None:
                known = await self._ask(token)
                self._keep(key, known)
        if known.is_unsure:
            raise CannotTell
        return known.user

    def of(self, connection: HTTPConnection | None) -> Caller:
        """Who sent this. Raises MCPError where nobody said so."""
        user = connection.scope.get("user") if connection else None
        if not isinstance(user, AuthenticatedUser):
            raise MCPError(types.INVALID_REQUEST, "It is not known who asks.")
        token = user.access_token
        return Caller(f"{token.client_id}/{token.subject}", Credentials(self._api_key, token.token))

    def who(self, context: "ServerRequestContext[Any]") -> Caller:
        """Who sent the request that is answered here."""
        return self.of(context.request)

    async def _ask(self, token: str) -> _Known:
        try:
            with anyio.fail_after(PATIENCE):
                async with self._at_once:
                    user = await self._connector.get_user_info(token)
        except (Unauthenticated, Forbidden, InvalidArguments, InvalidHeader):
            return _Known()
        except (BosaError, TimeoutError) as failure:
            log.warning("the API does not say whose a user token is", reason=str(failure) or "it takes too long")
            return _Known(is_unsure=True)
        if not user.is_active:
            return _Known()
        return _Known(AccessToken(token=token, client_id=str(user.client_id), scopes=[], subject=str(user.id)))

    def _recall(self, key: bytes) -> _Known | None:
        until, known = self._known.get(key, (0.0, None))
        return known if self._clock() < until else None

    def _keep(self, key: bytes, known: _Known) -> None:
        lasts = KNOWN_FOR if known.user else FAILED_FOR
        self._known[key] = self._clock() + lasts, known
        self._known.move_to_end(key)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
