"""The next page is found in the words that other APIs have for it."""

from typing import Any, Final, TypeAlias

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bosa_connectors.calls import Action
from bosa_connectors.errors import PagingError
from bosa_connectors.paging import has_next, next_arguments, prev_arguments

from .pages import reply
from .samples import action

Arguments: TypeAlias = dict[str, Any]

LINK = "https://elsewhere.example/v2/items?page=3&per_page=2&token=secret&q=y#top"
COUNTED: Final = {"start", "startIndex", "top", "count"}
"""Arguments that tell of pages only where they are numbers."""
SAID: Final[list[tuple[list[str], Arguments, object, object, Arguments | None]]] = [
    # totals alone
    (["page"], {}, {"page": 1, "total_page": 2}, [1], {"page": 2}),
    (["page"], {"page": 2}, {"page": 2, "total_pages": 2}, [1], None),
    (["page", "per_page"], {"page": 2}, None, {"rows": [1], "page": 2, "totalPages": 3}, {"page": 3}),
    (["page"], {}, {"pagination": {"current_page": 1, "last_page": 2}}, [1], {"page": 2}),
    (["page", "per_page"], {"per_page": 2}, {"total": 3}, [1, 2], {"page": 2}),
    (["offset", "limit"], {"limit": 2}, None, {"hits": {"total": {"value": 3}, "hits": [1, 2]}}, {"offset": 2}),
    (["offset", "limit"], {}, None, {"total_count": 9, "limit": 2, "entries": [{}], "order": [{}]}, {"offset": 2}),
    (["page", "size"], {}, None, {"_embedded": {"rows": [1]}, "_links": {"next": {"href": "/?page=2"}}}, {"page": 2}),
    (["page", "per_page"], {"per_page": 2}, {"page": 1, "total": 3}, [1, 2], {"page": 2}),
    (["page", "per_page"], {"page": 2}, {"page": 2, "limit": 2, "total": 4}, [3, 4], None),
    (["page", "per_page"], {"per_page": 2}, None, {"total_count": 3, "items": [{}, {}]}, {"page": 2}),
    (["offset", "limit"], {"limit": 2}, {"offset": 0, "limit": 2, "total": 3}, [1, 2], {"offset": 2}),
    (["offset", "limit"], {"offset": 2}, {"offset": 2, "limit": 2, "total": 3}, [3], None),
    (["offset", "limit"], {}, {"offset": 2, "total": 4}, [3], {"offset": 3}),
    (["offset", "limit"], {"offset": 4}, {"offset": 4, "total": 9}, [], None),
    (["offset", "limit"], {}, {"offset": "2", "total": 4}, [3], {"offset": 3}),
    (["offset", "limit"], {}, None, {"hits": {"total": 3, "hits": [1, 2]}}, {"offset": 2}),
    (["page", "offset", "limit"], {"page": 2}, {"page": 2, "total": 3, "limit": 2}, [3], None),
    (["page", "per_page"], {"page": 2, "per_page": 2}, {"total": 3}, [3], None),
    (["page"], {"page": 3}, {"page": 3, "total": 9}, [], None),
    (["page"], {"page": 3}, {"total": 9}, {"one": [1], "two": [2]}, None),
    # a number
    (["page"], {}, {"next_page": 2}, [1], {"page": 2}),
    (["page"], {"page": 2}, {"next_page": None}, [1], None),
    (["page"], {"page": 2}, {"next_page": 0}, [1], None),
    (["offset", "limit"], {}, {"next_offset": 30}, [1], {"offset": 30}),
    (["page", "offset", "limit"], {}, {"next_offset": 30}, [1], {"offset": 30}),
    (["cursor"], {}, {"next_offset": 30}, [1], {"cursor": 30}),
    (["offset", "limit"], {}, {"next": 30}, [1], {"offset": 30}),
    (["offset", "limit"], {}, {"next": "abc"}, [1], None),
    # a cursor
    (["page", "cursor"], {}, {"next_page": "abc"}, [1], {"cursor": "abc"}),
    (["cursor"], {}, {"next": ["abc"]}, [1], None),
    # an address, of which only the action's own arguments count, and only those that say where a page is
    (["page", "per_page", "q"], {"q": "x"}, {"next": LINK}, [1], {"page": 3, "per_page": 2, "q": "x"}),
    (["page"], {"page": 2}, None, {"count": 9, "next": LINK, "results": [1]}, {"page": 3}),
    (["page"], {"page": 2}, None, {"count": 9, "next": None, "results": [1]}, None),
    (["page_token"], {}, None, {"value": [1], "@odata.nextLink": "https://x/y?$skip=2"}, None),
    (["skip", "top"], {}, {}, {"value": [1], "@odata.nextLink": "https://x/y?$skip=2"}, {"skip": 2}),
    (
        ["start", "limit"],
        {},
        None,
        {"results": [1], "_links": {"next": "/api?limit=5&start=5"}},
        {"start": 5, "limit": 5},
    ),
    (["cursor"], {}, {"links": {"next": {"href": "/x?page%5Bcursor%5D=b&cursor=c"}}}, [1], {"cursor": "c"}),
    (
        ["page"],
        {},
        {"links": [{"rel": "self", "href": "?page=1"}, {"rel": "next", "href": "?page=2"}]},
        [],
        {"page": 2},
    ),
    (["q"], {}, {"next": LINK}, [1], None),
    (["page", "per_page"], {}, {"has_next": True, "next": "/items?per_page=2"}, [1], {"page": 2}),
    (["page", "per_page"], {"per_page": 2}, {"next": "/items?per_page=2&page=2"}, [1], {"page": 2}),
    (["offset", "limit"], {}, {"page": 1, "next": "/items?offset=2"}, [1], {"offset": 2}),
    (["offset", "limit"], {}, {"next": "/items?offset=1"}, [1], {"offset": 1}),
    (["cursor"], {}, {"next": "items?cursor=05"}, [1], {"cursor": "05"}),
    (["cursor"], {}, {"next": "/items/3"}, [1], None),
    (["cursor"], {}, {"next": "https://elsewhere.example/items/3"}, [1], None),
    # arguments
    (["after"], {}, None, {"results": [1], "paging": {"next": {"after": "a", "link": "?after=b"}}}, {"after": "a"}),
    (["starting_after"], {}, {"pages": {"page": 1, "next": {"starting_after": "s"}}}, [1], {"starting_after": "s"}),
    (["page"], {}, {"next": {"page": 2}}, [1], {"page": 2}),
    (["after"], {}, {"paging": {"next": {"after": None}}}, [1], None),
    # what is said one level below
    (["after"], {}, {"pageInfo": {"hasNextPage": True, "endCursor": "e"}}, [1], {"after": "e"}),
    (["after"], {"after": "e"}, {"page_info": {"has_next_page": False, "end_cursor": "f"}}, [1], None),
    (["cursor"], {}, None, {"issues": {"nodes": [1], "page_info": {"end_cursor": "e"}}}, {"cursor": "e"}),
    (["cursor"], {}, None, {"members": [1], "response_metadata": {"next_cursor": "n"}}, {"cursor": "n"}),
    (["cursor"], {}, None, {"members": [1], "response_metadata": {"next_cursor": ""}}, None),
    (["after"], {}, {"paging": {"cursors": {"after": "a", "before": "b"}}}, [1], None),
    (["after"], {}, {"paging": {"cursors": {"after": "a"}, "next": "/items?after=a"}}, [1], {"after": "a"}),
    # more, said beside the items
    (["page"], {}, None, {"rows": [1], "has_more": True}, {"page": 2}),
    (["page"], {}, None, {"rows": [1], "isLast": False}, {"page": 2}),
    (["page"], {}, None, {"rows": [1], "is_last": True, "total_pages": 5}, None),
    (["cursor"], {"cursor": "a"}, None, {"entries": [1], "has_more": True, "cursor": "b"}, {"cursor": "b"}),
    (["cursor"], {"cursor": "b"}, None, {"entries": [1], "has_more": False, "cursor": "c"}, None),
    (
        ["starting_after"],
        {},
        None,
        {"data": [{"id": each} for each in "abc"], "has_more": True},
        {"starting_after": "c"},
    ),
    (["starting_after"], {}, None, {"data": [{"id": "a"}], "limit": 1}, None),
    (["cursor", "page"], {"cursor": "b", "page": 2}, None, {"rows": [1], "has_more": True, "cursor": "b"}, {"page": 3}),
    (["start_cursor"], {}, None, {"results": [1], "has_more": True, "next_cursor": "n"}, {"start_cursor": "n"}),
    (["next_records_url"], {}, None, {"records": [1], "nextRecordsUrl": "/q/01-2"}, {"next_records_url": "/q/01-2"}),
    (["offset", "limit"], {}, None, {"records": [1], "offset": "itr/rec"}, {"offset": "itr/rec"}),
    (["offset", "limit"], {"offset": "itr/rec"}, None, {"records": [1], "offset": "itr/rec"}, None),
    # other spellings of the arguments
    (["pageToken"], {}, None, {"files": [], "nextPageToken": "t"}, {"pageToken": "t"}),
    (["page[number]"], {}, {"has_next": True}, [1], {"page[number]": 2}),
    (["startIndex", "count"], {"startIndex": 3}, {"totalResults": 4}, [3], {"startIndex": 4}),
    (["startIndex", "count"], {"startIndex": 4}, {"totalResults": 4}, [4], None),
    # things that have fields of these names are no pages
    (["page", "cursor"], {}, None, [{"next": "b", "has_more": True, "total_pages": 7}], None),
    (["page", "cursor"], {}, None, {"id": 5, "next": "b", "has_more": True, "page": 1, "total_pages": 7}, None),
    (["q"], {}, None, {"rows": [1], "has_more": True, "total_pages": 7, "next": LINK}, None),
    (["page"], {}, None, {"lines": [1], "total": 250}, None),
    (["offset", "limit"], {}, {"total": 9}, {"mails": [1], "from": "ann", "start": 50}, {"offset": 1}),
]
"""The arguments that an action takes, those that were sent, meta, data, and what leads on beside what was sent."""


