"""What a reply says of the pages next to it, in the words of many connectors: `has_next`, `nextPageToken`, `links`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from bosa_connectors.calls import Reply
from bosa_connectors.shapes import is_array, is_number, is_object, members

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "more": ("has_next", "has_more", "has_next_page", "has_more_items", "more_results", "more", "is_truncated"),
    "last": ("is_last", "is_last_page", "last_page", "last"),
    "prev": ("has_prev",),
    "cursor": (
        *("forwards_cursor", "next_cursor", "next_page_token", "next_token", "end_cursor", "after_cursor"),
        *("next_page_cursor", "next_marker", "next_continuation_token", "cursors_next"),
    ),
    "here": ("cursors_after", "cursor", "last_id", "continuation_token", "scroll_id"),
    "next": (
        *("next", "next_page", "next_link", "next_url", "next_page_url", "next_page_link", "next_href"),
        *("odata_next_link", "next_records_url", "next_results", "next_offset", "next_start", "next_skip"),
    ),
    "before": ("backwards_cursor", "previous_cursor", "before_cursor"),
    "page": ("page", "current_page", "page_number", "page_index", "page_no", "current", "number"),
    "pages": ("total_page", "total_pages", "page_count", "pages", "num_pages", "nb_pages", "last_page"),
    "offset": ("offset", "skip", "start", "start_at", "start_index", "from"),
    "size": ("limit", "per_page", "page_size", "size", "max_results", "hits_per_page", "items_per_page"),
    "total": ("total", "total_count", "total_items", "total_results", "total_size", "total_elements", "nb_hits"),
}
"""What is said, and the names under which connectors say it; `here` may be the cursor of this page or of the next."""
_AROUND: Final = (
    *("page_info", "pagination", "paging", "page", "pages", "response_metadata", "meta", "metadata", "links"),
    *("cursors", "result_info", "info", "hits"),
)
"""Objects in which such names stand."""
_BESIDE: Final = (
    "after",
    "count",
    "previous",
    "previous_page",
    "prev_page",
    "prev_page_token",
    "has_previous",
    "prev",
    "self",
)
WITHIN: Final = frozenset({"embedded", "hits", "data", "result", "results", "response"})
"""Objects in which the items may stand."""
_DEPTH: Final = 3
_SURE: Final = ("next_page_token", "next_token", "next_cursor")
"""What means the next page wherever it stands in the data, and whatever the action takes."""
_NO: Final = frozenset({"false", "no", "0", "none", "null"})
_TRUTHS: Final = frozenset({"true", "false"})


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name without what differs from one connector to another: `nextPageToken`, `next-page_token`."""
    return "".join(filter(str.isalnum, name[:40])).lower()


_NAMES: Final = {meaning: tuple(map(plain, names)) for meaning, names in _WORDS.items()}
_COUNTED: Final = frozenset(name for meaning in ("page", "offset", "size") for name in _NAMES[meaning])
_CONTAINERS: Final = frozenset(map(plain, _AROUND))
NEXT_OFFSETS: Final = frozenset({"nextoffset", "nextstart", "nextskip"})
"""Names, made plain, under which the offset of the next page is said."""
_OF_PAGES: Final = frozenset(map(plain, _BESIDE)).union(_CONTAINERS, *_NAMES.values())


@dataclass(frozen=True, slots=True)
class Signs:
    """What a reply says of the pages next to it."""

    words: Mapping[str, object]
    """What is said under which name, made plain."""
    more: bool | None = None
    """Whether there is a page after this one; None where that is not said in so many words."""

    @property
    def has_prev(self) -> bool:
        """Whether there is a page before this one; APIs that only lead forward do not say so."""
        return any(map(_is_so, self._said("prev")))

    @property
    def ways(self) -> list[tuple[str, object]]:
        """What leads to the next page beside a cursor, and its name: an address, a number, or arguments."""
        named = [(name, self.words[name]) for name in _NAMES["next"] if name in self.words]
        return [(name, value) for name, value in named if value and not isinstance(value, bool)]

    def first(self, meaning: str) -> object:
        """What is said first; a cursor that is empty, or false, is the end."""
        said = self._said(meaning)
        return next((each for each in said if each is not False and each not in (None, "")), None)

    def number(self, meaning: str) -> int | None:
        """The number of this meaning."""
        found = map(number, self._said(meaning))
        return next((each for each in found if each is not None), None)

    def _said(self, meaning: str) -> list[object]:
        return [self.words[name] for name in _NAMES[meaning] if name in self.words]


