"""Accounts are linked and removed: by a link that a person opens, for secrets never pass a model."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import structlog

from bosa_connectors import retry, transport
from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    Conflict,
    InvalidArguments,
    NotFound,
    OutcomeUnknown,
    Problem,
)
from bosa_connectors.hiding import hide, texts
from bosa_connectors.shapes import is_object
from bosa_mcp import questions
from bosa_mcp.access import Caller
from bosa_mcp.accounts import Accounts, token
from bosa_mcp.invisible import plain
from bosa_mcp.questions import Question
from bosa_mcp.results import Refusal
from bosa_mcp.tickets import Purpose, Ticket, Tickets

CONNECT: Final = "connect"
CONNECTED: Final = "connected"
"""Where the pages are, below the address of the server."""
_ANEW: Final = "The account was linked anew."
_SAID: Final = 500

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Ways:
    """How accounts of a connector are linked."""

    by_consent: bool
    """At the service itself, by OAuth 2."""
    config: Mapping[str, object] | None = None
    """By a configuration of this schema."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why a configuration did not link an account; the person may correct it."""

    by_question: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the name of the question."""
    others: list[str] = field(default_factory=list[str])
    """What is about no question."""
    is_duplicate: bool = False
    """There is an account of this name, which could be linked anew."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What a person is told who has filled in the form, or comes back from the service."""

    is_linked: bool
    message: str
    account: str = ""


def ways_in(said: list[dict[str, object]]) -> Ways:
    """The ways that an API tells of; those of other kinds are not known here."""
    configs = [way["config"] for way in said if way.get("type") == "custom" and is_object(way.get("config"))]
    config = configs[0] if configs else None
    return Ways(any(way.get("type") == "oauth2" for way in said), config if is_object(config) else None)


