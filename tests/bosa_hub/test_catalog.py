"""The catalogue, as the current generation of clients asks for it."""

from typing import Any
from uuid import uuid4

import httpx
import pytest


def tools(anyone: httpx.Client, **query: str | int) -> dict[str, Any]:
    answer = anyone.get("/catalog/tools", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(page: dict[str, Any]) -> list[str]:
    return [item["name"] for item in page["items"]]


def test_a_tool_is_an_action_without_an_envelope_for_whoever_asks(anyone: httpx.Client) -> None:
    page = tools(anyone, q="create_note")
    assert page == {
        "items": [
            {
                "name": "notes_create_note_tool",
                "description": "Notes of one's own. Keep a new note.",
                "connector": "notes",
                "categories": ["create"],
                "source": "bosa_hub",
            }
        ],
        "meta": {"total": 1, "limit": 50, "offset": 0},
    }


def test_every_action_is_in_the_catalogue(anyone: httpx.Client) -> None:
    listing = anyone.get("/connectors").json()
    expected = [f"{connector}_{action}_tool" for connector, own in listing.items() for action in own]
    assert names(tools(anyone)) == expected


def test_every_word_must_occur_in_the_name_or_the_descriptions(anyone: httpx.Client) -> None:
    assert "notes_search_notes_tool" in names(tools(anyone, q="NOTES  best  match"))
    assert names(tools(anyone, q="every shape refuse")) == ["probe_refuse_tool"]
    assert names(tools(anyone, q="notes elephants")) == []
    assert tools(anyone, q="") == tools(anyone)


def test_a_connector_and_a_category_narrow_it_down(anyone: httpx.Client) -> None:
    assert {item["connector"] for item in tools(anyone, connector="sql")["items"]} == {"sql"}
    assert names(tools(anyone, connector="notes", category="delete")) == ["notes_delete_note_tool"]
    assert tools(anyone, connector="sq")["meta"]["total"] == 0
    assert tools(anyone, category="nonsense")["items"] == []


def test_pages_add_up_to_the_whole(anyone: httpx.Client) -> None:
    total = tools(anyone)["meta"]["total"]
    pages = [tools(anyone, limit=5, offset=offset) for offset in range(0, total, 5)]
    assert [name for page in pages for name in names(page)] == names(tools(anyone))
    assert pages[1]["meta"] == {"total": total, "limit": 5, "offset": 5}
    assert tools(anyone, offset=total)["items"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "1001"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "9" * 30}, "offset"),
        ({"q": "x" * 201}, "q"),
        ({"connector": "x" * 201}, "connector"),
    ],
)
@pytest.mark.parametrize("path", ["/catalog/tools", "/catalog/mcp", "/catalog/skills"])
def test_what_is_out_of_bounds_is_named(anyone: httpx.Client, path: str, query: dict[str, str], name: str) -> None:
    refused = anyone.get(path, params=query)
    assert refused.status_code == 422
    (problem,) = refused.json()["detail"]
    assert problem["loc"] == ["query", name]
    assert refused.json()["message"].startswith(f"The query is not valid. {name}: ")


@pytest.mark.parametrize("path", ["/catalog/mcp", "/catalog/skills"])
def test_there_are_no_servers_and_no_skills(anyone: httpx.Client, path: str) -> None:
    empty = anyone.get(path, params={"q": "x", "limit": 10, "offset": 20})
    assert empty.json() == {"items": [], "meta": {"total": 0, "limit": 10, "offset": 20}}


def test_a_users_skills_are_an_empty_list_too(anyone: httpx.Client, ada: httpx.Client) -> None:
    bearer = {"Authorization": ada.headers["Authorization"]}
    assert anyone.get("/api/skills", headers=bearer).json()["items"] == []
    missing = anyone.get(f"/api/skills/{uuid4()}", headers=bearer)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert anyone.get("/api/skills").status_code == 401
    assert anyone.get(f"/api/skills/{uuid4()}").status_code == 401
