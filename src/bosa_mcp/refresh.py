"""The tools that there are: the actions of every connector that could be listed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import anyio
import structlog

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Action
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.errors import BosaError
from bosa_mcp.results import HINTS, kind_of
from bosa_mcp.tools import Offer, name_tools, offer

LISTING_BUDGET: Final = 20.0
"""Seconds for one look at the API: a client that waits for a list of tools gives up some time after."""
AT_ONCE: Final = 8

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Table:
    """The tools by name, and what is missing from them."""

    offers: Mapping[str, Offer] = field(default_factory=lambda: MappingProxyType({}))
    missing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Connectors that could not be listed, with the reason; `*` for all of them."""


class Tools:
    """The table of tools, looked up on first use, and again while something is missing from it."""

    def __init__(self, connector: AsyncBosaConnector, only: Collection[str] = ()) -> None:
        self._connector = connector
        self._only = frozenset(only)
        self._looking = anyio.Lock()
        self._table: Table | None = None

    @property
    def table(self) -> Table:
        """The table as it is known now; empty before the first look."""
        return self._table or Table()

    async def look(self) -> Table:
        """The table, after another look at the API where something is missing."""
        seen = self._table
        async with self._looking:
            if self._table is None or (self._table.missing and self._table is seen):
                self._table = await self._lookup()
            return self._table

    async def offer(self, name: str) -> Offer | None:
        """The tool of this name; one that is not known is looked for, where something is missing."""
        return self.table.offers.get(name) or (await self.look()).offers.get(name)

    async def _lookup(self) -> Table:
        found: dict[str, Catalogue] = {}
        missing: dict[str, str] = {}
        with anyio.move_on_after(LISTING_BUDGET) as budget:
            await self._list_connectors(found, missing)
        if budget.cancelled_caught:
            missing.setdefault("*", f"the API took longer than {LISTING_BUDGET:g} s to list its connectors")
        for connector, reason in missing.items():
            log.warning("no tools of connector", connector=connector, reason=reason)
        if self._table and "*" in missing:
            return replace(self._table, missing=MappingProxyType(missing))
        actions = [action for name in sorted(found) for action in found[name].values() if not action.binary]
        for catalogue in found.values():
            for name, reason in catalogue.refused.items():
                log.warning("action left out", connector=catalogue.connector, action=name, reason=reason)
        return Table(MappingProxyType(_offers(actions)), MappingProxyType(missing))

    async def _list_connectors(self, found: dict[str, Catalogue], missing: dict[str, str]) -> None:
        try:
            names = await self._connector.get_available_modules()
        except BosaError as failure:
            missing["*"] = f"{failure} {_remedy(failure)}"
            return
        missing |= dict.fromkeys(self._only - set(names), "the API has no connector of this name")
        at_once = anyio.Semaphore(AT_ONCE)

        async def list_one(name: str) -> None:
            async with at_once:
                try:
                    found[name] = await self._connector.catalogue(name)
                except BosaError as failure:
                    missing[name] = str(failure)

        async with anyio.create_task_group() as listing:
            for name in names:
                if not self._only or name in self._only:
                    listing.start_soon(list_one, name)


def _remedy(failure: BosaError) -> str:
    return HINTS.get(kind_of(failure)) or "Is BOSA_API_BASE_URL the address of a BOSA API, and is it well?"


def _offers(actions: list[Action]) -> dict[str, Offer]:
    offers: dict[str, Offer] = {}
    for name, action in name_tools(actions).items():
        try:
            offers[name] = offer(name, action)
        except ValueError as odd:
            log.warning("action left out", connector=action.connector, action=action.name, reason=str(odd))
    return offers
