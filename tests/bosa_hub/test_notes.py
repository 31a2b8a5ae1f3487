from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def _create(user: httpx.Client, title: str, body: str = "", **more: object) -> dict[str, Any]:
    return user.post("/connectors/notes/create_note", json={"title": title, "body": body, **more}).json()["data"]


def _titles(user: httpx.Client, action: str, **arguments: object) -> list[str]:
    answer = user.post(f"/connectors/notes/{action}", json=arguments)
    assert answer.status_code == 200, answer.text
    return [note["title"] for note in answer.json()["data"]]


def test_a_note_is_kept_as_it_was_written(ada: httpx.Client) -> None:
    note = _create(ada, "Ærø ☕", "line\n\0\u2028end", tags=["a", "b"])
    assert (note["title"], note["body"], note["tags"]) == ("Ærø ☕", "line\n\0\u2028end", ["a", "b"])
    assert note["created_at"] == note["updated_at"]
    assert note["created_at"].endswith("Z")
    assert ada.post("/connectors/notes/get_note", json={"id": note["id"]}).json() == {"data": note, "meta": None}


def test_an_update_changes_what_is_given_and_nothing_else(ada: httpx.Client) -> None:
    note = _create(ada, "Old title", "Old body", tags=["old"])
    changed = ada.post("/connectors/notes/update_note", json={"id": note["id"], "title": "New", "body": None}).json()
    assert changed["data"] == note | {"title": "New", "updated_at": changed["data"]["updated_at"]}
    assert changed["data"]["updated_at"] > note["updated_at"]
    emptied = ada.post("/connectors/notes/update_note", json={"id": note["id"], "tags": []}).json()["data"]
    assert (emptied["title"], emptied["body"], emptied["tags"]) == ("New", "Old body", [])


def test_an_update_of_nothing_is_refused(ada: httpx.Client) -> None:
    refused = ada.post("/connectors/notes/update_note", json={"id": _create(ada, "x")["id"]})
    assert refused.status_code == 400
    assert "at least one of title, body and tags" in refused.json()["message"]


def test_a_deleted_note_is_gone_everywhere(ada: httpx.Client) -> None:
    note = _create(ada, "Ephemeral")
    gone = ada.post("/connectors/notes/delete_note", json={"id": note["id"]}).json()["data"]
    assert gone == {"id": note["id"], "deleted": True}
    assert _titles(ada, "list_notes") == _titles(ada, "search_notes", query="ephemeral") == []
    for action in ("get_note", "delete_note"):
        answer = ada.post(f"/connectors/notes/{action}", json={"id": note["id"]})
        assert answer.status_code == 404
        assert "list_notes" in answer.json()["message"]
    assert ada.post("/connectors/notes/update_note", json={"id": note["id"], "title": "x"}).status_code == 404


def test_notes_are_listed_newest_first_page_by_page(ada: httpx.Client) -> None:
    for number in range(5):
        _create(ada, f"Note {number}")
    first = ada.post("/connectors/notes/list_notes", json={"per_page": 2}).json()
    assert [note["title"] for note in first["data"]] == ["Note 4", "Note 3"]
    assert first["meta"] == {
        "page": 1, "limit": 2, "total": 5, "total_page": 3, "has_next": True, "has_prev": False,
    }  # fmt: skip
    last = ada.post("/connectors/notes/list_notes", json={"page": 3, "per_page": 2}).json()
    assert [note["title"] for note in last["data"]] == ["Note 0"]
    assert (last["meta"]["has_next"], last["meta"]["has_prev"]) == (False, True)
    assert _titles(ada, "list_notes", page=4, per_page=2) == []


def test_a_tag_selects_notes_that_have_exactly_this_tag(ada: httpx.Client) -> None:
    for tags in (["work"], ["homework"], [], ["home", "work"]):
        _create(ada, "+".join(tags) or "none", tags=tags)
    assert _titles(ada, "list_notes", tag="work") == ["home+work", "work"]
    assert _titles(ada, "list_notes", tag="wor") == []


def test_search_finds_all_words_by_their_beginnings_best_match_first(ada: httpx.Client) -> None:
    _create(ada, "Groceries", "Milk, bread, and a café au lait. " + "Padding words. " * 50)
    _create(ada, "Milk", "milk milk milk")
    _create(ada, "Garden", "Water the roses", tags=["summer"])
    assert _titles(ada, "search_notes", query="milk") == ["Milk", "Groceries"]
    assert _titles(ada, "search_notes", query="MIL bre") == ["Groceries"]
    assert _titles(ada, "search_notes", query="cafe") == ["Groceries"]
    assert _titles(ada, "search_notes", query="summer") == ["Garden"]
    assert _titles(ada, "search_notes", query="milk roses") == []
    assert _titles(ada, "search_notes", query="milk", per_page=1, page=2) == ["Groceries"]


def test_search_follows_changes(ada: httpx.Client) -> None:
    note = _create(ada, "Draft", "apples")
    ada.post("/connectors/notes/update_note", json={"id": note["id"], "body": "pears"})
    assert _titles(ada, "search_notes", query="apples") == []
    assert _titles(ada, "search_notes", query="pears") == ["Draft"]


@pytest.mark.parametrize(
    "query",
    ['"', "a AND", "NOT", "title:", "a*", "NEAR(a b)", "(", "^a", "-", "a OR b", "{a}: b", "\0", "", " ", "'; --"],
)
def test_operators_are_words_like_others(ada: httpx.Client, query: str) -> None:
    assert isinstance(_titles(ada, "search_notes", query=query), list)


@settings(max_examples=40, deadline=None)
@given(query=st.text(max_size=1000))
def test_no_query_is_an_error(new_user: Callable[[], httpx.Client], query: str) -> None:
    with new_user() as user:
        assert _titles(user, "search_notes", query=query) == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abc"), st.sampled_from(["alpha", "beta"])), max_size=6))
def test_two_users_never_see_each_others_notes(
    new_user: Callable[[], httpx.Client], written: list[tuple[bool, str, str]]
) -> None:
    with new_user() as one, new_user() as other:
        users = {False: one, True: other}
        notes = [(second, title, body, _create(users[second], title, body)["id"]) for second, title, body in written]
        for asking, user in users.items():
            assert sorted(_titles(user, "list_notes")) == sorted(
                title for second, title, *_ in notes if second == asking
            )
            found = sorted(title for second, title, body, _ in notes if second == asking and "alpha" in body)
            assert sorted(_titles(user, "search_notes", query="alpha")) == found
            for second, _, _, note_id in notes:
                for action, more in [("get_note", {}), ("update_note", {"title": "mine"}), ("delete_note", {})]:
                    answer = user.post(f"/connectors/notes/{action}", json={"id": note_id, **more})
                    assert (answer.status_code == 200) == (second == asking)


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"title": "x" * 201}, {"tags": ["x"] * 21}, {"tags": [""]}, {"tags": "x"}, {"title": None}]
)
def test_a_note_out_of_bounds_is_refused(ada: httpx.Client, wrong: dict[str, object]) -> None:
    refused = ada.post("/connectors/notes/create_note", json={"title": "x", "body": "y", **wrong})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"][:2] == ["body", next(iter(wrong))]
    assert _titles(ada, "list_notes") == []
