"""Files that an action answers with: every kind of content, any name, and never whole in memory."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bosa_hub.actions import actions, listing_item
from bosa_hub.errors import NotFound
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import running
from bosa_hub.transfer import Content, OutputFile, disposition, media_type

_MIB = 1 << 20


class Wanted(BaseModel):
    kind: str
    name: str | None = None
    content_type: str | None = None
    size: int | None = None


class Press(Connector):
    """Answers files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.closed: list[str] = []

    @action(effect="read")
    async def print_out(self, request: Wanted) -> OutputFile:
        """Answer with a file."""
        contents: dict[str, Callable[[], Content]] = {
            "bytes": lambda: b"one two",
            "path": lambda: self.folder / "file",
            "open": lambda: (self.folder / "file").open("rb"),
            "list": lambda: [b"one ", b"", b"two"],
            "pieces": self._pieces,
            "awaited": self._awaited,
            "nothing": list[bytes],
            "missing": self._missing,
            "broken": self._broken,
            "large": lambda: self.folder / "large",
        }
        return OutputFile(request.name or "a.txt", contents[request.kind](), request.content_type, request.size)

    def _pieces(self) -> Iterator[bytes]:
        try:
            yield b"one "
            yield b"two"
        finally:
            self.closed.append("pieces")

    async def _awaited(self) -> AsyncIterator[bytes]:
        try:
            yield b"one "
            yield b"two"
        finally:
            self.closed.append("awaited")

    def _missing(self) -> Iterator[bytes]:
        raise NotFound("It is not there. Ask for another.")
        yield b""

    def _broken(self) -> Iterator[bytes]:
        yield b"one "
        raise RuntimeError("It breaks.")


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Press:
    folder = tmp_path_factory.mktemp("press")
    (folder / "file").write_bytes(b"one two")
    return Press(folder)


@pytest.fixture(scope="module")
def user(press: Press, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        running(tmp_path_factory.mktemp("data"), connectors=[press]) as hub,
        httpx.Client(base_url=hub.url, timeout=20) as client,
    ):
        client.headers["Authorization"] = f"Bearer {hub.user_token('ada')}"
        yield client


def _print(user: httpx.Client, kind: str, **more: object) -> httpx.Response:
    return user.post("/connectors/press/print_out", json={"kind": kind, **more})


@pytest.mark.parametrize("kind", ["bytes", "path", "open", "list", "pieces", "awaited"])
def test_a_file_is_a_path_an_open_file_or_its_pieces(user: httpx.Client, kind: str) -> None:
    answer = _print(user, kind)
    assert (answer.status_code, answer.content) == (200, b"one two")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.txt"'
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers.get("Content-Length") == ("7" if kind in {"bytes", "path"} else None)


def test_iterators_are_closed(user: httpx.Client, press: Press) -> None:
    press.closed.clear()
    for kind in ("pieces", "awaited"):
        assert _print(user, kind).status_code == 200
    assert press.closed == ["pieces", "awaited"]


def test_a_file_without_content_is_empty(user: httpx.Client) -> None:
    assert (_print(user, "nothing").status_code, _print(user, "nothing").content) == (200, b"")


def test_what_fails_before_the_first_piece_is_an_ordinary_failure(user: httpx.Client) -> None:
    refused = _print(user, "missing")
    assert (refused.status_code, refused.json()["message"]) == (404, "It is not there. Ask for another.")


