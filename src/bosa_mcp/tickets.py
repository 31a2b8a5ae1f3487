"""Links under which a person links an account: each for one user and connector, once, and for ten minutes."""

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import anyio

from bosa_mcp.access import Caller

LASTING: Final = 600.0
"""Seconds."""
_REMEMBERED: Final = 3600.0
"""Seconds for which it is known that there was a link, so that its page can say what became of it."""
_MOST: Final = 10_000
_MOST_OF_ONE: Final = 100
"""Links of one user at once; the oldest make room."""

State: TypeAlias = Literal["open", "busy", "used"]


class BadTicket(Exception):
    """The link leads nowhere, or no longer; the message tells a person which. `status` is that of the page."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a link is for."""

    caller: Caller
    who: str
    """How the user is called."""
    connector: str
    before: frozenset[str]
    """The accounts that were linked when it was made."""
    schema: Mapping[str, object] | None = None
    """What a person fills in; None where the account is linked at the service itself alone."""
    by_consent: bool = True
    """Whether the person can agree at the service itself."""
    replaces: bool = False
    """Whether an account that is linked already is linked anew."""
    acts: bool = False
    """Whether another one that is linked instead acts from then on, for the one that did is of no use any more."""


@dataclass(slots=True, eq=False)
class Ticket:
    """A link. Its name cannot be guessed."""

    purpose: Purpose
    until: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    url: str = field(default="", repr=False)
    """What the person opens."""
    state: State = "open"
    outcome: str | None = None
    """What came of it, in a sentence."""
    is_linked: bool = False
    """That an account was linked came of it."""
    account: str = ""
    """Which, where that is known."""


class Tickets:
    """The links of one server, in memory: they do not outlast it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()
        self._changed = anyio.Event()

    def issue(self, purpose: Purpose) -> Ticket:
        """A new link."""
        self._make_room(purpose.caller.identity)
        ticket = Ticket(purpose, self._clock() + LASTING)
        self._tickets[ticket.id] = ticket
        self._tell()
        return ticket

    def again(self, caller: Caller, connector: str, *, replaces: bool, acts: bool) -> Ticket | None:
        """A link for the same that is still good for a while, so that whoever asks twice gets it twice."""
        late = self._clock() + LASTING / 2
        for ticket in reversed(self._tickets.values()):
            it = ticket.purpose
            is_same = (it.caller, it.connector, it.replaces, it.acts) == (caller, connector, replaces, acts)
            if is_same and ticket.state == "open" and ticket.until > late and ticket.url:
                return ticket
        return None

    def find(self, identifier: str) -> Ticket:
        """The link of this name. Raises BadTicket unless it is good."""
        ticket = self._tickets.get(identifier)
        if ticket is None:
            raise BadTicket(404, "This link is not whole, or was never given. Ask for another one.")
        if ticket.state == "used":
            raise BadTicket(410, f"This link has been used. {ticket.outcome or ''}".strip())
        if ticket.until <= self._clock():
            raise BadTicket(410, "This link has expired: it was good for ten minutes. Ask for another one.")
        return ticket

    def take(self, ticket: Ticket) -> None:
        """Whoever takes the link uses it alone. Raises BadTicket where somebody does so just now."""
        if ticket.state != "open":
            raise BadTicket(409, "This link is being used at this moment.")
        ticket.state = "busy"

    def put_back(self, ticket: Ticket) -> None:
        """Makes a link that was taken as good as before, unless it was used up."""
        if ticket.state == "busy":
            ticket.state = "open"

    def use_up(self, ticket: Ticket, outcome: str, *, is_linked: bool, account: str = "") -> None:
        """The link is good no more; this is what came of it."""
        ticket.state, ticket.outcome, ticket.is_linked, ticket.account = "used", outcome, is_linked, account
        self._tell()

    def drop(self, ticket: Ticket) -> None:
        """The link was never given to anybody."""
        self._tickets.pop(ticket.id, None)
        self._tell()

    def left(self, ticket: Ticket) -> float:
        """Seconds for which a link is still good."""
        return ticket.until - self._clock()

    async def over(self) -> None:
        """Returns once no link is good any more."""
        while open_until := [each.until for each in self._tickets.values() if each.state != "used"]:
            left = max(open_until) - self._clock()
            if left <= 0:
                return
            with anyio.move_on_after(left):
                await self.change()

    async def change(self) -> None:
        """Returns once a link is issued, or used up."""
        await self._changed.wait()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _make_room(self, identity: str) -> None:
        forgotten = self._clock() - _REMEMBERED + LASTING
        for old in [each for each in self._tickets.values() if each.until < forgotten]:
            del self._tickets[old.id]
        his = [each for each in self._tickets.values() if each.purpose.caller.identity == identity]
        for old in his[: max(len(his) + 1 - _MOST_OF_ONE, 0)]:
            del self._tickets[old.id]
        while len(self._tickets) >= _MOST:
            self._tickets.popitem(last=False)
