import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from bosa_hub.serve import RunningHub

_UPLOAD, _DOWNLOAD = "/connectors/files/upload_file", "/connectors/files/download_file"


def _upload(user: httpx.Client, name: str, content: bytes, **data: str) -> httpx.Response:
    return user.post(_UPLOAD, files={"file": (name, content)}, data=data)


def _download(user: httpx.Client, path: str) -> httpx.Response:
    return user.post(_DOWNLOAD, json={"path": path})


def test_a_file_comes_back_as_it_was_sent(ada: httpx.Client, ada_root: Path) -> None:
    content = os.urandom(3_000_000)
    kept = _upload(ada, "photo.jpg", content, path="trip/day one.jpg")
    assert kept.status_code == 200, kept.text
    assert kept.json()["data"].items() >= {"path": "trip/day one.jpg", "size": 3_000_000, "kind": "file"}.items()
    back = _download(ada, "trip/day one.jpg")
    assert back.content == content
    assert back.headers["Content-Type"] == "image/jpeg"
    assert back.headers["Content-Length"] == "3000000"
    assert back.headers["Content-Disposition"] == 'attachment; filename="day one.jpg"'
    assert back.headers["X-Request-ID"]
    assert list((ada_root / "files/incoming").iterdir()) == []


def test_an_empty_file_is_a_file(ada: httpx.Client) -> None:
    assert _upload(ada, "empty", b"").json()["data"]["size"] == 0
    back = _download(ada, "empty")
    assert (back.status_code, back.content, back.headers["Content-Length"]) == (200, b"", "0")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\b.txt", "b.txt"),
        ("..", "file"),
        ("ü ☕.txt", "ü ☕.txt"),
    ],
)
def test_without_a_path_a_file_keeps_the_last_part_of_its_name(ada: httpx.Client, name: str, path: str) -> None:
    assert _upload(ada, name, b"x").json()["data"]["path"] == path
    disposition = _download(ada, path).headers["Content-Disposition"]
    assert (f"filename*=UTF-8''{quote(path)}" in disposition) == (not path.isascii())


def test_nothing_is_overwritten(ada: httpx.Client, ada_root: Path) -> None:
    assert _upload(ada, "a.txt", b"first", path="b/a.txt").status_code == 200
    for path in ("b/a.txt", "b"):
        refused = _upload(ada, "a.txt", b"second", path=path)
        assert refused.status_code == 409
        assert "exists" in refused.json()["message"]
    assert _upload(ada, "a.txt", b"second", path="b/a.txt/c").status_code == 409
    assert _download(ada, "b/a.txt").content == b"first"
    assert list((ada_root / "files/incoming").iterdir()) == []


def test_of_uploads_at_once_to_one_path_exactly_one_lands(ada: httpx.Client) -> None:
    with ThreadPoolExecutor() as threads:
        uploads = [threads.submit(_upload, ada, "a", bytes([each]) * 300_000) for each in range(8)]
    statuses = [upload.result().status_code for upload in uploads]
    assert sorted(statuses) == [200] + [409] * 7
    winner = statuses.index(200)
    assert _download(ada, "a").content == bytes([winner]) * 300_000


def test_two_users_keep_their_files_apart(ada: httpx.Client, bob: httpx.Client) -> None:
    assert _upload(ada, "mine", b"ada's").status_code == _upload(bob, "mine", b"bob's").status_code == 200
    assert (_download(ada, "mine").content, _download(bob, "mine").content) == (b"ada's", b"bob's")
    assert _upload(ada, "only", b"x").status_code == 200
    assert _download(bob, "only").status_code == 404


def test_a_json_file_is_not_taken_for_an_answer(ada: httpx.Client) -> None:
    _upload(ada, "data.json", b'{"data": 1}')
    assert _download(ada, "data.json").headers["Content-Type"] == "application/octet-stream"


def test_what_is_no_file_is_not_downloaded(ada: httpx.Client, ada_root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    _upload(ada, "a", b"x", path="folder/a")
    (ada_root / "files/tree/link").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(ada_root / "files/tree/pipe")
    assert _download(ada, "missing").status_code == 404
    assert [_download(ada, path).status_code for path in ("folder", "link", "pipe")] == [409] * 3
    assert _upload(ada, "a", b"x", path="link").status_code == 409
    assert (tmp_path / "secret.txt").read_text() == "secret"


def test_an_upload_that_breaks_off_leaves_nothing(hub: RunningHub, ada: httpx.Client, ada_root: Path) -> None:
    address = httpx.URL(hub.url)
    head = f"POST {_UPLOAD} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {ada.headers['Authorization']}\r\n"
    head += "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 2000000\r\n\r\n"
    part = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    with socket.create_connection((address.host, address.port or 0)) as connection:
        connection.sendall((head + part).encode() + b"x" * 1_000_000)
    assert ada.post("/connectors/files/list_files", json={}).json()["data"] == []
    assert [path for path in (ada_root / "files").rglob("*") if path.is_file()] == []


def test_a_download_that_breaks_off_harms_nobody(ada: httpx.Client) -> None:
    _upload(ada, "large", b"x" * 20_000_000)
    with ada.stream("POST", _DOWNLOAD, json={"path": "large"}) as answer:
        assert next(answer.iter_bytes(1000)) == b"x" * 1000
    assert len(_download(ada, "large").content) == 20_000_000


def test_a_file_that_is_replaced_while_it_is_downloaded_stays_whole(ada: httpx.Client) -> None:
    _upload(ada, "a", b"x" * 20_000_000)
    with ada.stream("POST", _DOWNLOAD, json={"path": "a"}) as answer:
        assert ada.post("/connectors/files/write_text_file", json={"path": "a", "text": "new"}).status_code == 200
        assert answer.read() == b"x" * 20_000_000
    assert _download(ada, "a").content == b"new"


def test_what_a_crash_left_behind_is_gone_after_a_day(ada: httpx.Client, ada_root: Path) -> None:
    _upload(ada, "a", b"x")
    incoming = ada_root / "files/incoming"
    for name, age in {"old": 90_000, "young": 1000}.items():
        (incoming / name).write_text("left")
        os.utime(incoming / name, (time.time() - age, time.time() - age))
    _upload(ada, "b", b"x")
    assert [path.name for path in incoming.iterdir()] == ["young"]


def test_all_notes_come_as_one_markdown_file(ada: httpx.Client, bob: httpx.Client) -> None:
    for number in range(3):
        note = {"title": f"Note\n{number}", "body": "# ☕\n" * number, "tags": ["a", "b"][:number]}
        assert ada.post("/connectors/notes/create_note", json=note).status_code == 200
    exported = ada.post("/connectors/notes/export_notes", json={})
    assert exported.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert exported.headers["Content-Disposition"] == 'attachment; filename="notes.md"'
    lines = exported.text.splitlines()
    assert lines[0] == "# Notes"
    assert [line for line in lines if line.startswith("## ")] == ["## Note 0", "## Note 1", "## Note 2"]
    assert [line[17:] for line in lines if line.startswith("*")] == ["*", ", a*", ", a, b*"]
    assert lines[-2:] == ["# ☕", "# ☕"]
    assert bob.post("/connectors/notes/export_notes").text == "# Notes\n"
