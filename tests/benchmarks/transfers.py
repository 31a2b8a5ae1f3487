"""One transfer of 100 MB: `transfers.py WAY URL`; prints its seconds, and MB beyond what the caller asked to hold."""

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from callers import HEADERS, KEY
from loopback import LARGE
from memory import RESIDENT

from bosa_connectors import AsyncBosaConnector, BosaConnector, Call
from bosa_connectors.download import AsyncStreamedReply, StreamedReply

_CHUNK = 1 << 16


def bare(way: str, url: str, folder: Path, source: Path) -> None:
    with httpx.Client(headers=HEADERS) as client:
        if way == "up":
            client.post(
                f"{url}/connectors/bench/upload",
                content=chunks(source),
                headers={"content-length": str(source.stat().st_size)},
            )
            return
        with client.stream("POST", f"{url}/connectors/bench/download") as response, (folder / "got").open("wb") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)


def chunks(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def blocking(way: str, url: str, folder: Path, source: Path) -> None:
    with BosaConnector(url, KEY) as connector:
        catalogue = connector.catalogue("bench")
        if way == "up":
            connector.send(Call(catalogue["upload"], {"file": source}))
        elif way == "held":
            file: Any = connector.send(Call(catalogue["download"], {})).data
            assert len(file.file) == LARGE
        else:
            with connector.stream(Call(catalogue["download"], {})) as reply:
                assert isinstance(reply, StreamedReply)
                reply.file.save(folder)


async def awaited(way: str, url: str, folder: Path, source: Path) -> None:
    async with AsyncBosaConnector(url, KEY) as connector:
        catalogue = await connector.catalogue("bench")
        if way == "up":
            await connector.send(Call(catalogue["upload"], {"file": source}))
        elif way == "held":
            file: Any = (await connector.send(Call(catalogue["download"], {}))).data
            assert len(file.file) == LARGE
        else:
            async with connector.stream(Call(catalogue["download"], {})) as reply:
                assert isinstance(reply, AsyncStreamedReply)
                await reply.file.save(folder)


def act(way: str, url: str, folder: Path, source: Path) -> None:
    shell, _, direction = way.rpartition(" ")
    if shell == "awaited":
        asyncio.run(awaited(direction, url, folder, source))
    else:
        (bare if shell == "bare" else blocking)(direction, url, folder, source)


def main(way: str, url: str) -> None:
    given: dict[str, Any] = {}
    exec(RESIDENT, given)  # noqa: S102  ours
    with TemporaryDirectory() as folder:
        source = Path(folder) / "large.bin"
        with source.open("wb") as file:
            file.truncate(LARGE)
        small = Path(folder) / "small.bin"
        small.write_bytes(b"x")
        act(way.replace("down", "up").replace("held", "up"), url, Path(folder), small)  # imports what it needs
        before = given["resident"]("VmHWM")
        begun = time.perf_counter()
        act(way, url, Path(folder), source)
        seconds = time.perf_counter() - begun
        held = LARGE / 1e6 if way.endswith("held") else 0
        sys.stdout.write(json.dumps([seconds, given["resident"]("VmHWM") - before - held]))


if __name__ == "__main__":
    main(*sys.argv[1:])
