"""What the published clients of three generations make of our hub."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from bosa_hub.serve import RunningHub

from ..side_by_side.hub_probe import SHAPES  # noqa: TID252  test folders are no packages
from .clients import Told

TEXT = "Zeile\r\n--\r\n\0ü".encode() * 10_000
BYTES = bytes(range(256)) * 1000 + TEXT
REFUSED = "Exception"


def of_generations(*generations: str) -> pytest.MarkDecorator:
    """For those whose clients have such a call."""
    return pytest.mark.parametrize("generation", generations, indirect=True, scope="session")


@pytest.fixture(scope="session")
def identifier(generation: str) -> str:
    """How the user is called whom the client made."""
    return {"0.1": "first", "0.3": "second", "gl": "third"}[generation]


@pytest.fixture(scope="session")
def listings(hub: RunningHub) -> dict[str, Any]:
    return httpx.get(f"{hub.url}/connectors/").json()


def test_every_connector_is_listed(told: Told, listings: dict[str, Any]) -> None:
    assert told.value("connectors") == sorted(listings)


def test_every_parameter_of_every_action_is_discovered(told: Told, listings: dict[str, Any]) -> None:
    for connector, actions in listings.items():
        found = told.value(f"parameters of {connector}")
        assert found.keys() == actions.keys()
        for action, item in actions.items():
            request = item["parameters"].get("request")
            assert top_level(found[action]) == (required(request["schema"]) if request else {}), action


def required(schema: dict[str, Any]) -> dict[str, bool]:
    """Parameter to whether it must be given."""
    return {name: name in schema.get("required", ()) for name in schema["properties"]}


def top_level(parameters: dict[str, bool]) -> dict[str, bool]:
    """The parameters without those of objects inside them, which clients name with dots."""
    return {name: needed for name, needed in parameters.items() if "." not in name}


def test_every_action_becomes_a_langchain_tool(told: Told, listings: dict[str, Any]) -> None:
    for connector, actions in listings.items():
        assert told.value(f"tools of {connector}") == [f"{connector}_{action}_tool" for action in actions]


def test_two_users_share_a_client_and_no_note(told: Told, identifier: str) -> None:
    assert told.value("notes of two users at once") == 40
    one, other = told.value("notes of the one"), told.value("notes of the other")
    assert one == [[identifier, number] for number in range(0, 40, 2)]
    assert other == [[f"{identifier} other", number] for number in range(1, 40, 2)]


def test_a_new_user_logs_in_and_is_who_it_is(told: Told, identifier: str) -> None:
    user, token, me = (told.value(step) for step in ("a new user", "a token", "who am I"))
    assert user["identifier"] == me["identifier"] == identifier
    assert user["id"] == token["user_id"] == me["id"]
    assert UUID(me["client_id"]) == UUID(token["client_id"])
    assert user["secret"].startswith("sk-user-")
    assert user["secret"].endswith(me["secret_preview"].rpartition("...")[2])
    assert (token["token_type"], token["is_revoked"]) == ("Bearer", False)
    assert me["integrations"] == []


def test_a_user_is_made_once(told: Told) -> None:
    assert "exists already" in told.raised("a user twice", REFUSED)


@pytest.mark.parametrize("step", ["a wrong secret", "an unknown user"])
def test_a_secret_that_does_not_belong_to_the_user_gives_no_token(told: Told, step: str) -> None:
    assert "do not belong together" in told.raised(step, REFUSED)


def test_a_token_that_is_none_is_refused(told: Told) -> None:
    assert "Ask for a new one" in told.raised("who am I, with a token that is none", REFUSED)


@pytest.mark.parametrize("shape", ["object", "list", "null", "text", "number", "empty"])
def test_data_of_every_shape_arrive(told: Told, shape: str) -> None:
    data = json.loads(json.dumps(SHAPES[shape]).replace("aB", "a_b"))
    assert told.value(f"execute {shape}") == [{"data": data, "meta": None}, 200]


def test_run_says_what_the_answer_is(told: Told) -> None:
    said = told.value("run")
    assert (said["data"]["a_b"], said["meta"], said["status"], said["list"]) == (1, {}, 200, False)


def test_calls_are_made_in_every_way(told: Told) -> None:
    assert told.value("keywords") == [{"data": 5, "meta": None}, 200]
    assert told.value("chain") == [{"data": {"user": {"login": "u"}, "tags": ["x", "y"]}, "meta": None}, 200]
    tables, status = told.value("an action without input")
    assert status == 200
    assert len(tables["data"]) == 2


@pytest.mark.parametrize("action", ["list_pages", "list_cursors"])
def test_pages_are_turned_both_ways(told: Told, action: str) -> None:
    pages = [
        {"ends": [1, 100], "next": True, "previous": False, "list": True},
        {"ends": [101, 200], "next": True, "previous": True, "list": True},
        {"ends": [201, 250], "next": False, "previous": True, "list": True},
    ]
    assert [told.value(f"{action}: {step}") for step in ("first", "next", "last")] == pages
    assert told.value(f"{action}: back") == pages[1]
    assert told.value(f"{action}: back again") == pages[0]


@pytest.mark.parametrize("action", ["list_pages", "list_cursors"])
def test_all_items_come_once_and_in_order(told: Told, action: str) -> None:
    assert [item for page in told.value(f"{action}: all") for item in page] == list(range(1, 251))


@pytest.fixture
def content(generation: str) -> bytes:
    """What the client uploads: the first generation takes no file for one that is not UTF-8, wherever it goes."""
    return TEXT if generation == "0.1" else BYTES


def test_a_file_comes_back_as_it_was_sent(told: Told, content: bytes) -> None:
    uploaded, status = told.value("upload")
    assert (status, uploaded["data"]["path"], uploaded["data"]["size"]) == (200, "there/a.bin", len(content))
    downloaded, status = told.value("download")
    assert (status, downloaded["size"]) == (200, len(content))
    assert downloaded["sha256"] == hashlib.sha256(content).hexdigest()
    assert downloaded["name"] == "a.bin"


def test_a_file_of_no_bytes_goes_where_its_name_says(told: Told) -> None:
    assert told.value("upload without a path")[0]["data"]["path"] == "empty.txt"
    downloaded = told.value("download by run")
    assert (downloaded["name"], downloaded["size"]) == ("empty.txt", 0)
    assert downloaded["type"].startswith("text/plain")


def test_a_file_is_not_replaced_and_not_made_up(told: Told) -> None:
    told.failed("upload again", 409)
    told.failed("download nothing", 404)


def test_bytes_that_are_no_text_are_a_file_too(told: Told, generation: str) -> None:
    if generation == "0.1":
        assert "unable to parse raw data as a unicode string" in told.raised("upload bytes", REFUSED)
    else:
        assert told.value("upload bytes")[0]["data"]["size"] == 1


def test_several_files_come_with_lists_in_one_form(told: Told, content: bytes) -> None:
    answer, status = told.value("upload several")
    assert status == 200
    assert (answer["data"]["name"], answer["data"]["tags"]) == ("n", ["a", "b"])
    assert [file["size"] for file in answer["data"]["files"]] == [0, len(content), 0]
    assert answer["data"]["files"][1]["content_type"] == "application/x-thing"


def test_a_form_may_come_without_a_file(told: Told, generation: str) -> None:
    if generation == "0.1":  # which then sends JSON, and gets the same answer from the published server
        told.failed("a form without a file", 422)
    else:
        answer, status = told.value("a form without a file")
        assert (status, answer["data"]["tags"], answer["data"]["files"]) == (200, ["a", "b"], [])


def test_notes_are_exported_as_a_file(told: Told) -> None:
    assert told.value("a note")[1] == 200
    exported, status = told.value("export")
    assert status == 200
    assert exported["name"].endswith(".md")
    assert exported["type"].startswith("text/markdown")
    assert exported["size"] > len("Töne")


def test_what_the_client_checks_itself_is_found_in_the_listing(told: Told) -> None:
    assert "No connector found for app 'nothing'" in told.raised("an unknown connector", REFUSED)
    assert "Invalid action 'nothing'. Available actions: get, list_pages" in told.raised("an unknown action", REFUSED)
    assert "Invalid parameters: {'shape': 'Field required'}" in told.raised("a missing argument", REFUSED)
    assert "Invalid parameters: {'page': " in told.raised("a wrong argument", REFUSED)
    assert "max_attempts must be at least 1" in told.raised("no attempts", REFUSED)


def test_what_the_hub_refuses_keeps_its_status_and_its_message(told: Told) -> None:
    assert told.failed("an argument out of bounds", 422)["detail"][0]["loc"] == ["body", "page"]
    assert "nonsense" in told.failed("400", 400)["message"]
    told.failed("401 without a token", 401)
    told.failed("401 with a token that is none", 401)
    assert "There is no note" in told.failed("404", 404)["message"]
    assert told.failed("409", 409)["error"]["code"] == "TAKEN"
    assert "boom" not in told.failed("500", 500)["message"]
    assert told.value("a failure by run")["status"] == 422


def test_an_action_without_its_account_is_not_found(told: Told) -> None:
    assert told.failed("no account", 404)["message"].startswith("Integration does not exist: ")


def test_a_user_is_sent_where_an_account_is_agreed_to(told: Told) -> None:
    url = urlsplit(str(told.value("an address to agree at")))
    query = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == "https://calendar.example/authorize"
    assert (query["prompt"], query["client_id"], query["response_type"]) == (["consent"], ["the-hub"], ["code"])
    assert query["scope"] == ["read write"]
    assert len(query["state"][0]) >= 32
    assert "calendar" in query["redirect_uri"][0]
    assert told.raised("no such way to link", REFUSED)


@pytest.fixture
def account_names(told: Told, generation: str) -> list[str]:
    """The identifiers of the two accounts that the client linked, in order."""
    accounts = told.value("accounts")
    if generation == "0.1":  # which knows no selected account
        return [account["user_identifier"] for account in accounts["integrations"]]
    assert [selected for _, selected in accounts] == [True, False]
    return [identifier for identifier, _ in accounts]


def test_accounts_are_linked_and_the_first_one_acts(told: Told, account_names: list[str]) -> None:
    assert told.value("has none") is False
    assert len(set(account_names)) == 2
    assert told.value("has one") is True
    assert told.value("the selected account acts") == [place("shop"), 200]


def place(name: str) -> dict[str, Any]:
    return {"data": [{"name": name}], "meta": {"truncated": False, "limit": 1000}}


@of_generations("0.1")
def test_the_first_generation_removes_the_selected_account(told: Told) -> None:
    assert [told.value(f"configure {name}")["data"]["success"] for name in ("shop", "mill")] == [True, True]
    assert told.value("remove")["success"] is True
    assert len(told.value("accounts afterwards")["integrations"]) == 1
    assert told.value("remove the other")["success"] is True
    assert told.value("has none again") is False
    assert told.value("remove what is not there")["success"] is False


@of_generations("0.3", "gl")
def test_an_account_is_configured_once_and_must_work(told: Told) -> None:
    assert [told.value(f"configure {name}")["success"] for name in ("shop", "mill")] == [True, True]
    assert "Integration conflict: " in told.raised("configure one twice", REFUSED)
    assert told.raised("configure nonsense", REFUSED)


@of_generations("0.3", "gl")
def test_an_account_is_looked_at_chosen_and_removed(told: Told, account_names: list[str]) -> None:
    shop, mill = account_names
    looked_at = told.value("get")
    assert (looked_at["user_identifier"], looked_at["connector"], looked_at["selected"]) == (shop, "sql", True)
    assert "shop.db" in looked_at["auth_string"]
    assert told.value("a named account acts") == [place("mill"), 200]
    assert told.value("select") == {"success": True, "message": "success"}
    assert told.value("accounts after selecting") == [[shop, False], [mill, True]]
    assert told.value("the other account acts") == [place("mill"), 200]
    assert told.value("remove")["success"] is True
    assert told.value("accounts afterwards") == [[shop, True]]
    assert told.value("remove the other")["success"] is True
    assert told.value("has none again") is False


@of_generations("0.3", "gl")
def test_an_unknown_account_is_said_to_be_none(told: Told) -> None:
    assert told.failed("an unknown account acts", 404)["message"].startswith("Integration does not exist: ")
    for verb, text in (("get", "error"), ("select", "message"), ("remove", "message")):
        answer = told.value(f"{verb} an unknown account")
        assert answer["success"] is False
        assert answer[text].startswith("Integration does not exist: ")


@of_generations("gl")
def test_an_account_is_replaced_where_that_is_asked_for(told: Told) -> None:
    assert told.value("configure before replacing")["success"] is True
    assert told.value("replace")["success"] is True


@of_generations("gl")
def test_the_catalogue_lists_and_finds_tools(told: Told, listings: dict[str, Any]) -> None:
    tools = told.value("catalog of tools")
    names = {f"{connector}_{action}_tool" for connector, actions in listings.items() for action in actions}
    assert {tool["name"] for tool in tools["items"]} == names
    assert tools["meta"]["total"] == len(names)
    page = told.value("catalog of one connector")
    assert [tool["connector"] for tool in page["items"]] == ["sql", "sql"]
    assert (page["meta"]["total"], page["meta"]["limit"], page["meta"]["offset"]) == (len(listings["sql"]), 2, 1)
    found = told.value("catalog searched")["items"]
    assert {tool["name"] for tool in found} >= {f"notes_{action}_tool" for action in listings["notes"]}
    assert len(found) < len(names)


@of_generations("gl")
@pytest.mark.parametrize("step", ["catalog of servers", "catalog of skills", "tenant skills"])
def test_what_the_hub_has_none_of_is_an_empty_list(told: Told, step: str) -> None:
    listed = told.value(step)
    assert next(value for name, value in listed.items() if name in {"items", "data", "skills"}) == []


@of_generations("gl")
def test_failures_have_their_status_and_code_under_contract_2(told: Told) -> None:
    assert "Integration does not exist: " in told.raised("contract 2: get an unknown account", "GLIntegrationError")
    for verb in ("select", "remove"):
        answer = told.value(f"contract 2: {verb} an unknown account")
        assert answer["success"] is False
        assert answer["message"].startswith(f"Failed to {verb} integration: Integration does not exist: ")
    failure = told.value("contract 2: a failure")
    assert (failure["status"], failure["contract"], failure["code"]) == (409, 2, "TAKEN")
    assert failure["request id"] is True
    assert "exists already" in told.raised("contract 2: raised", "GLAuthenticationError")
    assert told.value("contract 2: fine") is True


@of_generations("gl")
def test_the_async_client_does_the_same_and_needs_no_key(told: Told, listings: dict[str, Any]) -> None:
    assert told.value("awaited") == {
        "who am I": "third",
        "connectors": sorted(listings),
        "execute": [{"data": 5, "meta": None}, 200],
        "all": [100, 100, 50],
        "has": True,
        "identical": True,
    }
