"""The arguments by which an action is asked for a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from weakref import WeakKeyDictionary

from bosa_connectors.calls import Action
from bosa_connectors.shapes import is_number, items, members
from bosa_connectors.signs import plain

_CURSORS: Final = (
    *("cursor", "pagetoken", "nexttoken", "after", "startcursor", "aftercursor", "nextcursor", "pagecursor"),
    *("nextpagetoken", "continuationtoken", "paginationtoken", "startingafter", "startafter", "afterid", "pageafter"),
    *("nextpage", "nextrecordsurl", "nextlink", "nexturl", "nextpageurl"),
)
"""Arguments that take a cursor, their names made plain."""
_SIZED_CURSORS: Final = ("marker", "skiptoken", "scrollid", "exclusivestartkey")
"""The same, where the action takes the size of a page as well."""
_PAGES: Final = ("page", "pagenumber", "pageindex", "pageno", "pagenum")
_OFFSETS: Final = ("offset", "skip", "pageoffset")
"""Arguments that say how many items are before a page, where the action takes its size as well."""
_COUNTED: Final = ("start", "startat", "startindex", "from", "firstresult")
"""The same where they are numbers: others of these names are dates, or people."""
_SIZES: Final = ("perpage", "pagesize", "maxresults", "limit", "pagelimit", "hitsperpage", "itemsperpage")
"""Arguments that say how many items a page has."""
_COUNTED_SIZES: Final = ("resultsperpage", "size", "count", "top", "first", "rows")
"""The same where they are numbers."""
_OTHERS: Final = ("before", "fromlast", "since", "sinceid", "maxid")
"""Where a page is may depend on these too."""


_KNOWN: Final = frozenset(
    (*_CURSORS, *_SIZED_CURSORS, *_PAGES, *_OFFSETS, *_COUNTED, *_SIZES, *_COUNTED_SIZES, *_OTHERS)
)


@dataclass(frozen=True, slots=True)
class Places:
    """The arguments of an action that say which page is wanted; None where it has no such one."""

    page: str | None
    cursor: str | None
    offset: str | None
    size: str | None
    own: Mapping[str, str]
    """All arguments on which it depends where a page is, or how large, by their names made plain."""
    first_page: int | None = None
    """The number that asks for the first page: 0 or 1, where the schema says so."""
    first_offset: int | None = None
    """The offset that does, where the schema or its name says so."""

    def at(self, arguments: Mapping[str, object]) -> dict[str, object]:
        """What these arguments say of where a page is."""
        names = (name for name in self.own.values() if name != self.size)
        return {name: arguments[name] for name in names if arguments.get(name)}


_NOWHERE: Final = Places(None, None, None, None, {})
_FOUND: Final[WeakKeyDictionary[Action, Places]] = WeakKeyDictionary()


def of(action: Action) -> Places:
    """Those of an action, looked for once."""
    found = _FOUND.get(action)
    if found is None:
        found = _FOUND[action] = _places(action.properties)
    return found


def _places(properties: Mapping[str, object]) -> Places:
    names = {short: name for name in properties if (short := plain(name)) in _KNOWN}
    if not names:  # as most actions
        return _NOWHERE

    def first(wanted: tuple[str, ...], counted: tuple[str, ...] = ()) -> str | None:
        for name in wanted:
            if name in names:
                return names[name]
        for name in counted:
            if name in names and _is_counted(properties[names[name]]):
                return names[name]
        return None

    size = first(_SIZES, _COUNTED_SIZES)
    cursor = first((*_CURSORS, *_SIZED_CURSORS) if size else _CURSORS)
    offset = first(_OFFSETS, _COUNTED) if size else None
    page = first(_PAGES)
    own = {plain(name): name for name in (page, cursor, offset, size) if name}
    own |= {name: names[name] for name in (*_CURSORS, *_OTHERS) if name in names}
    starts = (_first_number(name, properties[name]) if name else None for name in (page, offset))
    return Places(page, cursor, offset, size, own, *starts)


def _is_counted(schema: object) -> bool:
    """Whether an argument is a number."""
    kinds = [each.get("type") for each in _nodes(schema)]
    return any(kind in {"integer", "number"} for kind in kinds if isinstance(kind, str))


def _nodes(schema: object) -> list[Mapping[str, object]]:
    node = members(schema)
    return [node, *map(members, items(node.get("anyOf")))]


def does_page(action: Action) -> bool:
    """Whether the action takes an argument that asks for a page."""
    asks = of(action)
    return (asks.page or asks.cursor or asks.offset) is not None


def _first_number(name: str, schema: object) -> int | None:
    nodes = _nodes(schema)
    stated = (each.get(key) for key in ("default", "minimum") for each in nodes)
    named = 1 if plain(name) == "startindex" else None
    return next((int(each) for each in stated if is_number(each) and each in (0, 1)), named)
