"""Calls that are repeated, over a real socket, through both shells."""

import socket
import time
from contextlib import ExitStack

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, Call
from bosa_connectors.calls import Effect, Pause, Policy
from bosa_connectors.errors import BosaError, OutcomeUnknown, RateLimited, RequestTimeout, Unreachable
from bosa_connectors.retry import documented, safe

from .fresh import said_by
from .raw import Behaviour, Connection, RawApi, answer, answering, hanging_up, raw_api, stalling
from .samples import action
from .shells import Shell, connecting

OK = answer()
SOON = answer(b'{"message": "Slow."}', 429, "retry-after: 0")
BUSY = answer(b'{"message": "Busy."}', 503, "retry-after: 0")
BROKE = answer(b'{"message": "It broke."}', 500, "retry-after: 0")
NOT_JSON = answer(b"{")


def call(effect: Effect = "read", policy: Policy | None = None, *, deadline: float | None = 20) -> Call:
    """A call with this effect, repeated where that is safe."""
    return Call(action(name=f"{effect if effect != 'read' else 'get'}_it"), {}, None, deadline, policy or safe(effect))


def keys(api: RawApi) -> list[str | None]:
    """The Idempotency-Key of each request."""
    heads = [request.partition(b"\r\n\r\n")[0].decode() for request in api.requests]
    return [
        next((line[17:] for line in head.split("\r\n") if line.lower().startswith("idempotency-key: ")), None)
        for head in heads
    ]


def echoing(then: Behaviour) -> Behaviour:
    """Says the first request's Idempotency-Key back, and meets the second as `then` says."""

    async def behave(connection: Connection) -> None:
        request = await connection.request()
        key = next(line for line in request.decode().split("\r\n") if line.lower().startswith("idempotency-key"))
        await connection.write(answer(b'{"data": 1}', 200, key))
        await then(connection)

    return behave


def in_turn(*answers: bytes) -> Behaviour:
    """The n-th of these to the n-th request, on whichever connection it comes; then the last."""
    left = list(answers)

    async def behave(connection: Connection) -> None:
        while True:
            await connection.request()
            await connection.write(left.pop(0) if len(left) > 1 else left[0])

    return behave


LOST: dict[str, Behaviour] = {
    "no answer": hanging_up(),
    "half an answer": hanging_up(OK[:-5]),
    "not JSON": hanging_up(NOT_JSON),
    "500": hanging_up(BROKE),
}


@pytest.mark.parametrize("lost", LOST)
async def test_a_question_is_asked_again_whatever_became_of_its_answer(lost: str, shell: Shell) -> None:
    async with raw_api(LOST[lost], LOST[lost], answering(OK)) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(call())).data == 1
        assert len(api.requests) == 3


@pytest.mark.parametrize("lost", ["no answer", "half an answer", "not JSON"])
async def test_a_deed_whose_answer_was_lost_is_never_sent_again(lost: str, shell: Shell) -> None:
    async with raw_api(LOST[lost], answering(OK)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(OutcomeUnknown, match="Look before you repeat it"):
            await connector.send(call("create"))
        assert len(api.requests) == 1


# A completed POST is sent again when its reply is not valid JSON


async def test_an_explicit_max_attempts_does_not_repeat_what_was_answered_oddly(shell: Shell) -> None:
    async with raw_api(hanging_up(NOT_JSON), answering(OK)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(OutcomeUnknown, match="answered, and what it said cannot be read"):
            await connector.send(call("send", documented(5)))
        assert len(api.requests) == 1


@pytest.mark.parametrize("said", [SOON, BUSY], ids=["429", "503 with Retry-After"])
@pytest.mark.parametrize("effect", ["read", "create", "delete"])
async def test_what_provably_did_not_happen_is_repeated(said: bytes, effect: Effect, shell: Shell) -> None:
    async with raw_api(in_turn(said, said, OK)) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(call(effect))).data == 1
        assert len(api.requests) == 3
        assert len(set(keys(api))) == 1


@pytest.mark.parametrize("asked", [1, 2, 3, 4])
async def test_no_attempt_is_made_once_they_are_called_off(asked: int, shell: Shell) -> None:
    answers = iter([False] * (asked - 1))
    policy = safe("read", is_called_off=lambda: next(answers, True))
    async with raw_api(answering(BUSY)) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(call(policy=policy))).status == 503
        assert len(api.requests) == 1 + (asked - 1) // 2


