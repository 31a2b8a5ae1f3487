"""A value made to fit."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
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


@settings(deadline=None)
@given(VALUES, st.integers(100, 3000))
def test_a_value_that_was_made_to_fit_fits(value: object, budget: int) -> None:
    assert fit.size(fit.fit(value, budget).value) <= budget


@settings(deadline=None)
@given(VALUES)
def test_a_value_that_fits_stays_as_it_is(value: object) -> None:
    fitted = fit.fit(value, fit.size(value))
    assert (fitted.value, fitted.items, fitted.bytes) == (value, 0, 0)


@settings(deadline=None)
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


@settings(deadline=None, max_examples=50)
@given(st.lists(VALUES, min_size=3, max_size=6))
def test_a_list_keeps_as_many_items_as_fit_to_the_byte(items: list[object]) -> None:
    for count in range(2, len(items)):
        room = fit.size(items[:count])
        assert fit.fit(items, room) == fit.Fitted(items[:count], len(items) - count, fit.size(items) - room)
        assert fit.fit(items, room - 1).value == items[: count - 1]


@settings(deadline=None)
@given(st.integers(2, 12))
def test_an_object_keeps_as_many_members_as_fit_to_the_byte(count: int) -> None:
    data = {f"{number:02}": number + 10 for number in range(20)}
    room = fit.size(dict(list(data.items())[:count]))
    fitted = fit.fit(data, room)
    assert (fitted.value, fitted.items) == (dict(list(data.items())[:count]), 20 - count)
    assert fit.fit(data, room - 1).items == 20 - count + 1


@settings(deadline=None, max_examples=30)
@given(st.integers(50, 3_000))
def test_a_member_that_is_left_out_counts_once_whatever_it_holds(budget: int) -> None:
    data = {f"{'n' * (number % 40)}{number}": [7] * (number % 5) for number in range(100)}
    fitted = fit.fit(data, budget)
    kept: Any = fitted.value
    assert fitted.items == sum(len(each) - len(kept[name]) if name in kept else 1 for name, each in data.items())


def test_an_item_that_can_be_no_shorter_is_left_out() -> None:
    assert fit.fit([10**50, 1], 20) == fit.Fitted([], 2, 53)


def test_as_many_as_fit_are_found_and_few_that_do_not_are_tried() -> None:
    for count in range(40):
        for fitting in range(45):
            tried: list[int] = []

            def fits(number: int, fitting: int = fitting, tried: list[int] = tried) -> bool:
                tried.append(number)
                return number <= fitting

            assert fit.most(count, fits) == min(count, fitting)
            assert len(tried) <= 2 * max(count, 1).bit_length()
            assert max(tried, default=0) <= min(count, max(2 * fitting, 1))


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
    assert fit.shortened(text, fit.size(text)) == text


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
    assert fit.largest({"a.b": "x" * 9, "c": 1}, 1) == ["a.b"]
    assert fit.largest({"path": "a.txt", "text": "x" * 500, "size": 500}) == ["text"], "what is small frees no room"


@settings(deadline=None)
@given(st.lists(ITEM, min_size=1))
def test_the_sizes_of_fields_are_bytes_with_their_names_and_commas(items: list[dict[str, Any]]) -> None:
    braces_and_commas = 1 + 2 * len(items)  # where each comma between fields counts for one of them, and one too many
    assert sum(fit.field_sizes(items).values()) + braces_and_commas == fit.size(items)


@settings(deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=20), st.integers(200, 3000))
def test_the_fields_that_are_said_to_fit_do(items: list[dict[str, Any]], budget: int) -> None:
    chosen = fit.fields_that_fit(items, budget)
    if chosen:
        assert fit.size(select(items, chosen)) <= budget


def test_fewer_fields_are_said_to_fit_where_braces_take_the_rest() -> None:
    assert fit.fields_that_fit([{"a": "x" * 100, "b": "x" * 100, "c": "x" * 100}] * 3, 660) == ["a", "b"]
    assert fit.fields_that_fit([{"a": 1, "b": 2}] * 1_000, 12_500) == ["a"]
    assert fit.fields_that_fit([{"a": 1}] * 1_000, 7_000) == []


def test_fields_are_named_four_levels_deep() -> None:
    data = {"a": {"b": {"c": {"d": {"e": "x" * 5_000, "f": 1}}}}}
    assert fit.paths(data) == ["a", "a.b", "a.b.c", "a.b.c.d"]
    assert list(fit.field_sizes(data, 100)) == ["a.b.c.d"]


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
