"""How a user agrees that a connector acts for them: there to the service, and back."""

import logging
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from anyio import to_thread
from starlette.datastructures import QueryParams
from starlette.responses import RedirectResponse, Response

from bosa_hub import exchange
from bosa_hub.accounts import Credential, Linked
from bosa_hub.attempts import Begun
from bosa_hub.errors import BadRequest, HubError
from bosa_hub.exchange import Granted, ServiceFailed
from bosa_hub.home import Home
from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context

_log = logging.getLogger("bosa_hub")
_CANCELLED: Final = "cancelled_error"
_DUPLICATE: Final = "duplicate_user_error"
_FAILED: Final = "integration_error"
_ODD: Final = "invalid_request"
"""These are the published server's words for what the caller is told."""
_MAX_SAID: Final = 500


@dataclass(frozen=True, slots=True)
class Grants:
    """The grants that users give to one connector."""

    home: Home
    connector: Connector
    service: OAuth2

    async def begin(self, begun: Begun) -> str:
        """The address where the user agrees."""
        attempt = await to_thread.run_sync(self.home.attempts.begin, begun)
        return await exchange.authorization_url(self.service, begun.redirect_uri, attempt)

    async def callback(self, given: QueryParams) -> Response:
        """The user, back from the service, is sent on to where they began, with `user_identifier` or `error`.

        Raises:
            BadRequest: No attempt is under way that this could belong to.

        """
        state = _the_only(given, "state") or ""
        found = await to_thread.run_sync(self.home.attempts.finish, self.connector.name, state)
        if found is None:
            raise BadRequest(
                "This address is of no use any more: it works once, for ten minutes. Start again where you came from.",
                code="BAD_OAUTH_STATE",
            )
        begun, verifier = found
        try:
            return _back(begun.callback_url, user_identifier=await self._linked(begun, verifier, given))
        except _NotLinked as failed:
            _log.warning("no account was linked on %s: %s", self.connector.name, failed.said)
            return _back(begun.callback_url, error=failed.code, error_description=failed.said)

    async def _linked(self, begun: Begun, verifier: str, given: QueryParams) -> str:
        try:
            code = _code(given)
            return await self._keep(begun, await exchange.redeem(self.service, code, begun.redirect_uri, verifier))
        except _NotLinked:
            raise
        except ServiceFailed as failed:
            raise _NotLinked(_FAILED, f"The service did not give access: {failed}.") from failed
        except HubError as refused:
            is_there = refused.code == "INTEGRATION_EXISTS"
            raise _NotLinked(_DUPLICATE if is_there else _FAILED, refused.message[:_MAX_SAID]) from refused
        except Exception as error:  # the user must come back, whatever a connector's own code does
            _log.exception("the account that a user agreed to could not be linked")
            raise _NotLinked(_FAILED, "The hub failed. Its log says why.") from error

    async def _keep(self, begun: Begun, granted: Granted) -> str:
        name = self.connector.name
        context = Context(begun.user_id, self.home.user_folder(begun.user_id, name))
        identifier = await self.connector.account_identifier(granted.tokens, context)
        credential = Credential("oauth2", granted.tokens.text, granted.scopes)

        def keep() -> Linked:
            user = self.home.identity.user(begun.user_id)
            return self.home.accounts.link(user, name, identifier, credential, replace=begun.replace_duplicate)

        linked = await to_thread.run_sync(keep)
        return linked.user_identifier


class _NotLinked(Exception):
    """There is no account, and the caller is told why."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(code)
        self.code = code
        self.said = said


def _code(given: QueryParams) -> str:
    if refusal := given.get("error"):
        if refusal == "access_denied":
            raise _NotLinked(_CANCELLED, "The user did not agree.")
        raise _NotLinked(_FAILED, "The service refused.")
    code = _the_only(given, "code")
    if not code:
        raise _NotLinked(_ODD, "The service sent no code.")
    return code


def _the_only(given: QueryParams, name: str) -> str | None:
    values = given.getlist(name)
    return values[0] if len(values) == 1 else None


def _back(callback_url: str, **told: str) -> Response:
    parts = urlsplit(callback_url)
    query = "&".join([*filter(None, [parts.query]), urlencode(told)])
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return RedirectResponse(urlunsplit(parts._replace(query=query)), 302, headers)
