"""Which arguments ask for the next page or for the one before, and when a walk through the pages ends.

A page is turned by `Step.onward`: it knows the pages behind, so that a walk that comes back to one of them ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bosa_connectors import schema
from bosa_connectors.calls import Action, Call, Reply
from bosa_connectors.errors import InvalidArguments, InvalidSchema, PagingError
from bosa_connectors.shapes import is_array, is_number, is_object, items, members

CURSOR_ARGUMENTS = ("cursor", "page_token", "next_token", "after")
OFFSETS: Final = ("offset", "skip")
"""Arguments that say how many items are before a page, where the action takes its size as well."""
SIZES: Final = ("per_page", "page_size", "max_results", "limit")
"""Arguments that say how many items a page has."""
MAX_ALIKE: Final = 1000
"""So many pages in a row that hold the same are taken for one page that never ends."""
_TOKENS: Final = {"page_token": "next_page_token", "next_token": "next_token", "cursor": "next_cursor"}
_MORE: Final = ("hasnext", "hasmore", "hasnextpage")
_NEXT: Final = ("forwardscursor", "nextcursor", "nextpagetoken", "nexttoken", "endcursor")
_BEFORE: Final = ("backwardscursor", "previouscursor")
_NO: Final = frozenset({"false", "no", "0", "none", "null"})
_PLACES: Final = ("page", *OFFSETS, *CURSOR_ARGUMENTS, "before", "from_last")
_LONGEST_SHOWN: Final = 100

Way: TypeAlias = Callable[[Action, Mapping[str, object], Reply], Mapping[str, object] | None]
"""`next_arguments` or `prev_arguments`."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call for a page, and what is known of the pages that were before it on the same way."""

    call: Call
    way: Way | None = None
    count: int = 0
    """Pages behind this one."""
    seen: dict[str, int] = field(default_factory=dict[str, int], repr=False)
    """At which count a page was first asked for. The steps of one way share it: to ask twice is no repetition."""
    before: object = field(default=None, repr=False)
    """The data of the page before."""
    alike: int = 0
    """How many pages in a row have held just that."""

    def onward(self, way: Way, reply: Reply) -> "Step | None":
        """The step after the page that is `reply`; None where that is the last one this way.

        Raises the error that `reply` is, and PagingError where there is a further page and no way to it.
        """
        if reply.error:
            raise reply.error
        here = self if self.way is way else Step(self.call, way)
        action = here.call.action
        arguments = way(action, here.call.arguments, reply)
        if arguments is None:
            return None
        here.seen.setdefault(_place(action, here.call.arguments), here.count)
        place = _place(action, arguments)
        if here.seen.setdefault(place, here.count + 1) <= here.count:
            raise PagingError(f"The API leads back to a page that was there before: {_shown(place)}.")
        alike = here.alike + 1 if here.count and here.before == reply.data else 1
        if alike >= MAX_ALIKE:
            raise PagingError(f"The API says that there is more after {alike} pages in a row that hold the same.")
        call = replace(here.call, arguments=arguments)
        return replace(here, call=call, count=here.count + 1, before=reply.data, alike=alike)


def has_next(reply: Reply) -> bool:
    """Whether the API says that there is a page after this one; a cursor says so too, but not where it is 0."""
    meta = _meta(reply)
    more = next((told for name in _MORE if (told := _is_so(meta.get(name))) is not None), None)
    return _next_cursor(reply) not in (None, 0, "0") if more is None else more


def has_prev(reply: Reply) -> bool:
    """Whether the API says that there is a page before this one; APIs that only lead forward do not."""
    return _is_so(_meta(reply).get("hasprev")) or False


def next_arguments(action: Action, arguments: Mapping[str, object], reply: Reply) -> Mapping[str, object] | None:
    """The arguments for the page after `reply`; None where it is the last.

    Raises PagingError where there is a further page that the action gives no way to ask for, or where the API says
    the same page comes next.
    """
    if not has_next(reply):
        return None
    cursor, argument = _next_cursor(reply), _cursor_argument(action)
    if cursor is not None and argument:
        return _at_cursor(arguments, argument, as_taken(action, argument, cursor))
    if "page" in action.properties:
        asked, here = _page(arguments, reply)
        if asked and here != asked:
            raise PagingError(f"The API was asked for page {asked} and says that it is page {here}.")
        page = first_page(action) if here is None else here
        return {**arguments, "page": as_taken(action, "page", page + 1)}
    if offset := _offset_argument(action):
        before = number(arguments.get(offset)) or 0
        return {**arguments, offset: as_taken(action, offset, before + _count(action, reply))}
    if argument:
        raise PagingError(f"There is a further page, but the API names no cursor to ask for it with {argument}.")
    raise PagingError("There is a further page, but this action takes no argument that would ask for it.")


def prev_arguments(action: Action, arguments: Mapping[str, object], reply: Reply) -> Mapping[str, object] | None:
    """The arguments for the page before `reply`; None where it is the first, and where the API only leads forward.

    Where an action takes `from_last`, a cursor counts from there backwards: so the page ends before the cursor.
    Raises PagingError as `next_arguments` does.
    """
    if not has_prev(reply):
        return None
    cursor, argument = _first(_meta(reply), *_BEFORE), _cursor_argument(action)
    if cursor is not None and argument:
        if argument == "after" and "before" in action.properties:
            argument = "before"
        cursor = as_taken(action, argument, cursor)
        return _at_cursor(arguments, argument, cursor, from_last="from_last" in action.properties)
    asked, here = _page(arguments, reply)
    if "page" not in action.properties or here is None:
        raise PagingError("There is a page before, but nothing says how this action would be asked for it.")
    if here <= first_page(action) or (asked is not None and here > asked):
        raise PagingError(f"The API was asked for page {asked or 1} and says that there is one before page {here}.")
    return {**arguments, "page": as_taken(action, "page", here - 1)}


