"""When a call is repeated, and when no more: policies as values, and the one place that decides."""

from collections.abc import Callable
from typing import Final, TypeAlias

from bosa_connectors.calls import Effect, Notify, Policy, Reply
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    BrokenReply,
    OutcomeUnknown,
    RequestTimeout,
    Unreachable,
)

MAX_RETRY: Final = 10
"""Repetitions of one call, at most."""
MAX_BACKOFF_SECONDS: Final = 64.0
"""No single wait is longer: an API that asks for more gets no further attempt."""
_FIRST_BACKOFF: Final = 0.5
_SAFE_ATTEMPTS: Final = 7
"""With a first backoff of half a second: sixteen seconds of waiting on average."""
_SAFE_AFTER_AN_ANSWER: Final = 3
"""So often is asked what is answered with a failure of the API's own: most of those come again each time."""

_TOO_MANY: Final = 429
_UNAVAILABLE: Final = 503
_CONFLICT: Final = 409
_BETWEEN: Final = frozenset({502, 504})
"""Said by what stands before an API that gave it no answer."""
_PASSING: Final = _BETWEEN | {_TOO_MANY, _UNAVAILABLE}
"""Failures that say more of the moment than of the call."""
_NOBODY_KNOWS: Final = "OUTCOME_UNKNOWN"
"""The code of an API that has lost sight of what came under this key: it will know no more the next time."""

Outcome: TypeAlias = Reply | BosaError
"""What an attempt came to."""


def documented(attempts: int | None) -> Policy:
    """What `max_attempts` means: 429, 5xx and what found no connection are repeated, whatever the action does.

    None is one attempt.

    Raises ValueError for less than one; more than ten repetitions are never made.
    """
    if attempts is not None and attempts < 1:
        raise ValueError("max_attempts must be at least 1")
    return Policy(attempts=min(attempts or 1, MAX_RETRY + 1))


def safe(effect: Effect, notify: Notify | None = None, is_called_off: Callable[[], bool] | None = None) -> Policy:
    """Reads are repeated whenever that may help; what writes, only where it provably did not happen."""
    return Policy(_SAFE_ATTEMPTS, effect, notify, is_called_off)


def pause(  # noqa: PLR0913  the facts that the decision rests on
    policy: Policy, outcome: Outcome, *, attempt: int, left: float, chance: float, is_once: bool
) -> float | None:
    """Seconds to wait before the next attempt; None where `outcome` stands.

    `attempt` counts from 1, `left` is the seconds until the deadline, `chance` a random number from 0 to 1, and
    `is_once` says whether the API carries out what is sent twice under one key only once. A wait that the API asks for
    is waited as it says, or not at all where it is longer than 64 s.
    """
    if attempt >= _attempts(policy, outcome) or not _may_repeat(policy, outcome, is_once=is_once):
        return None
    said = _said(outcome)
    seconds = _backoff(policy, attempt, chance) if said is None else said
    return seconds if seconds < left and (said is None or said <= MAX_BACKOFF_SECONDS) else None


def _attempts(policy: Policy, outcome: Outcome) -> int:
    is_answered = isinstance(outcome, Reply) and outcome.status not in _PASSING and _said(outcome) is None
    return min(policy.attempts, _SAFE_AFTER_AN_ANSWER) if policy.effect and is_answered else policy.attempts


def truth(before: Outcome, last: Outcome) -> Outcome:
    """What is known after two attempts to write: one that did nothing says nothing of the one before it."""
    return before if _did_nothing(last) and not _did_nothing(before) else last


def nobody_knows(error: BosaError) -> bool:
    """Whether it is open what came of an attempt to write: no answer came whole, or one that itself knows no more."""
    if isinstance(error, ApiError):
        return error.failure.code == _NOBODY_KNOWS or error.status in _BETWEEN
    return isinstance(error, OutcomeUnknown)


def may_have_acted(error: BosaError) -> bool:
    """Whether an attempt to write may have done something although it failed."""
    if isinstance(error, ApiError):
        failed = error.status >= 500  # noqa: PLR2004  the server's failures
        return (failed or nobody_knows(error)) and not _did_nothing(error)
    return isinstance(error, (OutcomeUnknown, BadReply))


def _did_nothing(outcome: Outcome) -> bool:
    """Whether this attempt provably did nothing: refused on the way, or by an API that says so."""
    error = outcome.error if isinstance(outcome, Reply) else outcome
    if not isinstance(error, ApiError):
        return isinstance(error, Unreachable)
    said = error.failure
    if said.code == _NOBODY_KNOWS:
        return False
    is_put_off = said.status in {_UNAVAILABLE, _CONFLICT} and said.retry_after is not None
    return said.retryable is True or (said.retryable is None and (said.status == _TOO_MANY or is_put_off))


def _backoff(policy: Policy, attempt: int, chance: float) -> float:
    if policy.effect is None:
        return min(2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS) + chance
    return min(_FIRST_BACKOFF * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS) * chance


def _said(outcome: Outcome) -> float | None:
    error = outcome.error if isinstance(outcome, Reply) else outcome
    return error.failure.retry_after if isinstance(error, ApiError) else None


def _may_repeat(policy: Policy, outcome: Outcome, *, is_once: bool) -> bool:
    is_harmless = policy.effect == "read" or is_once
    if isinstance(outcome, Reply):
        return outcome.error is not None and _is_worth_it(policy, outcome.error, is_harmless=is_harmless)
    if isinstance(outcome, Unreachable):
        return True
    if policy.effect is None:
        return False
    return is_harmless and isinstance(outcome, (RequestTimeout, OutcomeUnknown, BrokenReply))


def _is_worth_it(policy: Policy, error: ApiError, *, is_harmless: bool) -> bool:
    said = error.failure
    if said.code == _NOBODY_KNOWS:
        return False
    if said.retryable is not None:
        return said.retryable
    if policy.effect is None or is_harmless:
        is_running = said.status == _CONFLICT and is_harmless and said.retry_after is not None
        return said.status == _TOO_MANY or said.status >= 500 or is_running  # noqa: PLR2004  the server's failures
    return said.status == _TOO_MANY or (said.status == _UNAVAILABLE and said.retry_after is not None)
