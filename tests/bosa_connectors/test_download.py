"""Files on their way from the API: whole, within bounds, and under names that lead nowhere else."""

import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import anyio
import pytest

from bosa_connectors import AsyncBosaConnector, Call
from bosa_connectors.calls import FileHead, Reply
from bosa_connectors.download import AsyncDownload
from bosa_connectors.errors import BosaError, TooLarge
from bosa_connectors.models.file import ConnectorFile

from .raw import Behaviour, Connection, hanging_up, raw_api
from .samples import action
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

GET = action(name="get_file")
CONTENT = b"0123456789abcdef" * 20_000


def file(content: bytes = CONTENT, name: str | None = "report.pdf", kind: str = "application/pdf") -> Answer:
    """An answer that is a file."""
    disposition = {"content-disposition": f'attachment; filename="{name}"'} if name is not None else {}
    return Answer(200, {"content-type": kind, **disposition}, content)


@pytest.fixture
def offered(api: ScriptedApi) -> ScriptedApi:
    """An API whose action answers with a file."""
    api.answers[GET.path] = file()
    return api


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


def arriving(reply: Reply) -> AsyncDownload:
    """The file in a reply that is streamed; that of a blocking shell looks the same here."""
    return cast("AsyncDownload", reply.file)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "application/xhtml+xml", "image/png"])
