"""A value made to fit a number of bytes, as compact JSON.

Lists keep whole items from the front; where one item alone is too large, its longest strings are shortened, each saying
its length.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from bosa_connectors.fields import select
from bosa_connectors.shapes import is_array, is_object

_DEPTH: Final = 4
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Fitted:
    """A value that fits, and what it lacks."""

    value: object
    items: int
    """Whole items and members left out."""
    bytes: int


def compact(value: object) -> str:
    """The value as compact JSON."""
    return _ENCODER.encode(value)


def size(value: object) -> int:
    """Bytes of the value as compact JSON."""
    text = compact(value)
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def fit(value: object, budget: int) -> Fitted:
    """The value in at most `budget` bytes; itself where it fits."""
    shrinking = _Shrinking()
    fitted = shrinking.value(value, budget)
    return Fitted(fitted, shrinking.left_out, size(value) - size(fitted))


def most(count: int, fits: Callable[[int], bool]) -> int:
    """How many of `count` items fit; a few are tried first, for all of them may be many."""
    tried = 1
    while tried < count and fits(tried):
        tried *= 2
    if tried >= count and fits(count):
        return count
    small = tried // 2
    return small + bisect_left(range(small + 1, min(tried, count)), 1, key=lambda each: not fits(each))


class _Shrinking:
    """One value being made smaller."""

    def __init__(self) -> None:
        self.left_out = 0
        self._sizes: dict[int, int] = {}

    def _size(self, value: object, most: int) -> int:
        """Bytes of the value; of one that has more than `most`, any number above."""
        if not (is_object(value) or is_array(value)):
            return size(value)
        if id(value) not in self._sizes:
            total = 1 if value else 2
            for name, each in value.items() if is_object(value) else enumerate(value):
                total += 1 + self._size(each, most) + (size(name) + 1 if isinstance(name, str) else 0)
                if total > most:
                    return total
            self._sizes[id(value)] = total
        return self._sizes[id(value)]

    def value(self, value: object, budget: int) -> object:
        if self._size(value, budget) <= budget:
            return value
        if isinstance(value, str):
            return shortened(value, budget)
        if is_array(value):
            return self._list(value, budget - 2)
        return self._object(value, budget - 1) if is_object(value) else value  # braces, and no comma after the last

    def _list(self, value: list[object], budget: int) -> list[object]:
        kept: list[object] = []
        left = budget
        for each in value:
            left -= self._size(each, left) + bool(kept)
            if left < 0:
                break
            kept.append(each)
        if value and not kept:  # the first alone is too large
            first = self.value(value[0], budget)
            kept = [first] if size(first) <= budget else []
        self.left_out += len(value) - len(kept)
        return kept

    def _object(self, value: Mapping[str, object], budget: int) -> dict[str, object]:
        """The small members whole; what is left is shared by the large ones."""
        kept: dict[str, object] = {}
        by_size = sorted(value, key=lambda name: self._size(value[name], budget))
        for done, name in enumerate(by_size):
            head = size(name) + 2
            share, before = budget // (len(by_size) - done) - head, self.left_out
            each = self.value(value[name], share)
            cost = size(each) + head
            if cost > budget:
                self.left_out = before + 1
                continue
            kept[name] = each
            budget -= cost
        return {name: kept[name] for name in value if name in kept}


def shortened(text: str, budget: int) -> str:
    """The beginning of a text, in at most `budget` bytes of JSON where that is possible, saying how long it is."""
    if size(text) <= budget:
        return text
    mark = f"… [{len(text):,} characters in all]"
    kept = text[: max(budget, 0)]
    while kept and size(kept + mark) > budget:
        kept = kept[: len(kept) * 9 // 10]
    return kept + mark


def largest(data: object, most: int = 3) -> list[str]:
    """The fields that take most of the bytes, as dotted paths; none that is small beside the largest."""
    by_size = sorted(sizes := field_sizes(data), key=lambda path: -sizes[path])[:most]
    return [path for path in by_size if sizes[path] * 10 >= sizes[by_size[0]]]


def fields_that_fit(data: object, budget: int) -> list[str]:
    """Dotted paths, in the order of the data, that `response_fields` may name so that all items fit."""
    sizes, left = field_sizes(data, budget), budget
    chosen: set[str] = set()
    for path in sorted(sizes, key=lambda path: sizes[path]):
        if sizes[path] > left:
            break
        left -= sizes[path]
        chosen.add(path)
    paths = [path for path in sizes if path in chosen]
    while paths and size(select(data, paths)) > budget:  # an item has braces, and a part the names above it
        paths = paths[: len(paths) // 2]
    return paths


def field_sizes(data: object, large: int | None = None) -> dict[str, int]:
    """Bytes of each field in all items together; a field larger than `large` is given by its parts."""
    return dict(_field_sizes([data], "", large, _DEPTH))


def _field_sizes(values: Iterable[object], prefix: str, large: int | None, depth: int) -> Iterable[tuple[str, int]]:
    fields: dict[str, list[object]] = {}
    for each in _objects(values):
        for name, value in each.items():
            fields.setdefault(name, []).append(value)
    for name, found in fields.items():
        if large is not None and "." in name:  # no path leads there
            continue
        total = sum(map(size, found)) + (size(name) + 2) * len(found)
        has_parts = depth > 1 and any(True for _ in _objects(found))
        if large is not None and total > large and has_parts:
            yield from _field_sizes(found, f"{prefix}{name}.", large, depth - 1)
        else:
            yield prefix + name, total


def _objects(values: Iterable[object]) -> Iterable[Mapping[str, object]]:
    """The objects among the values, and in lists among them."""
    return filter(is_object, _flat(values))


def paths(data: object, depth: int = _DEPTH) -> list[str]:
    """The dotted paths that lead somewhere in the data."""
    found: dict[str, None] = {}

    def walk(values: Iterable[object], prefix: str, left: int) -> None:
        below: dict[str, list[object]] = {}
        for each in _objects(values):
            for name, value in each.items():
                if "." not in name:  # no path leads there
                    below.setdefault(name, []).append(value)
        for name, inner in below.items():
            found[prefix + name] = None
            if left > 1:
                walk(inner, f"{prefix}{name}.", left - 1)

    walk([data], "", depth)
    return list(found)


def is_bare(data: object) -> bool:
    """Whether there is nothing in it: objects and lists of nothing else."""
    below = data.values() if is_object(data) else data if is_array(data) else None
    return below is not None and all(map(is_bare, below))


def leads_nowhere(data: object, path: str) -> bool:
    """Whether there is something where a dotted path would lead, and nothing of that name in it."""
    here = [data]
    for name in path.split("."):
        found = [each for each in _flat(here) if each is not None]
        here = [each[name] for each in found if is_object(each) and name in each]
        if not here:
            return bool(found)
    return False


def _flat(values: Iterable[object]) -> Iterable[object]:
    for value in values:
        yield from _flat(value) if is_array(value) else [value]
