"""response_fields and response_filters: which parts of a reply come back, and which items of its lists.

The rules are those of the published server, relative to `data`: dotted paths, matched exactly (case, spaces and all),
no wildcards, no indices, no escape for a dot.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias, cast

from bosa_connectors.shapes import is_array, is_object, items

_Wanted: TypeAlias = dict[str, list[str] | None]
"""Each key with the paths below it, or None for the whole value."""
_Test: TypeAlias = Callable[[object], bool]


class FilterMismatch(ValueError):
    """A filter cannot be compared with what it meets: a number with a text, a date range with no date."""


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


def keep(data: object, filters: Iterable[Mapping[str, object]] | None) -> object:
    """`data` with only those items for which every filter holds; the list filtered is `data`, or the one at `root`.

    An item without the field (or with null there) goes, unless the filter has nothing to compare with; `root` passes
    through lists. What is no list stays, as does a list at the top that holds anything but objects.

    Raises:
        FilterMismatch: A filter meets a value of another type, or its own date is none.

    """
    for condition in filters or ():
        holds, root = _holds(condition), cast("str | None", condition.get("root"))
        data = _keep_at(data, root.split("."), holds) if root else _keep_in(data, holds)
    return data


def _keep_in(data: object, holds: _Test) -> object:
    return [item for item in data if holds(item)] if is_array(data) and all(map(is_object, data)) else data


def _keep_at(node: object, path: list[str], holds: _Test) -> object:
    if is_array(node):
        return [_keep_at(item, path, holds) if is_object(item) else item for item in node]
    key, *below = path
    if not is_object(node) or key not in node:
        return node
    value = node[key]
    if below:
        return {**node, key: _keep_at(value, below, holds)}
    return {**node, key: [item for item in value if is_object(item) and holds(item)] if is_array(value) else value}


def _holds(condition: Mapping[str, object]) -> _Test:
    name = cast("str", condition["field_name"])
    path = name.split(".")
    kind, noun, compare = _comparison(condition)

    def holds(item: object) -> bool:
        value = _value_at(item, path)
        if value is not None and not isinstance(value, kind):
            raise FilterMismatch(f"A {condition['type']} filter needs {noun}; {name[:200]!r} holds something else.")
        return compare is None or (value is not None and compare(value))

    return holds


def _comparison(condition: Mapping[str, object]) -> tuple[type | tuple[type, ...], str, _Test | None]:
    """What values must be, in code and in words, and the test of one: None where there is nothing to compare with."""
    kind = cast("str", condition["type"])
    if kind == "date_range":
        return str, "dates", _between(_bound(condition, "from_date"), _bound(condition, "to_date"), _moment)
    if kind == "number_range":
        return (int, float), "numbers", _between(condition.get("from_value"), condition.get("to_value"), _same)
    wanted = cast("list[object]", condition.get("values") or []) if kind.endswith("_list") else [condition["value"]]
    if kind.startswith("number"):
        return (int, float), "numbers", _among(wanted, _same)
    return str, "texts", _among(wanted, _lower if condition.get("ignore_case", True) else _same)


def _among(wanted: list[object], seen: Callable[[object], object]) -> _Test | None:
    accepted = {seen(value) for value in wanted}
    return (lambda value: seen(value) in accepted) if accepted else None


def _between(low: object, high: object, seen: Callable[[object], object]) -> _Test | None:
    if low is None and high is None:
        return None

    def is_between(value: object) -> bool:
        found = cast("float | None", seen(value))  # or moments: each range compares its own kind
        above = low is None or (found is not None and cast("float", low) <= found)
        return above and (high is None or (found is not None and found <= cast("float", high)))

    return is_between


def _bound(condition: Mapping[str, object], name: str) -> datetime | None:
    text = cast("str | None", condition.get(name))
    moment = None if text is None else _moment(text)
    if text is not None and moment is None:
        raise FilterMismatch(f"{name} is no date: write it as ISO 8601, for example 2024-12-31T23:59:59Z.")
    return moment


def _moment(text: object) -> datetime | None:
    """The moment that ISO 8601 names; UTC where it names no zone, None where it is something else."""
    try:
        moment = datetime.fromisoformat(cast("str", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _lower(value: object) -> object:
    return cast("str", value).lower()


def _same(value: object) -> object:
    return value


def _value_at(node: object, path: list[str]) -> object:
    """What stands there; None where there is nothing."""
    for key in path:
        if not is_object(node) or key not in node:
            return None
        node = node[key]
    return node
