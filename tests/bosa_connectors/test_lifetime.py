"""The life of a connector object: several event loops, and the end."""

import copy
import pickle
from collections.abc import Callable
from typing import Any, cast

import anyio
import pytest

from bosa_connectors import BosaConnector, Call

from .fresh import said_by
from .raw import Connection, answer, answering, raw_api
from .samples import action, listed
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

ON_TWO_LOOPS = """
import asyncio, gc, sys, threading
from bosa_connectors import Action, AsyncBosaConnector, Call
call = Call(Action("notes", "get_it", "/do", "", {}), {})
connector = AsyncBosaConnector(sys.argv[1])

async def use():
    replies = await asyncio.gather(*(connector.send(call) for _ in range(5)))
    print(*(reply.data for reply in replies), flush=True)

async def use_and_close():
    await use()
    await connector.aclose()

async def hold(ready, others):
    await use()
    ready.set()
    await asyncio.to_thread(others.wait, 10)
    await use()
"""
ONE_AFTER_THE_OTHER = "asyncio.run(use()); asyncio.run(use()); asyncio.run(use_and_close())"
SIDE_BY_SIDE = """
first, second = threading.Event(), threading.Event()
threads = [threading.Thread(target=lambda: asyncio.run(hold(first, second))),
           threading.Thread(target=lambda: asyncio.run(hold(second, first)))]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize(("how", "times"), [(ONE_AFTER_THE_OTHER, 3), (SIDE_BY_SIDE, 4)], ids=["after", "beside"])
async def test_one_instance_works_on_two_event_loops(how: str, times: int) -> None:
    async with raw_api(answering(answer())) as api:
        said = await said_by(f"{ON_TWO_LOOPS}\n{how}", api.url)
    assert "Error" not in said
    assert "".join(said.split()).startswith("1" * times * 5)  # threads print into each other's lines


async def test_event_loops_that_are_over_leave_no_connections_behind() -> None:
    many = """
import os
def held():
    asyncio.run(use())
    gc.collect()
    return len(os.listdir("/dev/fd"))
first, *_, last = [held() for _ in range(10)]
print("more" if last > first else "as many")
"""
    async with raw_api(answering(answer())) as api:
        said = await said_by(f"{ON_TWO_LOOPS}\n{many}", api.url)
    assert "as many" in said  # beside what Python says of connections that nobody closed


AGAIN: dict[str, Callable[[Any], Any]] = {
    "copied": copy.copy,
    "copied deeply": copy.deepcopy,
    "pickled": lambda connector: pickle.loads(pickle.dumps(connector)),  # noqa: S301  our own
}


@pytest.mark.parametrize("how", AGAIN)
async def test_a_copy_calls_with_the_same_key_on_connections_of_its_own(
    how: str, api: ScriptedApi, shell: Shell
) -> None:
    api.answers["/connectors/notes/do"] = Answer.of({"data": 1})
    async with connecting(shell, api.url, "client-key", error_contract=2, strict=True) as connector:
        await connector.send(Call(action(), {}))
        made = AGAIN[how](getattr(connector, "blocking", connector))
        assert repr(made) == f"<{type(made).__name__} {api.url}>"

        def remake(*_: object, **__: object) -> Any:  # noqa: ANN401  of either shell
            return made

        async with connecting(shell, api.url, kinds=cast("Any", (remake, remake))) as other:
            await other.send(Call(action(), {}))
        await connector.send(Call(action(), {}))
    first, second, third = api.asked
    assert first.said == second.said
    assert (first.said["x-api-key"], first.said["x-gl-error-contract"]) == ("client-key", "2")
    assert first.connection == third.connection != second.connection
    assert made.strict


async def test_a_deep_copy_knows_what_was_known(api: ScriptedApi, shell: Shell) -> None:
    api.answers |= {"/connectors/?modules=notes": Answer.of({"notes": {"do": listed()}})}
    async with connecting(shell, api.url) as connector:
        notes = await connector.get_connector("notes")
        made = copy.deepcopy(getattr(notes, "blocking", notes))
        assert made.get_actions() == notes.get_actions()
    assert len(api.asked) == 1


USES: dict[str, tuple[object, ...]] = {
    "send": (Call(action(), {}),),
    "catalogue": ("notes",),
    "refresh_connector": ("notes",),
    "get_available_modules": (),
    "get_connector": ("notes",),
    "execute": ("notes", "do", {}),
    "run": ("notes", "do", {}),
    "create_bosa_user": ("me",),
    "authenticate_bosa_user": ("me", "secret"),
    "get_user_info": ("jwt",),
    "user_has_integration": ("notes", "jwt"),
    "initiate_connector_auth": ("notes", "jwt", "https://me.example"),
}


@pytest.mark.parametrize("use", USES)
async def test_use_after_close_says_so(use: str, api: ScriptedApi, shell: Shell) -> None:
    api.answers["/connectors/?modules=notes"] = Answer.of({"notes": {"do": listed()}})
    async with connecting(shell, api.url) as connector:
        await connector.catalogue("notes")
    api.asked.clear()
    with pytest.raises(RuntimeError, match="has been closed: make another one"):
        await getattr(connector, use)(*USES[use])
    assert api.asked == []


async def test_closing_twice_is_closing_once(shell: Shell) -> None:
    async with connecting(shell, "http://127.0.0.1:9") as connector:
        blocking = getattr(connector, "blocking", None)
        if isinstance(blocking, BosaConnector):
            blocking.close()
        else:
            await connector.aclose()


async def test_leaving_the_block_hangs_up(shell: Shell) -> None:
    async def until_the_client_hangs_up(connection: Connection) -> None:
        await connection.request()
        await connection.write(answer())
        await connection.gone()

    async with raw_api(until_the_client_hangs_up) as api:
        async with connecting(shell, api.url) as connector:
            await connector.send(Call(action(), {}))
            assert not api.closed.is_set()
        with anyio.fail_after(5):
            await api.closed.wait()


WITHOUT_A_TRACE = """
import asyncio, gc, sys
from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call
call = Call(Action("notes", "get_it", "/do", "", {}), {})
with BosaConnector(sys.argv[1]) as connector:
    connector.send(call)
async def main():
    async with AsyncBosaConnector(sys.argv[1]) as connector:
        await connector.send(call)
asyncio.run(main())
del connector
gc.collect()
"""


async def test_a_block_leaves_nothing_open() -> None:
    async with raw_api(answering(answer())) as api:
        assert await said_by(WITHOUT_A_TRACE, api.url) == ""
