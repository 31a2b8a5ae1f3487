"""When a call is repeated, and when no more: the one decision, as a table and as laws."""

import math
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_connectors.calls import Effect, Policy, Reply
from bosa_connectors.errors import (
    BadReply,
    BosaError,
    BrokenReply,
    Failure,
    OutcomeUnknown,
    RequestTimeout,
    TooLarge,
    Unreachable,
    api_error,
)
from bosa_connectors.retry import (
    MAX_BACKOFF_SECONDS,
    MAX_RETRY,
    Outcome,
    documented,
    may_have_acted,
    nobody_knows,
    pause,
    safe,
    truth,
)


def failed(
    status: int, *, retryable: bool | None = None, retry_after: float | None = None, code: str | None = None
) -> Reply:
    """A reply with this failure."""
    failure = Failure(status=status, message="x", retryable=retryable, retry_after=retry_after, code=code)
    return Reply(status, {}, error=api_error(failure))


def wait(policy: Policy, outcome: Outcome, attempt: int = 1, *, left: float = math.inf, is_once: bool = False) -> float:
    """The pause, with the longest wait that chance can make; negative where there is no further attempt."""
    seconds = pause(policy, outcome, attempt=attempt, left=left, chance=1.0, is_once=is_once)
    return -1 if seconds is None else seconds


def is_repeated(policy: Policy, outcome: Outcome, *, is_once: bool = False) -> bool:
    return wait(policy, outcome, is_once=is_once) >= 0


DONE = Reply(200, {})
LOST = OutcomeUnknown("lost")
OUTCOMES: dict[str, Outcome] = {
    "200": DONE,
    "400": failed(400),
    "400 later": failed(400, retry_after=1),
    "401": failed(401),
    "404": failed(404),
    "409": failed(409),
    "409 later": failed(409, retry_after=1),
    "422": failed(422),
    "429": failed(429),
    "429 later": failed(429, retry_after=1),
    "500": failed(500),
    "500 later": failed(500, retry_after=1),
    "502": failed(502),
    "503": failed(503),
    "503 later": failed(503, retry_after=1),
    "400 retryable": failed(400, retryable=True),
    "500 retryable": failed(500, retryable=True),
    "429 final": failed(429, retryable=False),
    "503 later but final": failed(503, retryable=False, retry_after=1),
    "nobody knows": failed(500, code="OUTCOME_UNKNOWN", retryable=True, retry_after=1),
    "refused": Unreachable("x"),
    "late": RequestTimeout("x"),
    "lost": LOST,
    "broken": BrokenReply("x"),
    "odd": BadReply("x"),
    "too large": TooLarge("x"),
    "wrong": BosaError("x"),
}
STATED = {"429", "429 later", "500", "500 later", "502", "503", "503 later", "400 retryable", "500 retryable"}
UNDONE = {"429", "429 later", "503 later", "400 retryable", "500 retryable", "refused"}
ASKED_AGAIN = {*STATED, "409 later", "refused", "late", "lost", "broken"}


@pytest.mark.parametrize(
    ("policy", "is_once", "repeated"),
    [
        (documented(None), False, set[str]()),
        (documented(1), True, set[str]()),
        (documented(3), False, {*STATED, "refused"}),
        (documented(3), True, {*STATED, "refused", "409 later"}),
        (safe("read"), False, ASKED_AGAIN),
        *((safe(effect), False, UNDONE) for effect in ("create", "update", "delete", "send")),
        *((safe(effect), True, ASKED_AGAIN) for effect in ("create", "update", "delete", "send")),
    ],
)
def test_what_is_repeated(policy: Policy, is_once: bool, repeated: set[str]) -> None:  # noqa: FBT001  a table's column
    assert {name for name, outcome in OUTCOMES.items() if is_repeated(policy, outcome, is_once=is_once)} == repeated


@pytest.mark.parametrize("attempts", [0, -1])
def test_less_than_one_attempt_is_refused_in_the_words_that_programs_match(attempts: int) -> None:
    with pytest.raises(ValueError, match=r"^max_attempts must be at least 1$"):
        documented(attempts)


@pytest.mark.parametrize(("asked", "made"), [(None, 1), (1, 1), (3, 3), (11, 11), (12, 11), (10**9, 11)])
def test_attempts_include_the_first_and_ten_repetitions_are_the_most(asked: int | None, made: int) -> None:
    policy = documented(asked)
    assert policy.attempts == made <= MAX_RETRY + 1
    repeated = [attempt for attempt in range(1, 20) if wait(policy, failed(500), attempt) >= 0]
    assert repeated == list(range(1, made))


def test_the_documented_waits_double_up_to_64_seconds_and_a_second_by_chance() -> None:
    waits = [
        pause(documented(11), failed(500), attempt=attempt, left=math.inf, chance=0.25, is_once=False)
        for attempt in range(1, 11)
    ]
    assert waits == [1.25, 2.25, 4.25, 8.25, 16.25, 32.25, 64.25, 64.25, 64.25, 64.25]


