"""What a program gave becomes what the action takes: laws of the pure part."""

import warnings
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import schema
from bosa_connectors.arguments import fitting, merge
from bosa_connectors.calls import Action, Call
from bosa_connectors.errors import InvalidArguments
from bosa_connectors.problems import UNKNOWN

from .samples import action, takes

NAMES = st.sampled_from(["a", "b", "0", "list", "x", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["1", "1.5", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=4)
ANY: dict[str, Any] = {}
PARTS: dict[str, Any] = {"a": {"properties": {"b": ANY}}, "list": {"items": {"properties": {"a": ANY}}}, "b": ANY}
VALUES: dict[str, Any] = {"x": {"type": "integer"}, "0": {"anyOf": [{"type": "boolean"}, {"type": "number"}]}}
NUMBER: dict[str, Any] = {"type": "number"}
CLOSED = action(takes(**PARTS, **VALUES))
TWICE: dict[str, Any] = {"a": {"properties": {"b": ANY}}, "a.b": {"properties": {"b": ANY}}}
DOTTED = action(takes(**TWICE))


@given(OBJECTS, OBJECTS)
def test_what_is_put_together_holds_both_and_shares_nothing(
    first: dict[str, object], second: dict[str, object]
) -> None:
    twice = {name for name in first.keys() & second.keys() if first[name] != second[name]}
    with warnings.catch_warnings(record=True, action="always") as warned:
        merged = merge(first, second)
    assert len(warned) == len(twice)
    assert merged == {**second, **first}
    mutable = {id(each) for value in (first, second) for each in parts(value)}
    assert not [each for each in parts(merged) if id(each) in mutable]


@settings(deadline=None)
@given(OBJECTS)
def test_what_is_set_right_is_gone_and_all_else_stays(given_: dict[str, object]) -> None:
    wrong = problems(given_)
    call, said = fitting(Call(CLOSED, given_), InvalidArguments(wrong))
    left = problems(call.arguments)
    assert not [problem for problem in left if problem.message == UNKNOWN]
    assert {problem.path for problem in left} <= {problem.path for problem in wrong}
    assert len(said) == len(wrong) - len(left)
    if not said:
        assert call.arguments == given_


def test_what_could_be_meant_twice_is_left_where_it_is() -> None:
    given_ = {"a": {"b": {"x": 1}}, "a.b": {"x": 1}}
    call, said = fitting(Call(DOTTED, given_), InvalidArguments(problems(given_, DOTTED)))
    assert (call.arguments, said) == (given_, [])


def test_a_text_that_may_be_one_is_not_taken_for_a_number() -> None:
    short = action(takes(a={"anyOf": [{"type": "string", "maxLength": 3}, {"type": "string", "pattern": "x"}, NUMBER]}))
    given_ = {"a": "1234"}
    call, said = fitting(Call(short, given_), InvalidArguments(problems(given_, short)))
    assert (call.arguments, said) == (given_, [])


def problems(arguments: Any, of: Action = CLOSED) -> list[Any]:  # noqa: ANN401  JSON
    """What is wrong with these arguments."""
    try:
        schema.check(of, arguments)
    except InvalidArguments as wrong:
        return list(wrong.errors)
    return []


def parts(value: object) -> Iterator[object]:
    """Everything in it that could be changed."""
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return
    yield cast("object", value)
    for each in inner:
        yield from parts(each)
