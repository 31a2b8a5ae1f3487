"""Pages put together: one list of whole items."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bosa_connectors import paging
from bosa_connectors.calls import Action
from bosa_connectors.paging import CURSOR_ARGUMENTS
from bosa_connectors.shapes import is_array, items, members

SIZES: Final = ("per_page", "page_size", "max_results", "limit")
"""Arguments that say how many items a page has."""
_COMMON_SIZE: Final = 50
"""A page size that every API takes which states no maximum."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What has come so far: the first page's list with the items of the others behind, the rest as the last says."""

    data: object
    meta: object
    count: int | None
    """Items; None where the data holds no list, or several."""


def of(action: Action, data: object, meta: object) -> Pages:
    """The first page."""
    place = _place(action, data)
    return Pages(data, meta, None if place is None else len(_list(data, place)))


def joined(action: Action, pages: Pages, data: object, meta: object) -> Pages | None:
    """With another page behind; None where its data is of another shape."""
    place = _place(action, pages.data)
    if place is None or place != _place(action, data):
        return None
    together = [*_list(pages.data, place), *_list(data, place)]
    return Pages({**members(data), place: together} if place else together, meta, len(together))


def _place(action: Action, data: object) -> str | None:
    """Where the items are: empty for the data itself, else the name of the list in it."""
    return "" if is_array(data) else paging.list_in(action, data)


def _list(data: object, place: str) -> list[object]:
    return items(members(data)[place] if place else data)


def sized(action: Action, arguments: Mapping[str, object], max_items: int) -> dict[str, object]:
    """The arguments, with the size of a page where the caller left it open, so that whole pages make `max_items`."""
    name = next((name for name in SIZES if name in action.properties), None)
    is_first = not any(arguments.get(each) for each in ("page", *CURSOR_ARGUMENTS))
    if name is None or not is_first or not _may_set(arguments.get(name), max_items):
        return dict(arguments)
    return {**arguments, name: min(max_items, _largest(action.properties[name]))}


def _may_set(given: object, max_items: int) -> bool:
    return given is None or (isinstance(given, int) and given > max_items)


def _largest(schema: object) -> int:
    branches = [members(schema), *map(members, items(members(schema).get("anyOf")))]
    stated = [branch["maximum"] for branch in branches if isinstance(branch.get("maximum"), int)]
    return min([int(str(each)) for each in stated], default=_COMMON_SIZE)
