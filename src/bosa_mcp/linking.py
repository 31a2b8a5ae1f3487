"""Accounts are linked and removed: by a link that a person opens, for secrets never pass a model."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

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
from bosa_mcp.accounts import Accounts, listed, token
from bosa_mcp.invisible import plain
from bosa_mcp.questions import Question
from bosa_mcp.results import Refusal
from bosa_mcp.tickets import Purpose, Ticket, Tickets

CONNECT: Final = "connect"
CONNECTED: Final = "connected"
"""Where the pages are, below the address of the server."""
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

    beside: Mapping[str, str] = field(default_factory=dict[str, str])
    """By the name of the question."""
    besides: list[str] = field(default_factory=list[str])
    """What is about no question."""
    is_duplicate: bool = False
    """There is an account of this name, which could be linked anew."""


@dataclass(frozen=True, slots=True)
class Landing:
    """What a person is told who comes back from the service."""

    is_linked: bool
    message: str


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
        if not self.wants(connector):
            raise Refusal("not_found", f"This server does not offer a connector {connector[:100]!r}.")
        try:
            ways = ways_in(await self.connector.auth_schema(connector))
        except (NotFound, BadReply):  # an older API does not say, and knows one way alone
            return Ways(by_consent=True)
        if not ways.by_consent and ways.config is None:
            raise Refusal("unsupported", f"{connector} is not linked to accounts: its tools work without one.")
        return ways

    async def link(self, caller: Caller, connector: str, *, replaces: bool = False) -> Ticket:
        """A link for this user to open, good for ten minutes. Raises BosaError and Refusal."""
        user_token = token(caller)
        if good := self.tickets.again(caller, connector, replaces=replaces):
            return good
        ways = await self.ways(connector)
        person = await self.accounts.person(caller)
        before = frozenset(account.name for account in person.of(connector))
        ticket = self.tickets.issue(
            Purpose(caller, person.name, connector, before, ways.config, ways.by_consent, replaces)
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
        self, ticket: Ticket, asked: list[Question], given: Mapping[str, str], *, replaces: bool
    ) -> Wrong | str:
        """Links an account by what a person has answered: its name, or what is wrong. Raises BadTicket."""
        it = ticket.purpose
        assert it.schema is not None  # noqa: S101  there were questions
        self.tickets.take(ticket)
        try:
            linked = await self.configure(it.caller, it.connector, it.schema, asked, given, replaces=replaces)
            if isinstance(linked, str):
                self.tickets.use_up(ticket, f"Account {linked} of {it.connector} was linked.")
        except OutcomeUnknown as lost:
            self.tickets.use_up(ticket, "Whether an account was linked is not known.")
            return Wrong(besides=[str(lost)])
        finally:
            self.tickets.put_back(ticket)
        return linked

    async def configure(  # noqa: PLR0913  what a configuration needs
        self,
        caller: Caller,
        connector: str,
        schema: Mapping[str, object],
        asked: list[Question],
        given: Mapping[str, str],
        *,
        replaces: bool,
    ) -> Wrong | str:
        """The same without a link. Raises OutcomeUnknown."""
        try:
            config = questions.configuration(asked, given)
            questions.check(schema, config, asked)
        except InvalidArguments as wrong:
            return Wrong(*questions.beside(wrong.errors, asked))
        before = await self._names(caller, connector)
        secret = [text for each in asked if each.is_secret for text in texts(config.get(each.name, given.get("")))]
        try:
            done = await self.connector.initiate_plugin_configuration(connector, token(caller), config, replaces)
        except OutcomeUnknown:
            raise
        except ApiError as failure:
            problems = [_without(secret, each) for each in questions.refused(failure.details)]
            beside, besides = questions.beside(problems, asked)
            said = [] if beside or besides else [hide(plain(failure.message), secret)[:_SAID]]
            return Wrong(beside, [*besides, *said], is_duplicate=isinstance(failure, Conflict))
        except BosaError as failure:
            return Wrong(besides=[hide(str(failure), secret)[:_SAID]])
        finally:
            self.accounts.forget(caller)
        if not done.success:
            return Wrong(besides=[hide(plain(done.message), secret)[:_SAID]])
        log.info("an account was linked", connector=connector)
        new = [name for name in await self._names(caller, connector) if name not in before]
        return repr(plain(new[0])[:200]) if new else "(of the same name)"

    async def _names(self, caller: Caller, connector: str) -> list[str]:
        try:
            return [account.name for account in (await self.accounts.person(caller)).of(connector)]
        except BosaError:
            return []

    async def landed(self, ticket: Ticket, query: Mapping[str, str]) -> Landing:
        """What came of it, when the person is back from the service: the API says so, not the address."""
        it = ticket.purpose
        self.accounts.forget(it.caller)
        try:
            person = await self.accounts.person(it.caller)
        except BosaError as failure:
            return Landing(is_linked=False, message=f"The API does not say whether an account is linked. {failure}")
        mine = person.of(it.connector)
        new = [account for account in mine if account.name not in it.before]
        said = plain(query.get("error_description") or query.get("message") or query.get("error") or "")[:_SAID]
        has_failed = "error" in query or query.get("success", "").lower() == "false"
        if new or (mine and it.replaces and not has_failed):
            message = f"Linked: {listed(new or mine)}."
            self.tickets.use_up(ticket, message)
            log.info("an account was linked", connector=it.connector)
            return Landing(is_linked=True, message=message)
        if has_failed:
            message = f"No account was linked. {said}".strip()
            self.tickets.use_up(ticket, message)
            return Landing(is_linked=False, message=message)
        return Landing(is_linked=False, message="No new account is linked so far.")

    async def remove(self, caller: Caller, connector: str, account: str | None) -> str | None:
        """Removes an account, the selected one where none is named; why it is not removed, if so. Raises BosaError."""
        try:
            done = await self.connector.remove_integration(connector, token(caller), account)
        finally:
            self.accounts.forget(caller)
        if done.success:
            log.info("an account was removed", connector=connector)
        return None if done.success else done.message

    async def is_linked(self, caller: Caller, connector: str) -> bool:
        """Whether the user has an account there now. Raises BosaError."""
        return await self.connector.user_has_integration(connector, token(caller))


def _without(secret: list[str], problem: Problem) -> Problem:
    return Problem(problem.path, hide(problem.message, secret), problem.expected)
