"""An answer that is a failure becomes one value, whichever generation of the API wrote it."""

import json
import math
from typing import Any

import pytest

from bosa_connectors.errors import ApiError, NotConnected
from bosa_connectors.failures import retry_after
from bosa_connectors.wire import decode

JSON = {"content-type": "application/json"}
NO_REASON = "The API gave no reason."


def error(status: int, body: object, **headers: str) -> ApiError:
    """The error in an answer of JSON."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    reply = decode(status, {**JSON, **named}, json.dumps(body).encode())
    assert reply.error is not None
    assert (reply.status, reply.body, reply.data) == (status, body, None)
    return reply.error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": {"message": "inner", "source": "x", "reference_id": "r"}}, "inner"),
        ({"error": {"message": "inner"}, "message": "outer"}, "inner"),
        ({"message": "outer"}, "outer"),
        ({"error": "text"}, "text"),
        ({"detail": "text"}, "text"),
        ({"type": "about:blank", "title": "Out of credit", "detail": "The balance is 30."}, "The balance is 30."),
        ("text", "text"),
        ({"error": {"message": ""}, "message": "  ", "detail": "text"}, "text"),
        (
            {"errors": [{"title": "Bad", "detail": "No such id."}, {"detail": "No such page."}]},
            "No such id.; No such page.",
        ),
        ({"message": ["title is empty", "size is too large"], "statusCode": 400}, "title is empty; size is too large"),
        ({"error": [{"reason": "gone"}]}, "gone"),
        ({"error": "invalid_grant", "error_description": "The token has expired."}, "The token has expired."),
        ([{"message": "No such id."}, "No such page."], "No such id.; No such page."),
        ({"error": "Bad Request", "message": ["No such id."]}, "No such id."),
        ({"error": "Bad Request", "detail": "The name is too long."}, "The name is too long."),
        (
            {"title": "Not valid.", "errors": {"name": ["It is missing."], "age": ["It is below 0.", "It is odd."]}},
            "name: It is missing.; age: It is below 0.; It is odd.",
        ),
        ({"message": "Not valid.", "errors": {"name": ["It is missing."]}}, "Not valid. (name: It is missing.)"),
        ({"error": {"message": "Gone.", "errors": [{"message": "Gone.", "reason": "gone"}]}}, "Gone."),
        (
            {"errorMessages": ["Not valid."], "errors": {"step": "There is no step 9."}},
            "errorMessages: Not valid. (step: There is no step 9.)",
        ),
        ({"errors": {"email": {"message": "It is taken.", "kind": "unique"}, "age": ""}}, "email: It is taken."),
        ({"name": ["It is missing."], "status": 400}, "name: It is missing."),
        ({"error": {"code": "Bad", "message": {"lang": "en", "value": "No such table."}}}, "No such table."),
        ({"fault": {"faultstring": "Too many requests.", "detail": {"errorcode": "quota"}}}, "Too many requests."),
        ({"detail": [{"loc": ["body", "kind"], "msg": "It is missing."}]}, "body.kind: It is missing."),
        ({"errors": [[[[[["deep"]]]]]]}, NO_REASON),
        ({"errors": [{"id": 1}, 5, None]}, NO_REASON),
        ({"error": {"message": 5}}, NO_REASON),
        ({"error": None, "message": None}, NO_REASON),
        ({}, NO_REASON),
        ([], NO_REASON),
        (None, NO_REASON),
        (5, NO_REASON),
        ({"type": "about:blank", "title": "Out of credit"}, "Out of credit"),
    ],
)
def test_the_message_is_found_in_every_shape(body: object, message: str) -> None:
    assert error(500, body).failure.message == message


def test_where_a_page_answers_instead_of_an_api_the_address_is_doubted() -> None:
    reply = decode(404, {"content-type": "text/html; charset=utf-8"}, b"<h1>404 Not Found</h1>")
    assert str(reply.error) == "404: A web page answered, and no API. Is the API's address right?"


def test_what_the_current_generation_says_is_all_kept() -> None:
    body = {
        "error": {
            "message": "Slow down.",
            "type": "rate_limit",
            "code": "UPSTREAM_RATE_LIMITED",
            "request_id": "req-1",
            "recovery": {"retryable": True, "retry_after_seconds": 3},
            "details": {"limit": 5},
        },
        "message": "Slow down.",
    }
    failure = error(429, body, x_request_id="req-0", retry_after="9").failure
    assert (failure.status, failure.message, failure.code) == (429, "Slow down.", "UPSTREAM_RATE_LIMITED")
    assert (failure.request_id, failure.retryable, failure.retry_after) == ("req-1", True, 3.0)
    assert failure.details == {"limit": 5}


@pytest.mark.parametrize(
    ("body", "headers", "request_id"),
    [
        ({"error": {"request_id": "a", "reference_id": "c"}}, {"x_request_id": "b"}, "a"),
        ({"error": {"reference_id": "c"}}, {"x_request_id": "b"}, "b"),
        ({"error": {"reference_id": "c"}}, {}, "c"),
        ({"error": {"request_id": 5}}, {}, None),
    ],
)
def test_the_request_is_named_by_whoever_names_it(
    body: object, headers: dict[str, str], request_id: str | None
) -> None:
    assert error(500, body, **headers).failure.request_id == request_id


DETAIL: list[Any] = [{"type": "missing", "loc": ["body", "kind"], "msg": "Field required", "input": {}}]


def test_what_a_body_check_found_is_in_the_details() -> None:
    assert error(422, {"detail": DETAIL}).failure.details == DETAIL


def test_what_a_body_check_found_is_in_the_message() -> None:
    said = str(error(422, {"detail": DETAIL}))
    assert "kind" in said
    assert "Field required" in said


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        (500, {"content-type": "text/plain"}, b"It broke.", "It broke."),
        (500, {"content-type": "text/plain"}, b"", NO_REASON),
        (500, {"content-type": "text/plain; charset=utf-8"}, "Größe".encode(), "Größe"),
        (502, {"content-type": "text/html"}, b"<html>Bad gateway</html>", NO_REASON),
        (503, {}, b"It broke.", "It broke."),
        (503, {}, b"", NO_REASON),
        (500, JSON, b"{ not JSON", "{ not JSON"),
        (500, JSON, b'{"message": "\\ud800"}', "?"),
        (500, JSON, b"\xff\xfe\xff", "\N{REPLACEMENT CHARACTER}" * 3),
        (401, {"content-type": "application/problem+json"}, b'{"detail": "No key."}', "No key."),
        (500, {"content-type": "text/plain; charset=iso-8859-1"}, "Größe".encode("latin-1"), "Größe"),
        (500, {"content-type": "text/plain; charset=nonsense"}, "Größe".encode(), "Größe"),
        pytest.param(500, {"content-type": "text/plain; charset=utf-7"}, b"+2AA-", "?"),
    ],
)
def test_a_failure_that_is_not_json_is_understood(
    status: int, headers: dict[str, str], body: bytes, message: str
) -> None:
    reply = decode(status, headers, body)
    assert reply.error is not None
    assert (reply.error.status, reply.error.failure.message) == (status, message)


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://elsewhere.example/login", "https://elsewhere.example"),
        ("https://user:hush@elsewhere.example/login", "https://elsewhere.example"),
        ("/login", "another path"),
        ("", "another path"),
        ("http://[odd", ""),
    ],
)
def test_a_redirect_is_a_failure_that_says_where_it_leads(location: str, where: str) -> None:
    reply = decode(302, {"location": location}, b"")
    assert where in str(reply.error)
    assert "redirects are not followed" in str(reply.error)
    assert "hush" not in str(reply.error)


def test_no_linked_account_is_an_error_of_its_own() -> None:
    assert isinstance(error(404, {"message": "Integration does not exist: sql"}), NotConnected)


def test_what_an_api_says_is_bounded() -> None:
    long = "x" * 1_000_000
    failure = error(500, {"error": {"message": long, "code": long, "request_id": long}}).failure
    assert max(map(len, [failure.message, failure.code or "", failure.request_id or ""])) <= 2_000


DATE = {"date": "Mon, 24 Nov 2025 10:00:00 GMT"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 120 "}, 120.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Mon, 24 Nov 2025 10:01:30 GMT", **DATE}, 90.0),
        ({"retry-after": "Mon, 24 Nov 2025 11:00:10 +0100", **DATE}, 10.0),
        ({"retry-after": "Mon, 24 Nov 2025 09:00:00 GMT", **DATE}, 0.0),
        ({"retry-after": "Mon, 24 Nov 2025 10:01:30 GMT"}, None),
        ({"retry-after": "Mon, 24 Nov 2025 10:01:30 GMT", "date": "today"}, None),
        ({"retry-after": "Mon, 24 Nov 2025 10:01:30 -0000", **DATE}, None),
        ({"retry-after": "Mon, 99 Nov 2025 10:01:30 GMT", **DATE}, None),
        ({"retry-after": "Mon, 24 Nov 99999999999999999999 10:00:00 GMT", **DATE}, None),
    ],
)
def test_how_long_to_wait_is_read_from_seconds_or_from_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@pytest.mark.parametrize(
    ("recovery", "retryable", "seconds"),
    [
        ({"retryable": False}, False, 9.0),
        ({"retryable": "yes", "retry_after_seconds": "3"}, None, 9.0),
        ({"retryable": None, "retry_after_seconds": None}, None, 9.0),
        ({"retryable": True, "retry_after_seconds": 1.5}, True, 1.5),
        ({"retryable": True, "retry_after_seconds": -1}, True, 9.0),
        ({"retryable": True, "retry_after_seconds": True}, True, 9.0),
        ("soon", None, 9.0),
        ({"retryable": True, "retry_after_seconds": 0}, True, 0.0),
    ],
)
def test_the_body_says_how_long_to_wait_before_the_header_does(
    recovery: Any,  # noqa: ANN401  JSON
    retryable: bool | None,  # noqa: FBT001  a table's column
    seconds: float,
) -> None:
    failure = error(503, {"error": {"message": "x", "recovery": recovery}}, retry_after="9").failure
    assert (failure.retryable, failure.retry_after) == (retryable, seconds)


@pytest.mark.parametrize(
    ("recovery", "headers"),
    [({"retry_after_seconds": 10**400}, {}), ({}, {"retry_after": "9" * 400})],
    ids=["body", "header"],
)
def test_a_wait_is_a_finite_number_of_seconds(recovery: dict[str, Any], headers: dict[str, str]) -> None:
    wait = error(503, {"error": {"message": "x", "recovery": recovery}}, **headers).failure.retry_after
    assert wait is None or math.isfinite(wait)
