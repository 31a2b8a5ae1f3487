"""The table of tools as time goes by: the last good one from disk, the API's, and newer ones."""

import math
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

import anyio
import structlog
from anyio import to_thread
from mcp.shared.subscriptions import ToolsListChanged

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.errors import BosaError, Unauthenticated, Unreachable
from bosa_mcp.changes import Changes
from bosa_mcp.filters import Filter
from bosa_mcp.imports import uncollected
from bosa_mcp.results import HINTS, kind_of
from bosa_mcp.saved_catalogue import Listed, Shelf, listed
from bosa_mcp.table import Table, build
from bosa_mcp.tools import Offer

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bosa_connectors.catalogue import Catalogue

FIRST_BUDGET: Final = 10.0
"""Seconds for the first look at the API: a client that waits for a list of tools gives up some time after."""
LONGEST_BUDGET: Final = 60.0
PATIENCE: Final = 2.0
"""Seconds that a list waits for what is missing from it, where there is something to show."""
FIRST_PAUSE: Final = 5.0
"""Seconds until the next look after one that left something missing; twice as many after each further one."""
LEAD: Final = 1.0
"""Seconds that clients, who ask for the list first of all, have ahead of a look at what the API lists by now."""
_DOUBLINGS: Final = 16
AT_ONCE: Final = 8
LINGER: Final = 1.0
"""Seconds that the list of a connector's actions waits to be told whether accounts are linked to it."""

log = structlog.get_logger("bosa_mcp")


