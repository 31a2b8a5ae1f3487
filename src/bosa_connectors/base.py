"""What both shells are made of: where the API is, what is remembered of it, and how a call is prepared."""

import math
import os
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from bosa_connectors import discovery, retry, schema, wire
from bosa_connectors.calls import DEFAULT_TIMEOUT, Call, Pause, Policy, Reply
from bosa_connectors.discovery import Contract, Known
from bosa_connectors.effects import effect
from bosa_connectors.errors import BosaError, BrokenReply
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import Patience, unknown

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tenacity import RetryCallState

AnyReply = TypeVar("AnyReply", bound=Reply)

CATALOGUE_AGE = 3600.0
"""Seconds after which a connector's catalogue is asked anew."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and how patient its sender is. Decisions that need a clock or chance are made here."""

    request: wire.Request
    policy: Policy
    timeout: float | None
    deadline: float | None
    ends: float | None
    """When the deadline is, on the monotonic clock."""
    writes: bool

    def patience(self) -> Patience:
        """The timeouts of one attempt."""
        return Patience(self.timeout, self.deadline, self.ends)

    def left(self) -> float:
        """Seconds until the deadline."""
        return math.inf if self.ends is None else self.ends - time.monotonic()

    def is_settled(self, outcome: Outcome) -> bool:
        """Whether a first attempt needs no thought of another one."""
        return self.policy.attempts == 1 or (isinstance(outcome, Reply) and outcome.error is None)

    def pause(self, outcome: Outcome, attempt: int, *, is_once: bool) -> float | None:
        """Seconds until the next attempt, or None where `outcome` stands."""
        return retry.pause(
            self.policy,
            outcome,
            attempt=attempt,
            left=self.left(),
            chance=random.random(),  # noqa: S311  spreads waits, guards nothing
            is_once=is_once,
        )


class Connector:
    """The connectors of one BOSA API, without what differs between waiting and awaiting."""

    def __init__(
        self,
        api_base_url: str = "https://api.bosa.id",
        api_key: str = "bosa",
        *,
        error_contract: Contract = 1,
        strict: bool = False,
    ) -> None:
        self.api_base_url = wire.base_url(api_base_url)
        self.strict = strict
        self._api_key = api_key
        self._error_contract: Contract = error_contract
        self._known: dict[str, Known] = {}
        self._family: discovery.Family | None = None
        self._echoes_keys = False

    @classmethod
    def from_env(cls) -> Self:
        """From BOSA_API_BASE_URL and BOSA_API_KEY, each where it is set."""
        named = {"api_base_url": os.environ.get("BOSA_API_BASE_URL"), "api_key": os.environ.get("BOSA_API_KEY")}
        given: dict[str, Any] = {name: value for name, value in named.items() if value}
        return cls(**given)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_base_url}>"

    def _prepare(self, call: Call) -> Exchange:
        """The exchange that a call is; raises InvalidArguments and InvalidSchema before anything is sent."""
        writes = effect(call.action) != "read"
        request = wire.encode(
            call,
            api_key=self._api_key,
            error_contract=self._error_contract,
            key=uuid.uuid4().hex if writes else None,
        )
        schema.check(call.action, wire.present(call.action, call.arguments))
        ends = None if call.deadline is None else time.monotonic() + call.deadline
        return Exchange(request, call.policy, call.timeout, call.deadline, ends, writes)

    def _ask(self, request: wire.Request) -> Exchange:
        """The exchange that a request which changes nothing is."""
        return Exchange(request, Policy(), DEFAULT_TIMEOUT, None, None, writes=False)

    def _echoes(self) -> bool:
        return self._echoes_keys

    def _decoded(self, exchange: Exchange, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            return self._listen(exchange, wire.decode(status, headers, body))
        except BrokenReply as odd:
            if not exchange.writes:
                raise
            raise unknown(f"{self.api_base_url} answered, and what it said cannot be read") from odd

    def _listen(self, exchange: Exchange, reply: AnyReply) -> AnyReply:
        """Remembers that the API honours keys: it says the one back that it was sent."""
        sent = exchange.request.headers.get("idempotency-key")
        if sent and reply.headers.get("idempotency-key") == sent:
            self._echoes_keys = True
        return reply

    def _is_fresh(self, known: Known) -> bool:
        return time.monotonic() - known.at < CATALOGUE_AGE


def repeating(exchange: Exchange, is_once: Callable[[], bool]) -> dict[str, Any]:
    """What tenacity is told, for waiting and for awaiting alike. One decision is made per attempt, in `retry.pause`."""
    pauses: dict[int, float | None] = {}

    def pause(state: "RetryCallState") -> float | None:
        if state.attempt_number not in pauses:
            pauses[state.attempt_number] = exchange.pause(_outcome(state), state.attempt_number, is_once=is_once())
        return pauses[state.attempt_number]

    def tell(state: "RetryCallState") -> None:
        outcome = _outcome(state)
        reason = outcome if isinstance(outcome, BosaError) else outcome.error
        if exchange.policy.notify and reason:
            exchange.policy.notify(Pause(state.attempt_number, seconds(state), reason))

    def seconds(state: "RetryCallState") -> float:
        return pause(state) or 0.0

    def is_due(state: "RetryCallState") -> bool:
        return pause(state) is not None

    return {"retry": is_due, "wait": seconds, "before_sleep": tell}


def _outcome(state: "RetryCallState") -> Outcome:
    return cast("Future[Outcome]", state.outcome).result()
