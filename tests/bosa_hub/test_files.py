import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_MIB = 1 << 20


def _call(user: httpx.Client, action: str, **arguments: object) -> httpx.Response:
    return user.post(f"/connectors/files/{action}", json=arguments)


def _data(user: httpx.Client, action: str, **arguments: object) -> Any:  # noqa: ANN401  JSON
    answer = _call(user, action, **arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def _paths(user: httpx.Client, action: str, **arguments: object) -> list[str]:
    return [entry["path"] for entry in _data(user, action, **arguments)]


@pytest.fixture
def ada_tree(ada: httpx.Client, ada_root: Path) -> Path:
    """Where her files lie, at least one of them."""
    _data(ada, "write_text_file", path="seed.txt", text="seed")
    return ada_root / "files/tree"


def test_a_text_file_is_read_as_it_was_written(ada: httpx.Client) -> None:
    text = "Ærø\r\n\0☕ end"
    written = _data(ada, "write_text_file", path="notes/today.txt", text=text)
    assert (written["path"], written["size"], written["kind"]) == ("notes/today.txt", len(text.encode()), "file")
    read = _data(ada, "read_text_file", path="./notes//today.txt")
    assert read == {
        "path": "notes/today.txt", "text": text, "size": written["size"], "modified_at": written["modified_at"],
    }  # fmt: skip
    assert read["modified_at"].endswith("Z")


def test_writing_again_replaces_the_whole_text(ada: httpx.Client, ada_root: Path) -> None:
    _data(ada, "write_text_file", path="a.txt", text="a long text")
    _data(ada, "write_text_file", path="a.txt", text="short")
    assert _data(ada, "read_text_file", path="a.txt")["text"] == "short"
    assert list((ada_root / "files/incoming").iterdir()) == []


def test_a_new_user_has_no_files(ada: httpx.Client) -> None:
    listed = _call(ada, "list_files").json()
    assert listed["data"] == []
    assert (listed["meta"]["total"], listed["meta"]["has_next"], listed["meta"]["forwards_cursor"]) == (0, False, None)
    assert _paths(ada, "search_files", query="x") == []


def test_a_folder_is_listed_in_one_order_page_by_page(ada: httpx.Client) -> None:
    for name in ("b.txt", "a.txt", "c/inner.txt", "d.txt"):
        _data(ada, "write_text_file", path=name, text=name)
    entries = _data(ada, "list_files")
    assert [(entry["path"], entry["kind"], entry["size"]) for entry in entries] == [
        ("a.txt", "file", 5),
        ("b.txt", "file", 5),
        ("c", "folder", None),
        ("d.txt", "file", 5),
    ]
    first = _call(ada, "list_files", per_page=3).json()
    assert (first["meta"]["total"], first["meta"]["has_next"]) == (4, True)
    last = _call(ada, "list_files", per_page=3, cursor=first["meta"]["forwards_cursor"]).json()
    assert first["data"] + last["data"] == entries
    assert last["meta"]["forwards_cursor"] is None
    assert _paths(ada, "list_files", folder="c") == ["c/inner.txt"]


def test_listing_what_is_no_folder_says_so(ada: httpx.Client, ada_tree: Path) -> None:
    assert ada_tree.is_dir()
    assert _call(ada, "list_files", folder="missing").status_code == 404
    assert _call(ada, "list_files", folder="missing/inner").status_code == 404
    assert _call(ada, "list_files", folder="seed.txt").status_code == 409
    assert _call(ada, "list_files", cursor="%%%").status_code == 400


def test_a_file_moves_and_never_over_another(ada: httpx.Client) -> None:
    _data(ada, "write_text_file", path="a.txt", text="a")
    _data(ada, "write_text_file", path="b.txt", text="b")
    refused = _call(ada, "move_file", path="a.txt", new_path="b.txt")
    assert refused.status_code == 409
    assert _data(ada, "move_file", path="a.txt", new_path="deep/er/a.txt")["path"] == "deep/er/a.txt"
    assert _data(ada, "read_text_file", path="deep/er/a.txt")["text"] == "a"
    assert _data(ada, "read_text_file", path="b.txt")["text"] == "b"
    assert _call(ada, "read_text_file", path="a.txt").status_code == 404
    assert _call(ada, "move_file", path="a.txt", new_path="c.txt").status_code == 404
    assert _call(ada, "move_file", path="deep", new_path="c").status_code == 409
    onto = _call(ada, "move_file", path="b.txt", new_path="deep").json()["message"]
    assert onto == "'deep' exists, and is a folder. Name a path in it, or choose another."
    assert _call(ada, "move_file", path="b.txt", new_path="./").status_code == 400


def test_files_and_empty_folders_are_deleted(ada: httpx.Client) -> None:
    _data(ada, "write_text_file", path="folder/a.txt", text="a")
    assert _call(ada, "delete_file", path="folder").status_code == 409
    assert _data(ada, "delete_file", path="folder/a.txt") == {"path": "folder/a.txt", "deleted": True}
    assert _call(ada, "delete_file", path="folder/a.txt").status_code == 404
    assert _data(ada, "delete_file", path="folder/") == {"path": "folder", "deleted": True}
    assert _call(ada, "delete_file", path=".").status_code == 409
    assert _paths(ada, "list_files") == []


def test_a_file_is_no_folder_and_a_folder_no_file(ada: httpx.Client) -> None:
    _data(ada, "write_text_file", path="file", text="")
    _data(ada, "write_text_file", path="folder/inner", text="")
    assert _call(ada, "write_text_file", path="file/inner", text="").status_code == 409
    assert _call(ada, "write_text_file", path="folder", text="").status_code == 409
    assert _call(ada, "read_text_file", path="folder").status_code == 409
    assert _call(ada, "read_text_file", path="file/inner").status_code == 409


def test_what_is_no_text_or_too_large_is_not_read(ada: httpx.Client, ada_tree: Path) -> None:
    (ada_tree / "binary").write_bytes(b"\xff\xfe")
    (ada_tree / "large").write_bytes(b"x" * (_MIB + 1))
    refused = _call(ada, "read_text_file", path="binary")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "NOT_TEXT")
    assert _call(ada, "read_text_file", path="large").status_code == 413


