"""Arguments become a form, and what cannot is said before anything is sent."""

import math
from collections.abc import AsyncGenerator
from dataclasses import replace
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser

from bosa_connectors import form
from bosa_connectors.calls import Action, Call
from bosa_connectors.errors import InvalidArguments, Problem
from bosa_connectors.form import Form, Source
from bosa_connectors.wire import encode

from .samples import action, takes

ANY = replace(action(), binary=frozenset({"file"}))


def source(
    content: bytes = b"abc", name: str = "a.txt", kind: str = "text/plain", headers: dict[str, str] | None = None
) -> Source:
    """A file in memory."""
    return Source(name, kind, len(content), lambda: iter([content] if content else []), headers=headers or {})


def body_of(arguments: dict[str, Any]) -> tuple[str, bytes]:
    kind, body = form.encode(ANY, arguments)
    assert isinstance(body, Form)
    whole = b"".join(body.chunks())
    assert body.size == len(whole)
    return kind, whole


def parsed(arguments: dict[str, Any]) -> list[tuple[str, Any]]:
    """What a server reads in the form: texts, and files as name, type and content."""
    kind, whole = body_of(arguments)

    async def stream() -> AsyncGenerator[bytes]:
        yield whole

    async def parse() -> list[tuple[str, Any]]:
        found = await MultiPartParser(Headers({"content-type": kind}), stream()).parse()
        try:
            return [(name, await read(value)) for name, value in found.multi_items()]
        finally:
            await found.close()

    async def read(value: str | UploadFile) -> object:
        return value if isinstance(value, str) else (value.filename, value.content_type, await value.read())

    return anyio.run(parse)


def problems(arguments: dict[str, Any], to: Action = ANY) -> dict[str, str]:
    with pytest.raises(InvalidArguments) as caught:
        form.encode(to, arguments)
    return {problem.path: problem.message for problem in caught.value.errors}


def test_without_a_file_the_form_is_urlencoded() -> None:
    arguments = {"a": "ä &=+", "b": True, "c": False, "d": 1, "e": 1.5, "f": ["x", "y,z"], "g": [1, True], "h": ""}
    kind, body = form.encode(ANY, arguments)
    assert kind == "application/x-www-form-urlencoded"
    assert isinstance(body, bytes)
    assert parse_qsl(body.decode(), keep_blank_values=True) == [
        ("a", "ä &=+"),
        ("b", "true"),
        ("c", "false"),
        ("d", "1"),
        ("e", "1.5"),
        ("f", "x"),
        ("f", "y,z"),
        ("g", "1"),
        ("g", "true"),
        ("h", ""),
    ]


def test_a_member_of_an_enumeration_is_what_it_stands_for() -> None:
    kind = Enum("Kind", {"OPEN": "open"}, type=str)
    _, body = form.encode(ANY, {"a": kind["OPEN"], "b": [kind["OPEN"]]})
    assert body == b"a=open&b=open"


def test_without_any_argument_the_form_is_empty() -> None:
    assert form.encode(ANY, {}) == ("application/x-www-form-urlencoded", b"")


def test_with_a_file_the_form_has_parts_and_lists_repeat_their_field() -> None:
    assert parsed({"name": "x", "on": True, "tags": ["a", "b"], "files": [source(), source(b"", "b")]}) == [
        ("name", "x"),
        ("on", "true"),
        ("tags", "a"),
        ("tags", "b"),
        ("files", ("a.txt", "text/plain", b"abc")),
        ("files", ("b", "text/plain", b"")),
    ]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]) | st.sampled_from('"\\%;='), min_size=1)


@settings(deadline=None)
@given(TEXT, NAMES, st.binary(max_size=50))
@example("", "\\", b"")
def test_what_a_server_reads_is_what_was_given(text: str, name: str, content: bytes) -> None:
    name = name[:50]
    if name[1:3] == ":\\" or name[:2] == "\\\\":  # the server takes such a name for a path
        return
    read = parsed({"text": text, "file": source(content, name)})
    said = f"{name[:-1]}_" if name.endswith("\\") else name  # the server would look for the name's end behind it
    assert read == [("text", text), ("file", (said, "text/plain", content))]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a b.txt", b'filename="a b.txt"\r\n'),
        ("größe.txt", "filename=\"größe.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.txt\r\n".encode()),
        ('a"b.txt', b'filename="a\\"b.txt"; filename*=UTF-8\'\'a%22b.txt\r\n'),
        ("a%20b.txt", b"filename=\"a%20b.txt\"; filename*=UTF-8''a%2520b.txt\r\n"),
    ],
)
def test_a_name_beyond_plain_ascii_is_said_in_both_ways(name: str, said: bytes) -> None:
    assert said in body_of({"file": source(name=name)})[1]


