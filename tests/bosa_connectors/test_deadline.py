"""The deadline of a call, against servers that never fall silent, through both shells."""

from itertools import repeat
from pathlib import Path

import anyio
import pytest

from bosa_connectors import Call
from bosa_connectors.errors import OutcomeUnknown, RequestTimeout

from .certificates import vouched_for
from .fresh import said_by
from .raw import Connection, answer, answering, hanging_up, raw_api
from .samples import action
from .shells import Shell, connecting

SOON = 0.5


async def trickling(connection: Connection) -> None:
    """Begins an answer whose head never ends, a letter at a time."""
    await connection.request()
    await connection.write(b"HTTP/1.1 200 OK\r\nx-long: ")
    for letter in repeat(b"o"):
        await connection.write(letter)
        await anyio.sleep(SOON / 10)


async def trickling_when_asked_again(connection: Connection) -> None:
    """Answers once as it should."""
    await connection.request()
    await connection.write(answer())
    await trickling(connection)


async def answering_slowly(connection: Connection) -> None:
    """Begins at once; of the body a letter comes at a time, for longer than the deadline."""
    await connection.request()
    said = answer(b"[" + b" " * 20 + b"1]")
    head, end, body = said.partition(b"\r\n\r\n")
    await connection.write(head + end)
    for letter in body:
        await connection.write(bytes([letter]))
        await anyio.sleep(SOON / 10)


async def test_it_bounds_a_head_that_comes_letter_by_letter(shell: Shell) -> None:
    async with (
        raw_api(hanging_up(answer()), trickling, answering(answer())) as api,
        connecting(shell, api.url) as connector,
    ):
        assert (await connector.send(Call(action(), {}))).data == 1
        with anyio.fail_after(5), pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await connector.send(Call(action(), {}, deadline=SOON))
        assert (await connector.send(Call(action(), {}, deadline=5))).data == 1


async def test_it_bounds_it_on_a_connection_that_was_kept(shell: Shell) -> None:
    async with raw_api(trickling_when_asked_again) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(Call(action(), {}))).data == 1
        with anyio.fail_after(5), pytest.raises(RequestTimeout):
            await connector.send(Call(action(name="get_it"), {}, deadline=SOON))
        assert api.connections == 1


async def test_it_does_not_end_a_body_that_moves(shell: Shell) -> None:
    async with raw_api(answering_slowly) as api, connecting(shell, api.url) as connector:
        assert (await connector.send(Call(action(), {}, deadline=SOON))).data == [1]


IN_TIME = """
import asyncio, sys
from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call
call = Call(Action("notes", "get_it", "/do", "", {}), {}, deadline=0.5)

async def awaiting():
    async with AsyncBosaConnector(sys.argv[1]) as connector:
        await connector.send(call)

def blocking():
    with BosaConnector(sys.argv[1]) as connector:
        connector.send(call)

for way in (lambda: asyncio.run(awaiting()), blocking):
    try: way()
    except Exception as error: print(type(error).__name__)
"""


async def test_it_bounds_it_where_the_connection_is_secured(tmp_path: Path) -> None:
    tls, authority = vouched_for(tmp_path, "localhost")
    async with raw_api(trickling, tls=tls) as api:
        url = api.url.replace("127.0.0.1", "localhost")
        with anyio.fail_after(20):
            said = await said_by(IN_TIME, url, SSL_CERT_FILE=str(authority))
    assert said.split() == ["RequestTimeout", "RequestTimeout"]
