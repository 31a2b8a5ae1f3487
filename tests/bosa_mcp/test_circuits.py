"""A connector that fails again and again."""

import pytest

from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    BrokenReply,
    Failure,
    OutcomeUnknown,
    RequestTimeout,
    Unreachable,
)
from bosa_mcp.circuits import FAILURES, REST, Circuits, is_down


def failing(circuits: Circuits, times: int, user: str = "me") -> None:
    for _ in range(times):
        circuits.tell("github", user, 100.0, is_down=True)


def test_is_asked_until_it_has_failed_so_often_and_then_left_alone() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES - 1)
    assert circuits.wait("github", "me", 100.0) == 0
    failing(circuits, 1)
    assert circuits.wait("github", "me", 100.0 + REST / 3) == REST - REST / 3


def test_that_failed_less_often_holds_up_no_call_and_ends_none() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES - 1)
    for call in range(3):
        assert circuits.wait("github", "me", 100.0 + call) == 0
        assert not circuits.calls_off("github", "me", 100.0 + call)


def test_rests_no_longer_because_it_is_asked_meanwhile() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    assert [circuits.wait("github", "me", now) for now in (101.0, 102.0)] == [REST - 1, REST - 2]


def test_is_tried_by_one_call_after_a_rest_while_the_others_wait() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    after = 100.0 + REST
    assert circuits.wait("github", "me", after) == 0
    assert circuits.wait("github", "me", after + 1) == REST - 1


def test_is_asked_again_by_everybody_once_a_call_has_come_through() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    circuits.tell("github", "me", 100.0 + REST, is_down=False)
    assert circuits.wait("github", "me", 100.0 + REST) == 0
    failing(circuits, FAILURES - 1)
    assert circuits.wait("github", "me", 100.0) == 0


def test_rests_anew_where_the_call_that_tried_failed_too() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    assert circuits.wait("github", "me", 100.0 + REST) == 0
    circuits.tell("github", "me", 200.0, is_down=True)
    assert circuits.wait("github", "me", 201.0) == REST - 1


def test_is_tried_by_another_call_where_the_one_that_was_to_try_came_to_nothing() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    after = 100.0 + REST
    assert circuits.wait("github", "me", after) == 0
    circuits.give_back("github", "me", after)
    assert circuits.wait("github", "me", after + 1) == 0
    assert circuits.wait("github", "me", after + 2) == REST - 1


def test_rests_on_where_a_call_from_before_comes_to_nothing() -> None:
    circuits = Circuits()
    assert circuits.wait("github", "me", 99.0) == 0
    failing(circuits, FAILURES)
    circuits.give_back("github", "me", 99.0)
    assert circuits.wait("github", "me", 101.0) == REST - 1


def test_is_one_users_affair_and_no_other_connectors() -> None:
    circuits = Circuits()
    failing(circuits, FAILURES)
    assert circuits.wait("github", "you", 100.0) == 0
    assert circuits.wait("notes", "me", 100.0) == 0


@pytest.mark.parametrize(
    ("failure", "down"),
    [
        *((ApiError(Failure(status=status, message="no")), True) for status in (502, 503, 504)),
        *((ApiError(Failure(status=status, message="no")), False) for status in (404, 429, 500)),
        *((each("no"), True) for each in (Unreachable, RequestTimeout, OutcomeUnknown, BrokenReply)),
        (BadReply("no"), False),
    ],
    ids=repr,
)
def test_is_down_where_no_answer_of_its_own_came_rather_than_one_that_says_no(
    failure: BosaError, *, down: bool
) -> None:
    assert is_down(failure) is down
