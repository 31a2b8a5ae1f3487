"""A large text in JSON is read piece by piece, and comes to the same."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors.wire import decode

JSON = {"content-type": "application/json"}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def read(body: bytes, *, in_pieces: bool) -> object:
    """What comes of it: the body, or the failure."""
    try:
        return decode(200, JSON, body, in_pieces=in_pieces).body
    except Exception as failure:  # noqa: BLE001  whatever comes of it
        return type(failure), str(failure)


@settings(deadline=None)
@given(value=VALUES, indent=st.sampled_from([None, 0, "\t", " "]))
def test_what_is_read_in_pieces_is_what_is_read_at_once(value: object, indent: Any) -> None:  # noqa: ANN401  as json
    body = json.dumps({"data": value, "meta": None}, indent=indent).encode()
    assert read(body, in_pieces=True) == read(body, in_pieces=False)


@settings(deadline=None)
@given(st.text(alphabet='[]{}",:\\ud800DFaetrfuls019.-+NaInity \n', max_size=30))
def test_what_cannot_be_read_at_once_cannot_be_read_in_pieces(body: str) -> None:
    for each in (body, f'{{"data": {body}', f'{{"data": [{{"a": {body}'):
        assert read(each.encode(), in_pieces=True) == read(each.encode(), in_pieces=False)


@pytest.mark.parametrize(
    "body", ["", " ", "{", "[1,", "[1 2]", '{"a" 1}', '{"a":1,}', "[1,]", "{1:2}", '{"a":1}}', "[]]"]
)
def test_odd_texts_are_odd_in_pieces_too(body: str) -> None:
    assert read(body.encode(), in_pieces=True) == read(body.encode(), in_pieces=False)
