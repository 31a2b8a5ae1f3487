"""Listings in every style that a BOSA API has, without a network, and responses that walk through them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from bosa_connectors.action_response import ActionResponse, AsyncActionResponse
from bosa_connectors.calls import Action, Call, Reply

from .samples import action
from .shells import Awaited, Shell

Arguments: TypeAlias = Mapping[str, Any]


def paged(*arguments: str) -> Action:
    """An action that takes these arguments."""
    return action({"type": "object", "properties": {name: {"description": name} for name in arguments}})


def reply(meta: object = None, data: object = None) -> Reply:
    """A page."""
    return Reply(200, {}, {"data": data, "meta": meta}, data, meta)


@dataclass(slots=True)
class Listing:
    """An API that lists `items`, `size` at a time, and remembers what it was asked."""

    action: Action
    serve: Callable[["Listing", Arguments], Reply]
    items: Sequence[object]
    size: int
    asked: list[Arguments] = field(default_factory=list[Arguments])

    def send(self, call: Call) -> Reply:
        """The page that is asked for."""
        self.asked.append(call.arguments)
        return self.serve(self, call.arguments)

    async def asend(self, call: Call) -> Reply:
        """The page that is asked for."""
        return self.send(call)

    def respond(self, shell: Shell, **arguments: object) -> AsyncActionResponse:
        """The response to a call with these arguments."""
        return responding(shell, self.send, Call(self.action, arguments))

    def slice(self, start: int) -> list[object]:
        """The items of the page that begins there."""
        return list(self.items[start : start + self.size])


def responding(shell: Shell, send: Callable[[Call], Reply], call: Call) -> AsyncActionResponse:
    """The response of this shell to a call; the blocking one has its methods awaited."""

    async def asend(call: Call) -> Reply:
        return send(call)

    first = send(call)
    if shell == "awaiting":
        return AsyncActionResponse(asend, call, first)
    return cast("AsyncActionResponse", Awaited(ActionResponse(send, call, first)))


def by_page(listing: Listing, arguments: Arguments) -> Reply:
    """As github's lists."""
    page, size = arguments.get("page") or 1, listing.size
    last = -(-len(listing.items) // size)
    meta = {"page": page, "limit": size, "total": len(listing.items), "total_page": last}
    return reply({**meta, "has_next": page < last, "has_prev": page > 1}, listing.slice((page - 1) * size))


def by_page_unsaid(listing: Listing, arguments: Arguments) -> Reply:
    """By number, where the API does not say which page it is."""
    meta = by_page(listing, arguments).meta
    said = {name: value for name, value in cast("Arguments", meta).items() if name in {"has_next", "has_prev"}}
    return reply(said, by_page(listing, arguments).data)


def by_start(listing: Listing, arguments: Arguments) -> Reply:
    """By cursors that each say where a page begins."""
    start, size = int(arguments.get("cursor") or 0), listing.size
    more = start + size < len(listing.items)
    meta = {
        "has_next": more,
        "has_prev": start > 0,
        "forwards_cursor": str(start + size) if more else None,
        "backwards_cursor": str(max(start - size, 0)) if start else None,
    }
    return reply(meta, listing.slice(start))


def by_edge(listing: Listing, arguments: Arguments) -> Reply:
    """As github's issues: a cursor is an item; the page after it, or with `from_last` the page that ends before it."""
    at = None if arguments.get("cursor") is None else int(arguments["cursor"])
    if arguments.get("from_last"):
        end = len(listing.items) if at is None else at
        return _between(listing, max(end - listing.size, 0), end)
    start = 0 if at is None else at + 1
    return _between(listing, start, min(start + listing.size, len(listing.items)))


def by_sides(listing: Listing, arguments: Arguments) -> Reply:
    """As github's project fields: after one item, or before one."""
    assert not (arguments.get("after") and arguments.get("before"))
    if arguments.get("before"):
        return by_edge(listing, {"cursor": arguments["before"], "from_last": True})
    return by_edge(listing, {"cursor": arguments.get("after")})


def _between(listing: Listing, start: int, end: int) -> Reply:
    shown = list(listing.items[start:end])
    meta = {
        "total": len(listing.items),
        "has_next": end < len(listing.items),
        "has_prev": start > 0,
        "backwards_cursor": str(start) if shown else None,
        "forwards_cursor": str(end - 1) if shown else None,
    }
    return reply(meta, shown)


def by_token(name: str) -> Callable[[Listing, Arguments], Reply]:
    """As google_drive: forward only."""

    def serve(listing: Listing, arguments: Arguments) -> Reply:
        data, following = _after(listing, arguments.get(name))
        return reply({"has_next": following is not None, "forwards_cursor": following}, data)

    return serve


def in_data(listing: Listing, arguments: Arguments) -> Reply:
    """As google_mail: the token stands beside the items, both left out where there are none."""
    shown, following = _after(listing, arguments.get("page_token"))
    data = {"messages": shown, "next_page_token": following}
    return reply(None, {"result_size_estimate": len(shown)} | {name: value for name, value in data.items() if value})


def _after(listing: Listing, token: object) -> tuple[list[object], str | None]:
    start = int(str(token or 0).removeprefix("token "))
    end = start + listing.size
    return listing.slice(start), f"token {end}" if end < len(listing.items) else None


STYLES: dict[str, tuple[Action, Callable[[Listing, Arguments], Reply]]] = {
    "page": (paged("q", "page", "per_page"), by_page),
    "page, unsaid": (paged("q", "page", "per_page"), by_page_unsaid),
    "cursor": (paged("q", "cursor", "per_page"), by_start),
    "from_last": (paged("q", "cursor", "per_page", "from_last"), by_edge),
    "before, after": (paged("q", "before", "after", "per_page"), by_sides),
    "page_token": (paged("q", "page_token", "page_size"), by_token("page_token")),
    "next_token": (paged("q", "next_token", "max_results"), by_token("next_token")),
    "in data": (paged("q", "page_token", "max_results"), in_data),
}
FORWARD_ONLY = frozenset({"page_token", "next_token", "in data"})


def listing(style: str, items: Sequence[object], size: int) -> Listing:
    """An API of this style."""
    return Listing(*STYLES[style], items, size)