@dataclass(frozen=True, slots=True)
class Linking:
    """How the users of a server link accounts."""

    accounts: Accounts
    tickets: Tickets
    place: Callable[[], Awaitable[str]]
    """The address below which the pages are, once they are there."""
    wants: Callable[[str], bool] = lambda _: True
    """Whether a connector is one that this server offers."""

    @property
    def connector(self) -> AsyncBosaConnector:
        """What speaks to the API."""
        return self.accounts.connector

    async def ways(self, connector: str) -> Ways:
        """How accounts of this connector are linked, asked anew. Raises BosaError, and Refusal where they are not."""
        self._check_offered(connector)
        try:
            ways = ways_in(await self.connector.auth_schema(connector))
        except (NotFound, BadReply):  # an older API does not say, and knows one way alone
            return Ways(by_consent=True)
        if not ways.by_consent and ways.config is None:
            raise Refusal("unsupported", f"{connector} is not linked to accounts: its tools work without one.")
        return ways

    def _check_offered(self, connector: str) -> None:
        if not self.wants(connector):
            raise Refusal("not_found", f"This server does not offer a connector {connector[:100]!r}.")

    async def link(self, caller: Caller, connector: str, *, replaces: bool = False, acts: bool = False) -> Ticket:
        """A link for this user to open, good for ten minutes. Raises BosaError and Refusal."""
        user_token = token(caller)
        if good := self.tickets.again(caller, connector, replaces=replaces, acts=acts):
            return good
        ways = await self.ways(connector)
        person = await self.accounts.person(caller)
        before = frozenset(account.name for account in person.of(connector))
        ticket = self.tickets.issue(
            Purpose(caller, person.name, connector, before, ways.config, ways.by_consent, replaces, acts)
        )
        try:
            if ways.config is None:
                ticket.url = await self._consent(ticket, user_token)
            else:
                ticket.url = f"{await self.place()}/{CONNECT}/{ticket.id}"
        except BaseException:
            self.tickets.drop(ticket)
            raise
        return ticket

    async def consent(self, ticket: Ticket) -> str:
        """Where the person agrees, at the service itself, for a link that could also be used by a form."""
        return await self._consent(ticket, token(ticket.purpose.caller))

    async def _consent(self, ticket: Ticket, user_token: str) -> str:
        it = ticket.purpose
        back = f"{await self.place()}/{CONNECTED}/{ticket.id}"
        url = await self.connector.initiate_connector_auth(it.connector, user_token, back, it.replaces)
        if not url.startswith(("https://", "http://")):  # a browser would run javascript:
            raise BadReply(f"The API gives no address at which {it.connector} could be linked.")
        return url

    async def fill_in(
        self, ticket: Ticket, asked: Sequence[Question], given: Mapping[str, str], *, replaces: bool
    ) -> Wrong | Landing:
        """Links an account by what a person has answered, or says what is wrong. Raises BadTicket."""
        it = ticket.purpose
        assert it.schema is not None  # noqa: S101  there were questions
        self.tickets.take(ticket)
        try:
            config = questions.configuration(asked, given)
            linked = await self.configure(it.caller, it.connector, it.schema, config, replaces=replaces)
            if isinstance(linked, Landing):
                await self._have_act(it, linked.account)
                self.tickets.use_up(ticket, linked.message, is_linked=True, account=linked.account)
        except OutcomeUnknown as lost:
            self.tickets.use_up(ticket, "Whether an account was linked is not known.", is_linked=False)
            return Wrong(others=[str(lost)])
        finally:
            self.tickets.put_back(ticket)
        return linked

    async def configure(
        self,
        caller: Caller,
        connector: str,
        schema: Mapping[str, object],
        config: Mapping[str, object],
        *,
        replaces: bool,
    ) -> Wrong | Landing:
        """The same by a configuration, without a link; an account that is linked anew is not named.

        Raises OutcomeUnknown.
        """
        asked = questions.questions(schema)
        try:
            questions.check(schema, config, asked)
        except InvalidArguments as wrong:
            return Wrong(*questions.by_question(wrong.errors, asked))
        before = await self._names(caller, connector)
        secret = list(texts(questions.confided(config, asked)))
        try:
            done = await self.connector.initiate_plugin_configuration(connector, token(caller), config, replaces)
        except OutcomeUnknown:
            raise
        except ApiError as failure:
            if retry.nobody_knows(failure):
                raise transport.unknown(hide(plain(failure.message), secret)[:_SAID].rstrip(".")) from failure
            problems = [_without(secret, each) for each in questions.refused(failure.details)]
            by_question, others = questions.by_question(problems, asked)
            said = [] if by_question or others else [hide(plain(failure.message), secret)[:_SAID]]
            return Wrong(by_question, [*others, *said], is_duplicate=isinstance(failure, Conflict))
        except BosaError as failure:
            return Wrong(others=[hide(str(failure), secret)[:_SAID]])
        finally:
            self.accounts.forget(caller)
        if not done.success:
            return Wrong(others=[hide(plain(done.message), secret)[:_SAID]])
        log.info("an account was linked", connector=connector)
        after = await self._names(caller, connector)
        new = next((name for name in after or () if before is not None and name not in before), "")
        is_anew = replaces and before and after and not new
        return Landing(is_linked=True, message=_ANEW if is_anew else _told(new), account=new)

    async def _names(self, caller: Caller, connector: str) -> list[str] | None:
        """The accounts; None where the API does not say."""
        try:
            return [account.name for account in (await self.accounts.person(caller)).of(connector)]
        except BosaError:
            return None

    async def look(self, ticket: Ticket) -> Landing:
        """Whether the account that the link is for is linked: the API says so. Raises BosaError."""
        it = ticket.purpose
        person = await self.accounts.person(it.caller)
        mine = person.of(it.connector)
        new = [account for account in mine if account.name not in it.before]
        if new:
            return Landing(is_linked=True, message=_told(new[-1].name), account=new[-1].name)
        return Landing(is_linked=False, message="No new account is linked so far.")

    async def landed(self, ticket: Ticket, query: Mapping[str, str]) -> Landing:
        """What came of it, when the person is back from the service, which may say in the address why nothing did."""
        it = ticket.purpose
        try:
            landing = await self.look(ticket)
        except BosaError as failure:
            return Landing(is_linked=False, message=f"The API does not say whether an account is linked. {failure}")
        has_failed = "error" in query or query.get("success", "").lower() == "false"
        if landing.is_linked:
            log.info("an account was linked", connector=it.connector)
        elif has_failed:
            said = query.get("error_description") or query.get("message") or query.get("error") or ""
            landing = Landing(is_linked=False, message=f"No account was linked. {plain(said)[:_SAID]}".strip())
        elif it.replaces and query.get("user_identifier", next(iter(it.before), None)) in it.before:
            landing = Landing(is_linked=True, message=_ANEW)
        await self._have_act(it, landing.account)
        if landing.is_linked or has_failed:
            self.tickets.use_up(ticket, landing.message, is_linked=landing.is_linked, account=landing.account)
        return landing

    async def _have_act(self, it: Purpose, account: str) -> None:
        """Has an account that is new act where the one that did is of no use any more."""
        if it.acts and account:
            with suppress(BosaError):
                await self.select(it.caller, it.connector, account)

    async def remove(self, caller: Caller, connector: str, account: str | None) -> str | None:
        """Removes an account, the selected one where none is named; why it is not removed, if so.

        Raises BosaError and Refusal.
        """
        self._check_offered(connector)
        try:
            done = await self.connector.remove_integration(connector, token(caller), account)
        finally:
            self.accounts.forget(caller)
        if done.success:
            log.info("an account was removed", connector=connector)
        return None if done.success else done.message

    async def select(self, caller: Caller, connector: str, account: str) -> str | None:
        """Has an account act where a call names none; why it does not, if so. Raises BosaError."""
        try:
            done = await self.connector.select_integration(connector, token(caller), account)
        finally:
            self.accounts.forget(caller)
        return None if done.success else done.message

    async def is_linked(self, caller: Caller, connector: str) -> bool:
        """Whether the user has an account there now. Raises BosaError."""
        return await self.connector.user_has_integration(connector, token(caller))


def _told(name: str) -> str:
    """What a person is told of an account that was linked, by its name where that is known."""
    return f"Account {plain(name)[:200]!r} was linked." if name else "An account was linked."


def _without(secret: list[str], problem: Problem) -> Problem:
    return Problem(problem.path, hide(problem.message, secret), problem.expected)
