from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

_MIB = 1 << 20


def _call(user: httpx.Client, action: str, **arguments: object) -> httpx.Response:
    return user.post(f"/connectors/files/{action}", json=arguments)


def _write(user: httpx.Client, path: str, text: str) -> None:
    assert _call(user, "write_text_file", path=path, text=text).status_code == 200


def _search(user: httpx.Client, query: str, **more: object) -> list[dict[str, Any]]:
    answer = _call(user, "search_files", query=query, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def _found(user: httpx.Client, query: str) -> list[str]:
    return sorted(hit["path"] for hit in _search(user, query))


@pytest.fixture
def ada_tree(ada: httpx.Client, ada_root: Path) -> Path:
    """Where her files lie, at least one of them."""
    _write(ada, "seed.txt", "seed")
    return ada_root / "files/tree"


def test_search_looks_into_paths_and_text_for_words_and_their_beginnings(ada: httpx.Client) -> None:
    texts = {"b/Rose.txt": "x", "a.txt": "One ROSE is here", "c.txt": "nothing", "b/d.txt": "roses", "e.txt": "prose"}
    for path, text in texts.items():
        _write(ada, path, text)
    hits = {hit["path"]: (hit["match"], hit["snippet"]) for hit in _search(ada, "rose")}
    assert hits == {
        "a.txt": ("content", "One ROSE is here"), "b/Rose.txt": ("name", None), "b/d.txt": ("content", "roses"),
    }  # fmt: skip
    assert _found(ada, "one here") == ["a.txt"]
    assert _found(ada, "rose nothing") == []
    assert _found(ada, "b/Rose") == ["b/Rose.txt"]
    _write(ada, "d/café.txt", "naïve")
    assert _found(ada, "CAFE naive") == ["d/café.txt"]


def test_the_best_match_comes_first_and_pages_follow_each_other(ada: httpx.Client) -> None:
    _write(ada, "long.txt", "very much else, and " * 40 + "then milk, " + "and very much else " * 40)
    _write(ada, "milk.txt", "milk milk milk")
    _write(ada, "short.txt", "milk and bread")
    found = _search(ada, "milk")
    assert [hit["path"] for hit in found] == ["milk.txt", "short.txt", "long.txt"]
    assert len(found[2]["snippet"]) < 300
    first = _call(ada, "search_files", query="milk", per_page=2).json()
    assert first["meta"]["has_next"]
    second = _call(ada, "search_files", query="milk", per_page=2, cursor=first["meta"]["forwards_cursor"]).json()
    assert first["data"] + second["data"] == found
    assert (second["meta"]["has_next"], second["meta"]["forwards_cursor"]) == (False, None)


@pytest.mark.parametrize("cursor", ["%%%", "YS50eHQ=", "LTE=", "MTAwMDAwMDAwMDA="])
def test_a_cursor_of_something_else_is_refused(ada: httpx.Client, cursor: str) -> None:
    refused = _call(ada, "search_files", query="a", cursor=cursor)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BAD_CURSOR")


def test_search_follows_every_change(ada: httpx.Client) -> None:
    _write(ada, "a.txt", "apples")
    assert _found(ada, "apples") == ["a.txt"]
    _write(ada, "a.txt", "pears!")
    assert (_found(ada, "apples"), _found(ada, "pears")) == ([], ["a.txt"])
    _call(ada, "move_file", path="a.txt", new_path="b/plums.txt")
    assert (_found(ada, "pears"), _found(ada, "plums"), _found(ada, "a.txt")) == (["b/plums.txt"], ["b/plums.txt"], [])
    ada.post("/connectors/files/upload_file", files={"file": ("c.txt", b"pears too")})
    assert _found(ada, "pears") == ["b/plums.txt", "c.txt"]
    _call(ada, "delete_file", path="b/plums.txt")
    assert _found(ada, "pears") == ["c.txt"]


def test_search_sees_what_others_have_changed_in_the_folder(ada: httpx.Client, ada_tree: Path) -> None:
    (ada_tree / "a.txt").write_text("apples")
    assert _found(ada, "apples") == ["a.txt"]
    (ada_tree / "a.txt").write_text("grapes")
    (ada_tree / "b").mkdir()
    (ada_tree / "b/c.txt").write_text("apples")
    assert (_found(ada, "grapes"), _found(ada, "apples")) == (["a.txt"], ["b/c.txt"])
    (ada_tree / "b").rename(ada_tree / "d")
    assert _found(ada, "apples") == ["d/c.txt"]


def test_an_index_that_is_lost_is_made_again(ada: httpx.Client, ada_tree: Path) -> None:
    assert _found(ada, "seed") == ["seed.txt"]
    for path in ada_tree.parent.glob("search.db*"):
        path.unlink()
    assert _found(ada, "seed") == ["seed.txt"]


def test_what_is_no_text_or_too_long_is_found_by_its_path_only(ada: httpx.Client, ada_tree: Path) -> None:
    (ada_tree / "binary").write_bytes(b"needle \xff")
    (ada_tree / "large").write_bytes(b"needle " * _MIB)
    (ada_tree / "text").write_bytes(b"needle")
    (ada_tree / "nul").write_bytes(b"needle\0more")
    assert _found(ada, "needle") == ["nul", "text"]
    assert _found(ada, "large") == ["large"]


def test_more_text_than_one_search_reads_is_indexed_by_the_next(ada: httpx.Client, ada_tree: Path) -> None:
    for number in range(40):
        (ada_tree / f"{number:02}.txt").write_bytes(b"x" * (_MIB - 1))
    (ada_tree / "99.txt").write_text("a needle")
    busy = _call(ada, "search_files", query="needle")
    assert busy.status_code == 503
    assert "9 to go" in busy.json()["message"]
    assert busy.json()["error"]["recovery"] == {"retryable": True, "retry_after_seconds": 1}
    assert _found(ada, "needle") == ["99.txt"]


def test_searches_at_once_that_find_the_index_out_of_step_agree(ada: httpx.Client, ada_tree: Path) -> None:
    for number in range(50):
        (ada_tree / f"{number}.txt").write_text("milk " * number)
    with ThreadPoolExecutor() as threads:
        searches = [threads.submit(_found, ada, "milk") for _ in range(8)]
    expected = sorted(f"{number}.txt" for number in range(1, 50))
    assert [search.result() for search in searches] == [expected] * 8


@settings(max_examples=100, deadline=None)
@given(query=st.text(min_size=1, max_size=200) | st.text('"*():^-+ANDORNEAR{}a ', min_size=1, max_size=30))
def test_no_query_is_an_error(someone: httpx.Client, query: str) -> None:
    assert isinstance(_search(someone, query), list)


@pytest.fixture(scope="module")
def someone(new_user: Callable[[], httpx.Client]) -> Iterator[httpx.Client]:
    with new_user() as user:
        _write(user, "a/b c.txt", "and or near not text: path:")
        yield user
