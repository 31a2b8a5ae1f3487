"""Which arguments ask for the next page, in every style that a BOSA API has."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bosa_connectors import Action, Reply
from bosa_connectors.errors import PagingError
from bosa_connectors.paging import next_arguments, prev_arguments

from .samples import action


def paged(*arguments: str) -> Action:
    """An action that takes these arguments."""
    return action({"type": "object", "properties": {name: {"description": name} for name in arguments}})


def reply(meta: object = None, data: object = None) -> Reply:
    """A page."""
    return Reply(200, {}, data=data, meta=meta)


LAST = {"has_next": False, "has_prev": True}


@pytest.mark.parametrize(
    ("takes", "sent", "meta", "data", "following"),
    [
        # page
        (["page", "per_page"], {}, {"page": 1, "has_next": True}, [], {"page": 2}),
        (["page"], {"page": 2, "q": "x"}, {"page": 2, "has_next": True}, [], {"page": 3, "q": "x"}),
        (["page"], {"page": 4}, {"has_next": True}, [], {"page": 5}),
        (["page"], {}, {"has_next": True}, [], {"page": 2}),
        (["page"], {"page": None}, {"has_next": True}, [], {"page": 2}),
        (["page"], {"page": 3}, {"page": 3, "has_next": False}, [], None),
        # cursor
        (["cursor", "per_page"], {}, {"has_next": True, "forwards_cursor": "c"}, [], {"cursor": "c"}),
        (["cursor"], {"cursor": "b"}, {"has_next": True, "forwards_cursor": "c"}, [], {"cursor": "c"}),
        (["cursor"], {"cursor": "c"}, {"has_next": False, "forwards_cursor": "c"}, [], None),
        (["cursor", "page"], {}, {"has_next": True, "page": 1, "forwards_cursor": "c"}, [], {"cursor": "c"}),
        (["page"], {}, {"has_next": True, "page": 1, "forwards_cursor": "c"}, [], {"page": 2}),
        # token: it has a parameter of its own
        (["page_token", "page_size"], {}, {"has_next": True, "forwards_cursor": "t"}, [], {"page_token": "t"}),
        (["page_token"], {"q": 1}, {"next_page_token": "t"}, [], {"page_token": "t", "q": 1}),
        # token in data
        (["page_token", "max_results"], {}, None, {"next_page_token": "t"}, {"page_token": "t"}),
        (["page_token"], {"page_token": "t"}, None, {"messages": []}, None),
        (["page_token"], {"page_token": "t"}, None, {"next_page_token": None}, None),
        (["page_token"], {"page_token": "t"}, None, {"next_page_token": ""}, None),
        # other
        (["next_token"], {}, {"next_token": "n"}, [], {"next_token": "n"}),
        (["next_token"], {}, None, {"next_token": "n"}, {"next_token": "n"}),
        (["after", "before"], {}, {"has_next": True, "forwards_cursor": "a"}, [], {"after": "a"}),
        (["after", "before"], {"before": "b"}, {"has_next": True, "forwards_cursor": "a"}, [], {"after": "a"}),
        (["cursor"], {}, {"next_cursor": "c"}, [], {"cursor": "c"}),
        # a connector's own names, and truths as text
        (["cursor"], {}, {"hasNext": True, "nextCursor": "c"}, [], {"cursor": "c"}),
        (["page_token"], {}, {"nextPageToken": "t"}, [], {"page_token": "t"}),
        (["after", "before"], {}, {"has_next_page": True, "end_cursor": "e"}, [], {"after": "e"}),
        (["after", "before"], {"after": "d"}, {"has_next_page": False, "end_cursor": "e"}, [], None),
        (["page"], {}, {"has_more": True}, [], {"page": 2}),
        (["page"], {}, {"has_next": "true"}, [], {"page": 2}),
        (["page"], {"page": 2.0}, {"has_next": True}, [], {"page": 3}),
        (["page"], {"page": 2}, {"has_next": "False"}, [], None),
        (["page"], {"page": 2}, {"has_next": 0}, [], None),
        (["cursor"], {"cursor": "b"}, {"has_next": "false", "forwards_cursor": "c"}, [], None),
        (["cursor"], {}, {"has_next": "", "forwards_cursor": "c"}, [], {"cursor": "c"}),
        (["cursor"], {}, None, {"rows": [], "next_cursor": "c"}, {"cursor": "c"}),
        # a cursor of 0 is where a walk begins, unless it is said to lead on
        (["cursor"], {"cursor": "b"}, {"next_cursor": 0}, [], None),
        (["cursor"], {"cursor": "b"}, {"next_cursor": "0"}, [], None),
        (["cursor"], {"cursor": "b"}, {"has_next": True, "next_cursor": "0"}, [], {"cursor": "0"}),
        # nothing said
        (["page"], {"page": 1}, None, [], None),
        (["page"], {"page": 1}, {"page": 1}, [], None),
        (["query"], {}, {"total": 5}, {"rows": []}, None),
        (["query"], {}, "odd", "odd", None),
    ],
)
def test_the_next_page_is_asked_for_where_the_action_takes_it(
    takes: list[str], sent: dict[str, Any], meta: object, data: object, following: dict[str, Any] | None
) -> None:
    assert next_arguments(paged(*takes), sent, reply(meta, data)) == following


@pytest.mark.parametrize("takes", [["query"], ["offset"], ["per_page"]])
def test_a_further_page_that_cannot_be_asked_for_is_an_error(takes: list[str]) -> None:
    with pytest.raises(PagingError, match="takes no argument that would ask for it"):
        next_arguments(paged(*takes), {}, reply({"has_next": True}))


def test_a_cursor_that_no_argument_takes_is_an_error() -> None:
    with pytest.raises(PagingError):
        next_arguments(paged("query"), {}, reply({"has_next": True, "forwards_cursor": "c"}))


@pytest.mark.parametrize(
    ("argument", "items"),
    [("cursor", [{"id": 5}]), ("starting_after", []), ("starting_after", ["a"]), ("starting_after", [{"name": "a"}])],
)
def test_a_further_page_without_the_cursor_that_would_ask_for_it_is_an_error(argument: str, items: object) -> None:
    with pytest.raises(PagingError, match="names no cursor"):
        next_arguments(paged(argument), {}, reply({"has_next": True}, items))


BACK: dict[str, Any] = {"has_prev": True, "backwards_cursor": "a"}


@pytest.mark.parametrize(
    ("takes", "sent", "meta", "before"),
    [
        (["cursor", "before"], {"cursor": "b", "q": "x"}, BACK, {"cursor": "a", "q": "x"}),
        (["cursor", "from_last"], {"cursor": "b"}, BACK, {"cursor": "a", "from_last": True}),
        (["after", "before"], {"after": "b"}, BACK, {"before": "a"}),
        (["after"], {"after": "b"}, BACK, {"after": "a"}),
        (["page"], {"page": 3, "q": "x"}, BACK, {"page": 2, "q": "x"}),
        (["page", "cursor"], {"page": 3}, {"has_prev": True}, {"page": 2}),
        (["page"], {}, {"has_prev": True, "page": 3}, {"page": 2}),
        (["page"], {"page": 3}, {"has_prev": True, "page": 2}, {"page": 2}),
        (["page"], {"page": 3}, {"has_prev": False}, None),
        (["page"], {"page": 3}, None, None),
    ],
)
def test_the_page_before_is_asked_for_where_the_action_takes_it(
    takes: list[str], sent: dict[str, Any], meta: object, before: dict[str, Any] | None
) -> None:
    assert prev_arguments(paged(*takes), sent, reply(meta, [])) == before


@pytest.mark.parametrize("takes", ["cursor", "page", "query"])
def test_a_page_before_that_cannot_be_asked_for_is_an_error(takes: str) -> None:
    meta = {"has_prev": True, **({"page": 3} if takes == "query" else {})}
    with pytest.raises(PagingError, match="nothing says how"):
        prev_arguments(paged(takes), {}, reply(meta, []))


@pytest.mark.parametrize(
    ("argument", "taken", "sent", "meta", "following"),
    [
        ("cursor", {"type": "string"}, None, {"next_cursor": 3}, "3"),
        ("cursor", {"anyOf": [{"type": "string"}, {"type": "null"}]}, None, {"next_cursor": 3}, "3"),
        ("cursor", {"type": "integer"}, None, {"next_cursor": "17"}, 17),
        ("cursor", {"type": ["integer", "string"]}, None, {"next_cursor": "17"}, "17"),
        ("page", {"type": "string"}, "2", {"has_next": True}, "3"),
        ("page", {"type": "string"}, None, {"has_next": True, "page": 1}, "2"),
    ],
)
def test_the_next_page_is_asked_for_in_the_type_that_the_argument_takes(
    argument: str, taken: object, sent: object, meta: object, following: object
) -> None:
    listing = action({"type": "object", "properties": {argument: taken, "q": {}}, "required": ["q"]})
    arguments = {} if sent is None else {argument: sent}
    assert next_arguments(listing, arguments, reply(meta)) == {argument: following}


@pytest.mark.parametrize(
    ("taken", "following"),
    [
        ({"type": "integer", "minimum": 0}, 1),
        ({"type": "integer", "default": 0}, 1),
        ({"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": None}, 1),
        ({"type": "integer", "minimum": 0, "default": 1}, 2),
        ({"type": "integer", "minimum": 1}, 2),
    ],
)
def test_pages_are_counted_from_where_the_action_counts_them(taken: object, following: int) -> None:
    listing = action({"type": "object", "properties": {"page": taken}})
    assert next_arguments(listing, {}, reply({"has_next": True})) == {"page": following}
    assert next_arguments(listing, {"page": following}, reply({"total_pages": 2}, [1])) is None
    assert prev_arguments(listing, {"page": following}, reply({"has_prev": True})) == {"page": following - 1}
    with pytest.raises(PagingError, match="is the first"):
        prev_arguments(listing, {"page": following - 1}, reply({"has_prev": True}))


def test_pages_are_counted_in_the_size_that_they_have_by_default() -> None:
    listing = action({"type": "object", "properties": {"page": {}, "per_page": {"default": 2}}})
    assert next_arguments(listing, {"page": 1}, reply({"total": 3}, [1, 2])) == {"page": 2}
    assert next_arguments(listing, {"page": 2}, reply({"total": 3}, [3])) is None


def test_an_offset_moves_on_by_the_items_that_came() -> None:
    listing, more = paged("offset", "limit"), {"has_next": True}
    assert next_arguments(listing, {"limit": 2}, reply(more, [1, 2])) == {"limit": 2, "offset": 2}
    assert next_arguments(listing, {"offset": 2}, reply(more, {"orders": [3], "total": 9})) == {"offset": 3}
    assert next_arguments(listing, {"offset": 2}, reply({"has_next": False}, [3])) is None
    assert next_arguments(paged("skip", "page_size"), {"skip": 2.0}, reply(more, [3])) == {"skip": 3}
    with pytest.raises(PagingError, match="no list of items"):
        next_arguments(listing, {}, reply(more, []))
    with pytest.raises(PagingError, match="no list of items"):
        next_arguments(listing, {}, reply(more, {"id": 5}))


@pytest.mark.parametrize(
    ("name", "taken", "sent", "meta"),
    [
        ("cursor", {"type": "string"}, {}, {"next_cursor": {"id": 5}}),
        ("cursor", {"type": "integer"}, {}, {"next_cursor": "abc"}),
        ("cursor", {"type": ["integer", "null"]}, {}, {"next_cursor": "a" * 1_000}),
        ("page", {"type": "integer", "maximum": 10}, {"page": 10}, {"has_next": True}),
        ("page", {"anyOf": [{"type": "null"}, {"$ref": "#/properties/page"}]}, {}, {"has_next": True}),
    ],
)
def test_a_page_for_which_the_argument_cannot_ask_is_an_error(
    name: str, taken: object, sent: dict[str, Any], meta: object
) -> None:
    with pytest.raises(PagingError, match=f"{name} cannot be") as refused:
        next_arguments(action({"type": "object", "properties": {name: taken}}), sent, reply(meta, [1]))
    assert len(str(refused.value)) < 200


def test_a_cursor_that_is_false_is_the_end() -> None:
    assert next_arguments(paged("cursor"), {}, reply({"next_cursor": False})) is None


@pytest.mark.parametrize(
    ("taken", "sent", "said", "following"),
    [
        ({"type": "integer", "minimum": 1}, {}, 0, 2),
        ({"type": "integer"}, {"page": 1}, 0, 2),
        ({"type": "integer"}, {"page": 2}, 1, 3),
        ({"type": "integer", "default": 0}, {}, 1, 1),
        ({"type": "integer", "default": 0}, {}, 2, 3),
        ({"type": "integer"}, {"page": 0}, 1, 1),
        ({"type": "integer"}, {"page": 1}, 2, 2),
        ({"type": "integer"}, {}, 0, 1),
    ],
)
@pytest.mark.parametrize("more", [{"has_next": True}, {"total_pages": 4}, {"next_page": ...}], ids=str)
def test_a_reply_may_count_its_pages_from_elsewhere(
    taken: object, sent: dict[str, Any], said: int, following: int, more: dict[str, object]
) -> None:
    listing = action({"type": "object", "properties": {"page": taken}})
    meta = {"page": said, **{name: said + 1 if value is ... else value for name, value in more.items()}}
    assert next_arguments(listing, sent, reply(meta, [1])) == {"page": following}


@pytest.mark.parametrize("argument", ["cursor", "page_token", "next_token", "after"])
def test_a_cursor_that_repeats_is_an_error(argument: str) -> None:
    with pytest.raises(PagingError, match="that page again"):
        next_arguments(paged(argument), {argument: "c"}, reply({"has_next": True, "forwards_cursor": "c"}))


@pytest.mark.parametrize("said", [0, -5, 4])
def test_a_page_that_was_not_asked_for_is_an_error(said: int) -> None:
    with pytest.raises(PagingError):
        next_arguments(paged("page"), {"page": 2}, reply({"page": said, "has_next": True}))


def test_a_page_that_was_asked_for_in_text_has_a_next_page_all_the_same() -> None:
    assert next_arguments(paged("page"), {"page": "2"}, reply({"has_next": True})) in ({"page": 3}, {"page": "3"})


@pytest.mark.parametrize("data", [{"next_page_token": "t"}, {"next_token": "t"}], ids=["next_page_token", "next_token"])
def test_a_token_in_data_with_nowhere_to_go_is_an_error(data: object) -> None:
    with pytest.raises(PagingError):
        next_arguments(paged("query"), {}, reply(None, data))


def test_the_arguments_stay_as_they_were() -> None:
    sent = {"page": 1}
    next_arguments(paged("page"), sent, reply({"page": 1, "has_next": True}))
    assert sent == {"page": 1}


ITEMS = st.lists(st.integers(), max_size=25)


@settings(deadline=None)
@given(items=ITEMS, size=st.integers(1, 7), style=st.sampled_from(["page", "cursor", "page_token", "in data"]))
def test_a_walk_yields_every_item_once_in_any_style_and_page_size(items: list[int], size: int, style: str) -> None:
    argument = "page_token" if style == "in data" else style
    arguments: dict[str, Any] | None = {"q": "x"}
    walked: list[int] = []
    while arguments is not None:
        page = served(items, size, style, arguments.get(argument))
        walked += page.data["items"] if style == "in data" else page.data  # type: ignore[index,operator]  as served
        following = next_arguments(paged("q", argument), arguments, page)
        arguments = None if following is None else dict(following)
    assert walked == items


def served(items: list[int], size: int, style: str, asked: Any) -> Reply:  # noqa: ANN401  a number or a token
    """A page of `items`, as an API of this style serves it."""
    start = (int(asked or 1) - 1) * size if style == "page" else int(asked or 0)
    page, following = items[start : start + size], start + size
    has_next = following < len(items)
    token = str(following) if has_next else None
    if style == "in data":
        return reply(None, {"items": page, "next_page_token": token})
    meta = {"has_next": has_next, **({"page": start // size + 1} if style == "page" else {"forwards_cursor": token})}
    return reply(meta, page)
