"""Access that lasts: renewed before it ends, and where a service refuses it; by one caller at a time."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import anyio
import httpx
from anyio import CancelScope, to_thread
from pydantic import ValidationError

from bosa_hub import exchange
from bosa_hub.accounts import Accounts, Credential, Linked
from bosa_hub.errors import Busy, Conflict, NotRenewed
from bosa_hub.exchange import GrantRefused, ServiceFailed
from bosa_hub.identity import User
from bosa_hub.oauth2 import OAuth2, Tokens
from bosa_hub.plugin import Account

_log = logging.getLogger("bosa_hub")
_PATIENCE: Final = 30.0
"""Seconds that a call waits while another one renews the same account."""
_LEASE: Final = 3.0 * exchange.SECONDS
"""Seconds after which whoever was renewing an account must have died."""
_LOOK: Final = 0.05
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Renewal:
    """How one service's accounts are kept usable."""

    accounts: Accounts
    service: OAuth2

    async def account(self, user: User, linked: Linked) -> Account:
        """The account with access that lasts, and that is renewed once where it is refused all the same.

        Raises:
            Conflict: The service does not accept the account any more.
            NotRenewed: The service cannot say.

        """

        async def renewed(refused: str) -> str:
            return (await self._fresh(user, linked, refused)).access_token.get_secret_value()

        tokens = await self._fresh(user, linked)
        bearer = Bearer(tokens.access_token.get_secret_value(), renewed)
        return Account(linked.connector, linked.user_identifier, tokens, bearer)

    async def _fresh(self, user: User, linked: Linked, refused: str | None = None) -> Tokens:
        """Tokens whose access lasts; whoever is first renews them, in whichever process, and the others wait."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            found = await to_thread.run_sync(self.accounts.find, user, linked.connector, linked.user_identifier)
            tokens = tokens_in(*found)
            if not tokens.is_due(datetime.now(UTC), refused):
                return tokens
            if tokens.refresh_token is None:
                return _as_they_are(tokens, refused, _ended(linked))
            if await to_thread.run_sync(self.accounts.claim, *found, _LEASE):
                new = await self._renewed(*found, refused)
                return new or await self._overtaken(user, linked)
            await anyio.sleep(_LOOK)
        raise Busy(f"The access to account {linked.user_identifier!r} is being renewed. Try again in a second.")

    async def _renewed(self, linked: Linked, old: Credential, refused: str | None) -> Tokens | None:
        """New tokens, or the old ones where they may still do; None where the account has been changed meanwhile."""
        tokens, keep = tokens_in(linked, old), self.accounts.renew
        with CancelScope(shield=True):  # the old refresh token may be worth nothing now: the new one must be kept
            try:
                new = await exchange.renew(self.service, tokens)
                is_kept = await to_thread.run_sync(keep, linked, old, new.text)
            except GrantRefused:
                if await to_thread.run_sync(keep, linked, old, tokens.spent().text):
                    raise _ended(linked) from None
                return None
            except ServiceFailed as failed:
                _log.warning("access to an account on %s could not be renewed: %s", linked.connector, failed)
                return _as_they_are(tokens, refused, _not_renewed(linked, failed))
            else:
                return new if is_kept else await self._left_over(linked, new)
            finally:
                await to_thread.run_sync(self.accounts.release, linked)
        raise AssertionError  # a scope that nobody cancels lets nothing pass

    async def _left_over(self, linked: Linked, new: Tokens) -> None:
        if not await to_thread.run_sync(self.accounts.is_there, linked):
            await give_back(self.service, linked.connector, Credential("oauth2", new.text))

    async def _overtaken(self, user: User, linked: Linked) -> Tokens:
        return tokens_in(*await to_thread.run_sync(self.accounts.find, user, linked.connector, linked.user_identifier))


async def give_back(service: OAuth2, connector: str, credential: Credential) -> None:
    """The service is told that the grant is not wanted any more; the log says so where it could not be told."""
    try:
        if service.revoke_url:
            with CancelScope(shield=True):
                await exchange.give_back(service, Tokens.model_validate_json(credential.text))
    except (ServiceFailed, ValidationError) as failed:
        said = failed if isinstance(failed, ServiceFailed) else "what was kept of it makes no sense"
        _log.warning("the grant of a removed account on %s was not revoked: %s", connector, said)


class Bearer(httpx.Auth):
    """Shows an access token; where it is refused, once another one."""

    def __init__(self, access_token: str, renewed: Callable[[str], Awaitable[str]]) -> None:
        self._access_token = access_token
        self._renewed = renewed

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request, and where it is answered 401 the same again: 401 says that nothing was done."""
        shown = self._access_token
        response = yield _shown(request, shown)
        if response.status_code != _UNAUTHORIZED:
            return
        if shown == self._access_token:
            self._access_token = await self._renewed(shown)
        if isinstance(request.stream, httpx.ByteStream):  # another body is gone: the next request has the new token
            yield _shown(request, self._access_token)

    def sync_auth_flow(self, request: httpx.Request) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Nothing: it cannot wait for another token."""
        del request
        raise TypeError("An account's access is renewed while it is used: send requests with httpx.AsyncClient.")


def tokens_in(linked: Linked, credential: Credential) -> Tokens:
    """What the account was linked by.

    Raises:
        Conflict: It makes no sense any more.

    """
    try:
        return Tokens.model_validate_json(credential.text)
    except ValidationError:
        raise _ended(linked) from None


def _as_they_are(tokens: Tokens, refused: str | None, otherwise: Exception) -> Tokens:
    """The tokens, where they may still do."""
    if refused is None and not tokens.ends_before(datetime.now(UTC)):
        return tokens
    raise otherwise


def _ended(linked: Linked) -> Conflict:
    return Conflict(
        f"{linked.connector} does not accept account {linked.user_identifier!r} any more. Link it again, with"
        " replace_duplicate: true.",
        code="INTEGRATION_EXPIRED",
    )


def _not_renewed(linked: Linked, failed: ServiceFailed) -> NotRenewed:
    return NotRenewed(
        f"The access to account {linked.user_identifier!r} of {linked.connector} has ended, and the service could not"
        f" be asked for more: {failed}. Nothing was done: try again later."
    )


def _shown(request: httpx.Request, access_token: str) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {access_token}"
    return request