def test_a_files_own_headers_go_along_but_for_those_that_frame_it() -> None:
    headers = {"X-Origin": "scanner", "Content-Length": "9", "Content-Disposition": "inline", "Content-ID": "<1>"}
    _, whole = body_of({"file": source(headers=headers)})
    head = whole.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    assert head == [
        'Content-Disposition: form-data; name="file"; filename="a.txt"',
        "Content-Type: text/plain",
        "x-origin: scanner",
        "content-id: <1>",
    ]


@pytest.mark.parametrize("odd", ["text/plain\r\nX-Admin: 1", "text/plain\n", "a\x00", "täxt/plain", " "])
def test_a_content_type_with_a_line_break_is_refused_not_written_through(odd: str) -> None:
    assert "content type" in problems({"file": source(kind=odd)})["file"]


@pytest.mark.parametrize(("name", "value"), [("x\r\ny", "1"), ("x y", "1"), ("x", "1\r\ny: 2"), ("x", "ä"), ("", "1")])
def test_a_header_of_a_file_that_no_part_can_carry_is_refused(name: str, value: str) -> None:
    assert "header" in problems({"files": [source(), source(headers={name: value})]})["files.1"]


@pytest.mark.parametrize(
    ("value", "path", "said"),
    [
        ({"a": 1}, "x", "an object"),
        ([{"a": 1}], "x.0", "an object"),
        (["a", ["b"]], "x.1", "a list within a list"),
        ([None], "x.0", "null"),
        (None, "x", "null"),
        (math.nan, "x", "a number that is none"),
        ([1, math.inf], "x.1", "a number that is none"),
        ("\ud800", "x", "half of a character"),
        (b"bytes", "x", "a bytes"),
        ({1, 2}, "x", "a set"),
        ([], "x", "an empty list"),
    ],
)
@pytest.mark.parametrize("with_file", [True, False])
def test_what_a_form_cannot_say_is_refused_with_its_place(
    value: object, path: str, said: str, *, with_file: bool
) -> None:
    arguments = {"x": value, "ok": "y"} | ({"file": source()} if with_file else {})
    [(where, message)] = problems(arguments).items()
    assert where == path
    assert message.startswith(f"A form cannot say {said}")


def test_everything_that_a_form_cannot_say_is_said_at_once() -> None:
    assert set(problems({"a": {}, "b": [None, "x", []], "c": "fine"})) == {"a", "b.0", "b.2"}


def test_a_field_whose_name_would_break_the_form_is_refused() -> None:
    with pytest.raises(InvalidArguments) as caught:
        form.encode(ANY, {'x"\r\nX-Admin: 1': "y"})
    assert caught.value.errors == (
        Problem('x"\r\nX-Admin: 1', "A form cannot have a field of this name", "a printable name"),
    )


def test_a_field_may_have_any_name_that_can_be_printed() -> None:
    assert parsed({'grö"ß\\e': "y", "file": source()})[0] == ('grö"ß\\e', "y")


def test_an_empty_list_is_left_out_only_where_that_means_the_same() -> None:
    to = replace(
        action(takes(tags={"type": "array", "default": []}, cc={"type": "array"})), binary=frozenset({"files"})
    )
    assert form.encode(to, {"tags": [], "files": []})[1] == b""
    assert set(problems({"cc": []}, to)) == {"cc"}


def test_the_size_is_known_only_where_each_files_is() -> None:
    unknown = replace(source(), size=None, is_once=True)
    _, body = form.encode(ANY, {"files": [source(), unknown]})
    assert isinstance(body, Form)
    assert (body.size, body.is_once) == (None, True)


def test_a_form_says_how_long_it_is_where_that_is_known() -> None:
    known = encode(Call(ANY, {"file": source()}), api_key=None, error_contract=1)
    assert isinstance(known.body, Form)
    assert known.headers["content-length"] == str(len(b"".join(known.body.chunks())))
    unknown = encode(Call(ANY, {"file": replace(source(), size=None)}), api_key=None, error_contract=1)
    assert "content-length" not in unknown.headers
