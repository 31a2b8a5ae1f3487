"""How many connections there are, and for how long, through both shells."""

import os
import sys
from contextlib import AsyncExitStack

import anyio
import pytest

from bosa_connectors import Call
from bosa_connectors.calls import Policy
from bosa_connectors.errors import OutcomeUnknown, Unreachable
from bosa_connectors.transport import MOST

from .raw import Behaviour, Connection, answer, answering, hanging_up, raw_api, stalling
from .samples import action
from .shells import Shell, connecting

CALL = Call(action(name="get_it"), {})
LOOPS = [("asyncio", {"use_uvloop": each}) for each in (False, True)]
A_FILE = b"HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-length: 1000\r\n\r\nsome"


@pytest.fixture(params=LOOPS, ids=["asyncio", "uvloop"], scope="module")
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return request.param


async def test_calls_after_each_other_share_a_connection(shell: Shell) -> None:
    async with raw_api(answering(answer())) as api, connecting(shell, api.url) as connector:
        for _ in range(5):
            await connector.send(CALL)
        assert api.connections == 1


def answering_once_then(then: Behaviour) -> Behaviour:
    """Answers a first request on a kept connection, and meets the second as `then` says."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        await connection.write(answer())
        await then(connection)

    return behave


async def resetting(connection: Connection) -> None:
    await connection.request()
    await connection.reset()


LOST = answering_once_then(hanging_up())


@pytest.mark.parametrize("lost", [LOST, answering_once_then(resetting)], ids=["hangs up", "crashes"])
async def test_a_question_that_is_lost_with_a_kept_connection_is_asked_on_a_new_one(
    lost: Behaviour, shell: Shell
) -> None:
    async with raw_api(lost, answering(answer())) as api, connecting(shell, api.url) as connector:
        for _ in range(3):
            assert (await connector.send(CALL)).data == 1
        assert (api.connections, len(api.requests)) == (2, 4)


async def test_a_lost_question_is_asked_once_more_beside_the_attempts_that_are_counted(shell: Shell) -> None:
    asked_twice = Call(CALL.action, {}, policy=Policy(attempts=2, effect="read"))
    async with raw_api(LOST, hanging_up()) as api, connecting(shell, api.url) as connector:
        await connector.send(CALL)
        with pytest.raises(Unreachable):
            await connector.send(asked_twice)
        assert len(api.requests) == 1 + (1 + 1) + 1


async def test_a_deed_that_is_lost_with_a_kept_connection_is_not_sent_again(shell: Shell) -> None:
    async with raw_api(LOST, answering(answer())) as api, connecting(shell, api.url) as connector:
        await connector.send(CALL)
        with pytest.raises(OutcomeUnknown):
            await connector.send(Call(action(name="create_it"), {}))
        assert len(api.requests) == 2


async def test_after_a_failure_of_the_api_a_new_connection_is_taken(shell: Shell) -> None:
    async with (
        raw_api(answering(answer(b'{"message": "No."}', 500)), answering(answer())) as api,
        connecting(shell, api.url) as connector,
    ):
        await connector.send(CALL)
        assert (await connector.send(CALL)).data == 1
        assert api.connections == 2


@pytest.mark.parametrize(
    "said",
    [answer(b'{"data": 1}') + answer(b'{"data": 2}'), answer(b'{"data": 1}') + b"\r\n", b"HTTP/1.1 204 No\r\n\r\nsome"],
    ids=["another answer", "an empty line", "a body where there is none"],
)
async def test_what_comes_behind_an_answer_is_not_taken_for_the_next_one(said: bytes, shell: Shell) -> None:
    async with raw_api(answering(said), answering(answer())) as api, connecting(shell, api.url) as connector:
        await connector.send(CALL)
        assert (await connector.send(Call(action(name="create_it"), {}))).data == 1
        assert api.connections == 2


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200", b"\r\n"])
async def test_a_question_whose_answer_had_begun_is_not_asked_again_unbidden(begun: bytes, shell: Shell) -> None:
    lost = answering_once_then(hanging_up(begun))
    async with raw_api(lost, answering(answer())) as api, connecting(shell, api.url) as connector:
        await connector.send(CALL)
        with pytest.raises(Unreachable):
            await connector.send(CALL)
        assert len(api.requests) == 2


async def test_where_too_many_calls_are_under_way_a_further_one_does_not_wait_for_ever(shell: Shell) -> None:
    async with raw_api(*[stalling(A_FILE)] * MOST, answering(answer())) as api, connecting(shell, api.url) as connector:
        async with AsyncExitStack() as stack:
            for _ in range(MOST):
                await stack.enter_async_context(connector.stream(CALL))
            with anyio.fail_after(5), pytest.raises(Unreachable, match=f"{MOST} calls were under way"):
                await connector.send(Call(CALL.action, {}, timeout=0.1))
        assert (await connector.send(CALL)).data == 1


async def test_calls_that_are_given_up_leave_their_places_also_while_a_failure_still_arrives() -> None:
    begun = answer(b'{"message": "No."}', 500)[:-5]
    async with (
        raw_api(*[stalling(begun)] * MOST, answering(answer())) as api,
        connecting("awaiting", api.url) as connector,
    ):
        async with anyio.create_task_group() as calls:
            for _ in range(MOST):
                calls.start_soon(connector.send, CALL)
            await anyio.wait_all_tasks_blocked()
            calls.cancel_scope.cancel()
        assert (await connector.send(Call(CALL.action, {}, timeout=1))).data == 1


async def test_a_connection_that_calls_no_longer_need_is_closed(shell: Shell) -> None:
    came, hung_up = anyio.Event(), anyio.Event()

    async def together(connection: Connection) -> None:
        """Answers once a second connection is there."""
        await connection.request()
        if api.connections > 1:
            came.set()
        await came.wait()
        await connection.write(answer())
        try:
            await answering(answer())(connection)
        finally:
            hung_up.set()

    async with raw_api(together) as api, connecting(shell, api.url) as connector:
        async with anyio.create_task_group() as calls:
            calls.start_soon(connector.send, CALL)
            calls.start_soon(connector.send, CALL)
        with anyio.fail_after(20):
            while not hung_up.is_set():
                await connector.send(CALL)
                with anyio.move_on_after(0.1):
                    await hung_up.wait()
        assert (await connector.send(CALL)).data == 1
        assert api.connections == 2


FORKS = """
import os, sys
from bosa_connectors import BosaConnector
connector = BosaConnector(sys.argv[1])
connector.get_available_modules()
child = os.fork()
connector.get_available_modules()
if child:
    os.waitpid(child, 0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
async def test_a_forked_process_takes_no_connection_of_its_parent() -> None:
    async with raw_api(answering(answer(b'["shop"]'))) as api:
        await anyio.run_process([sys.executable, "-c", FORKS, api.url])
        assert api.connections == 2


async def test_a_small_request_is_sent_in_one_piece(shell: Shell) -> None:
    pieces: list[bytes] = []

    async def noting(connection: Connection) -> None:
        while True:
            pieces.append(await connection.piece())
            await connection.write(answer())

    async with raw_api(noting) as api, connecting(shell, api.url) as connector:
        for _ in range(2):
            await connector.send(Call(action(name="get_it"), {"a": 1}))
    assert [piece.partition(b"\r\n\r\n")[2] for piece in pieces] == [b'{"a": 1}'] * 2
