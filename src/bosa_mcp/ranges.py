"""The header Range: which bytes of a file are wanted."""

import re
from typing import Final

_ONE: Final = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(ValueError):
    """The file has none of these bytes."""


def span(header: str, size: int) -> tuple[int, int] | None:
    """Where the one range that is asked for begins, and where it ends; None for the whole file.

    Several ranges, and what is no range, mean the whole. Raises Unsatisfiable.
    """
    found = _ONE.fullmatch(header.strip())
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return None
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise Unsatisfiable
    return start, end
