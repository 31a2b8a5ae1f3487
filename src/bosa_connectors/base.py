"""What both connector classes share: the API's address, what is remembered of it, and how a call is prepared."""

import math
import os
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, cast
from weakref import WeakSet

from bosa_connectors import arguments, discovery, retry, schema, upload, wire
from bosa_connectors.calls import DEFAULT_TIMEOUT, Call, Pause, Policy, Reply, Timeout
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.discovery import Contract, Known
from bosa_connectors.effects import effect
from bosa_connectors.errand import Errand
from bosa_connectors.errors import BosaError, BrokenReply, ConnectorNotFound, InvalidArguments, InvalidSchema, Problem
from bosa_connectors.form import Form
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import Patience, unknown

if TYPE_CHECKING:
    from concurrent.futures import Future

    from tenacity import RetryCallState


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and how patient its sender is. Decisions that need a clock or chance are made here."""

    request: wire.Request
    writes: bool
    policy: Policy = field(default_factory=Policy)
    timeout: Timeout = DEFAULT_TIMEOUT
    deadline: float | None = None
    ends: float | None = None
    """When the deadline is, on the monotonic clock."""
    max_file_bytes: int | None = None

    @property
    def is_once(self) -> bool:
        """Whether the request holds what cannot be read a second time."""
        return isinstance(self.request.body, Form) and self.request.body.is_once

    def patience(self) -> Patience:
        """The timeouts of one attempt."""
        return Patience(self.timeout, self.deadline, self.ends)

    def left(self) -> float:
        """Seconds until the deadline."""
        return math.inf if self.ends is None else self.ends - time.monotonic()

    def is_settled(self, outcome: Outcome) -> bool:
        """Whether a first attempt needs no thought of another one."""
        return self.policy.attempts == 1 or (isinstance(outcome, Reply) and outcome.error is None)

    def without_secrets(self, reply: Reply) -> Reply:
        """The reply, with key and token hidden where its error repeats them; its body stays as it was sent."""
        if reply.error is None:
            return reply
        sent = (self.request.headers.get(name, "") for name in ("x-api-key", "authorization"))
        return replace(reply, error=reply.error.without([text.removeprefix("Bearer ") for text in sent]))

    def truth(self, before: Outcome, last: Outcome) -> Outcome:
        """What is known after two attempts."""
        return retry.truth(before, last) if self.writes else last

    def pause(self, outcome: Outcome, attempt: int, *, is_once: bool) -> float | None:
        """Seconds until the next attempt, or None where `outcome` stands."""
        if self.is_called_off():
            return None
        seconds = retry.pause(
            self.policy,
            outcome,
            attempt=attempt,
            left=self.left(),
            chance=random.random(),  # noqa: S311  spreads waits, guards nothing
            is_once=is_once,
        )
        return self._unless_once(seconds, outcome)

    def is_called_off(self) -> bool:
        """Whether no further attempt is wanted any more."""
        return self.policy.is_called_off is not None and self.policy.is_called_off()

    def _unless_once(self, seconds: float | None, outcome: Outcome) -> float | None:
        if seconds is None or not self.is_once:
            return seconds
        if failure := outcome.error if isinstance(outcome, Reply) else outcome:
            failure.add_note("It was not repeated: a file in it can be read only once. Give a Path, or open it anew.")
        return None


class Connector:
    """The connectors of one BOSA API, without what differs between waiting and awaiting."""

    def __init__(
        self,
        api_base_url: str = "https://api.bosa.id",
        api_key: str | None = "bosa",
        *,
        error_contract: Contract = 1,
        strict: bool = False,
    ) -> None:
        self.api_base_url = wire.base_url(api_base_url)
        wire.check_texts(client_key=api_key)
        self.strict = strict
        self._api_key = api_key
        self._error_contract: Contract = error_contract
        self._known: dict[str, Known[Catalogue]] = {}
        self._family: Known[discovery.Family] = Known()
        self._echoes_keys = False
        self._is_closed = False
        self._open()
        _ALIVE.add(self)

    def _open(self) -> None:
        """What a shell has besides."""

    @classmethod
    def from_env(cls) -> Self:
        """From BOSA_API_BASE_URL and BOSA_API_KEY, each where it is set."""
        named = {"api_base_url": os.environ.get("BOSA_API_BASE_URL"), "api_key": os.environ.get("BOSA_API_KEY")}
        given: dict[str, Any] = {name: value for name, value in named.items() if value}
        return cls(**given)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_base_url}>"

    def __reduce__(self) -> tuple[Callable[[], Self], tuple[()]]:
        settings = {"error_contract": self._error_contract, "strict": self.strict}
        return partial(type(self), self.api_base_url, self._api_key, **settings), ()

    def __deepcopy__(self, _: object) -> Self:
        """A copy that need not ask for what is known."""
        made = copy(self)
        made._known = {app: copy(known) for app, known in dict(self._known).items()}  # noqa: SLF001  the same class
        return made

    def known(self, app: str) -> Catalogue:
        """The actions of a connector as they were found last; the API is not asked."""
        known = self._known.get(app)
        if known is None or known.found is None:
            raise ConnectorNotFound(app)
        return known.found

    def admit(self, call: Call) -> tuple[Call, Exchange]:
        """The call as it is sent, and its exchange.

        What older clients let pass is set right with a warning, or refused where `strict`: see `arguments.fitting`.
        Raises InvalidArguments for everything else that is wrong.
        """
        try:
            return call, self._prepare(call)
        except InvalidArguments as wrong:
            fitting, said = arguments.fitting(call, wrong)
            if self.strict or not said:
                raise
        arguments.tell(said)
        return fitting, self._prepare(fitting)

    def _prepare(self, call: Call) -> Exchange:
        """The exchange that a call is; raises InvalidArguments and InvalidSchema before anything is sent."""
        self._check_open()
        _check_seconds(call)
        if call.action.binary:
            call = replace(call, arguments=upload.with_sources(call.action, call.arguments))
        writes = (call.policy.effect or effect(call.action)) != "read"
        request = self._encoded(call, uuid.uuid4().hex if writes else None)
        schema.check(call.action, wire.present(call.action, call.arguments))
        ends = None if call.deadline is None else time.monotonic() + call.deadline
        return Exchange(request, writes, call.policy, call.timeout, call.deadline, ends, call.max_file_bytes)

    def _encoded(self, call: Call, key: str | None) -> wire.Request:
        try:
            return wire.encode(call, api_key=self._api_key, error_contract=self._error_contract, key=key)
        except InvalidArguments:
            # of what cannot be written, the schema may know better what is wrong: there is no argument of this name
            with suppress(InvalidSchema, OverflowError):  # a number that is none also stops the check
                schema.check(call.action, wire.present(call.action, call.arguments))
            raise

    def _ask(self, request: wire.Request) -> Exchange:
        """The exchange that a request which changes nothing is."""
        self._check_open()
        return Exchange(request, writes=False)

    def _errand(self, errand: Errand[Any], family: discovery.Family) -> Exchange:
        """The exchange that a request about users or their accounts is: it is made once."""
        self._check_open()
        request = errand.request(family, self._api_key, self._error_contract, uuid.uuid4().hex)
        return Exchange(request, errand.writes)

    def _entry(self, app: str) -> Known[Catalogue]:
        """What is known of a connector; raises InvalidArguments where its name is no text."""
        self._check_open()
        if not isinstance(app, str):  # pyright: ignore[reportUnnecessaryIsInstance]  any program's
            wrong = f"This is of type {type(app).__name__}, not text"
            raise InvalidArguments([Problem("app_name", wrong, "the name of a connector")])
        return self._known.setdefault(app, Known())

    def _forget(self, app: str, known: Known[Any], locks: dict[str, Any]) -> None:
        """Keeps nothing of a name under which nothing was found: those may come from anywhere."""
        if known.found is None:
            self._known.pop(app, None)
            locks.pop(app, None)

    def _check_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("This connector object has been closed: make another one.")

    def _echoes(self) -> bool:
        return self._echoes_keys

    def _decoded(self, exchange: Exchange, status: int, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            return exchange.without_secrets(wire.decode(status, headers, body))
        except BrokenReply as odd:
            if not exchange.writes:
                raise
            raise unknown(f"{self.api_base_url} answered, and what it said cannot be read") from odd

    def _listen(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        """Remembers that the API honours keys: it says the one back that it was sent."""
        sent = exchange.request.headers.get("idempotency-key")
        if sent and headers.get("idempotency-key") == sent:
            self._echoes_keys = True


_ALIVE: Final[WeakSet[Connector]] = WeakSet()


def _open_anew() -> None:
    """A process that was forked leaves its parent's connections alone: on them it would read the parent's answers."""
    for connector in list(_ALIVE):
        connector._open()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  as at its beginning


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_open_anew)


def _check_seconds(call: Call) -> None:
    arguments.check_timeout(call.timeout)
    if call.deadline is not None and math.isnan(call.deadline):
        raise ValueError("deadline must be a number of seconds, or None for no limit: it is not a number")


def repeating(exchange: Exchange, is_once: Callable[[], bool]) -> dict[str, Any]:
    """What tenacity is told, for waiting and for awaiting alike. One decision is made per attempt, in `retry.pause`."""
    pauses: dict[int, float | None] = {}

    def pause(state: "RetryCallState") -> float | None:
        if state.attempt_number not in pauses:
            pauses[state.attempt_number] = exchange.pause(_outcome(state), state.attempt_number, is_once=is_once())
        return pauses[state.attempt_number]

    def tell(state: "RetryCallState") -> Awaitable[None] | None:
        outcome = _outcome(state)
        reason = outcome if isinstance(outcome, BosaError) else outcome.error
        if exchange.policy.notify and reason:
            return exchange.policy.notify(Pause(state.attempt_number, seconds(state), reason))
        return None

    def seconds(state: "RetryCallState") -> float:
        return pause(state) or 0.0

    def is_due(state: "RetryCallState") -> bool:
        return pause(state) is not None

    return {"retry": is_due, "wait": seconds, "before_sleep": tell}


def _outcome(state: "RetryCallState") -> Outcome:
    return cast("Future[Outcome]", state.outcome).result()