def first_page(action: Action) -> int:
    """The number of the first page: 1, or where the action counts from there, 0."""
    node = members(action.properties.get("page"))
    stated = number(node.get("default"))
    if stated in (0, 1):
        return stated
    branches = [node, *map(members, items(node.get("anyOf")))]
    return 0 if any(is_number(low := branch.get("minimum")) and low == 0 for branch in branches) else 1


def is_first(action: Action, arguments: Mapping[str, object]) -> bool:
    """Whether these arguments ask for the first page, be it by its number."""
    page = number(arguments.get("page"))
    is_further = page not in (None, 0, first_page(action)) or any(number(arguments.get(name)) for name in OFFSETS)
    return not is_further and not any(arguments.get(name) for name in CURSOR_ARGUMENTS)


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
    raise PagingError(f"There is a page next to this one, but {name} cannot be {_shown(repr(value))}.")


def list_in(action: Action, data: object) -> str | None:
    """The name under which an object that came as a page holds its items; None where it is no page.

    It is the only list among the object's values; where there are several, the only one that holds objects.
    """
    if not is_object(data) or not does_page(action):
        return None
    lists = [name for name, value in data.items() if is_array(value)]
    of_objects = [name for name in lists if any(map(is_object, items(data[name])))]
    return next((found[0] for found in (lists, of_objects) if len(found) == 1), None)


def items_of(action: Action, data: object, name: str | None) -> list[object]:
    """The items of a page, `name` being where they are in an object.

    Other data are one item, but for null and for a page of nothing: an object whose lists are all empty, or one of
    mere scalars where the action takes a cursor.
    """
    if is_array(data):
        return data
    if is_object(data) and name is not None:
        return items(data.get(name))
    return [] if data is None or (is_object(data) and _is_nothing(action, data)) else [data]


def does_page(action: Action) -> bool:
    """Whether the action takes an argument that asks for a page."""
    return any(("page" in action.properties, _cursor_argument(action), _offset_argument(action)))


def token_fields(action: Action) -> list[str]:
    """The fields of the data that carry the next page: to be asked for beside those that are wanted."""
    return [token for name, token in _TOKENS.items() if name in action.properties]


def _is_nothing(action: Action, data: Mapping[str, object]) -> bool:
    if any(map(is_array, data.values())):
        return does_page(action) and not any(items(each) for each in data.values())
    return _cursor_argument(action) is not None and not any(map(is_object, data.values()))


def _cursor_argument(action: Action) -> str | None:
    return next((name for name in CURSOR_ARGUMENTS if name in action.properties), None)


def _offset_argument(action: Action) -> str | None:
    sized = not action.properties.keys().isdisjoint(SIZES)
    return next((name for name in OFFSETS if sized and name in action.properties), None)


def _count(action: Action, reply: Reply) -> int:
    """How many items a page has: fields of its data may have been selected since."""
    data = members(reply.body).get("data", reply.data)
    name = list_in(action, data)
    came = len(items_of(action, data, name)) if is_array(data) or name is not None else 0
    if not came:
        raise PagingError("There is a further page, but this one holds no list of items by which to count there.")
    return came


def _next_cursor(reply: Reply) -> object:
    """The cursor of the next page, in meta, or in the data as they were sent: fields may have been selected since."""
    cursor = _first(_meta(reply), *_NEXT)
    if cursor is not None:
        return cursor
    sent = members(reply.body).get("data", reply.data)
    return _first(members(sent), *_TOKENS.values())


def _meta(reply: Reply) -> Mapping[str, object]:
    """What meta says, whose names are a connector's own: has_next, hasNext."""
    return {name.replace("_", "").lower(): value for name, value in members(reply.meta).items()}


def _is_so(value: object) -> bool | None:
    """What is meant by a truth, also one that came as text or as a number; None where nothing is said."""
    if isinstance(value, str):
        return value.strip().lower() not in _NO if value.strip() else None
    return None if value is None else bool(value)


def _at_cursor(
    arguments: Mapping[str, object], argument: str, cursor: object, *, from_last: bool = False
) -> Mapping[str, object]:
    opposite = {"before": "after", "after": "before"}.get(argument)
    kept = {name: value for name, value in arguments.items() if name != opposite}
    turned = {"from_last": from_last} if from_last or arguments.get("from_last") else {}
    following = {**kept, argument: cursor, **turned}
    if following == arguments:
        raise PagingError(f"The API says that the page next to {argument} {_shown(repr(cursor))} is that page again.")
    return following


def _page(arguments: Mapping[str, object], reply: Reply) -> tuple[int | None, int | None]:
    """The page that was asked for, and the one that this is: as the API says, else as it was asked for."""
    asked, said = number(arguments.get("page")), number(_meta(reply).get("page"))
    return asked, asked if said is None else said


def _place(action: Action, arguments: Mapping[str, object]) -> str:
    """Where a page is, as text."""
    return ", ".join(
        f"{name} {arguments[name]!r}" for name in _PLACES if name in action.properties and arguments.get(name)
    )


def _shown(text: str) -> str:
    return text[:_LONGEST_SHOWN]


def number(value: object) -> int | None:
    """A page's number, also one that was sent as text."""
    if isinstance(value, str) and value.isdecimal():
        return int(value[:18])
    return int(value) if is_number(value) and value == value // 1 else None


def _first(found: Mapping[str, object], *names: str) -> object:
    """The first of these that is set: a cursor that is empty, or false, is the end of the walk."""
    given = (found.get(name) for name in names)
    return next((each for each in given if each is not False and each not in (None, "")), None)
