"""Whatever a path says, what lies outside a user's own files is not made, read, moved or deleted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bosa_hub.connectors.paths import safe_name, split
from bosa_hub.errors import BadRequest
from bosa_hub.serve import RunningHub, running

_SECRET = "canary"
_NAMES = [
    "..", ".", "", "...", ".. ", " ..", "a", "b", "B", "~", "~root", "$HOME", "%2e%2e", "..%2f", "%00", "..;",
    "\ufe52\ufe52", "\uff0e\uff0e", "c:", "C:", "c:a", "\\", "..\\", "\\\\host", "a\\..", "\0", "a\0b", "\n", "\x7f",
    "\u202e", "\ufeff", "é", "e\u0301", "con", "NUL", "aux.txt", "COM1", "a.", "a ", "::$DATA", "x" * 255, "x" * 256,
    "é" * 128, "link", "LINK", "linked.txt", "dangling", "canary.txt", "tree", "incoming", "TREE", "search.db", "notes",
    "sql", "users", "mine.txt",
]  # fmt: skip
_LINKS = {"link": ".", "linked.txt": "canary.txt", "dangling": "new.txt"}
_NAME = st.sampled_from(_NAMES) | st.text(max_size=4)
_PATH = st.tuples(
    st.sampled_from(["", "", "/", "//", "./", "../", "link/", "../../"]),
    st.lists(_NAME, min_size=1, max_size=6).map("/".join),
    st.sampled_from(["", "", "/", "/canary.txt"]),
).map("".join)
_ACTIONS = [
    "list_files", "read_text_file", "download_file", "write_text_file", "upload", "upload named", "move_file",
    "move_file to", "delete_file",
]  # fmt: skip
_CALL = st.tuples(st.sampled_from(_ACTIONS), _PATH)


@dataclass(frozen=True, slots=True)
class _House:
    """A hub in a folder with canaries, and a user in whose files links to them have been put."""

    hub: RunningHub
    user: httpx.Client
    outside: Path
    tree: Path

    def call(self, action: str, path: str) -> httpx.Response:
        form: dict[str, Any] = {
            "upload": {"data": {"path": path}, "files": {"file": ("f.txt", b"mark")}},
            "upload named": {"files": {"file": (path, b"mark", "text/plain")}},
        }
        arguments = {
            "list_files": {"folder": path},
            "write_text_file": {"path": path, "text": "mark"},
            "move_file": {"path": path, "new_path": "moved.txt"},
            "move_file to": {"path": "mine.txt", "new_path": path},
        }
        if action in form:
            return self.user.post("/connectors/files/upload_file", **form[action])
        return self.user.post(
            f"/connectors/files/{action.removesuffix(' to')}", json=arguments.get(action, {"path": path})
        )

    def begin(self) -> None:
        """The user has one file, and the links."""
        rmtree(self.tree)
        self.tree.mkdir()
        for name, target in _LINKS.items():
            (self.tree / name).symlink_to(self.outside / target)
        self.call("write_text_file", "mine.txt")

    def around(self) -> Mapping[Path, bytes | None]:
        """All that is not the user's own, but for databases."""
        paths = (path for path in self.outside.rglob("*") if not path.is_relative_to(self.tree))
        return {path: path.read_bytes() if path.is_file() else None for path in paths if ".db" not in path.name}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_House]:
    outside = tmp_path_factory.mktemp("outside")
    with running(outside / "data") as hub, httpx.Client(base_url=hub.url, timeout=20) as user:
        user.headers["Authorization"] = f"Bearer {hub.user_token('ada')}"
        user_id = user.get("/users/me").json()["data"]["id"]
        for action in ("files/list_files", "notes/list_notes", "sql/list_tables"):
            assert user.post(f"/connectors/{action}", json={}).status_code == 200
        folder = hub.home.user_folder(user_id, "files")
        other = hub.home.user_folder("other", "files") / "tree"
        other.mkdir(parents=True)
        (folder / "incoming").mkdir()
        for place in (outside, outside / "data", hub.home.folder, folder.parent.parent, folder.parent, folder, other):
            (place / "canary.txt").write_text(_SECRET)
        yield _House(hub, user, outside, folder / "tree")


@settings(max_examples=100, deadline=None)
@given(calls=st.lists(_CALL, min_size=20, max_size=20))
def test_no_path_escapes(house: _House, calls: list[tuple[str, str]]) -> None:
    house.begin()
    around = house.around()
    for action, path in calls:
        answer = house.call(action, path)
        assert answer.status_code in {200, 400, 404, 409, 422}, (action, path, answer.text)
        assert _SECRET not in answer.text.replace("canary.txt", ""), (action, path)
    assert house.around() == around
    assert all((house.tree / name).is_symlink() for name in _LINKS)


@settings(max_examples=2000, deadline=None)
@given(path=_PATH | st.text(max_size=30))
@example("a/" * 64 + "b")
def test_a_path_is_names_below_the_folder_or_refused(path: str) -> None:
    try:
        names = split(path)
    except (BadRequest, UnicodeEncodeError):
        return
    top = Path("/top")
    assert (top / Path(*names)).resolve().is_relative_to(top)
    assert len(names) <= 64
    assert not any(name in {"", ".", ".."} or "/" in name or "\\" in name or "\0" in name for name in names)


@settings(max_examples=1000, deadline=None)
@given(label=_PATH | st.text(max_size=300))
def test_whatever_a_sender_calls_a_file_becomes_one_name(label: str) -> None:
    label = label.encode(errors="replace").decode()
    assert split(safe_name(label)) == (safe_name(label),)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ada\\My file.txt", "My file.txt"),
        ("..", "file"),
        ("", "file"),
        ("/", "file"),
        ("a:b\n.txt", "a_b_.txt"),
        (".profile", ".profile"),
    ],
)
def test_the_name_keeps_what_it_can(label: str, name: str) -> None:
    assert safe_name(label) == name