def listing(takes: list[str]) -> Action:
    """An action that takes these."""
    properties: Arguments = {name: {"type": "integer"} if name in COUNTED else {} for name in takes}
    return action({"properties": properties})


@pytest.mark.parametrize(("takes", "sent", "meta", "data", "following"), SAID)
def test_the_next_page_is_found_in_the_words_of_other_apis(
    takes: list[str], sent: Arguments, meta: object, data: object, following: Arguments | None
) -> None:
    expected = None if following is None else {**sent, **following}
    assert next_arguments(listing(takes), sent, reply(meta, data)) == expected


@pytest.mark.parametrize(
    ("takes", "sent", "meta"),
    [
        (["page"], {"page": 3}, {"next_page": 1}),
        (["page"], {}, {"next_page": 1}),
        (["page"], {"page": 3}, {"page": 3, "next": "/items?page=3"}),
        (["offset", "limit"], {"offset": 20}, {"next": "/items?offset=10"}),
        (["after"], {"after": "a"}, {"paging": {"next": {"after": "a"}}}),
    ],
)
def test_what_leads_back_is_an_error(takes: list[str], sent: Arguments, meta: object) -> None:
    with pytest.raises(PagingError, match=r"leads back|that page again"):
        next_arguments(listing(takes), sent, reply(meta, [1]))


