"""Files on their way to the API: whatever a program gives for one arrives, whole and once, or nothing does."""

import gzip
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from bosa_connectors import AsyncBosaConnector, BosaConnector, Call, Credentials, retry
from bosa_connectors.calls import Action, Reply
from bosa_connectors.errors import (
    ApiError,
    BosaError,
    BrokenUpload,
    InvalidArguments,
    OutcomeUnknown,
    Unauthenticated,
)
from bosa_connectors.models.file import ConnectorFile
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import RunningHub, running
from bosa_hub.transfer import InputFile

from .raw import Behaviour, Connection, answer, answering, raw_api, stalling
from .samples import action as listed_action
from .samples import takes
from .scripted import Answer, ScriptedApi
from .shells import Shell, connecting

BINARY = {"type": "string", "format": "binary"}
NULLABLE = {"anyOf": [BINARY, {"type": "null"}]}
LARGE = b"0123456789abcdef" * 50_000


class Everything(BaseModel):
    name: str | None = None
    count: int | None = None
    on: bool | None = None
    tags: list[str] | None = None
    file: InputFile | None = None
    files: list[InputFile] | None = None


class Desk(Connector):
    """Takes files."""

    @action(effect="create")
    async def take(self, request: Everything) -> dict[str, object]:
        """Take everything, and say what arrived."""
        arrived: list[list[object]] = []
        for file in [*([request.file] if request.file else []), *(request.files or [])]:
            content = b"".join([chunk async for chunk in file.chunks()])
            arrived.append([file.filename, file.content_type, hashlib.sha256(content).hexdigest()])
        return {**request.model_dump(exclude={"file", "files"}, exclude_none=True), "arrived": arrived}


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub"), connectors=[Desk()]) as hub:
        yield hub


@pytest.fixture(scope="module")
def take(hub: RunningHub) -> Action:
    with BosaConnector(hub.url, hub.client_key) as connector:
        return connector.catalogue("desk")["take"]


@pytest.fixture
async def desk(hub: RunningHub, take: Action, shell: Shell) -> Any:  # noqa: ANN401  an asynchronous function
    """What arrives when these arguments are sent."""
    async with connecting(shell, hub.url, hub.client_key) as connector:

        async def send(user: str = "ada", **arguments: object) -> Any:  # noqa: ANN401  JSON
            call = Call(take, arguments, Credentials(user_token=hub.user_token(user)))
            reply = await connector.send(call)
            assert reply.error is None
            return reply.data

        yield send


def seen(name: str, content: bytes, kind: str = "text/plain") -> list[str]:
    return [name, kind, hashlib.sha256(content).hexdigest()]


UPLOAD = replace(listed_action(takes(name={"type": "string"}, file=NULLABLE)), binary=frozenset({"file"}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "größe.txt"
    path.write_bytes(LARGE)
    return path


# What may be given


async def test_each_thing_that_is_a_file_arrives_with_its_name_and_type(desk: Any, path: Path) -> None:  # noqa: ANN401
    named = ConnectorFile(file=LARGE, filename="a.pdf", content_type="application/x-own")
    with path.open("rb") as opened, path.open("rb", buffering=0) as raw:
        files = [path, opened, raw, ConnectorFile.from_path(path), ConnectorFile.from_path(path, "b.pdf"), named]
        data = await desk(files=files)
        assert not opened.closed
    expected = [seen("größe.txt", LARGE)] * 4
    expected += [seen("b.pdf", LARGE, "application/pdf"), seen("a.pdf", LARGE, "application/x-own")]
    assert data["arrived"] == expected


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, io.BytesIO])
async def test_bytes_without_a_name_are_called_file(kind: Callable[[bytes], object], desk: Any) -> None:  # noqa: ANN401
    data = await desk(file=kind(b"\x00abc"))
    assert data["arrived"] == [seen("file", b"\x00abc", "application/octet-stream")]


async def test_raw_bytes_arrive_as_they_are_not_as_their_python_repr(desk: Any) -> None:  # noqa: ANN401
    data = await desk(file=b"b'abc'\xff")
    assert data["arrived"][0][2] == hashlib.sha256(b"b'abc'\xff").hexdigest()


@pytest.mark.parametrize("content", [b"new", b""])
async def test_of_a_file_on_disk_whose_bytes_were_replaced_the_new_ones_arrive(
    content: bytes,
    desk: Any,  # noqa: ANN401
    path: Path,
) -> None:
    file = ConnectorFile.from_path(path)
    file.file = content
    assert (await desk(file=file))["arrived"] == [seen("größe.txt", content)]


