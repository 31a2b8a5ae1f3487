"""What a response says of itself, and which items a page holds."""

from typing import Any

import pytest

from bosa_connectors.action_response import ActionResponse, AsyncActionResponse
from bosa_connectors.calls import Action, Call, Credentials, Reply
from bosa_connectors.errors import ApiError, NotFound
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.wire import decode

from .pages import paged, reply, responding
from .shells import Shell

FILE = ConnectorFile(file=b"%PDF", filename="a.pdf", content_type="application/pdf")
JSON = {"content-type": "application/json"}


def respond(shell: Shell, given: Reply, action: Action | None = None) -> AsyncActionResponse:
    """The response to a call that was answered so."""
    return responding(shell, lambda _: given, Call(action or paged("page"), {}))


@pytest.mark.parametrize(
    ("body", "data", "meta", "is_list"),
    [
        (b'{"data": [1, 2], "meta": {"page": 1}}', [1, 2], {"page": 1}, True),
        (b'{"data": {"id": 1}, "meta": null}', {"id": 1}, {}, False),
        (b'{"data": null, "meta": null}', None, {}, False),
        (b'{"data": 5, "meta": null}', 5, {}, False),
        (b'{"data": [], "meta": "odd"}', [], {}, True),
        (b'{"data": "text"}', "text", {}, False),
        (b"[1, 2]", [1, 2], {}, True),
        (b"", None, {}, False),
    ],
)
async def test_a_response_says_what_the_api_answered(
    shell: Shell, body: bytes, data: object, meta: object, is_list: object
) -> None:
    response = respond(shell, decode(200, JSON, body))
    assert (response.get_data(), response.get_meta(), response.get_status()) == (data, meta, 200)
    assert (response.is_list(), response.has_next(), response.has_prev()) == (is_list, False, False)
    assert (response.ok, response.error, response.request_id) == (True, None, None)
    assert await response.get_all_items() == [{"data": data, "meta": meta}]
    assert (await response.next_page()).get_data() == data
    assert (await response.prev_page()).get_data() == data


def test_a_response_without_further_pages_is_its_own_next_page() -> None:
    response = ActionResponse(lambda _: reply(), Call(paged("page"), {}), reply())
    assert response.next_page() is response
    assert response.prev_page() is response
    assert response.raise_for_status() is response


async def test_a_response_that_failed_holds_the_body_and_the_error(shell: Shell) -> None:
    body = b'{"error": {"message": "gone", "request_id": "r-1"}, "message": "gone"}'
    response = respond(shell, decode(404, JSON, body))
    assert response.get_data() == {"error": {"message": "gone", "request_id": "r-1"}, "message": "gone"}
    assert (response.get_status(), response.get_meta(), response.is_list()) == (404, {}, False)
    assert (response.ok, response.request_id) == (False, "r-1")
    assert isinstance(response.error, NotFound)
    with pytest.raises(NotFound, match="gone"):
        response.raise_for_status()


@pytest.mark.parametrize(("body", "data"), [(b"Internal Server Error", "Internal Server Error"), (b"[1]", [1])])
async def test_a_failure_of_any_shape_is_no_data(shell: Shell, body: bytes, data: object) -> None:
    kind = JSON if body.startswith(b"[") else {"content-type": "text/plain"}
    response = respond(shell, decode(500, kind, body))
    assert (response.get_data(), response.is_list(), response.has_next()) == (data, False, False)
    assert isinstance(response.error, ApiError)


@pytest.mark.parametrize("status", [200, 500])
async def test_the_name_of_the_request_is_that_of_the_header(shell: Shell, status: int) -> None:
    response = respond(shell, decode(status, {**JSON, "x-request-id": "r-2"}, b'{"data": 1}'))
    assert response.request_id == "r-2"


async def test_a_file_has_no_pages(shell: Shell) -> None:
    response = respond(shell, Reply(200, {}, FILE, FILE))
    assert (response.get_data(), response.is_list(), response.has_next(), response.has_prev()) == (
        FILE,
        False,
        False,
        False,
    )
    assert [item async for item in response.iter_items()] == [FILE]
    assert await response.get_all_items() == [{"data": FILE, "meta": {}}]


@pytest.mark.parametrize("kind", [ActionResponse, AsyncActionResponse])
def test_a_response_shows_neither_secrets_nor_data(kind: Any) -> None:  # noqa: ANN401  a class of either shell
    call = Call(paged("page"), {"password": "hunter2"}, Credentials("sk-client", "jwt"), headers={"x-own": "mine"})
    shown = repr(kind(None, call, reply({"forwards_cursor": "c"}, "private")))
    assert shown == f"<{kind.__name__} 200 of notes.do>"


N = {"id": 1}
PAGES: list[tuple[list[str], Any, list[Any]]] = [
    (["page"], [N, None, 5], [N, None, 5]),
    (["page"], {"items": [N, N], "total": 2}, [N, N]),
    (["page"], {"items": [], "total": 0}, []),
    (["page"], {"items": [N], "warnings": []}, [N]),
    (["page"], {"items": [], "warnings": []}, []),
    (["id"], {"items": [], "warnings": []}, [{"items": [], "warnings": []}]),
    (["page"], {"items": [N], "columns": ["id"]}, [N]),
    (["page"], {"left": [N], "right": [N]}, [{"left": [N], "right": [N]}]),
    (["page"], {"text": "page 1 of the book"}, [{"text": "page 1 of the book"}]),
    (["page_token"], {"messages": [N], "next_page_token": None}, [N]),
    (["page_token"], {"ids": ["a", "b"]}, ["a", "b"]),
    (["page_token"], {"result_size_estimate": 0}, []),
    (["page_token"], {}, []),
    (["page_token"], {"message": N}, [{"message": N}]),
    (["id"], {"id": 1, "labels": [N]}, [{"id": 1, "labels": [N]}]),
    (["id"], {}, [{}]),
    (["id"], "text", ["text"]),
    (["id"], 0, [0]),
    (["id"], None, []),
]


@pytest.mark.parametrize(
    ("takes", "data", "items"),
    PAGES,
)
async def test_the_items_of_a_page_are_the_list_that_it_is_or_holds(
    shell: Shell, takes: list[str], data: object, items: list[object]
) -> None:
    response = respond(shell, reply(None, data), paged(*takes))
    assert [item async for item in response.iter_items()] == items


async def test_the_list_of_the_first_page_is_that_of_them_all(shell: Shell) -> None:
    pages: list[dict[str, Any]] = [
        {"files": [N], "errors": [], "next_page_token": "a"},
        {"files": [N, N], "errors": [{"code": 5}], "next_page_token": "b"},
        {"errors": [{"code": 6}], "next_page_token": "c"},
        {"files": None, "errors": []},
    ]
    left = [reply(None, page) for page in pages]
    response = responding(shell, lambda _: left.pop(0), Call(paged("page_token"), {}))
    assert [item async for item in response.iter_items()] == [N, N, N]


async def test_the_token_in_the_data_counts_where_fields_were_selected_from_them(shell: Shell) -> None:
    sent = [{"messages": [N], "next_page_token": "a"}, {"messages": [N]}]
    left = [Reply(200, {}, {"data": data, "meta": None}, {"messages": data["messages"]}) for data in sent]
    response = responding(shell, lambda _: left.pop(0), Call(paged("page_token"), {}))
    assert await response.get_all_items() == [{"data": {"messages": [N]}, "meta": {}}] * 2
