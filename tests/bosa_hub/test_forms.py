"""Actions that take files: forms in, and what is no form refused."""

import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, Field

from bosa_hub.actions import actions, listing_item
from bosa_hub.plugin import Connector, action
from bosa_hub.serve import running
from bosa_hub.transfer import InputFile, OutputFile

_MIB = 1 << 20
_URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


class Everything(BaseModel):
    name: str = Field(description="A text.")
    count: int | None = None
    ratio: float | None = None
    on: bool | None = None
    tags: list[str] | None = None
    numbers: list[int] | None = None
    options: dict[str, int] | None = None
    file: InputFile | None = None
    files: list[InputFile] | None = None


class OneFile(BaseModel):
    file: InputFile


class Nested(BaseModel):
    inner: OneFile


class Desk(Connector):
    """Takes files."""

    def __init__(self) -> None:
        self.taken: list[InputFile] = []

    @action(effect="create")
    async def take(self, request: Everything) -> dict[str, object]:
        """Take everything, and say what arrived."""
        files = [request.file] if request.file else []
        self.taken = [*files, *(request.files or [])]
        arrived = [
            [file.filename, file.content_type, file.size, len(b"".join([chunk async for chunk in file.chunks()]))]
            for file in self.taken
        ]
        return {**request.model_dump(exclude={"file", "files"}, exclude_none=True), "arrived": arrived}

    @action(effect="create")
    async def take_one(self, request: OneFile) -> str:
        """Take one file, and fail."""
        self.taken = [request.file]
        raise RuntimeError("It fails.")

    @action(effect="read")
    async def shout(self, request: OneFile) -> OutputFile:
        """Answer with the file in capitals."""
        self.taken = [request.file]
        return OutputFile("loud.txt", _loud(request.file))


async def _loud(file: InputFile) -> AsyncIterator[bytes]:
    async for chunk in file.chunks():
        if b"?" in chunk:
            raise ValueError("It is a question.")
        yield chunk.upper()


class Attic(Connector):
    @action(effect="create")
    async def take(self, request: Nested) -> None:
        """Take what no form can hold."""


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk()


@pytest.fixture(scope="module")
def user(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with (
        running(tmp_path_factory.mktemp("data"), connectors=[desk]) as hub,
        httpx.Client(base_url=hub.url, timeout=20) as client,
    ):
        client.headers["Authorization"] = f"Bearer {hub.user_token('ada')}"
        yield client


def _take(user: httpx.Client, **more: Any) -> httpx.Response:  # noqa: ANN401  what httpx takes
    return user.post("/connectors/desk/take", **more)


def _problems(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {".".join(map(str, each["loc"][1:])): each["msg"] for each in answer.json()["detail"]}


def _fields(name: str) -> dict[str, dict[str, Any]]:
    listed: dict[str, Any] = listing_item(actions([Desk()])["desk"][name])
    return listed["request_body"]["properties"]


def test_a_file_is_a_binary_string_alone_nullable_and_in_lists() -> None:
    fields = _fields("take")
    binary, null = {"type": "string", "format": "binary"}, {"type": "null"}
    assert fields["file"]["anyOf"] == [binary, null]
    assert fields["files"]["anyOf"] == [{"type": "array", "items": binary}, null]
    assert _fields("take_one")["file"].items() >= binary.items()


def test_a_file_within_an_object_stops_the_hub_with_the_reason() -> None:
    with pytest.raises(TypeError, match="file within an object"):
        actions([Attic()])


def test_fields_and_files_arrive(user: httpx.Client) -> None:
    parts: list[tuple[str, tuple[str | None, bytes | str, str] | tuple[None, str]]] = [
        ("name", (None, "Ærø ☕")),
        ("count", (None, "3")),
        ("ratio", (None, "0.5")),
        ("on", (None, "True")),
        ("tags", (None, "a,b")),
        ("tags", (None, "c")),
        ("numbers", (None, "7")),
        ("file", ("../ü.txt", b"abc", "text/plain")),
        ("files", ("one", b"x" * 200_000, "image/png")),
        ("files", ("two", b"", "no type")),
    ]
    answer = _take(user, files=parts)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {
        "name": "Ærø ☕",
        "count": 3,
        "ratio": 0.5,
        "on": True,
        "tags": ["a,b", "c"],
        "numbers": [7],
        "arrived": [
            ["../ü.txt", "text/plain", 3, 3],
            ["one", "image/png", 200_000, 200_000],
            ["two", "application/octet-stream", 0, 0],
        ],
    }


@pytest.mark.parametrize("yes", ["true", "True"])
@pytest.mark.parametrize("no", ["false", "False"])
def test_a_form_without_files_is_urlencoded(user: httpx.Client, yes: str, no: str) -> None:
    sent = {"name": "a&b=c é", "on": yes, "tags": ["x", "y"], "numbers": "1", "response_fields": ["name", "on", "tags"]}
    assert _take(user, data=sent).json()["data"] == {"name": "a&b=c é", "on": True, "tags": ["x", "y"]}
    assert _take(user, data={"name": "n", "on": no}).json()["data"]["on"] is False


def test_json_is_refused_for_forms_only(user: httpx.Client) -> None:
    for body in ({"name": "x"}, {}):
        problems = _problems(_take(user, json=body))
        assert problems[""].startswith("This action takes files: send a form, multipart/form-data or")
    assert _problems(_take(user, content=b"x", headers={"Content-Type": "text/plain"}))[""]
    assert _take(user, content=b" " * (_MIB + 1)).status_code == 413


def test_no_body_at_all_is_an_empty_form(user: httpx.Client) -> None:
    assert _problems(_take(user)) == {"name": "Field required"}
    assert _problems(_take(user, headers=_URLENCODED)) == {"name": "Field required"}


def test_a_file_field_takes_one_part_with_a_filename(user: httpx.Client) -> None:
    expected = "Expected a file: one form part that has a filename"
    assert _problems(_take(user, data={"name": "x", "file": "text"})) == {"file": expected}
    assert _problems(_take(user, files={"name": (None, "x"), "file": (None, "text")})) == {"file": expected}
    assert _problems(_take(user, files={"name": (None, "x"), "files": (None, "text")})) == {"files.0": expected}
    twice = [("name", (None, "x")), ("file", ("a", b"a")), ("file", ("b", b"b"))]
    assert _problems(_take(user, files=twice)) == {"file": expected}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "three"),
        ("count", "1.5"),
        ("on", "perhaps"),
        ("numbers", ["1", "x"]),
        ("options", '{"a": 1}'),
        ("nam", "x"),
    ],
)
def test_what_does_not_fit_is_named(user: httpx.Client, field: str, value: object) -> None:
    assert [name.split(".")[0] for name in _problems(_take(user, data={"name": "x", field: value}))] == [field]