@pytest.mark.parametrize("lost", LOST)
async def test_an_api_that_honours_keys_gets_a_deed_again_under_the_same_key(lost: str, shell: Shell) -> None:
    async with raw_api(echoing(LOST[lost]), answering(OK)) as api, connecting(shell, api.url) as connector:
        await connector.send(call("create"))
        assert (await connector.send(call("create"))).data == 1
        first, second, third = keys(api)
        assert first != second == third


async def test_what_one_api_honours_says_nothing_about_another_connector_object(shell: Shell) -> None:
    async with raw_api(echoing(hanging_up())) as api, connecting(shell, api.url) as connector:
        await connector.send(call("create"))
    async with raw_api(hanging_up(), answering(OK)) as other, connecting(shell, other.url) as second:
        with pytest.raises(OutcomeUnknown):
            await second.send(call("create"))
        assert len(other.requests) == 1


async def test_an_echo_of_another_key_is_no_promise(shell: Shell) -> None:
    wrong = answer(b'{"data": 1}', 200, "idempotency-key: something-else")
    async with (
        raw_api(hanging_up(wrong), hanging_up(), answering(OK)) as api,
        connecting(shell, api.url) as connector,
    ):
        await connector.send(call("create"))
        with pytest.raises(OutcomeUnknown):
            await connector.send(call("create"))
        assert len(api.requests) == 2


async def test_a_deed_that_is_still_under_way_is_waited_for(shell: Shell) -> None:
    running = answer(b'{"message": "Still under way."}', 409, "retry-after: 0")
    async with (
        raw_api(echoing(hanging_up()), answering(running, running, OK)) as api,
        connecting(shell, api.url) as connector,
    ):
        await connector.send(call("create"))
        assert (await connector.send(call("create"))).data == 1
        assert len(set(keys(api)[1:])) == 1


async def test_an_outcome_that_the_api_does_not_know_is_not_asked_for_again(shell: Shell) -> None:
    unknown = answer(b'{"error": {"message": "Nobody knows.", "code": "OUTCOME_UNKNOWN"}}', 409, "retry-after: 0")
    for policy in (safe("create"), safe("read"), documented(5)):
        async with raw_api(answering(unknown)) as api, connecting(shell, api.url) as connector:
            reply = await connector.send(call("create", policy))
            assert (reply.error and reply.error.code, len(api.requests)) == ("OUTCOME_UNKNOWN", 1)


async def test_a_deed_that_was_lost_and_then_refused_stays_of_unknown_outcome(shell: Shell) -> None:
    async with raw_api(echoing(hanging_up()), answering(SOON)) as api, connecting(shell, api.url) as connector:
        await connector.send(call("create"))
        with pytest.raises(OutcomeUnknown):
            await connector.send(call("create"))
        assert len(api.requests) == 8


async def test_an_explicit_max_attempts_repeats_whatever_the_action_does_and_nothing_does_not(shell: Shell) -> None:
    async with raw_api(answering(BROKE)) as api, connecting(shell, api.url) as connector:
        for attempts in (None, 1, 3):
            assert (await connector.send(call("create", documented(attempts)))).status == 500
        assert len(api.requests) == 1 + 1 + 3
        assert len(set(keys(api)[2:])) == 1


