"""Secrets that were sent are hidden in the messages that come back: servers quote what they refuse."""

from collections.abc import Iterable
from itertools import groupby
from typing import Final

from bosa_connectors.shapes import is_array, is_object

HIDDEN: Final = "[hidden]"
_WORD: Final = 4
"""Shorter texts are hidden nowhere: they stand in every message by chance."""
_PIECE: Final = 8
"""So much of a longer text is hidden wherever it stands: messages quote it in pieces."""


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text without these secrets, and without longer pieces of them."""
    covered: set[int] = set()
    for secret in secrets:
        pieces = {secret[start : start + _PIECE] for start in range(len(secret) - _PIECE + 1)}
        if _WORD <= len(secret) < _PIECE:
            pieces = {secret}
        covered.update(_places(text, pieces))
    return "".join(
        HIDDEN if is_secret else "".join(text[place] for place in places)
        for is_secret, places in groupby(range(len(text)), covered.__contains__)
    )


def _places(text: str, pieces: set[str]) -> Iterable[int]:
    length = len(next(iter(pieces), ""))
    starts = (start for start in range(len(text) - length + 1) if text[start : start + length] in pieces)
    return (start + step for start in starts for step in range(length))


def texts(value: object) -> Iterable[str]:
    """Every text in a JSON value, but not the names of its members."""
    if isinstance(value, str):
        yield value
    inside = value.values() if is_object(value) else value if is_array(value) else ()
    for each in inside:
        yield from texts(each)