_NOTHING: Final = Signs({})


def of(reply: Reply, *, is_page: bool) -> Signs:
    """What a reply says in its meta, and where the action pages, in what stands beside its items."""
    words: dict[str, object] = {}
    for place in _places(reply, is_page=is_page):
        _spread(place, words, _DEPTH)
    if not words:  # as of most replies
        return _NOTHING
    if "totalpages" not in words:  # else anything may have a number
        words.pop("number", None)
    told = [_is_so(words[name]) for name in _NAMES["more"] if name in words]
    told += [not _is_so(words[name]) for name in _NAMES["last"] if str(words.get(name)).lower() in _TRUTHS]
    return Signs(words, next((each for each in told if each is not None), None))


def sent(reply: Reply) -> object:
    """The data as they were sent: fields may have been selected since."""
    return members(reply.body).get("data", reply.data)


def _places(reply: Reply, *, is_page: bool) -> Iterator[Mapping[str, object]]:
    if meta := members(reply.meta):
        yield meta
    body, data = members(reply.body), sent(reply)
    if is_page and (is_array(data) or _holds_list(members(data), 2)):
        if "data" in body and len(body) > 1 + ("meta" in body):
            yield {name: value for name, value in body.items() if name not in {"data", "meta"}}
        is_told = any(plain(name) in _COUNTED for name in members(data))  # else a total may be one of money
        yield {name: each for name, each in members(data).items() if name != "total" or is_told}
    elif is_object(data):
        yield {name: data[name] for name in _SURE if name in data}
        if is_page and len(found := list(_page_infos(data, _DEPTH))) == 1:
            yield found[0]


def _holds_list(data: Mapping[str, object], depth: int) -> bool:
    """Whether it is a page: there is a list in it, or where items may stand one level below."""
    inside = (members(each) for name, each in data.items() if depth > 1 and plain(name) in WITHIN)
    return any(map(is_array, data.values())) or any(_holds_list(each, depth - 1) for each in inside)


def _page_infos(data: Mapping[str, object], depth: int) -> Iterator[Mapping[str, object]]:
    """Where connections in a graph say where they end."""
    for name, value in data.items() if depth else ():
        if is_object(value):
            yield from [value] if plain(name) == "pageinfo" else _page_infos(value, depth - 1)


def _spread(place: Mapping[str, object], words: dict[str, object], depth: int, within: str = "") -> None:
    """Adds what is said in a place, and then in the objects in it that tell of pages."""
    around: list[tuple[str, object]] = []
    for name, value in place.items():
        if (short := plain(name)) in _OF_PAGES and value is not None:
            words.setdefault(within + short, value)
            if short in _CONTAINERS:
                around.append((short, value))
    for short, value in around if depth else ():
        _spread(_linked(value), words, depth - 1, short if short == "cursors" else "")


def _linked(value: object) -> Mapping[str, object]:
    """An object, or links in a list, by what they lead to."""
    if not is_array(value):
        return members(value)
    links = [members(each) for each in value]
    return {str(each["rel"]): each for each in links if "rel" in each}


def rest_of(data: Mapping[str, object], place: str) -> dict[str, object]:
    """What an object that is a page tells beside its items, which are at this place, and where it is."""
    told = {name: value for name, value in data.items() if name != place and plain(name) not in _OF_PAGES}
    around = {name: rest_of(members(data[name]), "") for name in data if plain(name) in _CONTAINERS and name != place}
    return {**told, **{name: inner for name, inner in around.items() if inner}}


def _is_so(value: object) -> bool | None:
    """What is meant by a truth, also one that came as text or as a number; None where nothing is said."""
    if isinstance(value, str):
        return value.strip().lower() not in _NO if value.strip() else None
    return None if value is None or is_object(value) or is_array(value) else bool(value)


def number(value: object) -> int | None:
    """A page's number, also one that was sent as text, or in an object that says how exact it is."""
    if isinstance(value, str) and value.isdecimal():
        return int(value[:18])
    value = value.get("value") if is_object(value) else value
    return int(value) if is_number(value) and value == value // 1 else None
