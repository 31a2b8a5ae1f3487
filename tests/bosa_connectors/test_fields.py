"""response_fields, by the published examples and by laws."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors.fields import select

Trail: TypeAlias = tuple[str, ...]

REPLY: dict[str, Any] = {
    "id": 1,
    "user": {"login": "u", "org": {"n": "o"}},
    "labels": [{"n": "a", "c": "r"}, {"n": "b"}],
    "tags": ["x"],
    "none": None,
}
EXAMPLES: list[tuple[list[str], dict[str, Any]]] = [
    (["missing"], {}),
    (["user.missing"], {"user": {}}),
    (["id.x"], {}),
    (["none"], {"none": None}),
    (["none.x"], {}),
    (["labels.c"], {"labels": [{"c": "r"}, {}]}),
    (["labels.0.n"], {"labels": [{}, {}]}),
    (["tags.x"], {"tags": []}),
    (["tags"], {"tags": ["x"]}),
    (["*"], {}),
    (["user.login", "user"], {"user": REPLY["user"]}),
    (["user", "user.login"], {"user": REPLY["user"]}),
    (["user.org.n", "user.login"], {"user": {"org": {"n": "o"}, "login": "u"}}),
    (["ID"], {}),
    ([" id"], {}),
    (["user."], {"user": {}}),
    ([".id"], {}),
    ([""], {}),
    (["id", "id"], {"id": 1}),
]


@pytest.mark.parametrize(("paths", "selected"), EXAMPLES)
def test_published_examples_select_what_the_published_server_selects(paths: list[str], selected: object) -> None:
    assert select(REPLY, paths) == selected


@pytest.mark.parametrize("none", [None, [], ()])
def test_no_paths_select_everything(none: list[str] | None) -> None:
    assert select(REPLY, none) is REPLY


@pytest.mark.parametrize("scalar", [None, True, 0, 1.5, "text"])
def test_a_scalar_at_the_top_comes_back_as_it_is(scalar: object) -> None:
    assert select(scalar, ["id"]) == scalar


def test_a_list_of_objects_is_filtered_item_by_item() -> None:
    assert select([{"id": 1, "n": "a"}, {"n": "b"}, 5, None, [{"id": 2}]], ["id"]) == [{"id": 1}, {}, [{"id": 2}]]


def test_a_key_with_a_dot_cannot_be_named() -> None:
    assert select({"a.b": 1, "a": {"c": 2}}, ["a.b"]) == {"a": {}}


def test_any_iterable_of_paths_will_do() -> None:
    assert select(REPLY, iter(["id"])) == {"id": 1}


def test_the_data_stays_as_it_was() -> None:
    data = {"a": {"b": 1, "c": 2}, "d": [1]}
    select(data, ["a.b"])
    assert data == {"a": {"b": 1, "c": 2}, "d": [1]}


# The laws. The oracle does not walk down the paths as the implementation does: it asks of each place in the data
# whether the paths name it, something above it, or something below it.

NAMES = st.sampled_from(["a", "b", "c", "A", "a.b", "", "0", "*"])
SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.text("xy", max_size=2)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=12
)
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=3).map(".".join), max_size=4)


def expected(data: object, paths: list[str]) -> object:
    """What the contract says: a place is kept where a path ends at it or above it, or leads through it."""
    wanted = [tuple(path.split(".")) for path in paths]
    return _kept(data, (), wanted) if wanted and _is_nested(data) else data


def _kept(node: object, trail: Trail, wanted: list[Trail]) -> object:
    if _is_named(trail, wanted):
        return node
    if isinstance(node, dict):
        below = {(*trail, key): value for key, value in cast("dict[str, object]", node).items()}
        return {at[-1]: _kept(value, at, wanted) for at, value in below.items() if _stays(value, at, wanted)}
    return [_kept(item, trail, wanted) for item in cast("list[object]", node) if _is_nested(item)]


def _stays(node: object, trail: Trail, wanted: list[Trail]) -> bool:
    leads_through = any(path[: len(trail)] == trail for path in wanted)
    return _is_named(trail, wanted) or (leads_through and _is_nested(node))


def _is_named(trail: Trail, wanted: list[Trail]) -> bool:
    return any(trail[: len(path)] == path for path in wanted)


def _is_nested(node: object) -> bool:
    return isinstance(node, (list, dict))


def leaves(data: object, trail: Trail = ()) -> Iterator[tuple[Trail, str]]:
    """Every scalar with the keys that lead to it."""
    if isinstance(data, dict):
        for key, value in cast("dict[str, object]", data).items():
            yield from leaves(value, (*trail, key))
    elif isinstance(data, list):
        for item in cast("list[object]", data):
            yield from leaves(item, trail)
    else:
        yield trail, repr(data)


@settings(deadline=None)
@given(DATA, PATHS)
def test_selecting_gives_what_the_contract_says(data: object, paths: list[str]) -> None:
    assert select(data, paths) == expected(data, paths)


@settings(deadline=None)
@given(DATA, PATHS)
def test_selecting_twice_is_selecting_once(data: object, paths: list[str]) -> None:
    once = select(data, paths)
    assert select(once, paths) == once


@settings(deadline=None)
@given(DATA, PATHS)
def test_selecting_invents_nothing(data: object, paths: list[str]) -> None:
    assert Counter(leaves(select(data, paths))) <= Counter(leaves(data))


@settings(deadline=None)
@given(st.dictionaries(NAMES, DATA), PATHS.filter(bool))
def test_the_keys_come_in_the_order_of_the_fields(data: dict[str, object], paths: list[str]) -> None:
    keys = list(cast("dict[str, object]", select(data, paths)))
    assert keys == [key for key in dict.fromkeys(path.split(".")[0] for path in paths) if key in keys]