async def test_whatever_is_not_json_is_a_file_also_without_a_word_about_its_name(
    kind: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[GET.path] = file(b"<html>", None, kind)
    reply = await connector.send(Call(GET, {}))
    came = cast("ConnectorFile", reply.body)
    assert (came.file, came.filename, came.content_type) == (b"<html>", None, kind)


# While it arrives


@pytest.mark.usefixtures("offered")
async def test_a_file_says_what_it_is_before_its_bytes_come(connector: AsyncBosaConnector) -> None:
    async with connector.stream(Call(GET, {})) as reply:
        assert reply.file
        assert (reply.status, reply.error) == (200, None)
        assert (reply.file.name, reply.file.content_type, reply.file.size) == (
            "report.pdf",
            "application/pdf",
            len(CONTENT),
        )
        assert b"".join([chunk async for chunk in arriving(reply).iter_bytes()]) == CONTENT


@pytest.mark.usefixtures("offered")
async def test_all_of_a_file_is_read_at_once(connector: AsyncBosaConnector) -> None:
    async with connector.stream(Call(GET, {})) as reply:
        assert await arriving(reply).read() == CONTENT


async def test_what_is_no_file_is_the_same_reply_as_ever(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[GET.path] = Answer.of({"data": [1], "meta": None})
    async with connector.stream(Call(GET, {})) as reply:
        assert (reply.data, reply.file) == ([1], None)
    api.answers.clear()
    async with connector.stream(Call(GET, {})) as reply:
        assert reply.error
        assert reply.file is None


@pytest.mark.usefixtures("offered")
async def test_bytes_are_taken_once_and_while_the_stream_is_open(connector: AsyncBosaConnector, folder: Path) -> None:
    async with connector.stream(Call(GET, {})) as reply:
        taken = arriving(reply)
        await taken.read()
        with pytest.raises(RuntimeError):
            await taken.read()
        with pytest.raises(RuntimeError):
            await taken.save(folder)
    async with connector.stream(Call(GET, {})) as reply:
        late = arriving(reply)
    with pytest.raises(RuntimeError):
        await late.save(folder)
    assert names(folder) == set()


async def test_a_stream_that_is_left_early_closes_its_connection(shell: Shell) -> None:
    async def endless(connection: Connection) -> None:
        await connection.request()
        await connection.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 1000000\r\n\r\nabc")
        await connection.gone()

    async with raw_api(endless) as api, connecting(shell, api.url) as connector:
        async with connector.stream(Call(GET, {})) as reply:
            assert reply.file
        with anyio.fail_after(5):
            await api.closed.wait()


# As send gives it


@pytest.mark.usefixtures("offered")
async def test_send_holds_the_bytes(connector: AsyncBosaConnector, folder: Path) -> None:
    reply = await connector.send(Call(GET, {}))
    held = reply.body
    assert isinstance(held, ConnectorFile)
    assert reply.data is held
    assert (held.file, held.filename, held.content_type) == (CONTENT, "report.pdf", "application/pdf")
    assert held.headers
    assert held.headers["content-length"] == str(len(CONTENT))
    assert held.save(folder).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("packed", "content"),
    [
        (b"", b""),
        (gzip.compress(b""), b""),
        (gzip.compress(CONTENT), CONTENT),
        (gzip.compress(b"a") + gzip.compress(CONTENT), b"a" + CONTENT),
        (gzip.compress(CONTENT) + bytes(600), CONTENT),
        (gzip.compress(bytes(5_000_000)), bytes(5_000_000)),
    ],
    ids=["nothing", "empty", "one member", "two members", "padded", "many pieces"],
)
async def test_a_packed_file_comes_unpacked(
    packed: bytes, content: bytes, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[GET.path] = Answer(200, {"content-type": "text/csv", "content-encoding": "GZip"}, packed)
    async with connector.stream(Call(GET, {})) as reply:
        chunks = [chunk async for chunk in arriving(reply).iter_bytes()]
    assert b"".join(chunks) == content
    assert max(map(len, chunks), default=0) <= 1 << 18
    assert (arriving(reply).size, reply.headers["content-encoding"]) == (None, "GZip")


async def test_an_empty_file_is_a_file(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers[GET.path] = file(b"")
    reply = await connector.send(Call(GET, {}))
    assert reply.file == FileHead("report.pdf", "application/pdf", 0)
    assert isinstance(reply.data, ConnectorFile)
    assert reply.data.file == b""


async def test_a_name_beyond_ascii_is_understood(api: ScriptedApi, connector: AsyncBosaConnector, folder: Path) -> None:
    disposition = "attachment; filename=\"gr__e.pdf\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%F0%9F%98%80.pdf"
    api.answers[GET.path] = Answer(200, {"content-type": "a/b", "content-disposition": disposition}, b"x")
    reply = await connector.send(Call(GET, {}))
    assert isinstance(reply.data, ConnectorFile)
    assert reply.data.filename == "größe 😀.pdf"
    assert reply.data.save(folder) == folder / "größe 😀.pdf"


# Saved


@pytest.mark.usefixtures("offered")
async def test_a_file_is_saved_in_a_folder_at_a_path_or_into_an_open_file(
    connector: AsyncBosaConnector, folder: Path
) -> None:
    for place, expected in ((folder, "report.pdf"), (str(folder), "report (1).pdf"), (folder / "b.bin", "b.bin")):
        async with connector.stream(Call(GET, {})) as reply:
            path = await arriving(reply).save(place)
        assert path == folder / expected
        assert path.read_bytes() == CONTENT
    opened = io.BytesIO()
    async with connector.stream(Call(GET, {})) as reply:
        assert await arriving(reply).save(opened) is None
    assert opened.getvalue() == CONTENT
    assert names(folder) == {"report.pdf", "report (1).pdf", "b.bin"}


class Sparing(io.RawIOBase):
    """A file that takes a little at a time."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # type: ignore[override]  bytes are what comes
        self.taken += data[:1000]
        return len(data[:1000])


@pytest.mark.usefixtures("offered")
async def test_an_open_file_that_takes_a_little_at_a_time_gets_everything(connector: AsyncBosaConnector) -> None:
    sparing = Sparing()
    async with connector.stream(Call(GET, {})) as reply:
        await arriving(reply).save(sparing)
    assert sparing.taken == CONTENT


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\..\\etc\\passwd", "C:\\etc\\passwd"])
async def test_a_name_that_leads_out_of_the_folder_is_saved_within_it(
    name: str, api: ScriptedApi, connector: AsyncBosaConnector, folder: Path
) -> None:
    api.answers[GET.path] = file(b"x", name)
    async with connector.stream(Call(GET, {})) as reply:
        assert await arriving(reply).save(folder) == folder / "passwd"
    held = (await connector.send(Call(GET, {}))).data
    assert isinstance(held, ConnectorFile)
    assert held.save(folder) == folder / "passwd (1)"
    assert names(folder.parent) == {"folder"}


async def test_a_file_without_a_name_is_called_file(
    api: ScriptedApi, connector: AsyncBosaConnector, folder: Path
) -> None:
    api.answers[GET.path] = file(b"x", None)
    async with connector.stream(Call(GET, {})) as reply:
        assert await arriving(reply).save(folder) == folder / "file"


@pytest.mark.usefixtures("offered")
async def test_no_file_is_ever_overwritten(connector: AsyncBosaConnector, folder: Path) -> None:
    (folder / "report.pdf").write_bytes(b"mine")
    (folder / "report (1).pdf").symlink_to(folder / "nowhere")
    async with connector.stream(Call(GET, {})) as reply:
        assert await arriving(reply).save(folder) == folder / "report (2).pdf"
    async with connector.stream(Call(GET, {})) as reply:
        with pytest.raises(FileExistsError, match="is there already, and is not overwritten"):
            await arriving(reply).save(folder / "report.pdf")
    assert (folder / "report.pdf").read_bytes() == b"mine"
    assert names(folder) == {"report.pdf", "report (1).pdf", "report (2).pdf"}


async def test_many_files_of_one_name_are_saved_at_once(
    api: ScriptedApi, connector: AsyncBosaConnector, folder: Path
) -> None:
    for number in range(10):
        api.answers[f"/{number}"] = file(bytes([number]) * 200_000, "same.bin")

    async def save(number: int) -> None:
        async with connector.stream(Call(action(name="get_file", path=f"/{number}"), {})) as reply:
            await arriving(reply).save(folder)

    async with anyio.create_task_group() as users:
        for number in range(10):
            users.start_soon(save, number)
    contents = {(folder / name).read_bytes() for name in names(folder)}
    assert contents == {bytes([number]) * 200_000 for number in range(10)}
    assert names(folder) == {"same.bin", *(f"same ({number}).bin" for number in range(1, 10))}


@pytest.mark.usefixtures("offered")
async def test_where_there_is_no_folder_nothing_is_saved(connector: AsyncBosaConnector, folder: Path) -> None:
    async with connector.stream(Call(GET, {})) as reply:
        with pytest.raises(FileNotFoundError):
            await arriving(reply).save(folder / "none" / "a.pdf")
    assert names(folder) == set()


# What breaks


HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/pdf\r\ncontent-disposition: attachment; filename=a.pdf\r\n"
SHORT = f"{HEAD}content-length: 100000\r\n\r\n".encode() + b"x" * 90_000
CUT = f"{HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".encode()


PACKED = gzip.compress(CONTENT)
HALF = f"{HEAD}content-encoding: gzip\r\ncontent-length: {len(PACKED) - 9}\r\n\r\n".encode() + PACKED[:-9]


@pytest.mark.parametrize("said", [SHORT, CUT, HALF], ids=["fewer bytes than announced", "no last chunk", "half packed"])
async def test_a_file_that_stops_short_is_an_error_and_leaves_nothing(said: bytes, shell: Shell, folder: Path) -> None:
    async with raw_api(hanging_up(said)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(BosaError):
            await connector.send(Call(GET, {}))
        async with connector.stream(Call(GET, {})) as reply:
            with pytest.raises(BosaError):
                await arriving(reply).read()
        for place in (folder, folder / "a.pdf"):
            async with connector.stream(Call(GET, {})) as reply:
                with pytest.raises(BosaError):
                    await arriving(reply).save(place)
    assert names(folder) == set()


async def test_a_save_that_is_given_up_leaves_nothing(folder: Path) -> None:
    async def stalling_later(connection: Connection) -> None:
        await connection.request()
        await connection.write(SHORT)
        await connection.gone()

    async with (
        raw_api(stalling_later) as api,
        AsyncBosaConnector(api.url) as connector,
        connector.stream(Call(GET, {})) as reply,
    ):
        with anyio.move_on_after(0.3) as patience:
            await arriving(reply).save(folder)
    assert patience.cancelled_caught
    assert names(folder) == set()


async def test_what_fails_while_it_is_written_leaves_nothing(
    offered: ScriptedApi, connector: AsyncBosaConnector, folder: Path
) -> None:
    async with connector.stream(Call(GET, {})) as reply:
        with pytest.raises(OSError, match="name too long"):
            await arriving(reply).save(folder / ("x" * 300))
    assert names(folder) == set()
    assert len(offered.asked) == 1


# How large it may be


@dataclass(frozen=True, slots=True)
class Limit:
    most: int | None
    is_enough: bool


LIMITS = [Limit(None, is_enough=True), Limit(len(CONTENT), is_enough=True), Limit(len(CONTENT) - 1, is_enough=False)]


@pytest.mark.usefixtures("offered")
@pytest.mark.parametrize("limit", LIMITS)
async def test_a_file_that_announces_more_than_is_wanted_is_refused_at_once(
    limit: Limit, connector: AsyncBosaConnector, folder: Path
) -> None:
    call = Call(GET, {}, max_file_bytes=limit.most)
    if limit.is_enough:
        assert (await connector.send(call)).status == 200
        return
    with pytest.raises(TooLarge, match=f"larger than {limit.most} bytes"):
        await connector.send(call)
    with pytest.raises(TooLarge):
        async with connector.stream(call):
            pass
    assert names(folder) == set()


async def unannounced(connection: Connection) -> None:
    await connection.request()
    await connection.write(f"{HEAD}transfer-encoding: chunked\r\n\r\n".encode())
    while True:
        await connection.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


async def bomb(connection: Connection) -> None:
    packed = gzip.compress(bytes(20_000_000))
    await connection.request()
    head = f"{HEAD}content-encoding: gzip\r\ncontent-length: {len(packed)}\r\n\r\n"
    await connection.write(head.encode() + packed)
    await connection.gone()


@pytest.mark.parametrize("behave", [unannounced, bomb])
async def test_a_file_that_turns_out_larger_than_is_wanted_is_refused_on_the_way(
    behave: Behaviour, shell: Shell, folder: Path
) -> None:
    call = Call(GET, {}, max_file_bytes=1_000_000)
    async with raw_api(behave) as api, connecting(shell, api.url) as connector:
        with pytest.raises(TooLarge, match="larger than 1000000 bytes"):
            await connector.send(call)
        async with connector.stream(call) as reply:
            with pytest.raises(TooLarge):
                await arriving(reply).save(folder)
    assert names(folder) == set()


async def test_an_api_that_announces_a_file_beyond_all_measure_costs_no_memory(shell: Shell) -> None:
    said = f"{HEAD}content-length: {10**15}\r\n\r\nabc".encode()
    async with raw_api(hanging_up(said)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(BosaError):
            await connector.send(Call(GET, {}))


# How long it may take


async def test_a_moving_file_comes_past_the_deadline_and_a_silent_one_is_given_up(shell: Shell) -> None:
    async def moving(connection: Connection) -> None:
        await connection.request()
        await connection.write(f"{HEAD}content-length: 8\r\n\r\n".encode())
        for _ in range(4):
            await anyio.sleep(0.1)
            await connection.write(b"xx")
        await connection.request()
        await connection.write(f"{HEAD}content-length: 8\r\n\r\nx".encode())
        await connection.gone()

    async with raw_api(moving) as api, connecting(shell, api.url) as connector:
        reply = await connector.send(Call(GET, {}, deadline=0.25))
        assert isinstance(reply.data, ConnectorFile)
        assert reply.data.file == b"x" * 8
        with anyio.fail_after(5), pytest.raises(BosaError, match="in time"):
            await connector.send(Call(GET, {}, deadline=0.25))
