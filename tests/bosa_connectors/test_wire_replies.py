"""An answer becomes a reply: data and meta, or a file."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors.calls import FileHead
from bosa_connectors.errors import BadReply
from bosa_connectors.wire import decode, decode_file, is_file, is_json

JSON = {"content-type": "application/json"}


def head(disposition: str | None, **headers: str) -> FileHead:
    """What a reply says about the file that it is."""
    said = {} if disposition is None else {"content-disposition": disposition}
    return decode_file({"content-type": "application/pdf; x=y", **said, **headers})


def data(body: bytes, content_type: str = "application/json") -> object:
    """The data of a reply with this body."""
    return decode(200, {"content-type": content_type}, body).data


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"data": {"id": 1}, "meta": {"page": 1}}, ({"id": 1}, {"page": 1})),
        ({"data": [1, 2], "meta": None}, ([1, 2], None)),
        ({"data": None, "meta": None}, (None, None)),
        ({"data": "text", "meta": None}, ("text", None)),
        ({"data": 0}, (0, None)),
        ({"data": False, "message": "ok"}, (False, None)),
        ({"id": 1}, ({"id": 1}, None)),
        ({"meta": 1}, ({"meta": 1}, None)),
        ([1], ([1], None)),
        ("text", ("text", None)),
        (None, (None, None)),
        (5, (5, None)),
    ],
)
def test_an_envelope_is_opened_and_the_body_kept_as_sent(body: Any, expected: object) -> None:  # noqa: ANN401  JSON
    reply = decode(200, JSON, json.dumps(body).encode())
    assert (reply.data, reply.meta) == expected
    assert (reply.status, reply.headers, reply.body, reply.error, reply.file) == (200, JSON, body, None, None)


@pytest.mark.parametrize(("status", "is_success"), [(199, False), (200, True), (299, True), (300, False), (404, False)])
def test_only_a_success_has_data_or_is_a_file(status: int, *, is_success: bool) -> None:
    reply = decode(status, {}, b'{"data": 1}')
    assert (reply.data, reply.error is None) == (1 if is_success else None, is_success)
    assert is_file(status, {"content-type": "text/plain"}) is is_success


@pytest.mark.parametrize("status", [200, 201, 204, 299])
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_nothing_is_a_reply_without_data(status: int, body: bytes) -> None:
    reply = decode(status, {}, body)
    assert (reply.status, reply.body, reply.data, reply.meta, reply.error) == (status, None, None, None, None)


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("APPLICATION/JSON", True),
        (" application/json ", True),
        ("application/problem+json", True),
        ("application/vnd.api+json; version=1", True),
        ("text/json", True),
        ("", True),
        (None, True),
        ("text/plain", False),
        ("text/html", False),
        ("application/octet-stream", False),
        ("application/jsonl", False),
        ("text/csv; x=json", False),
    ],
)
def test_json_is_told_from_files_by_the_content_type(content_type: str | None, *, expected: bool) -> None:
    assert is_json({} if content_type is None else {"content-type": content_type}) is expected


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"data":"Größe"}'.encode(), "application/json"),
        ('{"data":"Größe"}'.encode(), "application/json; charset=utf-8"),
        ('{"data":"Größe"}'.encode(), "application/json; charset*=utf-8'en'latin-1"),
        ('{"data":"Größe"}'.encode(), ""),
        ('{"data":"Größe"}'.encode("latin-1"), "application/json; charset=ISO-8859-1"),
        ('{"data":"Größe"}'.encode("latin-1"), 'application/json; charset="latin-1"'),
        ('{"data":"Größe"}'.encode("latin-1"), "application/json"),
        ('{"data":"Größe"}'.encode("latin-1"), "text/json; charset=UTF-8"),
        (b'{"data":"Gr' + "ö".encode("latin-1") + 'ße"}'.encode(), "application/vnd.api+json"),
        ('{"data":"Größe"}'.encode("utf-16"), "application/json; charset=utf-16"),
        ('{"data":"Größe"}'.encode("utf-16"), "application/json"),
        ('{"data":"Größe"}'.encode("utf-8-sig"), "application/json"),
        (b'{"data":"Gr\\u00f6\\u00dfe"}', "application/json"),
        ('{"data":"Größe"}'.encode("utf-8-sig"), "application/json; charset=utf-8"),
    ],
)
def test_text_is_read_in_the_charset_that_it_is_written_in(body: bytes, content_type: str) -> None:
    assert data(body, content_type) == "Größe"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("1e999", None),
        ("-1e999", None),
        ("[1.5, 1e999, 2]", [1.5, None, 2]),
        ('{"a": NaN}', {"a": None}),
        ("1e-999", 0.0),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        (r'"\ud83d\ude00"', "😀"),
        (r'"a\ud800b"', "a?b"),
        (r'"\udfffa"', "?a"),
        (r'{"\ud800": [1e999, true]}', {"?": [None, True]}),
        (r'"\\ud800"', r"\ud800"),
    ],
)
def test_what_json_cannot_say_again_becomes_harmless(written: str, read: object) -> None:
    assert data(f'{{"data": {written}}}'.encode()) == read


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (r'{"data": "\ud800"}'.encode("utf-16"), "application/json"),
        (r'{"data": "\ud800"}'.encode("utf-16"), "application/json; charset=utf-16"),
        (r'{"data": "\ud800"}'.encode("utf-32-be"), "application/json; charset=utf-32-be"),
        (b'{"data": "+2AA-"}', "application/json; charset=utf-7"),
    ],
)
def test_half_a_character_becomes_harmless_in_any_encoding(body: bytes, content_type: str) -> None:
    assert "\ud800" not in str(data(body, content_type))


@settings(deadline=None)
@given(st.text(alphabet='[]{}",:\\ud800DFaetrfuls019.-+NaInity eE', max_size=40))
def test_whatever_is_read_can_be_written_again(body: str) -> None:
    try:
        reply = decode(200, JSON, body.encode())
    except BadReply:
        return
    json.dumps(reply.body, allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"<html>", "application/json"),
        (b"{'data': 1}", "application/json"),
        (b'{"data": 1} trailing', "application/json"),
        (b'{"data": "\xff"}', "application/json"),
        (b'{"data": 1}', "application/json; charset=nonsense"),
        (b'{"data": 1}', "application/json; charset=hex"),
        (b'{"data": 1}', "application/json; charset=ascii\x00"),
        (b'{"data": "\xff"}', "application/json; charset=ascii"),
        (b'{"data": ' + b"9" * 5_000 + b"}", "application/json"),
        (b"[" * 100_000 + b"]" * 100_000, "application/json"),
        (b"plain words", ""),
    ],
)
def test_a_success_that_cannot_be_read_is_a_bad_reply(body: bytes, content_type: str) -> None:
    with pytest.raises(BadReply, match="says that it is JSON and is not"):
        data(body, content_type)


def test_half_a_character_that_is_not_even_utf_8_is_refused_or_harmless() -> None:
    try:
        read = data(b'{"data": "\xed\xa0\x80"}')
    except BadReply:
        return
    assert "\ud800" not in str(read)


def test_a_charset_that_is_said_in_pieces_is_no_reason_to_fail() -> None:
    assert data(b'{"data": 1}', "application/json; charset*=a; charset*0=utf-8") == 1


# Files


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="report.pdf"', "report.pdf"),
        ("attachment; filename=report.pdf", "report.pdf"),
        ("ATTACHMENT; FILENAME=report.pdf", "report.pdf"),
        ('inline; filename="a; b.pdf"', "a; b.pdf"),
        (r'attachment; filename="say \"hi\".pdf"', 'say "hi".pdf'),
        ('attachment; filename="größe.pdf"', "größe.pdf"),
        ("attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E6%97%A5.pdf", "größe 日.pdf"),
        ("attachment; filename*=utf-8'de'gr%C3%B6%C3%9Fe.pdf", "größe.pdf"),
        ("attachment; filename*=ISO-8859-1''gr%F6%DFe.pdf", "größe.pdf"),
        ("attachment; filename*=nonsense''a.pdf", "a.pdf"),
        ("attachment; filename*=UTF-8''%ff.pdf", "\N{REPLACEMENT CHARACTER}.pdf"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        (r'attachment; filename="C:\\temp\\a.pdf"', "a.pdf"),
        ('attachment; filename="reports/"', None),
        ("attachment", None),
        ("", None),
        (None, None),
        ('form-data; name="report"', None),
    ],
)
def test_the_name_of_a_file_is_the_label_that_the_api_wrote_and_no_path(
    disposition: str | None, name: str | None
) -> None:
    assert head(disposition).name == name


@pytest.mark.parametrize(
    "disposition",
    [
        "attachment; filename=\"grosse.pdf\"; filename*=UTF-8''gr%C3%B6%C3%9Fe.pdf",
        "attachment; filename*=UTF-8''gr%C3%B6%C3%9Fe.pdf; filename=grosse.pdf",
    ],
)
def test_the_full_name_counts_where_an_ascii_stand_in_is_beside_it(disposition: str) -> None:
    assert head(disposition).name == "größe.pdf"


def test_a_name_that_is_said_in_pieces_is_no_reason_to_fail() -> None:
    assert head("attachment; filename*=UTF-8''a; filename*0=b").name in {"a", "b", None}


@pytest.mark.parametrize("charset", ["idna", "undefined", "punycode", "utf-7", "unicode_escape", "raw_unicode_escape"])
def test_no_charset_makes_a_file_fail(charset: str) -> None:
    name = head(f"attachment; filename*={charset}''+2AA-%C3%5Cud800.pdf").name or ""
    assert name.encode().decode() == name


def test_a_file_has_the_type_and_the_size_that_the_api_says() -> None:
    assert head("attachment", **{"content-length": "12"}) == FileHead(None, "application/pdf", 12)


@pytest.mark.parametrize("size", ["", "-1", "1.5", "many", "²"])
def test_a_size_that_is_no_number_is_unknown(size: str) -> None:
    assert head(None, **{"content-length": size}).size is None


def test_a_size_of_too_many_digits_is_unknown() -> None:
    assert head(None, **{"content-length": "9" * 5_000}).size is None


def test_the_size_of_a_compressed_file_is_unknown() -> None:
    assert head(None, **{"content-length": "12", "content-encoding": "gzip"}).size is None


@settings(deadline=None)
@given(st.lists(st.sampled_from(["filename", "*", "=", ";", '"', "'", "UTF-8''", "%C3", "\\", " ", "x"])))
def test_no_header_makes_a_file_fail(pieces: list[str]) -> None:
    assert head(f"attachment; {''.join(pieces)}").content_type == "application/pdf"
