"""Which accounts a user has linked, and which of them acts in a call."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

import anyio
import structlog

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.errors import BosaError, InvalidArguments, Problem, nearest
from bosa_mcp.access import Caller
from bosa_mcp.arguments import Asked
from bosa_mcp.invisible import plain
from bosa_mcp.results import Refusal

KNOWN_FOR: Final = 15.0
"""Seconds: whoever selects another account elsewhere sees it act, and named, soon."""
FAILED_FOR: Final = 60.0
"""Seconds for which an API that does not say is not asked again."""
PATIENCE: Final = 5.0
"""Seconds that a call waits to be told which account acts."""
MOST: Final = 10_000
"""Users of whom something is known at once."""
_SHOWN: Final = 20
_NAME_LENGTH: Final = 200

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Account:
    """A linked account, as people and models see it."""

    connector: str
    name: str
    is_selected: bool = False
    status: str | None = None
    """What the API says of its credential, if anything."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the API."""

    name: str
    accounts: Sequence[Account] = ()

    def of(self, connector: str) -> list[Account]:
        """The accounts of one connector, in the order in which the API lists them."""
        return [account for account in self.accounts if account.connector == connector]


def acting(mine: Sequence[Account], named: str | None) -> Account | None:
    """The account that acts: the one that is named, else the selected one, else the only one."""
    if named is not None:
        return next((account for account in mine if account.name == named), None)
    selected = next((account for account in mine if account.is_selected), None)
    return selected or (mine[0] if len(mine) == 1 else None)


def listed(mine: Iterable[Account]) -> str:
    """Their names, in a line."""
    names = [plain(account.name)[:_NAME_LENGTH] for account in mine]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


class Accounts:
    """What the API says of each user's accounts, kept for some seconds."""

    def __init__(self, connector: AsyncBosaConnector, clock: Callable[[], float] = time.monotonic) -> None:
        self.connector = connector
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Person | None]] = OrderedDict()
        self._asking: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def person(self, caller: Caller) -> Person:
        """The user and what they have linked, asked anew. Raises BosaError, and Refusal where there is no user."""
        user = await self.connector.get_user_info(token(caller))
        accounts = (
            Account(each.connector, each.user_identifier, each.selected, each.auth_status) for each in user.integrations
        )
        person = Person(user.identifier, tuple(accounts))
        self._keep(caller.identity, person)
        return person

    async def known(self, caller: Caller) -> Person | None:
        """The same as it was some seconds ago at most; None where the API does not say."""
        lock = self._asking.setdefault(caller.identity, anyio.Lock())
        async with lock:  # calls at the same time ask once
            until, person = self._known.get(caller.identity, (0.0, None))
            if self._clock() < until:
                return person
            try:
                with anyio.fail_after(PATIENCE):
                    return await self.person(caller)
            except (BosaError, Refusal, TimeoutError) as failure:
                log.info("the API does not say which accounts are linked", reason=str(failure) or "it takes too long")
            self._keep(caller.identity, None)
            return None

    def forget(self, caller: Caller) -> None:
        """What was known of this user may no longer be so."""
        self._known.pop(caller.identity, None)

    async def notes(self, connector: str, asked: Asked, argument: str, caller: Caller) -> list[str]:
        """Which account acts in a call to this connector; `argument` is where the call could name one.

        Raises InvalidArguments where it names one that is not there while others are, Refusal where it is not clear
        which of several is meant.
        """
        wanted = caller.credentials.account
        mine = await self._mine(caller, connector)
        account = acting(mine, wanted)
        if account is None and mine and asked.account is not None:
            self.forget(caller)  # it may be quite new
            mine = await self._mine(caller, connector)
            account = acting(mine, wanted)
            if account is None and mine:
                raise _unknown(connector, asked.account, argument, mine)
        if account is None and wanted is None and len(mine) > 1:
            raise _ambiguous(connector, argument, mine)
        return _notes(account, wanted)

    async def _mine(self, caller: Caller, connector: str) -> list[Account]:
        person = await self.known(caller)
        return person.of(connector) if person else []

    def _keep(self, identity: str, person: Person | None) -> None:
        self._known[identity] = self._clock() + (KNOWN_FOR if person else FAILED_FOR), person
        self._known.move_to_end(identity)
        while len(self._known) > MOST:
            self._known.popitem(last=False)


def token(caller: Caller) -> str:
    """The user's token. Raises Refusal where there is none."""
    if not caller.credentials.user_token:
        raise Refusal(
            "unauthenticated",
            "Accounts are linked by a user, and this server acts for none.",
            "The person has to log in with `bosa-mcp login`, or set BOSA_USER_TOKEN.",
        )
    return caller.credentials.user_token


def _notes(account: Account | None, wanted: str | None) -> list[str]:
    if account is None:
        return []
    how = "" if wanted is not None else ", the selected one" if account.is_selected else ", the only one"
    return [f"Account {plain(account.name)[:_NAME_LENGTH]!r} acted{how}."]


def _unknown(connector: str, named: str, argument: str, mine: Sequence[Account]) -> InvalidArguments:
    message = f"No account of this name is linked to {connector}"
    near = nearest(named, [account.name for account in mine])
    return InvalidArguments([Problem(argument, message, f"one of {listed(mine)}", near)])


def _ambiguous(connector: str, argument: str, mine: Sequence[Account]) -> Refusal:
    expected = f"one of {listed(mine)}"
    problem = {"path": argument, "message": "Several accounts are linked, and none is selected", "expected": expected}
    return Refusal(
        "ambiguous_account",
        f"Several accounts are linked to {connector}, and none is selected: {listed(mine)}.",
        f"Ask the person which is meant, and call the tool again with {argument}.",
        errors=[problem],
    )
