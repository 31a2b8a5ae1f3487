"""A connector that fails again and again is left alone for a while, so that calls to it are answered at once."""

from dataclasses import dataclass, field
from typing import Final

from bosa_connectors.errors import (
    ApiError,
    BosaError,
    BrokenReply,
    OutcomeUnknown,
    RequestTimeout,
    Unreachable,
)

FAILURES: Final = 5
"""So many in a row open a circuit."""
REST: Final = 15.0
"""Seconds until one call tries again."""
_GATEWAYS: Final = frozenset({502, 503, 504})


def is_down(failure: BosaError) -> bool:
    """Whether this says that the connector is down, rather than that a call was wrong."""
    if isinstance(failure, ApiError):
        return failure.status in _GATEWAYS
    return isinstance(failure, (Unreachable, RequestTimeout, OutcomeUnknown, BrokenReply))


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    closed_from: float = 0.0
    """When the next call may go: long since, until so many have failed."""


@dataclass(frozen=True, slots=True)
class Circuits:
    """One for each connector and user. Times are seconds of any clock that does not go back."""

    _circuits: dict[tuple[str, str], _Circuit] = field(default_factory=dict[tuple[str, str], _Circuit])

    def rest(self, connector: str, user: str, now: float) -> float:
        """Seconds for which the connector is left alone."""
        circuit = self._circuits.get((connector, user))
        return max(circuit.closed_from - now, 0.0) if circuit else 0.0

    def wait(self, connector: str, user: str, now: float) -> float:
        """Seconds until a call may go: 0 for now. Of the calls that wait, one goes, and the others see how it ends."""
        seconds = self.rest(connector, user, now)
        circuit = self._circuits.get((connector, user))
        if circuit and circuit.failures >= FAILURES and not seconds:
            circuit.closed_from = now + REST
        return seconds

    def calls_off(self, connector: str, user: str, since: float) -> bool:
        """Whether a call that might go at that time makes no further attempt: the connector is left alone by then.

        The one that is to try makes all of its attempts.
        """
        circuit = self._circuits.get((connector, user))
        return circuit is not None and circuit.failures >= FAILURES and circuit.closed_from != since + REST

    def give_back(self, connector: str, user: str, since: float) -> None:
        """For a call that might go at that time and ended without an outcome: where it was to try, another one may."""
        circuit = self._circuits.get((connector, user))
        if circuit and circuit.closed_from == since + REST:
            circuit.closed_from = since

    def tell(self, connector: str, user: str, now: float, *, is_down: bool) -> None:
        """How a call ended."""
        if not is_down:
            self._circuits.pop((connector, user), None)
            return
        circuit = self._circuits.setdefault((connector, user), _Circuit())
        circuit.failures += 1
        if circuit.failures >= FAILURES:
            circuit.closed_from = now + REST
