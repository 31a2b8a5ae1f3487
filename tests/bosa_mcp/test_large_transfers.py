"""100 MB each way through the real command: byte for byte, over a bad line, and in no more memory than a small file."""

import hashlib
import os
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub

from ..faults import LOSSES, fault_proxy  # noqa: TID252  shared with the tests of the SDK
from .conftest import Connect, answer
from .processes import HANDSHAKE, Server, call, parameters, started
from .scripted_api import WAIT, Json

LARGE = 100_000_000
MOST = 15_000
"""KB of memory beyond those of a small file."""


def peak(pid: int) -> int:
    """KB of memory that a process had at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def pattern(size: int) -> Iterator[bytes]:
    """Bytes of which none are like the ones before."""
    chance = random.Random(size)  # noqa: S311  a seed is wanted
    while size > 0:
        chunk = chance.randbytes(min(size, 1 << 18))
        size -= len(chunk)
        yield chunk


def digest(size: int) -> str:
    whole = hashlib.sha256()
    for chunk in pattern(size):
        whole.update(chunk)
    return whole.hexdigest()


async def file(client: Client, tool: str, **arguments: object) -> Json:
    """What a tool says of the file that it answered."""
    result = await client.call_tool(tool, arguments)
    assert result.structured_content, result
    assert not result.is_error, result.structured_content
    return result.structured_content["data"]


measured = pytest.mark.skipif(not Path("/proc").is_dir(), reason="memory is read from /proc")


def known(hub: RunningHub, who: Credentials) -> dict[str, str]:
    return {
        "BOSA_API_BASE_URL": hub.url,
        "BOSA_API_KEY": who.api_key or "",
        "BOSA_USER_TOKEN": who.user_token or "",
        "BOSA_LOG_LEVEL": "warning",
    }


@measured
async def test_a_large_file_goes_all_the_way_over_http_in_the_memory_of_a_small_one(
    hub: RunningHub, hub_user: Credentials, tmp_path: Path
) -> None:
    with started(tmp_path, "serve", "--transport", "http", "--port", "0", **known(hub, hub_user)) as server:
        url = server.log_line("ready ").split()[1]
        await there_and_back(url, 1_000_000)
        before = peak(server.process.pid)
        await there_and_back(url, LARGE)
        cost = peak(server.process.pid) - before
    assert cost <= MOST


async def there_and_back(url: str, size: int) -> None:
    """To the server, to the hub, to the server, and to us."""
    async with (
        httpx.AsyncClient(base_url=url, timeout=WAIT) as web,
        Client(f"{url}/mcp", read_timeout_seconds=60) as mcp,
    ):

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in pattern(size):
                yield chunk

        left = (await web.post("/files", params={"name": "large.bin"}, content=chunks())).json()
        assert (left["size"], left["sha256"]) == (size, digest(size))
        await answer(mcp, "files_upload_file", file=left["uri"], path=f"{size}.bin")
        came = await file(mcp, "files_download_file", path=f"{size}.bin")
        assert came["sha256"] == left["sha256"]
        fetched = hashlib.sha256()
        async with web.stream("GET", f"/files/{came['uri'].rpartition('/')[2]}") as reply:
            async for chunk in reply.aiter_raw():
                fetched.update(chunk)
        assert fetched.hexdigest() == left["sha256"]


@measured
def test_a_large_file_goes_from_a_folder_to_a_connector_and_another_over_stdio_in_the_memory_of_a_small_one(
    hub: RunningHub, hub_user: Credentials, tmp_path: Path
) -> None:
    with started(tmp_path, BOSA_FILES_ROOT=str(tmp_path), **known(hub, hub_user)) as server:
        server.send(*HANDSHAKE)
        through_stdio(server, tmp_path, 1_000_000)
        before = peak(server.process.pid)
        through_stdio(server, tmp_path, LARGE)
        cost = peak(server.process.pid) - before
        server.end_of_input()
        assert server.wait() == 0
    assert cost <= MOST


def through_stdio(server: Server, folder: Path, size: int) -> None:
    """From the folder to the hub, from there to the disk, and from what is kept to the hub again."""

    def done(number: int, tool: str, **arguments: object) -> Json:
        server.send(call(size + number, tool, **arguments))
        result = server.reply(size + number)["result"]
        assert not result["isError"], result
        return result["structuredContent"]["data"]

    write(folder / f"{size}.bin", size)
    done(1, "files_upload_file", file=f"file://{folder}/{size}.bin", path=f"{size}.bin")
    came = done(2, "files_download_file", path=f"{size}.bin")
    done(3, "files_upload_file", file=came["uri"], path=f"{size} again.bin")
    again = done(4, "files_download_file", path=f"{size} again.bin")
    assert [came["sha256"], again["sha256"], of_disk(Path(again["path"]))] == [digest(size)] * 3


def over_stdio(folder: Path, **settings: str) -> StdioServerParameters:
    return parameters(folder, "serve", BOSA_LOG_LEVEL="warning", **settings)


@pytest.mark.parametrize("size", [0, 1, 262_144, LARGE])
async def test_a_file_goes_from_a_folder_to_the_hub_and_back_to_the_disk(tmp_path: Path, size: int) -> None:
    root = tmp_path / "root"
    root.mkdir()
    write(root / "large.bin", size)
    server = over_stdio(tmp_path, BOSA_FILES_ROOT=str(root))
    async with Client(stdio_client(server), read_timeout_seconds=60) as client:
        await answer(client, "files_upload_file", file=f"file://{root}/large.bin", path="a.bin")
        came = await file(client, "files_download_file", path="a.bin")
        listed = (await client.list_resources()).resources
    assert (came["size"], came["sha256"], [each.uri for each in listed]) == (size, digest(size), [came["uri"]])
    saved = Path(came["path"])
    assert saved.is_relative_to(tmp_path / "data" / "downloads")
    assert of_disk(saved) == digest(size)


def write(path: Path, size: int) -> None:
    with path.open("wb") as file:
        file.writelines(pattern(size))


def of_disk(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def test_over_a_bad_line_a_file_is_whole_or_not_there(
    hub: RunningHub, hub_user: Credentials, connect: Connect
) -> None:
    body = os.urandom(60_000)
    whole = 0
    async with connect(hub.url, "files", credentials=hub_user) as client:
        await answer(client, "files_write_text_file", path="x.txt", text=body.hex())
    async with fault_proxy(hub.url, LOSSES, seed=6) as line, connect(line.url, "files", credentials=hub_user) as client:
        for _ in range(60):
            result = await client.call_tool("files_download_file", {"path": "x.txt"})
            if not result.is_error:
                whole += 1
        listed = (await client.list_resources()).resources
        sizes = {each.size for each in listed}
    assert line.done["truncated"]
    assert whole >= 55
    assert (len(listed), sizes) == (whole, {2 * len(body)})
