"""A value made to fit."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_connectors.fields import select
from bosa_mcp import fit

SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=200)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=10), inner, max_size=8),
    max_leaves=40,
)
ITEM = st.fixed_dictionaries({"id": st.integers(0, 999), "title": st.text(max_size=30), "body": st.text(max_size=300)})


@given(VALUES, st.integers(100, 3000))
def test_a_value_that_was_made_to_fit_fits(value: object, budget: int) -> None:
    assert fit.size(fit.fit(value, budget).value) <= budget


@given(VALUES)
def test_a_value_that_fits_stays_as_it_is(value: object) -> None:
    fitted = fit.fit(value, fit.size(value))
    assert (fitted.value, fitted.items, fitted.bytes) == (value, 0, 0)


@given(st.lists(ITEM, min_size=2, max_size=30), st.integers(600, 4000))
def test_a_list_keeps_whole_items_from_the_front_and_says_how_many_are_left_out(
    items: list[dict[str, Any]], budget: int
) -> None:
    fitted = fit.fit(items, budget)
    kept: Any = fitted.value
    is_first_alone_too_large = fit.size(items[0]) + 3 > budget
    if not is_first_alone_too_large:
        assert kept == items[: len(kept)]
    assert len(kept) + fitted.items == len(items)
    assert fitted.bytes == fit.size(items) - fit.size(kept)


@given(st.lists(ITEM, min_size=2, max_size=30), st.integers(600, 4000))
def test_no_further_item_would_have_fitted(items: list[dict[str, Any]], budget: int) -> None:
    kept: Any = fit.fit(items, budget).value
    if 0 < len(kept) < len(items):
        assert fit.size(items[: len(kept) + 1]) > budget


def test_one_item_too_large_has_its_longest_strings_shortened_and_each_says_its_length() -> None:
    item = {"id": 7, "title": "Minutes", "body": "x" * 50_000, "log": "y" * 90_000, "tags": ["a", "b"]}
    fitted: Any = fit.fit([item], 4_000).value
    [kept] = fitted
    assert (kept["id"], kept["title"], kept["tags"]) == (7, "Minutes", ["a", "b"])
    assert kept["body"].startswith("xxx")
    assert kept["body"].endswith("… [50,000 characters in all]")
    assert kept["log"].endswith("… [90,000 characters in all]")
    assert list(kept) == list(item)
    assert 3_500 < fit.size(fitted) <= 4_000


@pytest.mark.parametrize("text", ["ä" * 5_000, "\n" * 5_000, "😀" * 5_000, '"' * 5_000], ids=ascii)
def test_a_text_is_measured_in_bytes_of_json(text: str) -> None:
    assert fit.size(fit.shortened(text, 300)) <= 300


def test_a_list_inside_an_object_is_cut_and_the_small_fields_beside_it_stay() -> None:
    data = {"messages": [{"id": number, "text": "t" * 100} for number in range(500)], "next_page_token": "abc"}
    fitted = fit.fit(data, 2_000)
    kept: Any = fitted.value
    assert kept["next_page_token"] == "abc"
    assert kept["messages"] == data["messages"][: len(kept["messages"])]
    assert len(kept["messages"]) > 10
    assert fitted.items == 500 - len(kept["messages"])


def test_the_largest_fields_are_named_by_the_paths_that_response_fields_takes() -> None:
    data = [{"id": 1, "body": "x" * 500, "user": {"login": "a", "bio": "y" * 100}}]
    assert fit.largest(data, 2) == ["body", "user"]


@given(st.lists(ITEM, min_size=1, max_size=20), st.integers(200, 3000))
def test_the_fields_that_are_said_to_fit_do(items: list[dict[str, Any]], budget: int) -> None:
    chosen = fit.fields_that_fit(items, budget)
    if chosen:
        assert fit.size(select(items, chosen)) <= budget


def test_a_name_to_which_no_path_leads_is_not_offered() -> None:
    data = [{"t.id": 1, "n": 2, "in": {"a.b": 3, "c": 4}}]
    assert fit.paths(data) == ["n", "in", "in.c"]
    assert fit.fields_that_fit([*data * 100, {"in": {"a.b": "x" * 5_000, "c": 1}}], 4_000) == ["n", "in.c"]


def test_a_field_too_large_is_offered_by_its_parts() -> None:
    data = {"items": [{"id": 1, "user": {"login": "a", "bio": "y" * 5_000}}], "total": 1}
    assert fit.fields_that_fit(data, 1_000) == ["items.id", "items.user.login", "total"]


def test_the_result_is_json_however_it_is_cut() -> None:
    data = {"a": [["x" * 1_000] * 10, {"b": "é" * 1_000}], "c": {str(number): number for number in range(1_000)}}
    for budget in range(100, 3_000, 37):
        fitted = fit.fit(data, budget).value
        assert json.loads(fit.compact(fitted)) == fitted