async def test_a_question_whose_answer_never_comes_is_asked_until_the_deadline(shell: Shell) -> None:
    quick = Call(action(name="get_it"), {}, None, 2.5, safe("read"), timeout=0.1)
    async with raw_api(stalling()) as api, connecting(shell, api.url) as connector:
        began = time.monotonic()
        with pytest.raises(RequestTimeout):
            await connector.send(quick)
        assert time.monotonic() - began < 6
        assert 1 < api.connections <= 10


async def test_where_nobody_listens_a_deed_is_tried_again_until_the_deadline(shell: Shell) -> None:
    told: list[Pause] = []
    async with raw_api(answering(OK)) as gone:
        pass
    async with connecting(shell, gone.url) as connector:
        with pytest.raises(Unreachable):
            await connector.send(call("create", safe("create", told.append), deadline=2))
    assert told
    assert all(isinstance(each.reason, Unreachable) for each in told)


# Retry-After ignored


@pytest.mark.parametrize("policy", [documented(3), safe("create"), safe("read")])
async def test_retry_after_is_waited_for(policy: Policy, shell: Shell) -> None:
    told: list[Pause] = []
    said = answer(b'{"message": "Slow."}', 429, "retry-after: 1")
    telling = Policy(policy.attempts, policy.effect, told.append)
    async with raw_api(answering(said, OK)) as api, connecting(shell, api.url) as connector:
        began = time.monotonic()
        assert (await connector.send(call("create", telling))).data == 1
        assert time.monotonic() - began >= 1
    assert [(pause.attempt, pause.seconds, type(pause.reason)) for pause in told] == [(1, 1.0, RateLimited)]


async def test_the_body_says_how_long_to_wait_and_whether_at_all(shell: Shell) -> None:
    def said(recovery: bytes, status: int = 500) -> bytes:
        return answer(b'{"error": {"message": "x", "recovery": ' + recovery + b"}}", status, "retry-after: 3000")

    patient, final = said(b'{"retryable": true, "retry_after_seconds": 0}'), said(b'{"retryable": false}', 429)
    async with raw_api(in_turn(patient, OK, final)) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(call("delete"))).data == 1
        assert (await connector.send(call("read"))).status == 429
        assert len(api.requests) == 3


# No overall deadline


@pytest.mark.parametrize("header", ["retry-after: 3600", "retry-after: 65", "retry-after: 5"])
async def test_a_wait_that_does_not_fit_ends_the_call_at_once_with_what_the_api_said(header: str, shell: Shell) -> None:
    said = answer(b'{"message": "Slow."}', 429, header)
    async with raw_api(answering(said)) as api, connecting(shell, api.url) as connector:
        with anyio.fail_after(3):
            reply = await connector.send(call(deadline=4))
        assert isinstance(reply.error, RateLimited)
        assert (reply.error.retry_after, len(api.requests)) == (float(header[13:]), 1)


@pytest.mark.parametrize("odd", [0, -1, float("nan")])
async def test_a_timeout_that_makes_no_sense_is_refused(odd: float, shell: Shell) -> None:
    async with connecting(shell, "http://127.0.0.1:9") as connector:
        with pytest.raises(ValueError, match="timeout must be seconds above 0"):
            await connector.send(Call(action(), {}, timeout=odd))
        with pytest.raises(ValueError, match="deadline must be a number"):
            await connector.send(Call(action(), {}, deadline=float("nan")))


async def test_a_pair_of_timeouts_bounds_connecting_and_each_silence(shell: Shell) -> None:
    async with raw_api(stalling()) as api, connecting(shell, api.url) as connector:
        with anyio.fail_after(5), pytest.raises(RequestTimeout):
            await connector.send(Call(action(name="get_it"), {}, timeout=(100, 0.1)))
        with anyio.fail_after(5), pytest.raises(RequestTimeout):
            await connector.send(Call(action(name="get_it"), {}, timeout=(None, 0.1)))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, ExitStack() as waiting:
        address = full.getsockname()
        for _ in range(2):  # nobody accepts them, and there is room for no more
            waiting.enter_context(connected_soon(address))
        async with connecting(shell, f"http://127.0.0.1:{address[1]}") as connector:
            with anyio.fail_after(5), pytest.raises(Unreachable):
                await connector.send(Call(action(name="get_it"), {}, timeout=(0.1, 100)))


