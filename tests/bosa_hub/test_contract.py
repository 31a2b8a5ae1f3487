import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bosa_hub.serve import RunningHub

_MIB = 1 << 20


def test_names_are_a_bare_array_and_the_older_listing_has_them_as_keys(anyone: httpx.Client) -> None:
    names = anyone.get("/connectors/names").json()
    assert names == ["files", "notes", "sql", "probe"]
    assert list(anyone.get("/connectors").json()) == names
    assert list(anyone.get("/connectors/").json()) == names


def test_a_listing_of_some_connectors_leaves_out_the_unknown(anyone: httpx.Client) -> None:
    assert list(anyone.get("/connectors/", params={"modules": "sql,nothing,notes"}).json()) == ["notes", "sql"]
    assert anyone.get("/connectors/", params={"modules": "nothing"}).json() == {}


def test_every_answer_says_its_request_id_contract_and_content_type(anyone: httpx.Client) -> None:
    asked = {"X-GL-Error-Contract": "2"}
    answers = [anyone.get("/connectors/names"), anyone.get("/nothing"), anyone.get("/users/me", headers=asked)]
    assert [answer.status_code for answer in answers] == [200, 404, 401]
    assert [answer.headers["X-GL-Error-Contract"] for answer in answers] == ["1", "1", "2"]
    assert {answer.headers["Content-Type"] for answer in answers} == {"application/json"}
    assert len({answer.headers["X-Request-ID"] for answer in answers}) == 3


def test_success_is_data_and_meta_with_keys_of_data_in_snake_case(ada: httpx.Client) -> None:
    found = ada.post("/connectors/probe/get", json={"shape": "object"})
    assert found.status_code == 200
    assert found.json() == {
        "data": {"aB": 1, "a_b": 2, "http_server": {"user_id2": [{"c_d": None}]}},
        "meta": None,
    }
    assert ada.post("/connectors/probe/get", json={"shape": "list"}).json()["data"] == [{"a_b": 1}, "text", 3]
    assert ada.post("/connectors/probe/get", json={"shape": "null"}).json() == {"data": None, "meta": None}
    assert ada.post("/connectors/probe/get", json={"shape": "infinite"}).json()["data"] is None
    assert ada.post("/connectors/probe/annotated").json() == {"data": [1], "meta": {"camelCase": "kept"}}


def test_response_fields_select_from_data(ada: httpx.Client) -> None:
    asked = {"shape": "object", "response_fields": ["http_server.user_id2.c_d", "missing"]}
    answer = ada.post("/connectors/probe/get", json=asked).json()
    assert answer["data"] == {"http_server": {"user_id2": [{"c_d": None}]}}


def test_an_action_without_input_takes_an_empty_body_and_no_arguments(ada: httpx.Client) -> None:
    assert ada.post("/connectors/probe/ping").json() == {"data": None, "meta": None}
    assert ada.post("/connectors/probe/ping", json={}).status_code == 200
    assert (
        ada.post("/connectors/probe/ping", json={"x": 1}).json()["detail"][0]["msg"]
        == "Unknown field. Known ones: none"
    )


def test_cursors_lead_to_the_last_page(ada: httpx.Client) -> None:
    def pages() -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = ada.post("/connectors/probe/numbers", json={"cursor": cursor}).json()
            yield page
            cursor = page["meta"]["forwards_cursor"]
            if cursor is None:
                return

    found = list(pages())
    assert [page["data"] for page in found] == [[0, 1], [2, 3], [4, 5]]
    assert [page["meta"]["has_next"] for page in found] == [True, True, False]


def test_an_unknown_argument_is_refused_by_name(ada: httpx.Client) -> None:
    refused = ada.post("/connectors/probe/get", json={"shape": "text", "shap": 1})
    assert refused.status_code == 422
    assert refused.json()["detail"] == [
        {
            "type": "extra_forbidden",
            "loc": ["body", "shap"],
            "msg": "Unknown field. Known ones: shape, response_fields, response_filters",
            "input": 1,
        }
    ]
    assert "shap: Unknown field" in refused.json()["message"]


def test_wrong_values_are_sent_back_within_bounds(ada: httpx.Client) -> None:
    sent = {"shape": ["x" * 1000], "response_fields": "y" * 1000, "a": {"b": 1}, "c": None}
    detail = ada.post("/connectors/probe/get", json=sent).json()["detail"]
    assert [problem["input"] for problem in detail] == ["…", "y" * 200, {"b": 1}, None]
    assert "(and 1 more)" in ada.post("/connectors/probe/get", json=sent).json()["message"]


@pytest.mark.parametrize(
    "body",
    [b"{bad", b"[1]", b'"text"', b"\xff", b'{"shape": NaN}', b'{"shape": "\\ud800"}', b"[" * 10_000, b"1" * 10_000],
)
def test_a_body_that_is_no_json_object_is_refused(ada: httpx.Client, body: bytes) -> None:
    refused = ada.post("/connectors/probe/get", content=body)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body"]


