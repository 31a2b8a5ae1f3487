"""What the published clients get wrong, and the test that shows the right behaviour of each.

The table is checked: a test that it names exists. Where a defect belongs to no other file, its test stands below.
"""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from bosa_connectors import AsyncBosaConnector, BOSAConnectorToolGenerator
from bosa_connectors.calls import DEFAULT_TIMEOUT, Call
from bosa_connectors.errors import OutcomeUnknown, RequestTimeout

from .raw import Connection, answer, raw_api, stalling
from .samples import action, listed
from .scripted import Answer, ScriptedApi

LISTING = "/connectors/?modules=notes"
DEFECTS = {
    # bosa-connectors-binary
    "logs to stdout on import": "test_surroundings::test_importing_the_package_prints_nothing",
    "a new TCP connection per call": "test_send::test_a_connection_is_used_again",
    "no async: ainvoke blocks the loop": "test_published_defects::test_awaiting_a_tool_does_not_block_the_loop",
    "Retry-After ignored": "test_repeating::test_retry_after_is_waited_for",
    "a completed POST is sent again when its reply is not JSON": (
        "test_repeating::test_an_explicit_max_attempts_does_not_repeat_what_was_answered_oddly"
    ),
    "no timeout in the fluent chain": "test_published_defects::test_a_chain_has_a_timeout",
    "no overall deadline": "test_send_faults::test_a_deadline_bounds_the_whole_call",
    "204 raises TypeError": "test_programs::test_execute_and_run_never_raise_on_a_status",
    "error bodies are collected by get_all_items()": "test_walks::test_an_error_in_the_middle_of_a_walk_is_raised",
    "endless pagination loops": "test_walks::test_an_api_that_leads_nowhere_ends_the_walk_with_an_error",
    "required ignored": "test_programs::test_the_texts_that_programs_match_on",
    "default, enum and ranges ignored": "test_schema::test_everything_that_is_wrong_is_said_at_once",
    "$ref ignored": "test_schema::test_local_references_are_followed",
    "unknown parameters dropped in silence": (
        "test_programs::test_an_unknown_argument_is_left_out_with_a_warning_that_names_the_nearest"
    ),
    "keyword arguments dropped in silence": "test_programs::test_input_and_keywords_are_put_together",
    "strings stripped": "test_programs::test_execute_gives_the_body_as_sent_and_the_status",
    "one odd property takes the connector down": ("test_schema::test_what_makes_no_sense_says_nothing"),
    "one odd action takes the connector down": (
        "test_catalogue::test_an_item_that_makes_no_sense_costs_itself_and_says_why"
    ),
    "401 and 500 on discovery read as 'No connector found'": (
        "test_discovery::test_a_discovery_that_fails_says_what_it_is_and_is_asked_again_the_next_time"
    ),
    "discovery never refreshed": "test_discovery::test_a_refresh_asks_anew_and_is_what_is_known_from_then_on",
    "8 threads discover 8 times": "test_discovery::test_a_catalogue_is_asked_once_however_many_tasks_ask_at_once",
    "X-API-Key follows a redirect to another host": (
        "test_send::test_a_redirect_is_not_followed_and_nothing_reaches_the_other_origin"
    ),
    ".netrc replaces the user's token": "test_surroundings::test_a_netrc_file_is_ignored",
    "repr shows tokens": "test_user_secrets::test_a_token_is_where_it_was_and_shown_nowhere",
    "repr shows secrets": "test_user_secrets::test_the_secret_of_a_new_user_is_where_it_was_and_shown_nowhere",
    "a download's filename may be ../../etc/passwd": (
        "test_download::test_a_name_that_leads_out_of_the_folder_is_saved_within_it"
    ),
    "filename* ignored": "test_download::test_a_name_beyond_ascii_is_understood",
    "CR LF in a content type is written through": (
        "test_form::test_a_content_type_with_a_line_break_is_refused_not_written_through"
    ),
    "identifiers unescaped in URLs": (
        "test_integrations::test_an_identifier_and_a_connector_stay_one_segment_of_the_path_whatever_they_hold"
    ),
    "a 100 MB file costs 200 MB more": (
        "test_large_files::test_a_hundred_megabytes_cost_a_few_beyond_what_the_caller_holds"
    ),
    "the bearer token is a tool argument": "test_tools::test_arguments_are_flat_and_no_model_is_asked_for_a_token",
    "import loads 93 packages": "test_published_defects::test_importing_the_connector_loads_what_it_needs_and_no_more",
    # gl-connectors-sdk
    "the caller's headers are mutated": "test_programs::test_what_the_caller_gave_is_never_changed",
    "the next call carries the last user's token": (
        "test_programs::test_the_chains_of_one_connector_know_nothing_of_each_other"
    ),
    "an absolute URL in a discovery path gets key, token and body": (
        "test_catalogue::test_a_path_that_leads_elsewhere_costs_that_action_alone"
    ),
    "remove_integration('../../../users/me') deletes the user": (
        "test_integrations::test_an_identifier_and_a_connector_stay_one_segment_of_the_path_whatever_they_hold"
    ),
    "generated LangChain tools never run": "test_tools::test_a_tool_calls_for_its_user",
    "generated LangChain tools cost 130 ms a call": (
        "test_tools::test_all_tools_share_one_connection_and_one_discovery"
    ),
    "page_token actions repeat page 1 for ever": "test_walks::test_a_walk_yields_every_item_once",
    "raw bytes upload as their Python repr": (
        "test_upload::test_raw_bytes_arrive_as_they_are_not_as_their_python_repr"
    ),
    "one instance on two event loops fails": (
        "test_published_defects::test_one_connector_object_serves_one_event_loop_after_another"
    ),
    "except BosaConnectorError no longer catches what is raised": (
        "test_programs::test_a_connector_that_there_is_not_is_named"
    ),
    "$ref, oneOf and enum-only properties dropped": (
        "test_schema::test_a_union_with_a_discriminator_reports_within_the_branch_that_it_names"
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_the_test_of_each_defect_exists(defect: str) -> None:
    file, _, name = DEFECTS[defect].partition("::")
    text = Path(__file__).with_name(f"{file}.py").read_text()
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


@pytest.mark.parametrize(("name", "kind"), [("get_it", RequestTimeout), ("do_it", OutcomeUnknown)])
async def test_a_chain_has_a_timeout(name: str, kind: type[Exception]) -> None:
    listing = answer(json.dumps({"notes": {name: listed()}}).encode(), 200, "connection: close")

    async def list_it(connection: Connection) -> None:
        await connection.request()
        await connection.write(listing)

    async with raw_api(list_it, stalling()) as api, AsyncBosaConnector(api.url) as connector:
        chain = connector.connect("notes").action(name)
        with pytest.raises(kind), anyio.fail_after(DEFAULT_TIMEOUT / 2):
            await chain.timeout(0.05).run()


async def test_awaiting_a_tool_does_not_block_the_loop(api: ScriptedApi) -> None:
    api.answers[LISTING] = Answer.of({"notes": {"get_it": listed()}})
    generator = BOSAConnectorToolGenerator(api.url, "key", "notes")
    [tool] = generator.generate_tools()
    ticked = 0

    async def tick() -> None:
        nonlocal ticked
        while True:
            ticked += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as meanwhile:
        meanwhile.start_soon(tick)
        await tool.ainvoke({})
        meanwhile.cancel_scope.cancel()
    await generator.aclose()
    assert ticked > 3


def test_one_connector_object_serves_one_event_loop_after_another(api: ScriptedApi) -> None:
    # the server hangs up, so that no loop leaves an open connection behind
    api.answers["/connectors/notes/do"] = Answer.of({"data": 1, "meta": None}, connection="close")
    connector = AsyncBosaConnector(api.url)

    async def use() -> object:
        return (await connector.send(Call(action(), {}))).data

    assert [asyncio.run(use()) for _ in range(3)] == [1, 1, 1]


async def test_importing_the_connector_loads_what_it_needs_and_no_more() -> None:
    others = [
        "click",
        "jsonschema",
        "requests",
        "rich",
        "langchain_core",
        "mcp",
        "starlette",
        "structlog",
        "typer",
        "tenacity",
        "obstore",
        "asyncio",
    ]
    code = "import sys, bosa_connectors.connector; print(*{name.partition('.')[0] for name in sys.modules})"
    ended = await anyio.run_process([sys.executable, "-c", code], env=dict(os.environ))
    loaded = set(ended.stdout.decode().split())
    assert "httpx" in loaded
    assert not loaded & set(others)