async def test_fields_beside_a_file_arrive(desk: Any) -> None:  # noqa: ANN401
    data = await desk(name="Ærø\r\n☕", count=3, on=True, tags=["a,b", "c"], file=b"", files=None)
    assert {**data, "arrived": None} == {
        "name": "Ærø\r\n☕",
        "count": 3,
        "on": True,
        "tags": ["a,b", "c"],
        "arrived": None,
    }
    assert data["arrived"][0][2] == hashlib.sha256(b"").hexdigest()


async def test_an_action_that_takes_files_gets_a_form_also_without_one(desk: Any) -> None:  # noqa: ANN401
    data = await desk(name="a&b=c é", count=3, on=False, tags=["x"], file=None, files=[])
    assert data == {"name": "a&b=c é", "count": 3, "on": False, "tags": ["x"], "arrived": []}
    assert await desk() == {"arrived": []}


async def test_an_open_file_is_sent_from_where_it_stands_and_stays_open(desk: Any, tmp_path: Path) -> None:  # noqa: ANN401
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115  closed below
    file.write(b"head-and-body")
    file.seek(5)
    data = await desk(file=file)
    assert data["arrived"] == [seen("file", b"and-body", "application/octet-stream")]
    assert not file.closed
    file.close()
    with gzip.open(tmp_path / "a.gz", "wb") as packed:
        packed.write(LARGE)
    with gzip.open(tmp_path / "a.gz") as unpacked:
        data = await desk(file=unpacked)
    assert data["arrived"][0][2] == hashlib.sha256(LARGE).hexdigest()


async def test_what_can_only_be_read_is_sent_without_a_length(desk: Any) -> None:  # noqa: ANN401
    reader, writer = os.pipe()
    os.write(writer, b"from a pipe")
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        data = await desk(file=pipe)
    assert data["arrived"] == [seen("file", b"from a pipe", "application/octet-stream")]


@pytest.mark.parametrize(
    "name", ["größe 😀.txt", 'a"b\\c%20.txt', "a;b=c.txt", "👨‍👩‍👧.txt", "x" * 100, "../../up.txt"]
)
async def test_a_name_arrives_as_it_is(name: str, desk: Any) -> None:  # noqa: ANN401
    data = await desk(file=ConnectorFile(file=b"x", filename=name))
    assert data["arrived"][0][0] == name


async def test_a_line_break_in_a_name_breaks_nothing(desk: Any, tmp_path: Path) -> None:  # noqa: ANN401
    odd = tmp_path / 'a"\r\nX-Admin: 1\r\n\r\nb.txt'
    odd.write_bytes(b"x")
    data = await desk(files=[odd, ConnectorFile(file=b"x", filename="a\r\n.txt", content_type="text/plain")])
    assert data["arrived"] == [seen('a"__X-Admin: 1____b.txt', b"x"), seen("a__.txt", b"x")]