def test_links_and_pipes_are_neither_followed_nor_listed(ada: httpx.Client, ada_tree: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (ada_tree / "link.txt").symlink_to(tmp_path / "secret.txt")
    (ada_tree / "folder").symlink_to(tmp_path)
    (ada_tree / "dangling").symlink_to(tmp_path / "new.txt")
    os.mkfifo(ada_tree / "pipe")
    (Path(os.fsdecode(os.fsencode(ada_tree) + b"/\xff"))).write_text("no name")
    assert _paths(ada, "list_files") == ["seed.txt"]
    assert _paths(ada, "search_files", query="secret") == []
    for path in ("link.txt", "folder/secret.txt", "folder", "dangling", "pipe"):
        for action, more in [("read_text_file", {}), ("delete_file", {}), ("move_file", {"new_path": "mine.txt"})]:
            assert _call(ada, action, path=path, **more).status_code == 409
    for path in ("link.txt", "folder/new.txt", "dangling"):
        assert _call(ada, "write_text_file", path=path, text="overwritten").status_code == 409
        assert _call(ada, "move_file", path="seed.txt", new_path=path).status_code == 409
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.txt"]
    assert (tmp_path / "secret.txt").read_text() == "secret"


@pytest.mark.parametrize(
    "path",
    ["..", "../x", "a/../../x", "a/..", "/etc/passwd", "//x", "a\0b", "a\\b", "..\\x", "c:x", "a/c:/x", "a\nb", "\x7f"],
)
def test_a_path_that_could_lead_out_is_refused(ada: httpx.Client, path: str) -> None:
    _assert_refused(ada, path)


@pytest.mark.parametrize("path", ["x" * 256, "é" * 128, "a/" * 65 + "x", "ab/" * 340 + "long"])
def test_a_path_that_is_too_long_is_refused(ada: httpx.Client, path: str) -> None:
    _assert_refused(ada, path)


def _assert_refused(ada: httpx.Client, path: str) -> None:
    for action, more in [
        ("read_text_file", {}),
        ("write_text_file", {"text": "x"}),
        ("delete_file", {}),
        ("move_file", {"new_path": "x"}),
    ]:
        refused = _call(ada, action, path=path, **more)
        assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_PATH")
    assert _call(ada, "list_files", folder=path).status_code == 400


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c/d"])), max_size=6))
def test_two_users_never_see_each_others_files(
    new_user: Callable[[], httpx.Client], written: list[tuple[bool, str]]
) -> None:
    with new_user() as one, new_user() as other:
        users = {False: one, True: other}
        for second, path in written:
            _data(users[second], "write_text_file", path=path, text=f"marker {second}")
        for asking, user in users.items():
            mine = {path for second, path in written if second == asking}
            assert set(_paths(user, "search_files", query="marker")) == mine
            assert _paths(user, "search_files", query=f"marker {not asking}") == []
            for path in {path for _, path in written} - mine:
                assert _call(user, "read_text_file", path=path).status_code == 404