@pytest.mark.parametrize(
    ("kind", "size", "said"),
    [
        ("broken", None, "It breaks."),
        ("broken", 100, "It breaks."),
        ("list", 5, "more than the 5 bytes"),
        ("awaited", 8, "1 bytes less than the 8"),
    ],
)
def test_what_fails_later_breaks_the_answer_off_and_is_logged_once(
    user: httpx.Client, caplog: pytest.LogCaptureFixture, kind: str, size: int | None, said: str
) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        _print(user, kind, size=size)
    assert _print(user, "list", size=7).content == b"one two"
    (told,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert said in str(told)


def test_a_size_that_the_first_piece_belies_is_an_ordinary_failure(user: httpx.Client) -> None:
    for kind, size in (("list", 4), ("list", 3), ("list", 0), ("nothing", 1), ("broken", 4)):
        assert _print(user, kind, size=size).status_code == 500


def test_of_a_file_that_grows_meanwhile_comes_what_was_there(user: httpx.Client, press: Press) -> None:
    large = press.folder / "large"
    with large.open("wb") as made:
        made.truncate(32 * _MIB)
    with user.stream("POST", "/connectors/press/print_out", json={"kind": "large"}) as answer:
        with large.open("ab") as more:
            more.write(b"more")
        assert sum(map(len, answer.iter_bytes())) == 32 * _MIB


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("image/png", "image/png"),
        ("text/csv; charset=latin-1", "text/csv; charset=latin-1"),
        ("application/json", "application/octet-stream"),
        ("application/vnd.api+json; charset=utf-8", "application/octet-stream"),
        ("text/plain\r\nX-Evil: 1", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
    ],
)
def test_the_media_type_is_one_and_never_that_of_an_envelope(user: httpx.Client, asked: str, sent: str) -> None:
    answer = _print(user, "list", content_type=asked)
    assert answer.headers["Content-Type"] == sent
    assert "X-Evil" not in answer.headers


def test_a_name_that_says_nothing_is_bytes(user: httpx.Client) -> None:
    for name in ("README", "data:text/html,x", "a.unknown", "http://x/a"):
        assert _print(user, "list", name=name).headers["Content-Type"] == "application/octet-stream"


@given(name=st.text(max_size=300) | st.text("\"\\%\r\n;='", max_size=20))
def test_no_name_breaks_out_of_the_header_and_all_of_it_is_told(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    plain, _, extended = header.removeprefix('attachment; filename="').partition('"')
    assert not set(plain) & set('"\\%')
    told = unquote(extended.removeprefix("; filename*=UTF-8''")) if extended else plain
    assert told == "".join(each if each.isprintable() else "_" for each in name)[:255]


@given(text=st.text(max_size=100))
def test_a_media_type_is_always_one(text: str) -> None:
    assert media_type(text).isprintable()
    assert "/" in media_type(text)


def test_an_action_that_answers_a_file_has_no_data_to_select_from(press: Press) -> None:
    item: dict[str, Any] = listing_item(actions([press])["press"]["print_out"])
    assert set(item["request_body"]["properties"]) == {"kind", "name", "content_type", "size"}
    assert item["response"] == {"type": "any"}


_HUB = """
import json, sys
from pathlib import Path
from bosa_hub.serve import running
with running(Path(sys.argv[1])) as hub:
    print(json.dumps([hub.url, hub.user_token("ada")]), flush=True)
    sys.stdin.read()
"""


def _peak(process_id: int) -> int:
    """Bytes of memory that the process has used at most."""
    (line,) = [each for each in Path(f"/proc/{process_id}/status").read_text().splitlines() if each.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="only Linux says how much memory another process used"
)
def test_64_mib_up_and_down_take_no_memory(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", _HUB, str(tmp_path / "data")]
    with (tmp_path / "large").open("wb") as large:
        large.truncate(64 * _MIB)
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment) as hub:
        assert hub.stdout
        url, token = json.loads(hub.stdout.readline())
        with httpx.Client(
            base_url=f"{url}/connectors/files", headers={"Authorization": f"Bearer {token}"}, timeout=60
        ) as user:
            _up_and_down(user, tmp_path, 100_000, "small")
            before = _peak(hub.pid)
            _up_and_down(user, tmp_path, 64 * _MIB, "large")
            assert _peak(hub.pid) - before < 20 * _MIB
        hub.communicate("")


def _up_and_down(user: httpx.Client, folder: Path, size: int, name: str) -> None:
    with (folder / name).open("wb") as made:
        made.truncate(size)
    with (folder / name).open("rb") as content:
        assert user.post("/upload_file", files={"file": (name, content)}).json()["data"]["size"] == size
    with user.stream("POST", "/download_file", json={"path": name}) as answer:
        assert sum(map(len, answer.iter_bytes())) == size
