# ruff: noqa: PLC0415  each is imported where it is called: some are in environments of other Pythons alone
"""One client making calls: `callers.py SUBJECT URL`. Run by a Python that has the client; reads rounds, tells rates.

Each line of standard input is `{"in_flight": 32, "seconds": 1.0}`; for each, standard output has one with calls/s,
and calls for each second of the processor, which says more where others use it too.
"""

# likewise
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false

import asyncio
import json
import logging
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack

from listing import ARGUMENTS

KEY, TOKEN = "sk-client-0123456789abcdef", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.0123456789abcdef"
HEADERS = {"X-API-Key": KEY, "Authorization": f"Bearer {TOKEN}"}
WARM = 0.3
"""Seconds for which calls do not count: connections are made."""
Act = Callable[[], object]
AsyncAct = Callable[[], Awaitable[object]]


def bare(url: str, stack: ExitStack) -> Act:
    import httpx

    client = stack.enter_context(httpx.Client(headers=HEADERS, limits=httpx.Limits(max_keepalive_connections=100)))
    return lambda: client.post(f"{url}/connectors/bench/list_commits", json=ARGUMENTS).json()


async def abare(url: str, stack: AsyncExitStack) -> AsyncAct:
    import httpx

    made = httpx.AsyncClient(headers=HEADERS, limits=httpx.Limits(max_keepalive_connections=100))
    client = await stack.enter_async_context(made)

    async def act() -> object:
        return (await client.post(f"{url}/connectors/bench/list_commits", json=ARGUMENTS)).json()

    return act


def send(url: str, stack: ExitStack) -> Act:
    from bosa_connectors import BosaConnector, Call, Credentials

    connector = stack.enter_context(BosaConnector(url, KEY))
    call = Call(connector.catalogue("bench")["list_commits"], ARGUMENTS, Credentials(user_token=TOKEN))
    return lambda: connector.send(call).data


async def asend(url: str, stack: AsyncExitStack) -> AsyncAct:
    from bosa_connectors import AsyncBosaConnector, Call, Credentials

    connector = await stack.enter_async_context(AsyncBosaConnector(url, KEY))
    call = Call((await connector.catalogue("bench"))["list_commits"], ARGUMENTS, Credentials(user_token=TOKEN))
    return lambda: connector.send(call)


def execute(url: str, _: ExitStack) -> Act:
    """Ours, and what it takes the place of: both are imported so."""
    from bosa_connectors.connector import BosaConnector

    connector = BosaConnector(url, KEY)
    return lambda: connector.execute("bench", "list_commits", input_=ARGUMENTS, token=TOKEN)


def gl(url: str, _: ExitStack) -> Act:
    from gl_connectors_sdk import GLConnectors

    connector = GLConnectors(url, KEY)
    return lambda: connector.execute("bench", "list_commits", input_=ARGUMENTS, token=TOKEN)


async def agl(url: str, stack: AsyncExitStack) -> AsyncAct:
    from gl_connectors_sdk import GLConnectors

    connector = GLConnectors(url, KEY)
    stack.push_async_callback(connector.aclose)
    return lambda: connector.aexecute("bench", "list_commits", input_=ARGUMENTS, token=TOKEN)


def in_threads(act: Act, in_flight: int, seconds: float) -> int:
    """How many calls were made."""
    counts = [0] * in_flight
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        while time.perf_counter() < until:
            act()
            counts[place] += 1

    threads = [threading.Thread(target=work, args=[place]) for place in range(in_flight)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


async def in_tasks(act: AsyncAct, in_flight: int, seconds: float) -> int:
    """How many calls were made."""
    until = time.perf_counter() + seconds

    async def work() -> int:
        count = 0
        while time.perf_counter() < until:
            await act()
            count += 1
        return count

    return sum(await asyncio.gather(*(work() for _ in range(in_flight))))


def main(subject: str, url: str) -> None:
    with ExitStack() as stack:
        act = SUBJECTS[subject](url, stack)
        for line in sys.stdin:
            wanted = json.loads(line)
            act()  # what was idle for too long is closed now: httpx lets one thread close what another has just taken
            in_threads(act, wanted["in_flight"], WARM)
            begun = time.perf_counter(), time.process_time()
            tell(in_threads(act, **wanted), *begun)


async def amain(subject: str, url: str) -> None:
    async with AsyncExitStack() as stack:
        act = await ASYNC_SUBJECTS[subject](url, stack)
        for line in sys.stdin:  # nothing else goes on between rounds
            wanted = json.loads(line)
            await in_tasks(act, wanted["in_flight"], WARM)
            begun = time.perf_counter(), time.process_time()
            tell(await in_tasks(act, **wanted), *begun)


def tell(calls: int, clock: float, processor: float) -> None:
    rates = calls / (time.perf_counter() - clock), calls / (time.process_time() - processor)
    _out.write(f"{json.dumps(rates)}\n")
    _out.flush()


SUBJECTS = {"bare": bare, "send": send, "execute": execute, "gl": gl}
ASYNC_SUBJECTS = {"abare": abare, "asend": asend, "agl": agl}

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # the published clients write lines for each call, which costs more than the call
    _out, sys.stdout = sys.stdout, sys.stderr
    name, address = sys.argv[1:]
    if name in SUBJECTS:
        main(name, address)
    else:
        asyncio.run(amain(name, address))