@pytest.mark.parametrize("size", [_MIB + 1, 5 * _MIB])
def test_a_body_that_is_too_large_is_refused_with_or_without_its_length(ada: httpx.Client, size: int) -> None:
    for content in (b" " * size, iter([b" " * _MIB, b" " * (size - _MIB)])):
        refused = ada.post("/connectors/probe/get", content=content)
        assert refused.status_code == 413
        assert "Send less" in refused.json()["message"]


def test_a_body_without_end_is_refused_as_soon_as_it_is_too_large(hub: RunningHub, ada: httpx.Client) -> None:
    address = httpx.URL(hub.url)
    head = "POST /connectors/probe/get HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    head += f"Authorization: {ada.headers['Authorization']}\r\n\r\n"
    chunk = b"%x\r\n%b\r\n" % (_MIB, b" " * _MIB)
    with socket.create_connection((address.host, address.port or 0)) as connection:
        connection.sendall(head.encode() + chunk + chunk)
        assert connection.recv(1000).startswith(b"HTTP/1.1 413")


def test_a_head_without_end_is_refused_before_it_fills_memory(hub: RunningHub) -> None:
    address = httpx.URL(hub.url)
    with socket.create_connection((address.host, address.port or 0), 10) as connection:
        connection.sendall(b"GET /connectors/names HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 100_000)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def _failures(ada: httpx.Client, anyone: httpx.Client) -> dict[int, httpx.Response]:
    answers = [
        ada.post("/connectors/sql/query", json={"query": "nonsense"}),
        anyone.post("/connectors/probe/ping"),
        ada.post("/connectors/sql/query", json={"query": "DELETE FROM books"}),
        ada.get("/nothing"),
        ada.put("/users/me"),
        ada.post("/connectors/probe/refuse"),
        ada.post("/connectors/probe/get", content=b" " * (_MIB + 1)),
        ada.get("/users/me", headers={"Host": "evil.example"}),
        ada.post("/connectors/probe/get", json={}),
        ada.post("/connectors/probe/break_down"),
    ]
    return {answer.status_code: answer for answer in answers}


def test_every_failure_pleases_all_generations(ada: httpx.Client, anyone: httpx.Client) -> None:
    failures = _failures(ada, anyone)
    assert list(failures) == [400, 401, 403, 404, 405, 409, 413, 421, 422, 500]
    for answer in failures.values():
        body = answer.json()
        error = body["error"]
        assert body["message"] == error["message"]
        assert set(error) == {
            "message", "type", "code", "source", "reference_id", "request_id", "recovery", "details",
        }  # fmt: skip
        assert error["code"] == error["code"].upper()
        assert error["request_id"] == error["reference_id"] == answer.headers["X-Request-ID"]
        assert error["recovery"] == {"retryable": False, "retry_after_seconds": None}
        assert answer.headers["Content-Type"] == "application/json"
        assert "Traceback" not in answer.text
    assert failures[405].headers["Allow"]


def test_a_typed_error_keeps_its_code_and_details(ada: httpx.Client) -> None:
    error = ada.post("/connectors/probe/refuse").json()["error"]
    assert (error["type"], error["code"], error["details"]) == ("Conflict", "TAKEN", {"name": "it"})


def test_an_unexpected_failure_is_logged_and_not_told(ada: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    answer = ada.post("/connectors/probe/break_down")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.name == "bosa_hub"]
    assert answer.headers["X-Request-ID"] in record.getMessage()
    assert record.exc_info


@pytest.mark.parametrize("path", ["/connectors/nothing/get", "/connectors/probe/nothing", "/connectors/probe/a/b"])
def test_an_unknown_connector_or_action_is_not_found(ada: httpx.Client, path: str) -> None:
    assert ada.post(path, json={}).status_code == 404
    assert ada.get("/connectors/nothing/auth-schema").status_code == 404


def test_connectors_need_no_account_yet(ada: httpx.Client, anyone: httpx.Client) -> None:
    assert ada.get("/connectors/notes/integration-exists").json() == {"data": {"has_integration": False}, "meta": None}
    assert anyone.get("/connectors/notes/integration-exists").status_code == 401
    assert anyone.get("/connectors/notes/auth-schema").json()["data"] == {"supported_auth_types": []}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:1234", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("10.0.0.1", 421),
        ("", 421),
    ],
)
def test_only_the_hubs_own_names_are_answered(anyone: httpx.Client, host: str, status: int) -> None:
    assert anyone.get("/connectors/names", headers={"Host": host}).status_code == status


def test_other_origins_are_told_nothing(hub: RunningHub) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(f"{hub.url}/connectors/notes/create_note", headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_listings_are_json_that_round_trips(anyone: httpx.Client) -> None:
    text = anyone.get("/connectors").text
    assert json.loads(json.dumps(json.loads(text))) == json.loads(text)
