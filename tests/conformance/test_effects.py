"""What each action of the published connectors does, judged by people: no deed is taken for a question."""

from typing import Any

import pytest

from bosa_connectors.calls import Effect
from bosa_connectors.catalogue import Catalogue, parse
from bosa_connectors.effects import effect

from .listings import read_listings
from .published import PublishedServer

JUDGED: dict[str, dict[Effect, str]] = {
    "github": {
        "read": (
            "get_issue list_issues list_issues_comments search_issues github_search_issue list_commits"
            " search_commits list_collaborators list_releases list_contributors list_languages"
            " search_contributions list_pull_requests search_pull_requests get_pull github_search_pr"
            " get_all_contributor_commit_activity get_the_last_year_of_commit_activity"
            " get_weekly_commit_count get_user_contribution_statistics list_project_items get_project_item"
            " list_projects list_project_fields"
        ),
        "create": "create_issue add_issue_comment add_project_item",
        "update": "update_project_item",
    },
    "google": {
        "read": "userinfo",
    },
    "google_drive": {
        "read": (
            "search_files get_file summarize_folder_files_by_type summarize_total_files_by_type"
            " list_recent_files_from_yesterday list_permissions get_permission download_file"
            " get_markdown_content"
        ),
        "create": "create_file create_folder copy_file create_permission",
        "update": "update_file update_folder update_permission",
        "delete": "delete_file delete_permission",
    },
    "google_docs": {
        "read": "get_document list_documents list_comments summarize_comments",
        "create": "create_document copy_content",
        "update": "update_document update_document_markdown",
    },
    "google_mail": {
        "read": (
            "list_drafts get_draft list_labels total_email_perlabel get_label_details list_emails"
            " get_email_details list_threads thread_details get_auto_reply get_attachment userinfo"
        ),
        "create": "create_draft create_labels",
        "update": "modify_draft modify_labels modify_email untrash_email modify_thread set_auto_reply",
        "delete": "delete_labels delete_email trash_email",
        "send": "send_draft send_email",
    },
    "google_admin": {
        "read": "list_groups",
    },
    "twitter": {
        "read": "tweet_search get_tweets get_thread get-users",
    },
    "sql": {
        "update": "query",
    },
    "code_interpreter": {
        "update": "execute_code",
    },
    "catapa": {
        "read": "userinfo",
    },
    "cursor_analytics": {
        "read": "get_daily_usage get_team_spend",
    },
    "github_copilot_analytics": {
        "read": "get_seat_info",
        "create": "add_user",
        "delete": "remove_user",
    },
}


def judged(connector: str) -> dict[str, str]:
    """Effect by action."""
    return {name: does for does, names in JUDGED[connector].items() for name in names.split()}


def taken(catalogue: Catalogue) -> dict[str, str]:
    """Effect by action, as the SDK sees it."""
    return {name: effect(action) for name, action in catalogue.items()}


def assert_as_judged(listings: dict[str, Any]) -> None:
    for connector in listings.keys() & JUDGED.keys():
        assert taken(parse(connector, listings)) == judged(connector), connector


def test_no_published_action_is_taken_for_what_it_is_not(published_server: PublishedServer) -> None:
    listings = published_server.listings()
    assert listings.keys() - {"probe"} == JUDGED.keys()
    assert_as_judged(listings)


def test_neither_is_one_in_the_listings_that_were_kept() -> None:
    assert_as_judged(read_listings())


@pytest.mark.parametrize("connector", JUDGED)
def test_names_alone_never_make_a_question_of_a_deed(connector: str) -> None:
    listed: dict[str, Any] = {name: {"method": "POST", "path": "/do"} for name in judged(connector)}
    by_name = taken(parse(connector, {connector: listed}))
    assert [name for name, does in by_name.items() if does == "read" != judged(connector)[name]] == []
