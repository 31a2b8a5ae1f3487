"""response_filters: over the wire, and against a plain statement of what they mean."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bosa_connectors.fields import FilterMismatch, keep
from bosa_connectors.shapes import is_array, is_object
from bosa_hub.plugin import Connector, Page, action
from bosa_hub.serve import running

Filter: TypeAlias = dict[str, Any]
Data: TypeAlias = Any

BOOKS: list[dict[str, object]] = [
    {"title": "Emma", "year": 1815, "author": {"name": "Austen"}, "added": "2024-01-01T00:00:00Z"},
    {"title": "emma again", "year": 1816.5, "author": {"name": "AUSTEN"}, "added": "2024-06-01"},
    {"title": "Ulysses", "year": None, "author": None, "added": "2024-12-31T23:30:00-05:00"},
    {"title": "Untitled"},
]


class Text(BaseModel):
    text: str


class Shelf(Connector):
    """Answers what it is given."""

    @action(effect="read")
    async def show(self, request: Text) -> object:
        """Show it."""
        return json.loads(request.text)

    @action(effect="create")
    async def add(self, request: Text) -> object:
        """Add it."""
        return json.loads(request.text)

    @action(effect="read")
    async def page(self) -> Page[dict[str, object]]:
        """Show a page of books."""
        return Page(BOOKS, page=1, per_page=10, total=4)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(tmp_path_factory.mktemp("shelf"), connectors=[Shelf()]) as hub:
        headers = {"Authorization": f"Bearer {hub.user_token('ada')}"}
        with httpx.Client(base_url=f"{hub.url}/connectors/shelf", headers=headers) as client:
            yield client


def shown(shelf: httpx.Client, data: object, *filters: Filter, fields: list[str] | None = None) -> Data:
    asked = {"text": json.dumps(data), "response_filters": list(filters), "response_fields": fields}
    answer = shelf.post("/show", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"type": "string", "field_name": "title", "value": "EMMA"}, [0]),
        ({"type": "string", "field_name": "title", "value": "EMMA", "ignore_case": False}, []),
        ({"type": "string", "field_name": "author.name", "value": "austen"}, [0, 1]),
        ({"type": "string", "field_name": "author.name.first", "value": "x"}, []),
        ({"type": "string_list", "field_name": "title", "values": ["ulysses", "Emma"]}, [0, 2]),
        ({"type": "string_list", "field_name": "author.name", "values": ["Austen"], "ignore_case": False}, [0]),
        ({"type": "number", "field_name": "year", "value": 1815}, [0]),
        ({"type": "number", "field_name": "year", "value": 1815.0}, [0]),
        ({"type": "number_list", "field_name": "year", "values": [1, 1816.5]}, [1]),
        ({"type": "number_range", "field_name": "year", "from_value": 1815, "to_value": 1816}, [0]),
        ({"type": "number_range", "field_name": "year", "to_value": 2000}, [0, 1]),
        ({"type": "date_range", "field_name": "added", "from_date": "2024-06-01T00:00:00Z"}, [1, 2]),
        ({"type": "date_range", "field_name": "added", "to_date": "2024-12-31T23:59:59Z"}, [0, 1]),
        ({"type": "date_range", "field_name": "added", "from_date": "2024-01-01", "to_date": "2024-01-01"}, [0]),
        ({"type": "date_range", "field_name": "title", "from_date": "2024-01-01"}, []),
        ({"type": "string_list", "field_name": "author.name"}, [0, 1, 2, 3]),
        ({"type": "number_range", "field_name": "year"}, [0, 1, 2, 3]),
        ({"type": "date_range", "field_name": "added"}, [0, 1, 2, 3]),
    ],
)
def test_a_filter_keeps_the_items_it_holds_for(shelf: httpx.Client, condition: Filter, kept: list[int]) -> None:
    assert shown(shelf, BOOKS, condition) == [BOOKS[index] for index in kept]


def test_all_filters_must_hold_and_fields_are_selected_from_what_is_left(shelf: httpx.Client) -> None:
    austen = {"type": "string", "field_name": "author.name", "value": "Austen"}
    early = {"type": "number_range", "field_name": "year", "to_value": 1815}
    assert shown(shelf, BOOKS, austen, early, fields=["title"]) == [{"title": "Emma"}]


def test_a_root_names_the_list_to_filter_through_lists_above_it(shelf: httpx.Client) -> None:
    data: dict[str, Any] = {
        "parts": [{"headers": [{"n": "A", "v": 1}, {"n": "B"}, "text"]}, {"headers": [{"n": "B"}]}, {}],
        "n": "B",
    }
    condition = {"type": "string", "field_name": "n", "value": "a", "root": "parts.headers"}
    kept = copy.deepcopy(data)
    kept["parts"][0]["headers"] = [{"n": "A", "v": 1}]
    kept["parts"][1]["headers"] = []
    assert shown(shelf, data, condition) == kept
    assert shown(shelf, [data, {"parts": None}], condition) == [kept, {"parts": None}]
    assert shown(shelf, data, {**condition, "root": "parts.nothing"}) == data


@pytest.mark.parametrize("data", [{"n": "x"}, "text", None, 5, [1, {"n": "x"}], [[{"n": "x"}]], []])
def test_what_is_no_list_of_objects_stays_as_it_is(shelf: httpx.Client, data: object) -> None:
    assert shown(shelf, data, {"type": "string", "field_name": "n", "value": "y"}) == data


def test_the_total_of_a_page_stays_as_it_was(shelf: httpx.Client) -> None:
    condition = {"type": "string", "field_name": "title", "value": "emma"}
    answer = shelf.post("/page", json={"response_filters": [condition]}).json()
    assert answer["data"] == BOOKS[:1]
    assert answer["meta"] == {
        "page": 1,
        "limit": 10,
        "total": 4,
        "total_page": 1,
        "has_next": False,
        "has_prev": False,
    }


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"type": "number", "field_name": "title", "value": 1}, "A number filter needs numbers; 'title' holds"),
        ({"type": "string", "field_name": "year", "value": "1"}, "A string filter needs texts; 'year' holds"),
        ({"type": "date_range", "field_name": "year", "to_date": "2024-01-01"}, "A date_range filter needs dates"),
        ({"type": "date_range", "field_name": "added", "to_date": "soon"}, "to_date is no date: write it as ISO 8601"),
    ],
)
def test_what_cannot_be_compared_is_the_callers_error(shelf: httpx.Client, condition: Filter, said: str) -> None:
    refused = shelf.post("/show", json={"text": json.dumps(BOOKS), "response_filters": [condition]})
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert (problem["type"], problem["loc"]) == ("filter_mismatch", ["body", "response_filters"])
    assert problem["msg"].startswith(said)
    assert refused.json()["message"] == problem["msg"]


def test_whoever_changed_something_is_told_that_it_was_done(shelf: httpx.Client) -> None:
    condition = {"type": "number", "field_name": "title", "value": 1}
    refused = shelf.post("/add", json={"text": json.dumps(BOOKS), "response_filters": [condition]})
    assert refused.status_code == 422
    assert refused.json()["message"].endswith("The action itself was carried out: do not repeat it.")


@pytest.mark.parametrize(
    ("condition", "loc", "kind"),
    [
        ({"type": "regex", "field_name": "a"}, [0], "union_tag_invalid"),
        ({"field_name": "a", "value": "x"}, [0], "union_tag_not_found"),
        ({"type": "string", "value": "x"}, [0, "string", "field_name"], "missing"),
        ({"type": "string", "field_name": "a", "value": 1}, [0, "string", "value"], "string_type"),
        ({"type": "string", "field_name": "a", "valeu": "x", "value": "x"}, [0, "string", "valeu"], "extra_forbidden"),
        ({"type": "string", "field_name": "a" * 201, "value": "x"}, [0, "string", "field_name"], "string_too_long"),
    ],
)
def test_a_filter_that_is_none_is_refused_before_anything_runs(
    shelf: httpx.Client, condition: Filter, loc: list[object], kind: str
) -> None:
    refused = shelf.post("/add", json={"text": "[]", "response_filters": [condition]})
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert (problem["loc"], problem["type"]) == (["body", "response_filters", *loc], kind)


def test_there_may_be_twenty_filters(shelf: httpx.Client) -> None:
    condition = {"type": "string", "field_name": "a", "value": "x"}
    assert shelf.post("/show", json={"text": "[]", "response_filters": [condition] * 20}).status_code == 200
    assert shelf.post("/show", json={"text": "[]", "response_filters": [condition] * 21}).status_code == 422


# The law. The oracle says what each filter means of one item, finds the lists first and then empties them in place;
# the implementation makes tests once and rebuilds the data on the way down.

DATES = ["2024-01-01", "2024-01-01T10:00:00Z", "2024-01-01T11:00:00+01:00", "2025-01-01T00:00:00", "no date"]
TEXTS = st.none() | st.sampled_from(["x", "X", "y", ""])
NUMBERS = st.none() | st.sampled_from([-1, 0, 1, 1.0, 2.5])
MOMENTS = st.none() | st.sampled_from(DATES)
LEAF = st.fixed_dictionaries({}, optional={"text": TEXTS, "number": NUMBERS, "date": MOMENTS})
ITEM: st.SearchStrategy[Data] = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "text": TEXTS,
            "number": NUMBERS,
            "one": inner | st.none(),
            "many": st.lists(inner | st.integers(0, 1), max_size=3),
        },
    ),
    max_leaves=8,
)
ODD: st.SearchStrategy[Data] = st.integers(0, 1) | st.lists(ITEM, max_size=1)
DATA: st.SearchStrategy[Data] = st.lists(ITEM, max_size=4) | ITEM | st.lists(ITEM | ODD, max_size=3)
ROOTS = st.none() | st.sampled_from(["many", "one.many", "many.many", "many.one.many", "one", "text"])
PREFIX = st.sampled_from(["", "one."])


def _filters(kind: str, field: str, **values: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    name = PREFIX.map(lambda prefix: prefix + field)
    return st.fixed_dictionaries({"type": st.just(kind), "field_name": name, "root": ROOTS, **values})


FILTERS = st.one_of(
    _filters("string", "text", value=TEXTS.filter(lambda text: text is not None), ignore_case=st.booleans()),
    _filters("string_list", "text", values=st.lists(st.sampled_from(["x", "X", "z"])), ignore_case=st.booleans()),
    _filters("number", "number", value=st.sampled_from([0, 1, 2.5])),
    _filters("number_list", "number", values=st.lists(st.sampled_from([0, 1, 2.5]))),
    _filters("number_range", "number", from_value=NUMBERS, to_value=NUMBERS),
    _filters(
        "date_range",
        "date",
        from_date=st.none() | st.sampled_from(DATES[:4]),
        to_date=st.none() | st.sampled_from(DATES[:4]),
    ),
)


def expected(data: object, conditions: list[Filter]) -> object:
    """What the contract says."""
    data = copy.deepcopy(data)
    for condition in conditions:
        root = condition["root"]
        for found in _lists_at(data, root.split(".")) if root else [data]:
            if is_array(found) and (root or all(map(is_object, found))):
                found[:] = [item for item in found if is_object(item) and says(condition, item)]
    return data


def _lists_at(data: object, path: list[str]) -> list[object]:
    found = [data]
    for key in path:
        objects = [item for each in found for item in (each if is_array(each) else [each])]
        found = [item[key] for item in objects if is_object(item) and key in item]
    return found


def says(condition: Filter, item: object) -> bool:
    """Whether the filter holds for the item."""
    value = _value_at(item, condition["field_name"].split("."))
    match condition:
        case {"values": []} | {"from_value": None, "to_value": None} | {"from_date": None, "to_date": None}:
            return True
        case _ if value is None:
            return False
        case {"value": str() as wanted, "ignore_case": True}:
            return value.lower() == wanted.lower()
        case {"values": [*wanted], "ignore_case": True}:
            return value.lower() in [cast("str", each).lower() for each in wanted]
        case {"value": wanted} | {"values": [wanted]}:
            return value == wanted
        case _:
            return _is_one_of(value, condition) if "values" in condition else _lies_between(value, condition)


def _is_one_of(value: Data, condition: Filter) -> bool:
    return value in condition["values"]


def _lies_between(value: Data, condition: Filter) -> bool:
    if condition["type"] == "date_range":
        low, value, high = (_moment(text) for text in (condition["from_date"], value, condition["to_date"]))
    else:
        low, high = condition["from_value"], condition["to_value"]
    return value is not None and (low is None or low <= value) and (high is None or value <= high)


def _value_at(item: object, path: list[str]) -> Data:
    for key in path:
        item = item.get(key) if is_object(item) else None
    return item


def _moment(text: str | None) -> Data:
    if text is None or text == "no date":
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@settings(deadline=None, max_examples=500)
@given(DATA, st.lists(FILTERS, max_size=3))
def test_filtering_keeps_what_the_contract_says(data: Data, conditions: list[Filter]) -> None:
    assert keep(data, conditions) == expected(data, conditions)


@settings(deadline=None)
@given(DATA, st.lists(FILTERS, max_size=3))
def test_the_order_of_filters_does_not_matter_and_twice_is_once(data: Data, conditions: list[Filter]) -> None:
    once = keep(data, conditions)
    assert keep(once, conditions) == once
    assert keep(data, conditions[::-1]) == once


@settings(deadline=None)
@given(DATA, st.lists(FILTERS, max_size=3))
def test_the_data_given_stays_as_it_was(data: Data, conditions: list[Filter]) -> None:
    before = copy.deepcopy(data)
    keep(data, conditions)
    assert data == before


def test_a_mismatch_says_nothing_of_the_value_it_met() -> None:
    with pytest.raises(FilterMismatch) as failed:
        keep([{"a": "a secret"}], [{"type": "number", "field_name": "a", "value": 1}])
    assert "secret" not in str(failed.value)
