"""No key, token or signed address is left in a text for the log, wherever it stands."""

import time
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_mcp.redaction import clean, redact

KEY = "sk-client-YWJj.bm90ZXM.Zm9v-_x"
USER = "sk-user-YWJj.YWRh.c2VjcmV0"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_"

texts = st.text(st.characters(exclude_characters="sey"), max_size=30)
separators = st.sampled_from([" ", '"', "'", "\n", ", ", ": ", "b'", "(", "=", "\\n", "é"])


@given(before=texts, secret=st.sampled_from([KEY, USER, JWT]), after=texts, left=separators, right=separators)
def test_a_secret_with_a_shape_is_hidden_wherever_it_stands(
    before: str, secret: str, after: str, left: str, right: str
) -> None:
    cleaned = redact(f"{before}{left}{secret}{right}{after}")
    assert secret not in cleaned
    assert secret.rpartition(".")[2] not in cleaned


@given(before=texts, secret=st.text("abcdefghij123456", min_size=8, max_size=40), after=texts)
def test_a_secret_that_is_known_is_hidden_whatever_it_looks_like(before: str, secret: str, after: str) -> None:
    assert secret not in redact(f"{before}{secret}{after}", [secret]).replace("[hidden]", "")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Authorization: Token abc def", "Authorization: [hidden]"),
        ("{'authorization': 'Digest abc', 'n': 1}", "{'authorization': '[hidden]', 'n': 1}"),
        ("[(b'cookie', b'a=b'), (b'x', b'y')]", "[(b'cookie', b'[hidden]'), (b'x', b'y')]"),
        ('{"x-api-key": "abc"}', '{"x-api-key": "[hidden]"}'),
        (r"{\"user_token\": \"abc\"}", r"{\"user_token\": \"[hidden]\"}"),
        ("secret=abc&page=2", "secret=[hidden]&page=2"),
        ("AWS_SECRET_ACCESS_KEY=abc/d", "AWS_SECRET_ACCESS_KEY=[hidden]"),
        ("private_key: abc", "private_key: [hidden]"),
        ("GET /connect/abcdefghij0123456789", "GET /connect/[hidden]"),
        ("password='a b'", "password='[hidden]'"),
        ("GET https://a.example/b?X-Amz-Signature=abc HTTP/1.1", "GET https://a.example/b?[hidden] HTTP/1.1"),
        ("https://me:abc@a.example/b", "https://[hidden]@a.example/b"),
        ("sent with Bearer abcdefgh12", "sent with Bearer [hidden]"),
    ],
)
def test_what_a_name_or_an_address_gives_away_is_hidden(text: str, cleaned: str) -> None:
    assert redact(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "the token of a user is missing",
        "Check BOSA_API_KEY and BOSA_USER_TOKEN.",
        "client key in /home/me/hub/client-key",
        "connectors and actions at http://127.0.0.1:8090/docs",
        "Send the one that begins with sk-client-.",
        "max_result_tokens=200",
        "took 5 tokens: [1, 2]",
        "2026-11-24T08:19:29.649266Z",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_values_are_cleaned_however_deep_and_whatever_they_are() -> None:
    deep: object = KEY
    for _ in range(20):
        deep = [deep]
    event = {
        "a": {"b": [KEY, 1, None, True]},
        "token": "abc",
        KEY: 1,
        "e": ValueError(JWT),
        "c": KEY.encode(),
    }
    assert clean(event) == {
        "a": {"b": ["[hidden]", 1, None, True]},
        "token": "[hidden]",
        "[hidden]": 1,
        "e": "[hidden]",
        "c": "b'[hidden]'",
    }
    assert KEY not in str(clean(deep))
    looped: dict[str, object] = {"key": KEY}
    looped["self"] = looped
    in_lists, in_objects = cast("list[Any]", clean(deep)), cast("dict[str, Any]", clean(looped))
    for _ in range(6):
        [in_lists], in_objects = in_lists, in_objects["self"]
    assert isinstance(in_lists, str)
    assert isinstance(in_objects, str)
    assert KEY not in in_objects
    assert clean([("authorization", "abc"), ("page", 2)]) == [["authorization", "[hidden]"], ["page", 2]]


@pytest.mark.parametrize("piece", ["a", "x-", "eyJ", "a://", "a.", "token ", "sk-", "authorization", '"', "api_key"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.process_time()
    redact(piece * 20_000)
    assert time.process_time() - began < 5