def test_a_field_that_is_no_list_comes_once(user: httpx.Client) -> None:
    assert _problems(_take(user, data={"name": ["x", "y"]})) == {"name": "Input should be a valid string"}


def test_a_file_where_none_belongs_is_named_and_not_sent_back(user: httpx.Client) -> None:
    refused = _take(user, files={"name": ("a.txt", b"abc"), "unknown": ("b.txt", b"abc")})
    assert set(_problems(refused)) == {"name", "unknown"}
    assert {problem["input"] for problem in refused.json()["detail"]} == {
        "<file 'a.txt', 3 bytes>",
        "<file 'b.txt', 3 bytes>",
    }
    missing = _take(user, files={"file": ("a.txt", b"abc")})
    assert missing.json()["detail"][0]["input"] == {"file": "<file 'a.txt', 3 bytes>"}


_BOUNDARY = {"Content-Type": "multipart/form-data; boundary=b"}
_NAME = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (_NAME, _BOUNDARY),
        (_NAME + b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf', _BOUNDARY),
        (_NAME + b"--b--", {"Content-Type": "multipart/form-data"}),
        (b"nonsense", _BOUNDARY),
        (b"", _BOUNDARY),
        (b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--", _BOUNDARY),
        (b"--b\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--b--", _BOUNDARY),
        (b"&".join(b"tags=%d" % n for n in range(1000)), _URLENCODED),
        (b"name=" + b"x" * 300_000, _URLENCODED),
        (_NAME.replace(b"x", b"x" * 300_000) + b"--b--", _BOUNDARY),
        (_NAME * 1000 + b"--b--", _BOUNDARY),
        (_NAME.replace(b'"name"', b'"files"; filename="a"') * 1000 + b"--b--", _BOUNDARY),
    ],
)
def test_a_form_that_is_broken_or_beyond_all_bounds_is_refused(
    user: httpx.Client, desk: Desk, body: bytes, headers: dict[str, str]
) -> None:
    desk.taken = []
    refused = _take(user, content=body, headers=headers)
    assert refused.status_code == 422, refused.text
    assert "The form cannot be read" in refused.json()["message"]
    assert desk.taken == []


def test_a_form_that_says_it_is_too_large_is_refused_unread(user: httpx.Client) -> None:
    head = f"POST /connectors/desk/take HTTP/1.1\r\nHost: localhost\r\nContent-Length: {(1 << 30) + 1}\r\n"
    head += f"Authorization: {user.headers['Authorization']}\r\nContent-Type: {_BOUNDARY['Content-Type']}\r\n\r\n"
    with socket.create_connection((user.base_url.host, user.base_url.port or 0)) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_form_without_files_is_no_larger_than_json(user: httpx.Client) -> None:
    assert _take(user, content=b"name=" + b"x" * _MIB, headers=_URLENCODED).status_code == 413


@pytest.mark.parametrize("charset", ["utf-16", "raw_unicode_escape", "zip", "nothing", "latin-1"])
def test_no_charset_brings_text_that_cannot_be_sent_back(user: httpx.Client, charset: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\\ud800\r\n--b--'
    answer = _take(user, content=body, headers={"Content-Type": f"multipart/form-data; charset={charset}; boundary=b"})
    assert answer.status_code in {200, 422}
    assert json.loads(answer.content)


def test_files_are_gone_when_the_action_has_returned_or_failed(user: httpx.Client, desk: Desk) -> None:
    assert _take(user, data={"name": "x"}, files={"file": ("a", b"x" * 100_000)}).status_code == 200
    assert all(file.file.closed for file in desk.taken)
    assert user.post("/connectors/desk/take_one", files={"file": ("a", b"x" * 100_000)}).status_code == 500
    assert all(file.file.closed for file in desk.taken)


def test_a_file_may_be_made_of_the_one_that_came_while_it_is_sent(user: httpx.Client, desk: Desk) -> None:
    large = b"abc" * _MIB
    answer = user.post("/connectors/desk/shout", files={"file": ("a.txt", large)})
    assert answer.content == large.upper()
    assert user.post("/connectors/desk/shout", files={"file": ("b.txt", b"")}).content == b""
    (file,) = desk.taken
    assert file.filename == "b.txt"
    with pytest.raises(httpx.RemoteProtocolError):
        user.post("/connectors/desk/shout", files={"file": ("c.txt", large + b"?")})
    assert user.post("/connectors/desk/take", data={"name": "x"}).status_code == 200
    assert file.file.closed
