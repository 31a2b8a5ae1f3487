"""Calls to servers that do not behave, and to none."""

import gzip
import socket
from collections import Counter
from functools import partial

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, Call
from bosa_connectors.errors import BosaError, OutcomeUnknown, RequestTimeout, TooLarge, Unreachable
from bosa_connectors.transport import MAX_JSON_BYTES

from .raw import Behaviour, Connection, answer, answering, hanging_up, raw_api, stalling
from .samples import action

CALL = Call(action(), {})
BROKE = answer(b'{"message":"It broke."}', 500)


async def resetting_at_once(connection: Connection) -> None:
    """Crashes before it has read anything."""
    await connection.reset()


async def resetting_after_the_request(connection: Connection) -> None:
    """Crashes while it works."""
    await connection.request()
    await connection.reset()


@pytest.mark.parametrize(
    "behaviour",
    [
        resetting_at_once,
        resetting_after_the_request,
        hanging_up(),
        hanging_up(answer(b'{"data": 1, "meta": null}')[:-5]),
        hanging_up(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n[1, "),
        hanging_up(b"HTTP/1.1 200 OK\r\ncontent-le"),
        hanging_up(b"SSH-2.0-OpenSSH_9.2\r\n"),
    ],
    ids=["reset at once", "reset", "no answer", "truncated", "truncated chunk", "truncated head", "not HTTP"],
)
async def test_a_connection_that_breaks_leaves_the_outcome_unknown_and_the_connector_usable(
    behaviour: Behaviour,
) -> None:
    async with raw_api(behaviour, answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        with pytest.raises(OutcomeUnknown, match="broke before the answer had come: whether it acted is not known"):
            await connector.send(CALL)
        assert (await connector.send(CALL)).data == 1


async def test_a_call_is_sent_once_however_it_ends() -> None:
    async with raw_api(hanging_up()) as api, AsyncBosaConnector(api.url) as connector:
        with pytest.raises(OutcomeUnknown):
            await connector.send(CALL)
        assert (api.connections, len(api.requests)) == (1, 1)


async def test_where_nobody_listens_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with AsyncBosaConnector(f"http://127.0.0.1:{port}") as connector:
        with pytest.raises(Unreachable, match=rf"^http://127\.0\.0\.1:{port} cannot be reached: Connection refused$"):
            await connector.send(CALL)
        with pytest.raises(Unreachable):
            await connector.catalogue("notes")
        with pytest.raises(Unreachable):
            await connector.get_available_modules()


async def test_a_server_that_hangs_up_after_a_failure_without_a_word_does_not_hurt_the_next_call() -> None:
    async with raw_api(hanging_up(BROKE), answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        assert str((await connector.send(CALL)).error).startswith("500: It broke.")
        assert (await connector.send(CALL)).data == 1


async def test_a_failure_does_not_hurt_the_calls_beside_it() -> None:
    outcomes: Counter[str] = Counter()

    async with raw_api(answering(answer(), BROKE, answer(), BROKE)) as api, AsyncBosaConnector(api.url) as connector:

        async def work() -> None:
            for _ in range(20):
                try:
                    outcomes[str((await connector.send(CALL)).status)] += 1
                except BosaError as error:
                    outcomes[type(error).__name__] += 1

        async with anyio.create_task_group() as workers:
            for _ in range(20):
                workers.start_soon(work)
    assert set(outcomes) == {"200", "500"}


async def hanging_up_when_asked_again(connection: Connection, said: bytes) -> None:
    """Says this to the first request, and ends the connection with the second: it had been given up."""
    await connection.request()
    await connection.write(said)
    await connection.request()


CHUNKED = b"HTTP/1.1 500 Said\r\ntransfer-encoding: chunked\r\n\r\n9\r\nIt broke.\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "said",
    [
        BROKE,
        answer(b"", 500),
        answer(gzip.compress(b'{"message":"It broke."}'), 500, "content-encoding: gzip"),
        CHUNKED,
    ],
    ids=["length", "empty", "gzip", "chunked"],
)
async def test_the_connection_of_a_failure_is_not_used_again(said: bytes) -> None:
    behaviour = partial(hanging_up_when_asked_again, said=said)
    async with raw_api(behaviour, answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        assert (await connector.send(CALL)).status == 500
        assert (await connector.send(CALL)).data == 1


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n", answer(b'{"data": 1}')[:-3]],
    ids=["nothing", "half a head", "half a body"],
)
async def test_a_deadline_bounds_the_whole_call(said: bytes) -> None:
    async with raw_api(stalling(said), answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        with anyio.fail_after(5), pytest.raises(OutcomeUnknown, match=r"not answer in time: whether it acted is not"):
            await connector.send(Call(action(), {}, deadline=1))
        with anyio.fail_after(5):
            await api.closed.wait()
        assert (await connector.send(Call(action(), {}, deadline=5))).data == 1


async def stalling_when_asked_again(connection: Connection) -> None:
    """Answers once as it should."""
    await connection.request()
    await connection.write(answer())
    await stalling()(connection)


async def test_a_question_that_is_not_answered_in_time_is_a_timeout_for_what_catches_timeouts() -> None:
    async with raw_api(stalling_when_asked_again) as api, AsyncBosaConnector(api.url) as connector:
        await connector.send(CALL)
        with pytest.raises(TimeoutError) as late:
            await connector.send(Call(action(name="get_it"), {}, timeout=0.05))
        assert type(late.value) is RequestTimeout


async def test_a_call_that_is_cancelled_leaves_the_connector_usable() -> None:
    async with raw_api(stalling(), answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        with anyio.move_on_after(0.1) as patience:
            await connector.send(CALL)
        assert patience.cancelled_caught
        assert (await connector.send(CALL)).data == 1


async def sending_too_much(connection: Connection) -> None:
    """Says one byte more than is taken, in chunks."""
    await connection.request()
    await connection.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    megabyte = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    for _ in range(MAX_JSON_BYTES // 0x100000):
        await connection.write(megabyte)
    await connection.write(b"1\r\n1\r\n0\r\n\r\n")


async def test_an_answer_that_is_too_large_is_refused_and_the_connector_stays_usable() -> None:
    async with raw_api(sending_too_much, answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        with pytest.raises(TooLarge, match="larger than 64 MB"):
            await connector.send(CALL)
        assert (await connector.send(CALL)).data == 1


async def test_a_file_that_is_streamed_need_not_be_read() -> None:
    head = b'HTTP/1.1 200 OK\r\ncontent-type: video/mp4\r\ncontent-disposition: attachment; filename="a.mp4"\r\n'
    start = head + b"content-length: 9000000000\r\n\r\nsome"
    async with raw_api(stalling(start), answering(answer())) as api, AsyncBosaConnector(api.url) as connector:
        with anyio.fail_after(5):
            async with connector.stream(CALL) as reply:
                file = reply.file
            await api.closed.wait()
        assert (await connector.send(CALL)).data == 1
    assert file is not None
    assert (file.name, file.content_type, file.size) == ("a.mp4", "video/mp4", 9_000_000_000)
