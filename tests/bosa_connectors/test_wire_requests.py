"""A call becomes a request: method, path, headers, body."""

import json
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import Call, Credentials
from bosa_connectors.errors import BosaError, InvalidArguments
from bosa_connectors.wire import Request, base_url, encode, headers, listing, present

from .samples import action, takes

ACCEPT = {"accept": "application/json, */*"}


def request(*, credentials: Credentials | None = None, api_key: str | None = "key", **arguments: object) -> Request:
    """The request for a call with these arguments."""
    return encode(Call(action(), arguments, credentials), api_key=api_key, error_contract=1)


def test_a_call_is_a_post_of_its_arguments_to_the_path_of_its_action() -> None:
    sent = request(title="Größe 😀", size=1.5, tags=["a", None], nested={"none": None})
    assert (sent.method, sent.path) == ("POST", "/connectors/notes/do")
    assert sent.body == '{"title": "Größe 😀", "size": 1.5, "tags": ["a", null], "nested": {"none": null}}'.encode()


def said(call: Call) -> object:
    """What the body says in JSON."""
    body = encode(call, api_key=None, error_contract=1).body
    assert isinstance(body, bytes)
    return json.loads(body)


def test_optional_nulls_are_left_out_and_required_ones_stay() -> None:
    schema = takes(a={}, b={}, c={}, required=("a",))
    assert present(action(schema), {"a": None, "b": None, "c": 0}) == {"a": None, "c": 0}
    assert said(Call(action(schema), {"a": None, "b": None})) == {"a": None}


@pytest.mark.parametrize(
    ("credentials", "contract", "expected"),
    [
        (None, 1, {"x-api-key": "key"}),
        (Credentials(), 1, {"x-api-key": "key"}),
        (Credentials(api_key="theirs"), 1, {"x-api-key": "theirs"}),
        (Credentials(user_token="jwt"), 1, {"x-api-key": "key", "authorization": "Bearer jwt"}),
        (Credentials(account="me"), 1, {"x-api-key": "key", "x-bosa-integration": "me", "x-integration": "me"}),
        (None, 2, {"x-api-key": "key", "x-gl-error-contract": "2"}),
        (
            Credentials("theirs", "jwt", "me"),
            2,
            {
                "x-api-key": "theirs",
                "authorization": "Bearer jwt",
                "x-bosa-integration": "me",
                "x-integration": "me",
                "x-gl-error-contract": "2",
            },
        ),
    ],
)
def test_the_headers_say_who_calls(
    credentials: Credentials | None, contract: Literal[1, 2], expected: dict[str, str]
) -> None:
    sent = encode(Call(action(), {}, credentials), api_key="key", error_contract=contract)
    assert sent.headers == {"content-type": "application/json", **ACCEPT, **expected}


def test_without_a_key_none_is_sent() -> None:
    assert request(api_key=None).headers == {"content-type": "application/json", **ACCEPT}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (None, "/connectors/"),
        ({"modules": "notes"}, "/connectors/?modules=notes"),
        ({"modules": "a b/c&d=ü"}, "/connectors/?modules=a+b%2Fc%26d%3D%C3%BC"),
    ],
)
def test_a_listing_is_a_get_without_credentials(query: dict[str, str] | None, path: str) -> None:
    assert listing("/connectors/", query, 1) == Request("GET", path, ACCEPT, b"")
    assert listing("/connectors/", query, 2).headers == {**ACCEPT, "x-gl-error-contract": "2"}


@pytest.mark.parametrize("field", ["api_key", "user_token", "account"])
@pytest.mark.parametrize("odd", ["\r\n", "\n", "\r", "\x00", "\t", "\x7f", "ä", "日", "\ud800"])
def test_a_character_that_a_header_cannot_carry_is_refused_without_a_word_of_the_value(field: str, odd: str) -> None:
    with pytest.raises(BosaError, match="a character that a header cannot carry") as caught:
        headers(Credentials(**{field: f"hush{odd}hush"}), None, 1)
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("value", ["hush ", " hush", " "])
def test_a_space_at_either_end_is_refused_too(value: str) -> None:
    with pytest.raises(BosaError) as caught:
        headers(Credentials(api_key=value), None, 1)
    assert "hush" not in str(caught.value)


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "\ud800", {"\ud800": 1}, b"bytes", object(), {1, 2}, nested(100_000), {(1,) * 999: 1}],
    ids=["nan", "inf", "half a character", "half a key", "bytes", "object", "set", "deep", "a key that is none"],
)
def test_an_argument_that_json_cannot_say_is_an_invalid_argument(value: object) -> None:
    with pytest.raises(InvalidArguments) as refused:
        request(a=value, b="é")
    [problem] = refused.value.errors
    assert (problem.path, len(problem.message) <= 300) == ("a", True)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON.filter(lambda value: value is not None), max_size=4))
def test_what_is_sent_is_what_was_given(arguments: dict[str, Any]) -> None:
    assert said(Call(action(), arguments)) == arguments


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://api.bosa.id", "https://api.bosa.id"),
        ("https://api.bosa.id/", "https://api.bosa.id"),
        (" http://127.0.0.1:8090/prefix// ", "http://127.0.0.1:8090/prefix"),
        ("http://[::1]:8090", "http://[::1]:8090"),
        ("HTTPS://API.example/Prefix", "HTTPS://API.example/Prefix"),
    ],
)
def test_the_address_of_an_api_loses_its_trailing_slash(url: str, base: str) -> None:
    assert base_url(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.bosa.id",
        "/connectors",
        "ftp://api.bosa.id",
        "https://",
        "https:///x",
        "http://[::1",
        "https://api.bosa.id?x=1",
        "https://api.bosa.id#x",
        "https://user@api.bosa.id",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:abc",
        "http://127.0.0.1/\x00",
        "http://127.0.0.1/a\nb",
        "https://api.bosa.id?",
        "https://api.bosa.id/#",
    ],
)
def test_what_is_no_address_of_an_api_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        base_url(url)


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValueError, match=r"at api\.bosa\.id may hold a path, but no user") as caught:
        base_url("https://user:hush@api.bosa.id")
    assert "hush" not in str(caught.value)


def test_a_password_in_an_address_of_another_scheme_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="is not the address of an API") as caught:
        base_url("htps://user:hush@api.bosa.id")
    assert "hush" not in str(caught.value)