def test_safe_waits_are_anything_between_nothing_and_the_backoff() -> None:
    shortest = pause(safe("read"), failed(503), attempt=3, left=math.inf, chance=0.0, is_once=False)
    assert (shortest, wait(safe("read"), failed(503), 3)) == (0.0, 2.0)


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (501, 3), (502, 7), (503, 7), (504, 7), (429, 7)])
def test_a_failure_of_the_apis_own_is_not_asked_for_as_often_as_one_of_the_moment(status: int, attempts: int) -> None:
    repeated = [attempt for attempt in range(1, 20) if wait(safe("read"), failed(status), attempt) >= 0]
    assert repeated == list(range(1, attempts))


@pytest.mark.parametrize("policy", [documented(3), safe("read"), safe("send")])
@pytest.mark.parametrize(("said", "waited"), [(0, 0), (7.5, 7.5), (64, 64), (64.5, -1), (3600, -1)])
def test_a_wait_that_the_api_asks_for_is_waited_exactly_or_not_at_all(
    policy: Policy, said: float, waited: float
) -> None:
    assert wait(policy, failed(429, retry_after=said)) == waited


def test_a_wait_that_does_not_fit_before_the_deadline_is_not_begun() -> None:
    assert wait(safe("read"), failed(429, retry_after=3), left=3.01) == 3
    for left in (3, 1, 0, -5):
        assert wait(safe("read"), failed(429, retry_after=3), left=left) == -1


@pytest.mark.parametrize(
    ("before", "last", "known"),
    [
        ("lost", "refused", "lost"),
        ("lost", "429", "lost"),
        ("lost", "409 later", "lost"),
        ("500", "503 later", "500"),
        ("lost", "200", "200"),
        ("lost", "422", "422"),
        ("lost", "500 later", "500 later"),
        ("lost", "nobody knows", "nobody knows"),
        ("refused", "429", "429"),
        ("429", "refused", "refused"),
        ("refused", "lost", "lost"),
    ],
)
def test_an_attempt_that_did_nothing_does_not_hide_one_that_may_have_acted(before: str, last: str, known: str) -> None:
    assert truth(OUTCOMES[before], OUTCOMES[last]) is OUTCOMES[known]


def test_what_became_of_an_attempt_to_write_is_told_by_how_it_failed() -> None:
    failures = {name: each.error if isinstance(each, Reply) else each for name, each in OUTCOMES.items()}
    told = {name: error for name, error in failures.items() if error}
    assert {name for name, error in told.items() if nobody_knows(error)} == {"502", "nobody knows", "lost"}
    acted = {"500", "500 later", "502", "503", "nobody knows", "lost", "broken", "odd", "too large"}
    assert {name for name, error in told.items() if may_have_acted(error)} == acted | {"503 later but final"}


EFFECTS: st.SearchStrategy[Effect] = st.sampled_from(get_args(Effect))
SECONDS = st.none() | st.floats(0, 1e9)
POLICIES = st.one_of(st.integers(1, 20).map(documented), EFFECTS.map(safe))
REPLIES = st.builds(failed, st.integers(300, 599), retryable=st.none() | st.booleans(), retry_after=SECONDS)
ANY_OUTCOME = REPLIES | st.sampled_from(list(OUTCOMES.values()))


@given(
    POLICIES, ANY_OUTCOME, st.integers(1, 12), st.floats(-1e3, 1e3) | st.just(math.inf), st.floats(0, 1), st.booleans()
)
def test_a_wait_is_never_negative_and_never_passes_the_deadline(  # noqa: PLR0913, PLR0917  all that decides
    policy: Policy,
    outcome: Outcome,
    attempt: int,
    left: float,
    chance: float,
    is_once: bool,  # noqa: FBT001  likewise
) -> None:
    seconds = pause(policy, outcome, attempt=attempt, left=left, chance=chance, is_once=is_once)
    assert seconds is None or 0 <= seconds <= MAX_BACKOFF_SECONDS + 1
    assert seconds is None or seconds < left


@given(EFFECTS.filter(lambda effect: effect != "read"), ANY_OUTCOME)
def test_nothing_that_may_have_happened_is_repeated_unless_it_is_a_read_or_once(
    effect: Effect, outcome: Outcome
) -> None:
    if is_repeated(safe(effect), outcome):
        assert truth(DONE, outcome) is DONE  # which is how an attempt counts that did nothing


@given(ANY_OUTCOME, POLICIES, st.booleans())
def test_what_the_api_calls_final_is_final(outcome: Outcome, policy: Policy, is_once: bool) -> None:  # noqa: FBT001
    if isinstance(outcome, Reply) and outcome.error and outcome.error.retryable is False:
        assert not is_repeated(policy, outcome, is_once=is_once)
