"""Going from page to page, and when that ends.

`Step.onward` gives the call for the next page. It remembers the pages that were there, so that an API that leads back
to one of them, or gives the same page for ever, ends the walk with an error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from bosa_connectors import places, signs
from bosa_connectors.calls import Action, Call, Reply
from bosa_connectors.errors import PagingError
from bosa_connectors.paging import shown

MAX_ALIKE: Final = 1000
"""So many pages in a row that hold the same are taken for one page that never ends."""

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
    page: int | None = None
    """The number that it said it had, where pages are asked for by their numbers."""
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
            raise PagingError(f"The API leads back to a page that was there before: {shown(place)}.")
        page = signs.of(reply, is_page=True).number("page") if _is_by_page(action, here.call, arguments) else None
        if page is not None and page == here.page:
            raise PagingError(f"The API says of two pages in a row that they are page {page}.")
        alike = here.alike + 1 if here.count and here.before == reply.data else 1
        if alike >= MAX_ALIKE:
            raise PagingError(f"The API says that there is more after {alike} pages in a row that hold the same.")
        call = replace(here.call, arguments=arguments)
        return replace(here, call=call, count=here.count + 1, before=reply.data, page=page, alike=alike)


def _is_by_page(action: Action, call: Call, following: Mapping[str, object]) -> bool:
    name = places.of(action).page
    return name is not None and following.get(name) != call.arguments.get(name)


def _place(action: Action, arguments: Mapping[str, object]) -> str:
    """Where a page is, as text."""
    return ", ".join(f"{name} {value!r}" for name, value in places.of(action).at(arguments).items())
