"""response_fields: which parts of a reply come back.

The rules are those of the published server, relative to `data`: dotted paths, matched exactly (case, spaces and all),
no wildcards, no indices, no escape for a dot.
"""

from collections.abc import Iterable
from typing import TypeAlias

from bosa_connectors.shapes import is_array, is_object, items

_Wanted: TypeAlias = dict[str, list[str] | None]
"""Each key with the paths below it, or None for the whole value."""


def select(data: object, paths: Iterable[str] | None) -> object:
    """The parts of `data` that `paths` name; all of it where there are no paths.

    A missing field is left out, lists are mapped over (scalars inside them are dropped), a whole field beats a part of
    it, keys come in the order of the paths, and a scalar at the top is returned as it is.
    """
    wanted = _wanted(paths or ())
    return _pick(data, wanted) if wanted and _is_nested(data) else data


def _wanted(paths: Iterable[str]) -> _Wanted:
    wanted: _Wanted = {}
    for path in paths:
        key, dot, rest = path.partition(".")
        below = wanted.setdefault(key, [])
        if not dot:
            wanted[key] = None
        elif below is not None:
            below.append(rest)
    return wanted


def _pick(data: object, wanted: _Wanted) -> object:
    if is_object(data):
        return {
            key: select(data[key], below)
            for key, below in wanted.items()
            if key in data and (below is None or _is_nested(data[key]))
        }
    return [_pick(item, wanted) for item in items(data) if _is_nested(item)]


def _is_nested(value: object) -> bool:
    return is_object(value) or is_array(value)