def connected_soon(address: tuple[str, int]) -> socket.socket:
    """A connection, or one that is on its way."""
    reaching = socket.socket()
    reaching.settimeout(0)
    reaching.connect_ex(address)
    return reaching


@pytest.mark.parametrize("endless", [1e12, float("inf"), None])
async def test_a_timeout_beyond_all_bounds_is_none(endless: float | None, shell: Shell) -> None:
    async with raw_api(answering(OK)) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(Call(action(), {}, deadline=endless, timeout=endless))).data == 1


async def test_a_deadline_that_is_over_is_over(shell: Shell) -> None:
    async with raw_api(stalling()) as api, connecting(shell, api.url) as connector:
        with anyio.fail_after(5), pytest.raises(BosaError):
            await connector.send(call(deadline=-1))


# Giving up


async def given_up(connector: AsyncBosaConnector, begun: anyio.Event, policy: Policy) -> None:
    """A call that is cancelled once this has begun."""
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connector.send, call(policy=policy, deadline=100))
            await begun.wait()
            tasks.cancel_scope.cancel()


async def test_cancelling_stops_a_call_that_asks_at_once() -> None:
    async with raw_api(stalling()) as api, AsyncBosaConnector(api.url) as connector:
        await given_up(connector, api.asked, safe("read"))
        assert len(api.requests) == 1


async def test_cancelling_stops_a_call_that_waits_at_once() -> None:
    waiting = anyio.Event()
    later = answer(b"{}", 429, "retry-after: 30")
    async with raw_api(answering(later)) as api, AsyncBosaConnector(api.url) as connector:
        await given_up(connector, waiting, safe("read", lambda _: waiting.set()))
        assert len(api.requests) == 1


async def test_cancelling_a_second_attempt_stops_it_too() -> None:
    asked_again = anyio.Event()

    async def refusing(connection: Connection) -> None:
        await connection.request()
        await connection.write(SOON)

    async def asking(connection: Connection) -> None:
        await connection.request()
        asked_again.set()
        await connection.gone()

    async with raw_api(refusing, asking) as api, AsyncBosaConnector(api.url) as connector:
        await given_up(connector, asked_again, safe("read"))
        assert len(api.requests) == 2


INTERRUPTED = """
import signal, sys
from bosa_connectors import Action, BosaConnector, Call
from bosa_connectors.retry import safe
signal.signal(signal.SIGALRM, signal.default_int_handler)  # as control-C, in a while
signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
def told(pause): print(pause.attempt, flush=True)
with BosaConnector(sys.argv[1]) as connector:
    try:
        connector.send(Call(Action("notes", "get_it", "/do", "", {}), {}, None, 60, safe("read", told)))
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize(
    "behaviour", [answering(answer(b"{}", 429, "retry-after: 30")), stalling()], ids=["waiting", "asking"]
)
async def test_control_c_ends_a_blocking_call(behaviour: Behaviour) -> None:
    async with raw_api(behaviour) as api:
        with anyio.fail_after(20):
            said = await said_by(INTERRUPTED, api.url, "1.5")
    assert said.split()[-1] == "interrupted"
    assert len(api.requests) <= 1


LOADED_LATE = """
import sys
from bosa_connectors import Action, BosaConnector, Call
from bosa_connectors.retry import safe
action = Action("notes", "get_it", "/do", "", {})
with BosaConnector(sys.argv[1]) as connector:
    for _ in range(2):
        connector.send(Call(action, {}, None, None, safe("read")))
        print("tenacity" in sys.modules)
"""


async def test_what_repeats_is_loaded_after_a_first_failure_only() -> None:
    async with raw_api(answering(OK, SOON, OK)) as api:
        assert (await said_by(LOADED_LATE, api.url)).split() == ["False", "True"]