async def test_a_file_that_came_can_be_sent_on_without_the_headers_of_its_reply(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    headers = {"content-type": "image/png", "x-secret": "s", "content-disposition": 'attachment; filename="a.png"'}
    api.answers[UPLOAD.path] = Answer(200, headers, b"png")
    came = (await connector.send(Call(UPLOAD, {}))).data
    assert isinstance(came, ConnectorFile)
    assert came.headers
    await connector.send(Call(UPLOAD, {"file": came}))
    assert b'filename="a.png"\r\nContent-Type: image/png\r\n\r\npng\r\n--' in api.asked[1].body


async def test_two_users_send_at_once_and_each_gets_the_own_file_back(desk: Any) -> None:  # noqa: ANN401
    contents = {f"user-{number}": bytes([number]) * 300_000 for number in range(8)}
    arrived: dict[str, object] = {}

    async def send(user: str) -> None:
        arrived[user] = (await desk(user, name=user, file=contents[user]))["arrived"][0][2]

    async with anyio.create_task_group() as users:
        for user in contents:
            users.start_soon(send, user)
    assert arrived == {user: hashlib.sha256(content).hexdigest() for user, content in contents.items()}


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("text", 'Expected a file, got "text": give a Path, bytes, a ConnectorFile'),
        (5, "Expected string (a file) or null, got 5"),
        (Path("/no/such/file"), "This file cannot be sent: No such file or directory"),
        (Path("/"), "is a folder or a device"),
        (Path("/dev/null"), "is a folder or a device"),
        (io.StringIO("text"), "it is open as text. Open it in binary mode"),
        (ConnectorFile.from_path("/no/such/file"), "No such file"),
        (ConnectorFile(file=b"", content_type="a/b\r\nX-Admin: 1"), "content type"),
        ([b"a", b"b"], "Expected string (a file) or null, got an array of 2"),
    ],
)
async def test_what_is_no_file_is_refused_with_what_to_give(
    value: object, said: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.send(Call(UPLOAD, {"file": value}))
    [problem] = caught.value.errors
    assert problem.path == "file"
    assert said in problem.message
    assert api.asked == []


async def test_a_closed_file_is_refused(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    file = io.BytesIO(b"x")
    file.close()
    with pytest.raises(InvalidArguments, match="closed file"):
        await connector.send(Call(UPLOAD, {"file": file}))
    assert api.asked == []


@pytest.mark.parametrize("value", [b"abc", ConnectorFile(file=b"abc"), Path("/etc/hosts"), io.BytesIO(b"abc")])
@pytest.mark.parametrize("to", [UPLOAD, listed_action(takes(name={"type": "string"}))])
async def test_a_file_where_none_belongs_is_refused(
    value: object, to: Action, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.send(Call(to, {"name": value}))
    assert [problem.path for problem in caught.value.errors] == ["name"]
    assert "abc" not in str(caught.value)
    assert api.asked == []


async def test_every_file_that_cannot_be_sent_is_named(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    schema = takes(files={"type": "array", "items": BINARY}, file=BINARY)
    to = replace(listed_action(schema), binary=frozenset({"file", "files"}))
    with pytest.raises(InvalidArguments) as caught:
        await connector.send(Call(to, {"files": [b"", Path("/no/a"), Path("/no/b")], "file": Path("/no/c")}))
    assert {problem.path for problem in caught.value.errors} == {"files.1", "files.2", "file"}
    assert api.asked == []


@pytest.mark.parametrize("to", [UPLOAD, listed_action(takes(name={"type": "string"}))])
@pytest.mark.parametrize("value", [{"a": 1}, [None], object(), float("nan")])
async def test_what_is_not_known_is_said_to_be_unknown_even_where_it_cannot_be_written(
    value: object, to: Action, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(InvalidArguments) as caught:
        await connector.send(Call(to, {"nam": value}))
    assert [(problem.path, problem.nearest) for problem in caught.value.errors] == [("nam", "name")]
    assert api.asked == []


async def test_text_is_taken_where_the_schema_takes_text_too(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    to = replace(listed_action(takes(file={"anyOf": [BINARY, {"type": "string"}]})), binary=frozenset({"file"}))
    await connector.send(Call(to, {"file": "text"}))
    assert api.asked[0].body == b"file=text"


# Again, and again the same


BUSY = answer(b'{"message":"busy"}', 503, "retry-after: 0")
SAFE = retry.safe("create")


def body_in(request: bytes) -> bytes:
    """The content of the one file in a form."""
    return request.split(b"\r\n\r\n", 2)[2].rpartition(b"\r\n--")[0]


@pytest.mark.parametrize("kind", ["path", "bytes", "open", "part"])
async def test_a_repeated_call_sends_the_whole_file_again(kind: str, path: Path, shell: Shell) -> None:
    with path.open("rb") as opened:
        opened.seek(7 if kind == "part" else 0)
        file = {"path": path, "bytes": LARGE}.get(kind, opened)
        async with raw_api(*map(answering, (BUSY, BUSY, answer()))) as api, connecting(shell, api.url) as connector:
            reply = await connector.send(Call(UPLOAD, {"file": file}, policy=SAFE))
    assert (reply.status, len(api.requests)) == (200, 3)
    assert {body_in(request) for request in api.requests} == {LARGE[7 if kind == "part" else 0 :]}


class OnlyRead:
    """A file that can be read one time."""

    def __init__(self, content: bytes) -> None:
        self.read = io.BytesIO(content).read


async def test_what_can_be_read_once_is_sent_once_and_the_error_says_so(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers[UPLOAD.path] = Answer.of({"message": "busy"}, 503, retry_after="0")
    reply = await connector.send(Call(UPLOAD, {"file": OnlyRead(b"x")}, policy=SAFE))
    assert isinstance(reply.error, ApiError)
    assert "can be read only once" in reply.error.__notes__[0]
    assert len(api.asked) == 1


def changing(change: Callable[[], object]) -> Behaviour:
    """Answers the first request by asking for another one, after something has changed."""

    async def behave(connection: Connection) -> None:
        await connection.request()
        change()
        await connection.write(BUSY)
        await connection.request()
        await connection.write(answer())

    return behave


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (partial(Path.write_bytes, data=LARGE[:-1]), "fewer bytes than the 800000"),
        (partial(Path.write_bytes, data=LARGE + b"x"), "more bytes than the 800000"),
        (partial(Path.write_bytes, data=b""), "fewer bytes"),
        (Path.unlink, "No such file or directory"),
    ],
)
async def test_a_file_that_changes_or_goes_meanwhile_is_an_error_and_no_whole_request(
    change: Callable[[Path], object], said: str, path: Path, shell: Shell
) -> None:
    behaviours = changing(lambda: change(path)), answering(answer())
    async with raw_api(*behaviours) as api, connecting(shell, api.url) as connector:
        with pytest.raises(BrokenUpload, match=said):
            await connector.send(Call(UPLOAD, {"file": path}, policy=SAFE))
        assert len(api.requests) == 1
        assert (await connector.send(Call(UPLOAD, {"name": "x"}))).status == 200


class Failing(OnlyRead):
    def __init__(self, failure: object) -> None:
        self.pieces = iter([b"x" * 100_000, failure])
        self.read = self.next

    def next(self, _size: int) -> object:
        piece = next(self.pieces)
        if isinstance(piece, Exception):
            raise piece
        return piece


@pytest.mark.parametrize(
    ("failure", "said"), [(OSError(5, "Input/output error"), "Input/output error"), ("text", "gives str, not bytes")]
)
async def test_a_file_that_fails_on_the_way_is_an_error_and_nothing_arrives(
    failure: object, said: str, api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    with pytest.raises(BrokenUpload, match=said):
        await connector.send(Call(UPLOAD, {"file": Failing(failure)}, policy=SAFE))
    assert not [asked for asked in api.asked if asked.body]
    api.answers[UPLOAD.path] = Answer.of({"data": 1})
    assert (await connector.send(Call(UPLOAD, {"file": b"x"}))).data == 1


# How long it may take


class Slow(io.BytesIO):
    """Gives a little at a time, and each time only when some time has passed."""

    def read(self, _size: int | None = -1, /) -> bytes:
        Event().wait(0.15)
        return super().read(2)


async def test_a_moving_upload_goes_on_past_the_deadline(shell: Shell) -> None:
    async def considering(connection: Connection) -> None:
        await connection.request()
        await anyio.sleep(0.1)
        await connection.write(answer())

    async with raw_api(considering) as api, connecting(shell, api.url) as connector:
        reply = await connector.send(Call(UPLOAD, {"file": Slow(b"slowly")}, deadline=0.3))
    assert reply.data == 1


async def test_after_an_upload_the_deadline_bounds_the_first_byte_of_the_answer(shell: Shell) -> None:
    async with raw_api(stalling()) as api, connecting(shell, api.url) as connector:
        with anyio.fail_after(5), pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await connector.send(Call(UPLOAD, {"file": b"x"}, deadline=0.2))


async def test_an_api_that_takes_no_more_bytes_is_waited_for_no_longer_than_the_timeout(shell: Shell) -> None:
    async def deaf(_connection: Connection) -> None:
        await anyio.sleep_forever()

    async with raw_api(deaf) as api, connecting(shell, api.url) as connector:
        with anyio.fail_after(10), pytest.raises(OutcomeUnknown, match="did not answer in time"):
            await connector.send(Call(UPLOAD, {"file": b"x" * 50_000_000}, timeout=0.3))


async def test_an_answer_that_comes_before_the_whole_file_is_heard(hub: RunningHub, take: Action, shell: Shell) -> None:
    async with connecting(shell, hub.url, "sk-client-none") as connector:
        reply: Reply = await connector.send(Call(take, {"file": b"x" * 5_000_000}))
    assert isinstance(reply.error, Unauthenticated)


async def test_an_upload_that_is_given_up_closes_what_it_read_from(path: Path) -> None:
    async with raw_api(stalling()) as api, AsyncBosaConnector(api.url) as connector:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(connector.send, Call(UPLOAD, {"file": path}))
            await api.asked.wait()
            tasks.cancel_scope.cancel()
        with anyio.fail_after(5):
            await api.closed.wait()


async def test_no_content_of_a_file_is_in_any_repr_or_error(connector: AsyncBosaConnector) -> None:
    file = ConnectorFile(file=b"hush", headers={"x-a": "hush"})
    call = Call(UPLOAD, {"file": file, "name": 5})
    with pytest.raises(BosaError) as caught:
        await connector.send(call)
    assert "hush" not in f"{caught.value!s} {caught.value!r} {call!r} {file!r} {file!s}"
