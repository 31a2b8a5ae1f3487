"""Pages put together: one list of whole items."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bosa_connectors import listed, paging, places, signs
from bosa_connectors.calls import Action
from bosa_connectors.references import BRANCHING, branches
from bosa_connectors.shapes import is_array, is_number, is_object, items, members

_COMMON_SIZE: Final = 50
"""A page size that every API takes which states no maximum."""
_LARGEST_SIZE: Final = 10**9
"""No page is larger, whatever a schema says."""


@dataclass(frozen=True, slots=True)
class Pages:
    """What has come so far: the first page's list with the items of the others behind, the rest as the last says."""

    data: object
    meta: object
    place: str | None
    """Where the items are: empty for the data itself, else the name of the list in it; None where there is none."""

    @property
    def items(self) -> list[object]:
        """Those that have come."""
        return items(members(self.data).get(self.place) if self.place else self.data)

    def holding(self, items: list[object]) -> "Pages":
        """The same with these items."""
        return replace(self, data={**members(self.data), self.place: items} if self.place else items)


def of(action: Action, data: object, meta: object) -> Pages:
    """A page."""
    return Pages(data, meta, "" if is_array(data) else listed.list_in(action, data))


def joined(pages: Pages, further: Pages) -> Pages | None:
    """With another page behind; None where its data is of another shape, or says more beside the items."""
    place = pages.place
    if place is None or place != further.place:
        return None
    if place and signs.rest_of(members(pages.data), place) != signs.rest_of(members(further.data), place):
        return None
    return further.holding([*pages.items, *further.items])


def is_front(pages: Pages, others: Pages) -> bool:
    """Whether the others are the first items of these, and fewer: an API may keep to its own sizes."""
    count = len(others.items)
    return others.place == pages.place and 0 < count < len(pages.items) and pages.items[:count] == others.items


def sized(action: Action, arguments: Mapping[str, object], max_items: int) -> dict[str, object]:
    """The arguments, with the size of a page where the caller left it open, so that whole pages make `max_items`."""
    name = places.of(action).size
    if name is None or not paging.is_first(action, arguments) or not _may_set(arguments.get(name), max_items):
        return dict(arguments)
    size = _size(action, name, max_items)
    return dict(arguments) if size is None else {**arguments, name: size}


def shorter(action: Action, arguments: Mapping[str, object], most: int, came: int) -> dict[str, object] | None:
    """The arguments for the front of a page of which so many items came, for `most` or fewer; None where nothing does.

    A page that has a number has so many of its own size before it: these have to be whole pages of the new size too.
    """
    asks, first = places.of(action), paging.first_page(action)
    name, page = asks.size, asks.page or ""
    number, size = signs.number(arguments.get(page)), signs.number(arguments.get(name or "")) or came
    before = 0 if number is None else (number - first) * size
    if name is None or (number not in {None, first} and before <= 0):
        return None
    for less in range(most, 0, -1):
        if before % less == 0 and paging.takes(action, name, less):
            turned = {page: paging.as_taken(action, page, first + before // less)} if before else {}
            return {**arguments, name: less, **turned}
    return None


def _may_set(given: object, max_items: int) -> bool:
    return given is None or (isinstance(given, int) and given > max_items)


def _size(action: Action, name: str, max_items: int) -> int | None:
    """The largest size of a page up to so many items that the action takes, else the smallest beyond, if any."""
    largest, others = set[int](), set[int]()
    for node in _nodes(action.properties[name]):
        largest |= _whole(node.get("maximum")) | {each - 1 for each in _whole(node.get("exclusiveMaximum"))}
        lowest = _whole(node.get("minimum")) | {each + 1 for each in _whole(node.get("exclusiveMinimum"))}
        others |= {each for each in lowest if each > max_items}.union(*map(_whole, items(node.get("enum"))))
    possible = others | {min(max_items, each) for each in largest or {_COMMON_SIZE}}
    taken = [size for size in sorted(possible) if size > 0 and paging.takes(action, name, size)]
    return max((size for size in taken if size <= max_items), default=min(taken, default=None))


def _nodes(schema: object) -> Iterator[Mapping[str, object]]:
    """The schema, and the branches and parts that it has."""
    if is_object(schema):
        yield schema
        for branch in branches(schema, BRANCHING):
            yield from _nodes(branch)


def _whole(value: object) -> set[int]:
    return {int(value)} if is_number(value) and abs(value) <= _LARGEST_SIZE else set()
