"""Which arguments ask for the next page, or for the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from bosa_connectors import places, schema, signs
from bosa_connectors.calls import Action, Reply
from bosa_connectors.errors import InvalidArguments, InvalidSchema, PagingError
from bosa_connectors.listed import items_of, list_in
from bosa_connectors.places import Places, does_page
from bosa_connectors.shapes import is_array, is_number, is_object, members
from bosa_connectors.signs import Signs, number, plain

_TOKENS: Final = {"page_token": "next_page_token", "next_token": "next_token", "cursor": "next_cursor"}
_ADDRESSES: Final = ("href", "url", "link", "uri")
_LONGEST_ADDRESS: Final = 10_000
_LONGEST_SHOWN: Final = 100


def has_next(action: Action, arguments: Mapping[str, object], reply: Reply) -> bool:
    """Whether there is a page after this one, be it that nothing says how it would be asked for."""
    try:
        return next_arguments(action, arguments, reply) is not None
    except PagingError:
        return True


def has_prev(reply: Reply) -> bool:
    """Whether the API says that there is a page before this one; APIs that only lead forward do not."""
    return signs.of(reply, is_page=False).has_prev


def next_arguments(action: Action, arguments: Mapping[str, object], reply: Reply) -> Mapping[str, object] | None:
    """The arguments for the page after `reply`; None where it is the last.

    Raises PagingError where the API says that there is a further page which the action gives no way to ask for, or that
    the same page comes next.
    """
    said = signs.of(reply, is_page=does_page(action))
    if not said.words or said.more is False:
        return None
    page = _Page(action, arguments, reply, places.of(action), said)
    for way in (page.by_cursor, page.by_lead, page.by_number, page.by_offset, page.by_last_item):
        if to := way():
            return _moved(arguments, {name: as_taken(action, name, value) for name, value in to.items()})
    if page.is_said and page.asks.cursor:
        raise PagingError(
            f"There is a further page, but the API names no cursor to ask for it with {page.asks.cursor}."
        )
    if page.is_said:
        raise PagingError("There is a further page, but this action takes no argument that would ask for it.")
    return None


def prev_arguments(action: Action, arguments: Mapping[str, object], reply: Reply) -> Mapping[str, object] | None:
    """The arguments for the page before `reply`; None where it is the first, and where the API only leads forward.

    Where an action takes `from_last`, a cursor counts from there backwards: so the page ends before the cursor.
    Raises PagingError as `next_arguments` does.
    """
    said, asks = signs.of(reply, is_page=False), places.of(action)
    if not said.has_prev:
        return None
    cursor, argument = said.first("before"), asks.cursor
    if cursor is not None and argument:
        if argument == "after" and "before" in action.properties:
            argument = "before"
        back = {"from_last": True} if "from_last" in action.properties else {}
        return _moved(arguments, {argument: as_taken(action, argument, cursor), **back})
    asked = number(arguments.get(asks.page or ""))
    here = said.number("page") if asked is None else asked
    if asks.page is None or here is None:
        raise PagingError("There is a page before, but nothing says how this action would be asked for it.")
    if here <= first_page(action):
        raise PagingError(f"The API says that there is one before page {here}, which is the first.")
    return {**arguments, asks.page: as_taken(action, asks.page, here - 1)}


def first_page(action: Action) -> int:
    """The number of the first page: 1, or where the action counts from there, 0."""
    first = places.of(action).first_page
    return 1 if first is None else first


def is_first(action: Action, arguments: Mapping[str, object]) -> bool:
    """Whether these arguments ask for the first page, be it by its number."""
    asks = places.of(action)
    page, offset = number(arguments.get(asks.page or "")), arguments.get(asks.offset or "")
    is_further = page not in {None, 0, first_page(action)} or bool(asks.cursor and arguments.get(asks.cursor))
    return not is_further and (not offset or number(offset) == (asks.first_offset or 0))


def takes(action: Action, name: str, value: object) -> bool:
    """Whether the action takes this value for an argument."""
    try:
        schema.check(action, {name: value})
    except InvalidArguments as wrong:
        return all(problem.path.split(".")[0] != name for problem in wrong.errors)
    except InvalidSchema:
        return False
    return True


def as_taken(action: Action, name: str, value: object) -> object:
    """The value, or a number as text, or the other way round, as the action takes it for this argument.

    Raises PagingError where it takes none of these.
    """
    other: object = value
    if is_number(value):
        other = str(value)
    elif isinstance(value, str) and value.isdecimal():
        other = number(value)
    for each in (value, other):
        if takes(action, name, each):
            return each
    raise PagingError(f"There is a page next to this one, but {name} cannot be {shown(repr(value))}.")


def token_fields(action: Action) -> list[str]:
    """The fields of the data that carry the next page: to be asked for beside those that are wanted."""
    return [token for name, token in _TOKENS.items() if name in action.properties]


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that came, and the ways to the one after it: each gives the arguments that lead there, if it does."""

    action: Action
    arguments: Mapping[str, object]
    reply: Reply
    asks: Places
    said: Signs

    @property
    def is_said(self) -> bool:
        """Whether it says that there is a further page."""
        return bool(self.said.more) or self.cursor is not None

    @property
    def cursor(self) -> object:
        """That of the next page: 0 is where a walk begins, unless it is said to lead on."""
        cursor = self.said.first("cursor")
        if not self.said.more:
            return None if cursor in (0, "0") else cursor
        here = self.said.first("here")
        is_old = here == self.arguments.get(self.asks.cursor or "")
        return here if cursor is None and not is_old else cursor

    def by_cursor(self) -> Mapping[str, object]:
        return {} if self.asks.cursor is None or self.cursor is None else {self.asks.cursor: self.cursor}

    def by_lead(self) -> Mapping[str, object]:
        """By an address, arguments, a number or a cursor that stands for the next page.

        No address is followed: of what it asks for, those count that are the action's own and say where a page is.
        """
        for name, value in self.said.ways:
            carrier = self.asks.own.get(name) or self._carrier(name, value)
            named = {carrier: value} if carrier else _asked_for(value)
            found = {own: each for name, each in named.items() if (own := self.asks.own.get(plain(name)))}
            if found.keys() - {self.asks.size}:
                return {own: self._counted(own, each) for own, each in found.items()}
        return {}

    def _counted(self, own: str, value: object) -> object:
        """A number as the action counts; raises PagingError for one that does not lead on."""
        counted = number(value) if own in {self.asks.page, self.asks.offset, self.asks.size} else None
        if counted is None or own == self.asks.size:
            return value if counted is None else counted
        here = self._here() if own == self.asks.page else number(self.arguments.get(own)) or 0
        counted += self._ahead(here) if own == self.asks.page else 0
        if counted <= here:
            raise PagingError(f"The API says that {own} {counted} comes next to {own} {here}: that leads back.")
        return counted

    def by_number(self) -> Mapping[str, object]:
        if self.asks.page is None or not (self.is_said or self._has_pages_left()):
            return {}
        here = self._here()
        self._ahead(here)
        return {self.asks.page: here + 1}

    def by_offset(self) -> Mapping[str, object]:
        name = self.asks.offset
        if self.asks.page or name is None:
            return {}
        asked, told, items = self.arguments.get(name), self.said.words.get(plain(name)), self._items()
        came = self._size() if items is None else len(items)
        if isinstance(told, str) and number(told) is None and told != asked:  # it is a cursor by that name
            return {name: told}
        first = self.asks.first_offset or 0
        before = next((each for each in (number(asked), number(told)) if each is not None), first)
        if not self.is_said and (not came or before - first + came >= (self.said.number("total") or 0)):
            return {}
        if not came:
            raise PagingError("There is a further page, but this one holds no list of items by which to count there.")
        return {name: before + came}

    def by_last_item(self) -> Mapping[str, object]:
        name = self.asks.cursor
        if not self.said.more or name is None or plain(name) != "startingafter":
            return {}
        last = members((self._items() or [None])[-1]).get("id")
        return {} if last is None else {name: last}

    def _carrier(self, name: str, value: object) -> str | None:
        """The argument that takes a number or a cursor."""
        if is_object(value) or is_array(value) or _is_address(value):
            return None
        if name in signs.NEXT_OFFSETS:
            return self.asks.offset or self.asks.cursor
        is_number = number(value) is not None
        return (is_number and self.asks.page) or self.asks.cursor or (self.asks.offset if is_number else None)

    def _here(self) -> int:
        """Its number, as the action counts: a reply may count from elsewhere."""
        asked, told = number(self.arguments.get(self.asks.page or "")), self.said.number("page")
        first = self.asks.first_page
        if asked is not None:
            return asked
        if first is not None and told in {None, 0, 1}:
            return first
        return 1 if told is None else told

    def _ahead(self, here: int) -> int:
        """How much further the action counts than the reply; raises PagingError where it is not the page asked for."""
        told = self.said.number("page")
        ahead = 0 if told is None else here - told
        if abs(ahead) > 1:
            raise PagingError(f"The API was asked for page {here} and says that it is page {told}.")
        return ahead

    def _has_pages_left(self) -> bool:
        """Whether there are more pages, or items, than those up to here."""
        first = self.asks.first_page
        here = self._here()
        done = here - (min(here, 1) if first is None else first) + 1
        if (pages := self.said.number("pages")) is not None:
            return done < pages
        items = self._items()
        up_to_here = done * (self._size() or len(items or []))  # 0 where nobody knows
        return items != [] and 0 < up_to_here < (self.said.number("total") or 0)

    def _size(self) -> int | None:
        """How many items a page has, as it says, or as was asked for, be it by leaving that open."""
        stated = members(self.action.properties.get(self.asks.size or "")).get("default")
        sizes = (self.said.number("size"), number(self.arguments.get(self.asks.size or "")), number(stated))
        return next(filter(None, sizes), None)

    def _items(self) -> list[object] | None:
        """Its items; None where nothing tells which list they are."""
        data = signs.sent(self.reply)
        for place in (data, *(each for name, each in members(data).items() if plain(name) in signs.WITHIN)):
            name = list_in(self.action, place)
            if is_array(place) or name is not None:
                return items_of(self.action, place, name)
        return None