class Tools:
    """The table of tools: looked up on first use, again while something is missing from it, and from time to time."""

    def __init__(
        self,
        connector: AsyncBosaConnector,
        wanted: Filter | None = None,
        shelf: Shelf | None = None,
        clock: Callable[[], float] = time.time,
        ours: Iterable[Offer] = (),
    ) -> None:
        self._ours = tuple(ours)
        self.wanted = wanted or Filter()
        self.changes = Changes()
        self._connector = connector
        self._shelf = shelf
        self._clock = clock
        self._looking = anyio.Lock()
        self._woken = anyio.Event()
        self._table: Table | None = None

    @property
    def table(self) -> Table:
        """The table as it is known now; empty before the first look."""
        return self._table or Table()

    @property
    def is_ready(self) -> bool:
        """Whether there has been a list of tools."""
        return bool(self.table.listed) or (self._table is not None and not self._table.missing)

    async def look(self) -> Table:
        """The table, after another look at the API where something is missing from it."""
        seen = self._table
        if seen is None or seen.lacks:
            with anyio.move_on_after(longest_wait(seen)):
                async with self._looking:
                    if self._table is seen:
                        await self._look_once(seen)
        return self.table

    def input_schema(self, name: str) -> Mapping[str, object] | None:
        """What the tool of this name takes, as it is listed."""
        offer = self.table.offers.get(name)
        return offer.tool.input_schema if offer else None

    async def offer(self, name: str) -> Offer | None:
        """The tool of this name; one that is not known is looked for, where something is missing."""
        return self.table.offer(name) or (await self.look()).offer(name)

    async def refresh(self, budget: float = LONGEST_BUDGET) -> None:
        """Looks at all that the API lists, and serves that from now on."""
        async with self._looking:
            await self._look_at_api(budget, is_new=True)

    def wake(self) -> None:
        """Has the next refresh made now."""
        self._woken.set()

    @asynccontextmanager
    async def fresh(self, every: float) -> "AsyncGenerator[None]":
        """Within it the table is kept fresh, every so many seconds (0: only when woken), and clients are told."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.changes.telling())
            refreshing = await stack.enter_async_context(anyio.create_task_group())
            refreshing.start_soon(self._keep_fresh, every)
            yield
            refreshing.cancel_scope.cancel()

    async def _keep_fresh(self, every: float) -> NoReturn:
        async with self._looking:
            if self._table is None:
                with uncollected():
                    await self._recall()
        if self.table.listed:
            with anyio.move_on_after(LEAD):
                await self._woken.wait()
        failures = 0
        while True:
            self._woken = anyio.Event()
            try:
                await self.refresh(budget(failures))
            except Exception:
                log.exception("the tools could not be refreshed")
            failures = failures + 1 if self.table.missing else 0
            with anyio.move_on_after(pause(every, failures)):
                await self._woken.wait()

    async def _look_once(self, seen: Table | None) -> None:
        if seen is not None:
            await self._look_at_api(FIRST_BUDGET, is_new=False)
            return
        with uncollected():
            if not await self._recall():
                await self._look_at_api(FIRST_BUDGET, is_new=False)
            elif self.table.lacks:
                with anyio.move_on_after(PATIENCE):
                    await self._look_at_api(FIRST_BUDGET, is_new=False)

    async def _recall(self) -> bool:
        """Serves what is kept on disk, where there is something."""
        kept = await to_thread.run_sync(self._shelf.load) if self._shelf else {}
        wanted = {name: each for name, each in kept.items() if self.wanted.wants(name)}
        if not wanted:
            return False
        there = self._shelf.names() if self._shelf else []
        missing = {
            name: "it has not been looked for yet" for name in there if self.wanted.wants(name) and name not in kept
        }
        await self._serve(wanted, missing, frozenset({*kept, *there}) - frozenset(wanted) - frozenset(missing))
        age = max(0, self._clock() - min(each.at for each in wanted.values()))  # clocks are set back now and then
        log.info("the tools come from the last good catalogue", age_seconds=round(age), tools=len(self.table.offers))
        return True

    async def _look_at_api(self, budget: float, *, is_new: bool) -> None:
        """Serves what the API lists now; of connectors that it does not list this time, what it listed before."""
        before = self.table
        look = _Look(self._connector, self.wanted, {} if is_new else before.listed)
        await look.run(budget)
        for connector, reason in look.missing.items():
            is_whole = connector == "*"
            before_it = before.listed if is_whole else connector in before.listed
            facts = {"reason": reason, "tools": "as they were listed before" if before_it else "none"}
            if is_whole:
                log.warning("the API could not be listed", **facts)
            else:
                log.warning("a connector could not be listed", connector=connector, **facts)
        missing, there = look.missing, dict(before.listed)
        if look.names is None:
            missing = {name: before.missing[name] for name in before.lacks} | missing
        else:
            there = {name: each for name, each in there.items() if name in look.names}
        for name, found in look.found.items():
            old = there.get(name)
            has_accounts = look.have_accounts.get(name, old.has_accounts if old else None)
            new = await to_thread.run_sync(partial(listed, found, self._clock(), has_accounts=has_accounts))
            there[name] = replace(old, at=new.at) if old and old.digest == new.digest else new
        unwanted = before.unwanted if look.names is None else look.unwanted
        await self._serve(there, missing, unwanted)
        if self._shelf:
            await to_thread.run_sync(self._shelf.save, before.listed, there, look.names)

    async def _serve(self, there: Mapping[str, Listed], missing: Mapping[str, str], unwanted: frozenset[str]) -> None:
        """Puts a newer table in place of the one there is, and has clients told where they see a difference."""
        before = self._table
        facts = {"missing": missing, "unwanted": unwanted, "wanted": self.wanted, "ours": self._ours}
        make = partial(build, there, before=before or Table(), now=self._clock(), **facts)
        after = await to_thread.run_sync(make)
        self._table = after
        if before is None or not after.is_listed_like(before):
            self._report(after)
            if before is not None:
                self.changes.announce(ToolsListChanged())

    def _report(self, table: Table) -> None:
        for tool, reason in table.odd.items():
            log.warning("action left out", tool=tool, reason=reason)
        if not table.missing and (table.listed or table.unwanted):
            names = [*table.offers, *table.barred, *table.filtered]
            for setting, value, near in self.wanted.idle(names, [*table.listed, *table.unwanted]):
                log.warning("a setting matches nothing", setting=setting, value=value, nearest=near)


class _Look:
    """One look at the API."""

    def __init__(self, connector: AsyncBosaConnector, wanted: Filter, known: Iterable[str]) -> None:
        self._connector = connector
        self._wanted = wanted
        self._known = frozenset(known)
        """Connectors that are not asked for this time."""
        self.names: list[str] | None = None
        """Those that the API has; None where it did not say."""
        self.found: dict[str, Catalogue] = {}
        self.missing: dict[str, str] = {}
        self.have_accounts: dict[str, bool] = {}
        """Whether accounts are linked to a connector, where the API says so."""

    @property
    def unwanted(self) -> frozenset[str]:
        """Connectors that the API has, and nobody asked for."""
        return frozenset(name for name in self.names or () if not self._wanted.wants(name))

    async def run(self, budget: float) -> None:
        """Asks for the names of the connectors, and then for the actions of each."""
        with anyio.move_on_after(budget) as patience:
            await self._list_connectors()
        if patience.cancelled_caught:
            waited_for = ["*"] if self.names is None else self._asked()
            for name in waited_for:
                if name not in self.found:
                    self.missing.setdefault(name, f"the API took longer than {budget:g} s to list it")

    async def _list_connectors(self) -> None:
        try:
            self.names = await self._connector.get_available_modules()
        except BosaError as failure:
            said = str(failure)
            self.missing["*"] = f"{said}{'' if said.endswith(('.', '!', '?')) else '.'} {_remedy(failure)}"
            return
        at_once = anyio.Semaphore(AT_ONCE)
        async with anyio.create_task_group() as listing:
            for name in self._asked():
                listing.start_soon(self._list_one, name, at_once)

    async def _list_one(self, name: str, at_once: anyio.Semaphore) -> None:
        async with at_once, anyio.create_task_group() as beside:
            is_told = anyio.Event()
            beside.start_soon(self._look_for_accounts, name, is_told)
            try:
                self.found[name] = await self._connector.refresh_connector(name)
                with anyio.move_on_after(LINGER):
                    await is_told.wait()
            except BosaError as failure:
                self.missing[name] = str(failure)
            beside.cancel_scope.cancel()

    async def _look_for_accounts(self, name: str, is_told: anyio.Event) -> None:
        with suppress(BosaError):  # an older API does not know the question
            self.have_accounts[name] = bool(await self._connector.auth_schema(name))
        is_told.set()

    def _asked(self) -> list[str]:
        names = dict.fromkeys(self.names or ())
        return [name for name in names if self._wanted.wants(name) and name not in self._known]


def longest_wait(seen: Table | None) -> float:
    """Seconds that a list waits for what is missing from it. The first look of all has a budget of its own."""
    if seen is None:
        return math.inf
    return PATIENCE if seen.listed else FIRST_BUDGET + LEAD


def budget(failures: int) -> float:
    """Seconds for a look at the API after so many that left something missing: an API may be slow, not down."""
    return min(FIRST_BUDGET * 2 ** min(failures, _DOUBLINGS), LONGEST_BUDGET)


def pause(every: float, failures: int) -> float:
    """Seconds until the next look."""
    if every == 0:
        return math.inf
    return min(every, FIRST_PAUSE * 2 ** min(failures - 1, _DOUBLINGS)) if failures else every


def _remedy(failure: BosaError) -> str:
    hint = HINTS.get(kind_of(failure)) if isinstance(failure, (Unreachable, Unauthenticated)) else None
    return hint or "Is BOSA_API_BASE_URL the address of a BOSA API, and is it well?"
