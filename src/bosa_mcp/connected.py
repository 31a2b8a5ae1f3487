"""A call that lacks a linked account: the person gets a link, and where the client can ask them, the call goes on."""

import time
from typing import TYPE_CHECKING, Final

import anyio
import structlog
from mcp.shared.exceptions import MCPError

from bosa_connectors.errors import BosaError, NotConnected
from bosa_mcp.accounts import acting, listed
from bosa_mcp.invisible import plain
from bosa_mcp.results import Refusal
from bosa_mcp.tickets import LASTING

if TYPE_CHECKING:
    from bosa_mcp.access import Caller
    from bosa_mcp.accounts import Account
    from bosa_mcp.elicitation import Asker
    from bosa_mcp.linking import Linking
    from bosa_mcp.tickets import Ticket

PAUSE: Final = 1.0
"""Seconds between two questions to the API whether something is linked now."""
PATIENCE: Final = 10.0
"""Seconds for making a link."""
_MINUTES: Final = int(LASTING // 60)

log = structlog.get_logger("bosa_mcp")


async def have_linked(  # noqa: PLR0913  what it depends on
    linking: "Linking", connector: str, caller: "Caller", missing: NotConnected, *, asker: "Asker | None", ends: float
) -> None:
    """Returns once the person has linked an account; on the monotonic clock, that is until `ends` at most.

    Raises Refusal with a link where they have not, or why there can be none, NotConnected where the API gives none, and
    InputNeeded.
    """
    person = await linking.accounts.known(caller)
    mine = person.of(connector) if person else []
    if mine and not missing.is_stale:
        linking.accounts.forget(caller)
        hint = f"Linked are: {listed(mine)}. The call named {str(caller.credentials.account)[:200]!r}."
        raise Refusal("not_connected", missing.message, hint, **_said(missing)) from missing
    ticket = await _link(linking, connector, caller, missing)
    if asker is None or not asker.can_ask:
        raise _refusal(ticket, missing)
    await _ask(asker, _question(connector, missing, acting(mine, caller.credentials.account)), ticket, missing, ends)
    if not await _is_linked(linking, ticket, missing, ends):
        raise _refusal(ticket, missing)
    linking.accounts.forget(caller)
    with anyio.move_on_after(PAUSE):
        await asker.done(ticket.id)


async def _link(linking: "Linking", connector: str, caller: "Caller", missing: NotConnected) -> "Ticket":
    try:
        with anyio.fail_after(PATIENCE):
            acts = missing.is_stale and caller.credentials.account is None
            return await linking.link(caller, connector, replaces=missing.is_stale, acts=acts)
    except Refusal as refused:
        hint = f"{refused} {refused.hint or ''}".strip()
        raise Refusal("not_connected", missing.message, hint, **_said(missing)) from missing
    except (BosaError, OSError) as failure:  # a TimeoutError is an OSError
        log.warning(
            "no link could be made by which to link an account",
            connector=connector,
            reason=str(failure) or "it takes too long",
        )
        raise missing from None


def _question(connector: str, missing: NotConnected, account: "Account | None") -> str:
    connector = plain(connector)
    if not missing.is_stale:
        return f"{connector} needs an account of yours. Open this page to link one."
    named = f" {plain(listed([account]))!r}" if account else ""
    return f"Your account{named} on {connector} is of no use any more. Open this page to link it anew."


async def _ask(asker: "Asker", message: str, ticket: "Ticket", missing: NotConnected, ends: float) -> None:
    """Returns once the person has opened the link, or the time is over. Raises Refusal and InputNeeded."""
    try:
        with anyio.move_on_after(max(ends - time.monotonic(), 0)):
            if await asker.ask(message, ticket.url, ticket.id) != "accept":
                raise Refusal(
                    "not_connected",
                    missing.message,
                    "The person was asked for an account, and did not agree: do not ask again by yourself.",
                    **_said(missing),
                )
    except MCPError as failure:
        log.info("the client could not ask the person", reason=failure.error.message)
        raise _refusal(ticket, missing) from failure


async def _is_linked(linking: "Linking", ticket: "Ticket", missing: NotConnected, ends: float) -> bool:
    it = ticket.purpose
    while True:
        try:
            if ticket.is_linked or (not missing.is_stale and await linking.is_linked(it.caller, it.connector)):
                return True
        except BosaError as failure:
            log.info("the API does not say whether an account is linked", reason=str(failure))
        if ticket.state == "used" or time.monotonic() + PAUSE > ends:
            return False
        await anyio.sleep(PAUSE)


def _refusal(ticket: "Ticket", missing: NotConnected) -> Refusal:
    hint = "The person used the link, and no account is known to have come of it: ask them before you call it again."
    if ticket.state == "used":
        return Refusal("not_connected", missing.message, hint, **_said(missing))
    hint = (
        f"Give the person this link, good once and for {_MINUTES} minutes: {ticket.url} When they have linked an"
        " account there, call the tool again. Never ask them for a password or a key."
    )
    return Refusal("not_connected", missing.message, hint, **_said(missing))


def _said(missing: NotConnected) -> dict[str, object]:
    return {"status": missing.status, "code": missing.code, "request_id": missing.request_id}