NAMES = st.sampled_from(
    (
        *(
            "next",
            "next_page",
            "nextPageToken",
            "has_more",
            "isLast",
            "page",
            "total",
            "total_pages",
            "limit",
            "offset",
        ),
        *("pageInfo", "endCursor", "links", "cursors", "after", "items", "@odata.nextLink", "starting_after"),
        "has_prev",
    )
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(),
    st.sampled_from(["", "0", "3", "false", "/x?page=3&cursor=z", "http://[", "?page=²", "٣", "9" * 40]),
)
SAYING = st.recursive(
    SCALARS,
    lambda each: st.one_of(st.lists(each, max_size=3), st.dictionaries(NAMES, each, max_size=4)),
    max_leaves=12,
)
KINDS: Final[list[Arguments]] = [
    {},
    {"type": "integer"},
    {"type": "string"},
    {"type": "integer", "minimum": 0},
    {"default": []},
    {"anyOf": "x"},
]


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(NAMES, st.sampled_from(KINDS), min_size=1),
    st.dictionaries(NAMES, SCALARS, max_size=3),
    SAYING,
    SAYING,
)
@example({"after": {}}, {"after": "3"}, {"endCursor": "3"}, [1])
@example({"page": {"type": "integer"}}, {}, {"next": "?page=²"}, [1])
def test_whatever_a_reply_says_leads_elsewhere_or_nowhere_or_is_told_as_odd(
    properties: Arguments, arguments: Arguments, meta: object, data: object
) -> None:
    paged = Action("things", "list_things", "/things", "", {"type": "object", "properties": properties})
    said = reply(meta, data)
    for way in (next_arguments, prev_arguments):
        try:
            to = way(paged, arguments, said)
        except PagingError:
            continue
        assert to is None or (to != arguments and to.keys() <= arguments.keys() | properties.keys())
    assert has_next(paged, arguments, said) in {True, False}
