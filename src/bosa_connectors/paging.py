"""Which argument carries the next page."""

from collections.abc import Mapping

from bosa_connectors.calls import Action, Reply
from bosa_connectors.errors import PagingError
from bosa_connectors.shapes import members

CURSOR_ARGUMENTS = ("cursor", "page_token", "next_token", "after")


def next_arguments(action: Action, arguments: Mapping[str, object], reply: Reply) -> Mapping[str, object] | None:
    """The arguments for the page after `reply`; None where it is the last.

    Raises PagingError where there is a further page that the action gives no way to ask for, or where the API says
    the same page comes next.
    """
    meta = members(reply.meta)
    if meta.get("has_next") is False:
        return None
    cursor_argument = next((name for name in CURSOR_ARGUMENTS if name in action.properties), None)
    cursor = _first(meta, "forwards_cursor", "next_cursor", "next_page_token", "next_token")
    if cursor is None:
        cursor = _first(members(reply.data), "next_page_token", "next_token")
    if cursor is not None and cursor_argument:
        if arguments.get(cursor_argument) == cursor:
            raise PagingError(f"The API says that the page after {cursor_argument} {cursor!r} is that page again.")
        return {**arguments, cursor_argument: cursor}
    if not meta.get("has_next") and cursor is None:
        return None
    if "page" not in action.properties:
        raise PagingError("There is a further page, but this action takes no argument that would ask for it.")
    asked, said = _number(arguments.get("page")), _number(meta.get("page"))
    following = next((number for number in (said, asked) if number is not None), 1) + 1
    if asked is not None and following <= asked:
        raise PagingError(f"The API was asked for page {asked} and says that it is page {said}.")
    return {**arguments, "page": following}


def _number(value: object) -> int | None:
    """A page's number, also one that was sent as text."""
    if isinstance(value, str) and value.isdecimal():
        return int(value[:18])
    return value if isinstance(value, int) else None


def _first(found: Mapping[str, object], *names: str) -> object:
    """The first of these that is set: an empty cursor is the end of the walk."""
    return next((found[name] for name in names if found.get(name) not in (None, "")), None)
