"""A tool's name is legal, its own, and the same whatever else is listed before it."""

import re
from hashlib import sha256
from typing import TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bosa_connectors.calls import Action
from bosa_mcp.tools import name_tools

from .conftest import Connect, answer, tools
from .scripted_api import ScriptedApi, says

Pair: TypeAlias = tuple[str, str]
"""A connector and an action."""

LEGAL = re.compile(r"[a-zA-Z0-9_-]{1,48}")

# an alphabet so small that names get into each other's way, and lengths on both sides of the limit
_words = st.text("ab_-/. é", max_size=6) | st.text("ab/", min_size=20, max_size=60) | st.text(max_size=5)
pairs = st.lists(st.tuples(_words, _words), max_size=12, unique=True)


def names_of(*pairs: Pair) -> dict[Pair, str]:
    """Connector and action to the tool's name."""
    listed = [Action(connector, action, "/x", "", {}) for connector, action in pairs]
    return {(action.connector, action.name): name for name, action in name_tools(listed).items()}


def digest(full: str) -> str:
    return sha256(full.encode()).hexdigest()[:6]


@settings(deadline=None, max_examples=60)
@given(pairs)
@example([("a_b", "c"), ("a", "b_c"), ("a", "b/c")])
def test_every_action_has_a_legal_name_of_its_own(pairs: list[Pair]) -> None:
    named = names_of(*pairs)
    assert named.keys() == set(pairs)
    assert all(LEGAL.fullmatch(name) for name in named.values())


@settings(deadline=None, max_examples=60)
@given(pairs.flatmap(lambda pairs: st.tuples(st.just(pairs), st.permutations(pairs))))
@example(([("a_b", "c"), ("a", "b_c")], [("a", "b_c"), ("a_b", "c")]))
def test_names_do_not_depend_on_the_order_of_the_actions(orders: tuple[list[Pair], list[Pair]]) -> None:
    one, other = orders
    assert names_of(*one) == names_of(*other)


@settings(deadline=None, max_examples=60)
@given(pairs)
def test_a_legal_name_stays_as_it_is_where_no_other_action_has_it(pairs: list[Pair]) -> None:
    full = {pair: "_".join(pair) for pair in pairs}
    for pair, name in names_of(*pairs).items():
        alone = [other for other in pairs if full[other] == full[pair]] == [pair]
        if LEGAL.fullmatch(full[pair]) and alone:
            assert name == full[pair]


@settings(deadline=None, max_examples=60)
@given(pairs, _words)
def test_another_connector_changes_no_name(pairs: list[Pair], action: str) -> None:
    before, after = names_of(*pairs), names_of(*pairs, ("zzz", action))
    assert before == {pair: after[pair] for pair in before}


@pytest.mark.parametrize(
    ("pair", "name"),
    [
        (("shop", "find_items"), "shop_find_items"),
        (("shop", "get-users"), "shop_get-users"),
        (("shop", "admin/revoke"), "shop_admin_revoke"),
        (("größe", "ändern"), "gr__e__ndern"),
        (("shop", ""), "shop_"),
        (("", ""), "_"),
        (("s", "x" * 46), "s_" + "x" * 46),
        (("s", "x" * 47), "s_" + "x" * 39 + "_" + digest("s_" + "x" * 47)),
        (("s", "é" * 47), "s_" + "_" * 39 + "_" + digest("s_" + "é" * 47)),
    ],
)
def test_a_name_is_connector_and_action_as_far_as_model_apis_take_it(pair: Pair, name: str) -> None:
    assert names_of(pair) == {pair: name}


def test_a_changed_name_gives_way_to_the_action_that_is_called_so() -> None:
    assert names_of(("shop", "a/b"), ("shop", "a_b")) == {
        ("shop", "a_b"): "shop_a_b",
        ("shop", "a/b"): f"shop_a_b_{digest('shop_a/b')}",
    }


def test_two_names_that_were_changed_into_one_are_both_told_apart() -> None:
    assert names_of(("shop", "a/b"), ("shop", "a.b")) == {
        ("shop", "a/b"): f"shop_a_b_{digest('shop_a/b')}",
        ("shop", "a.b"): f"shop_a_b_{digest('shop_a.b')}",
    }


def test_two_actions_of_one_full_name_are_told_apart() -> None:
    named = names_of(("a_b", "c"), ("a", "b_c"))
    assert len(set(named.values())) == 2
    assert "a_b_c" in named.values()


def test_an_action_called_like_the_changed_name_of_another_costs_neither() -> None:
    rival = ("shop", f"a_b_{digest('shop_a/b')}")
    assert len(set(names_of(("shop", "a/b"), ("shop", "a_b"), rival).values())) == 3


async def test_the_tools_that_are_served_have_these_names(api: ScriptedApi, connect: Connect) -> None:
    for action in ("a_b", "a/b"):
        api.offer("shop", action, path=f"/connectors/shop/{action}")
        api.answer(f"shop/{action}", says(action))
    async with connect(api.url) as client:
        named = names_of(("shop", "a_b"), ("shop", "a/b"))
        assert set(await tools(client)) == set(named.values())
        for (_, action), name in named.items():
            assert (await answer(client, name))["data"] == action
