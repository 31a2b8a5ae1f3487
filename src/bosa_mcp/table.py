"""The table of tools: a value made of what the API lists and of what is wanted. A newer one takes its place whole."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, islice
from types import MappingProxyType
from typing import Final

from bosa_connectors.calls import Action
from bosa_connectors.errors import nearest
from bosa_mcp.filters import Filter
from bosa_mcp.saved_catalogue import Listed
from bosa_mcp.tools import Offer, name_tools, offer

PAGE_BYTES: Final = 900_000
"""Some clients refuse a message over 1 MiB, and many read the first page alone."""
_REMEMBERED: Final = 10_000
"""Tools that are gone, at most."""
_CURSOR: Final = "after:"


class BadCursor(ValueError):
    """A cursor that no page ended with."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A tool that there was."""

    connector: str
    until: float
    """When it was looked for in vain, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Table:
    """The tools by name, in the order of their names, and what became of the others."""

    offers: Mapping[str, Offer] = field(default_factory=dict[str, Offer])
    barred: Mapping[str, Offer] = field(default_factory=dict[str, Offer])
    """Tools that are not listed, for they write and only reading is allowed."""
    filtered: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tools that are left out, with the setting that does so."""
    odd: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tools that there cannot be, with the reason."""
    gone: Mapping[str, Gone] = field(default_factory=dict[str, Gone])
    listed: Mapping[str, Listed] = field(default_factory=dict[str, Listed])
    """What the tools are made of, by connector."""
    missing: Mapping[str, str] = field(default_factory=dict[str, str])
    """Connectors that could not be listed the last time, with the reason; `*` for all of them."""
    unwanted: frozenset[str] = frozenset()
    """Connectors that the API has, and nobody asked for."""

    @property
    def lacks(self) -> list[str]:
        """Connectors of which no tool is known, for they could not be listed."""
        return [name for name in self.missing if name not in self.listed and not (name == "*" and self.listed)]

    def offer(self, name: str) -> Offer | None:
        """The tool of this name, also one that may not be called."""
        return self.offers.get(name) or self.barred.get(name)

    def page(self, cursor: str | None) -> tuple[list[Offer], str | None]:
        """The tools after this cursor, and the cursor of the page behind them. Raises BadCursor.

        A cursor names the last tool that was handed over, so that it leads on from there in a newer table too.
        """
        if cursor is not None and not cursor.startswith(_CURSOR):
            raise BadCursor("This cursor comes from no page of this list: list the tools from the start.")
        last = (cursor or "").removeprefix(_CURSOR)
        ahead = [each for name, each in self.offers.items() if name > last]
        sizes = accumulate(each.size + 1 for each in ahead)
        fitting = max(1, sum(1 for size in sizes if size <= PAGE_BYTES))
        page = list(islice(ahead, fitting))
        return page, f"{_CURSOR}{page[-1].tool.name}" if fitting < len(ahead) else None

    def is_listed_like(self, other: "Table") -> bool:
        """Whether clients see the same list of tools."""
        return self.offers.keys() == other.offers.keys() and all(
            each is other.offers[name] or each.tool == other.offers[name].tool for name, each in self.offers.items()
        )

    def explain(self, name: str) -> str:
        """What became of a tool that is not in the table."""
        return f"Unknown tool {name[:100]!r}. {self._fate(name)}"

    def _fate(self, name: str) -> str:
        if name in self.filtered:
            return f"The setting {self.filtered[name]} leaves it out."
        if name in self.odd:
            return f"It cannot be served: {self.odd[name]}."
        if name in self.gone:
            return self._farewell(self.gone[name])
        for connector in self.unwanted:
            if name.startswith(f"{connector}_"):
                return f"The setting BOSA_CONNECTORS leaves out all of {connector[:100]}."
        if self.missing:
            where = ", ".join("the API" if connector == "*" else connector[:100] for connector in self.missing)
            return f"Some tools are missing, for {where} could not be listed."
        similar = nearest(name, self.offers)
        return f"Did you mean {similar!r}?" if similar else "List the tools anew."

    def _farewell(self, gone: Gone) -> str:
        until = datetime.fromtimestamp(gone.until, UTC).strftime("%Y-%m-%d %H:%M UTC")
        connector = gone.connector[:100]
        if gone.connector in self.listed:
            return f"It was there until {until}: the connector {connector} no longer lists it."
        return f"It was there until {until}: the API no longer has the connector {connector}."


def build(  # noqa: PLR0913  what a table depends on
    listed: Mapping[str, Listed],
    *,
    missing: Mapping[str, str],
    unwanted: frozenset[str],
    wanted: Filter,
    before: Table,
    now: float,
    ours: Iterable[Offer] = (),
) -> Table:
    """The table for what the API lists, which keeps of the one before what has not changed."""
    built_in = {each.action: each for each in ours}  # first, so that the names are theirs
    actions = [*built_in, *(action for name in sorted(listed) for action in listed[name].catalogue.values())]
    offers: dict[str, Offer] = {}
    barred: dict[str, Offer] = {}
    filtered: dict[str, str] = {}
    odd = dict(_refused(listed))
    for name, action in sorted(name_tools(actions).items()):
        against = wanted.against(name, action)
        if against and wanted.allows(action):
            filtered[name] = against
            continue
        try:
            made = built_in.get(action) or _made(name, action, before, listed[action.connector])
        except Exception as reason:  # noqa: BLE001  whatever is odd about one action costs no other
            odd[name] = str(reason)[:500] or type(reason).__name__
            continue
        if against:
            barred[name] = made
        else:
            offers[name] = made
    there = offers.keys() | barred.keys() | filtered.keys() | odd.keys()
    lost = {name: Gone(each.action.connector, now) for name, each in before.offers.items()}
    gone = [(name, each) for name, each in ({**before.gone, **lost}).items() if name not in there]
    return Table(
        MappingProxyType(offers),
        MappingProxyType(barred),
        MappingProxyType(filtered),
        MappingProxyType(odd),
        MappingProxyType(dict(gone[-_REMEMBERED:])),
        MappingProxyType(dict(listed)),
        MappingProxyType(dict(missing)),
        unwanted,
    )


def _made(name: str, action: Action, before: Table, among: Listed) -> Offer:
    known, has_accounts = before.offer(name), among.has_accounts is True
    if known and known.action is action and (known.account_argument is not None) == has_accounts:
        return known
    return offer(name, action, has_accounts=has_accounts)


def _refused(listed: Mapping[str, Listed]) -> Iterator[tuple[str, str]]:
    """Actions that the catalogue left out, by the names that their tools would have."""
    for connector, each in listed.items():
        for name, reason in each.catalogue.refused.items():
            [tool] = name_tools([Action(connector, name, "/", "", {})])
            yield tool, reason
