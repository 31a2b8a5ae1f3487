"""Files to and from the published server, over both shells of the SDK."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from bosa_connectors import Action, AsyncBosaConnector, BosaConnector, Call, Credentials
from bosa_connectors.download import AsyncDownload, StreamedReply
from bosa_connectors.models.file import ConnectorFile

from ..bosa_connectors.shells import SHELLS, Shell, connecting  # noqa: TID252  test folders are no packages
from .published import PublishedServer

LARGE = bytes(range(256)) * 4_000
URLENCODED = "application/x-www-form-urlencoded"


@pytest.fixture(params=SHELLS)
async def connector(
    request: pytest.FixtureRequest, published_server: PublishedServer
) -> AsyncIterator[AsyncBosaConnector]:
    shell: Shell = request.param
    async with connecting(shell, published_server.url, published_server.client_key) as connector:
        yield connector


@pytest.fixture
def credentials(published_user: str) -> Credentials:
    return Credentials(user_token=published_user)


@pytest.fixture(scope="module")
def actions(published_server: PublishedServer) -> dict[str, Action]:
    with BosaConnector(published_server.url) as connector:
        return dict(connector.catalogue("probe"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / 'größe "1" 100%.pdf'
    path.write_bytes(LARGE)
    return path


def content(path: Path) -> bytes:
    """What is in a file."""
    return path.read_bytes()


async def test_files_of_every_kind_arrive(
    connector: AsyncBosaConnector, credentials: Credentials, actions: dict[str, Action], path: Path
) -> None:
    named = ConnectorFile(file=b"abc", filename="a\r\nb.txt", content_type="text/x-own", headers={"X-Origin": "desk"})
    with path.open("rb") as opened:
        arguments = {"name": "x", "tags": ["a", "b,c"], "file": path, "files": [b"raw", opened, named]}
        reply: Any = await connector.send(Call(actions["upload"], arguments, credentials))
    assert reply.error is None
    assert (reply.data["name"], reply.data["tags"]) == ("x", ["a", "b,c"])
    assert reply.data["files"] == [
        {"filename": path.name, "content_type": "application/pdf", "size": len(LARGE)},
        {"filename": "file", "content_type": "application/octet-stream", "size": 3},
        {"filename": path.name, "content_type": "application/pdf", "size": len(LARGE)},
        {"filename": "a__b.txt", "content_type": "text/x-own", "size": 3},
    ]


@pytest.mark.parametrize("more", [{}, {"tags": ["ä", "b&c=d"]}, {"file": None, "files": []}])
async def test_without_a_file_the_action_is_answered_too(
    more: dict[str, object], connector: AsyncBosaConnector, credentials: Credentials, actions: dict[str, Action]
) -> None:
    reply = await connector.send(Call(actions["upload"], {"name": "x", **more}, credentials))
    assert reply.data == {"name": "x", "tags": more.get("tags"), "files": [], "sent_as": URLENCODED}


async def test_a_file_without_a_length_arrives(
    connector: AsyncBosaConnector, credentials: Credentials, actions: dict[str, Action]
) -> None:
    class OnlyRead:
        pieces = iter([b"abc", b"de", b""])

        def read(self, _size: int) -> bytes:
            return next(self.pieces)

    reply: Any = await connector.send(Call(actions["upload"], {"name": "x", "file": OnlyRead()}, credentials))
    assert reply.data["files"][0]["size"] == 5


async def test_a_file_comes_back_whole_under_a_safe_name(
    connector: AsyncBosaConnector, credentials: Credentials, actions: dict[str, Action], tmp_path: Path
) -> None:
    call = Call(actions["download"], {"size": 300_000, "filename": "../../etc/passwd"}, credentials)
    held = (await connector.send(call)).data
    assert isinstance(held, ConnectorFile)
    assert (len(held.file), held.filename) == (300_000, "passwd")
    async with connector.stream(call) as reply:
        arriving = cast("AsyncDownload", reply.file)
        assert arriving.size == 300_000
        saved = await arriving.save(tmp_path)
    assert saved == tmp_path / "passwd"
    assert content(saved) == held.file


def test_execute_gives_a_file_and_its_status(
    published_server: PublishedServer, published_user: str, actions: dict[str, Action]
) -> None:
    with BosaConnector(published_server.url, published_server.client_key) as connector:
        file, status = connector.execute(
            "probe", "download", token=published_user, input_={"size": 3, "filename": "a.bin"}
        )
        with connector.stream(
            Call(actions["download"], {"size": 3, "filename": "a"}, Credentials(user_token=published_user))
        ) as reply:
            assert isinstance(reply, StreamedReply)
            assert reply.file.read() == file.file
    assert (status, file.filename, file.content_type) == (200, "a.bin", "application/octet-stream")
    assert file.headers["content-length"] == "3"