def _asked_for(value: object) -> dict[str, object]:
    """What an address asks for, and what stands beside it."""
    inside = members(value)
    queries = map(_query, (value, *(inside.get(name) for name in _ADDRESSES)))
    asked = dict(parse_qsl(next((query for query in queries if query), "")))
    return {**asked, **{name: each for name, each in inside.items() if isinstance(each, (str, int))}}


def _is_address(value: object) -> bool:
    return isinstance(value, str) and ("://" in value or "?" in value or value.startswith("/"))


def _query(value: object) -> str:
    """What an address asks for; empty for what is no address."""
    return value[:_LONGEST_ADDRESS].partition("?")[2].partition("#")[0] if isinstance(value, str) else ""


def _moved(arguments: Mapping[str, object], to: Mapping[str, object]) -> Mapping[str, object]:
    """The arguments with these in place of what leads elsewhere."""
    others = {"before": "after", "after": "before"}
    kept = {name: value for name, value in arguments.items() if others.get(name) not in to}
    turned = {"from_last": False} if arguments.get("from_last") else {}
    following = {**kept, **turned, **to}
    if following == arguments:
        raise PagingError(f"The API says that the page next to {shown(repr(to))} is that page again.")
    return following


def shown(text: str) -> str:
    """As much of it as is told."""
    return text[:_LONGEST_SHOWN]
