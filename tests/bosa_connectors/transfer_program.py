"""Sends 100 MB to a hub and fetches them back in each way there is, and prints what each cost in memory beyond that."""

import asyncio
import json
import sys
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call, Credentials
from bosa_connectors.download import AsyncStreamedReply, StreamedReply
from bosa_connectors.models.file import ConnectorFile

SIZE = 100_000_000


def main(url: str, key: str, token: str, folder: Path) -> dict[str, int]:
    source = folder / "large.bin"
    credentials = Credentials(user_token=token)
    with BosaConnector(url, key) as connector:
        catalogue = connector.catalogue("files")

        def call(action: str, **arguments: object) -> Call:
            return Call(catalogue[action], arguments, credentials)

        def up() -> None:
            kept: Any = connector.send(call("upload_file", file=source, path="a")).data
            assert kept["size"] == SIZE

        def down() -> None:
            with connector.stream(call("download_file", path="a")) as reply:
                assert isinstance(reply, StreamedReply)
                assert reply.file.save(folder).stat().st_size == SIZE

        def held() -> None:
            file = connector.send(call("download_file", path="a")).data
            assert isinstance(file, ConnectorFile)
            assert len(file.file) == SIZE

        costs = {"up": cost(up), "down": cost(down), "held": cost(held) - SIZE}
    return costs | asyncio.run(awaited(url, key, credentials, source, dict(catalogue)))


async def awaited(
    url: str, key: str, credentials: Credentials, source: Path, actions: dict[str, Action]
) -> dict[str, int]:
    async with AsyncBosaConnector(url, key) as connector:

        def call(action: str, **arguments: object) -> Call:
            return Call(actions[action], arguments, credentials)

        async def up() -> None:
            kept: Any = (await connector.send(call("upload_file", file=source, path="b"))).data
            assert kept["size"] == SIZE

        async def down() -> None:
            async with connector.stream(call("download_file", path="b")) as reply:
                assert isinstance(reply, AsyncStreamedReply)
                assert (await reply.file.save(source.parent)).exists()

        async def held() -> None:
            file = (await connector.send(call("download_file", path="b"))).data
            assert isinstance(file, ConnectorFile)
            assert len(file.file) == SIZE

        return {
            "awaited up": await acost(up),
            "awaited down": await acost(down),
            "awaited held": await acost(held) - SIZE,
        }


def cost(act: Callable[[], None]) -> int:
    """Bytes that were in use at once, at most."""
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


async def acost(act: Callable[[], Awaitable[None]]) -> int:
    tracemalloc.start()
    await act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


if __name__ == "__main__":
    _, url, key, token, folder = sys.argv
    sys.stdout.write(json.dumps(main(url, key, token, Path(folder))))
