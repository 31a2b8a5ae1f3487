"""What an action does, as its words and its schema tell."""

import string
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bosa_connectors.calls import Action, Effect
from bosa_connectors.effects import effect


def named(name: str, description: str = "", *, connector: str = "notes", arguments: Iterable[str] = ()) -> Action:
    """An action of this name that takes these arguments."""
    return Action(connector, name, "/do", description, {"properties": dict.fromkeys(arguments, True)})


SAID: dict[Effect, str] = {
    "read": (
        "get_note list_notes search_notes find_note fetch_all read_file getUser Search_Repositories get-users READ"
        " get_post get_message get_update read_import_status list_shares list_updates get_auto_reply get_store get_news"
        " export_notes export_to_pdf check_status is_member whoami userinfo users_list issue_get users.lookupByEmail"
        " list_users_and_groups get_by_id_or_name search_and_export list_new_issues get_größe view_list count_open"
        " search_users_and_get_roles export_into_pdf"
    ),
    "create": (
        "create_note createNote user_create get_or_create getOrCreate add_tag copy_file import_rows new_note"
        " creates_note"
    ),
    "update": (
        "update_note notes_update set_status rename find_and_replace findOneAndUpdate run_report execute_code mark_read"
        " frobnicate get_and_frobnicate find_by_id_and_bump fetch_and_process check_in list_update views.update"
        " listFilesThenArchive deploy_and_get_status deploy_get test_and_set untrash export_to_drive refresh_status"
        " find_and_rewrites get_user_or_team get_user_or_team_by_id check_in_status check_off_list check_out_history"
        " check_status_page export_into_drive search_index_rebuild query run_query user_details 获取 {} 5"
    ),
    "delete": (
        "delete_note deleteALL remove_user list_and_delete findByIdAndRemove admin/revoke_integrations trash_email"
        " notes/{id}/delete pop_message deletes_note search_then_delete clear_cache create_and_delete"
    ),
    "send": "send_mail post_message search_then_send forward_mail tweet share_search message_list posts_message notify",
}


@pytest.mark.parametrize(("name", "does"), [(name, does) for does, names in SAID.items() for name in names.split()])
def test_the_words_of_a_name_say_what_an_action_does(name: str, does: Effect) -> None:
    assert effect(named(name)) == does


@pytest.mark.parametrize("does", ["read", "create", "update", "delete", "send"])
def test_what_a_listing_states_goes_before_its_words(does: Effect) -> None:
    for name in ("get_note", "delete_note", "frobnicate"):
        assert effect(Action("notes", name, "/do", "", {}, stated_effect=does)) == does


@pytest.mark.parametrize(
    ("name", "description", "does"),
    [
        ("tweet_search", "Search for recent tweets.", "read"),
        ("thread_details", "Gets details of a thread.\n\nArgs: ...", "read"),
        ("conversations.history", "Fetches a conversation's history of messages.", "read"),
        ("users_info", "Changes the info.", "update"),
        ("share_search", "Shares a search with others.", "send"),
        ("refresh_status", "Gets the status, and deletes the old one.", "update"),
        ("frobnicate", "Get something.", "update"),
        ("status", "Gets the status.", "update"),
        ("thread_wave", "Gets a thread.", "update"),
        ("thread_details_wave", "Gets details of a thread.", "update"),
        ("check_domain", "Checks whether a domain is free.", "read"),
        ("check_domain", "Takes a domain.", "update"),
        ("check_book", "Check out a book.", "update"),
        ("check_guest", "Checks in a guest.", "update"),
        ("get_token", "Deletes the token, and gets a new one.", "delete"),
        ("get_token", "Creates a token.", "create"),
        ("get_note", "Sends a request for a note.", "read"),
        ("delete_note", "Gets rid of it.", "delete"),
    ],
)
def test_a_description_decides_where_a_name_leaves_it_open(name: str, description: str, does: Effect) -> None:
    assert effect(named(name, description)) == does


def test_the_name_of_the_connector_is_no_verb() -> None:
    assert effect(named("github_search_issue", connector="github")) == "read"
    assert effect(named("google_drive_upload", connector="google_drive")) == "create"
    assert effect(named("post_comment", connector="post")) == "send"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("get_rows", ["sql"]),
        ("search_all", ["statement"]),
        ("query_rows", ["query"]),
        ("get_anything", ["url", "http_method"]),
        ("find_duplicates", ["dry_run"]),
        ("export_notes", ["destination_folder"]),
        ("download_file", ["target_path"]),
    ],
)
def test_arguments_that_say_what_is_done_make_a_question_a_deed(name: str, arguments: list[str]) -> None:
    assert effect(named(name)) == "read"
    assert effect(named(name, arguments=arguments)) != "read"


WRITES = st.sampled_from("create delete send update remove add publish modify archive post revoke frobnicate".split())  # noqa: SIM905  words
READS = st.sampled_from(["get", "list", "find", "search", "fetch", "read"])
THINGS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
JOINS = st.sampled_from(["and", "or", "then"])


@given(WRITES, THINGS)
def test_what_begins_with_a_deed_never_reads(verb: str, thing: str) -> None:
    for name in (f"{verb}_{thing}", f"{verb}{thing.title()}", f"{verb}-{thing}", f"admin/{verb}_{thing}"):
        assert effect(named(name)) != "read"


@given(READS, JOINS, WRITES, THINGS)
def test_two_verbs_of_which_one_is_a_deed_never_read(verb: str, join: str, deed: str, thing: str) -> None:
    for name in (f"{verb}_{join}_{deed}", f"{verb}_{join}_{deed}_{thing}", f"{deed}_{join}_{verb}"):
        assert effect(named(name)) != "read"


@given(st.text())
def test_any_name_and_description_has_an_effect(text: str) -> None:
    assert effect(named(text, text, connector=text)) in {"read", "create", "update", "delete", "send"}
