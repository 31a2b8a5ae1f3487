"""The actions of a connector as LangChain tools."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from bosa_connectors import BOSAConnectorToolGenerator, ConnectorFile
from bosa_connectors.errors import BosaConnectorError
from bosa_connectors.tool import BosaConnectorToolError

from .samples import listed, takes
from .scripted import Answer, ScriptedApi

LISTING = "/connectors/?modules=notes"
PATH = "/connectors/notes/"
TEXT = {"type": "string", "description": "What it is called."}
FILE = {"type": "string", "format": "binary"}
ACTIONS = {
    "get-one": listed(
        takes(title=TEXT, required=("title",)),
        path=f"{PATH}get",
        docstring="Gets it.\n\n            Args:\n                request: noise",
    ),
    "count": listed(takes(most={"type": "integer"}), path=f"{PATH}count"),
    "create_one": listed(takes(config=TEXT, run_manager=TEXT, required=("config",)), path=f"{PATH}create"),
    "download": listed(takes(), path=f"{PATH}download", docstring=None),
    "attach": listed(takes(title=TEXT, file={"anyOf": [FILE, {"type": "null"}]}), path=f"{PATH}attach"),
    "upload": listed(takes(file=FILE, required=("file",)), path=f"{PATH}upload"),
}


@pytest.fixture
async def generator(api: ScriptedApi) -> AsyncIterator[BOSAConnectorToolGenerator]:
    api.answers |= {
        LISTING: Answer.of({"notes": ACTIONS}),
        f"{PATH}get": Answer.of({"data": {"id": 1}, "meta": None}),
        f"{PATH}create": Answer.of({"data": {"id": 2}, "meta": None}),
        f"{PATH}download": Answer(200, {"content-type": "text/plain", "content-disposition": "filename=a.txt"}, b"abc"),
    }
    generator = BOSAConnectorToolGenerator(api.url, "client-key", "notes", token="jwt", identifier="me")
    yield generator
    await generator.aclose()


@pytest.fixture
def tools(generator: BOSAConnectorToolGenerator) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in generator.generate_tools()}


async def call(tool: BaseTool, way: str, arguments: dict[str, Any], config: Any = None) -> Any:  # noqa: ANN401  LangChain's
    """What the tool answers, called in this way."""
    return await tool.ainvoke(arguments, config) if way == "ainvoke" else tool.invoke(arguments, config)


def as_model(tool: BaseTool, **arguments: object) -> dict[str, Any]:
    """A call as a model makes it."""
    return {"type": "tool_call", "id": "1", "name": tool.name, "args": arguments}


async def test_there_is_a_tool_for_each_action_that_a_model_can_call(tools: dict[str, BaseTool]) -> None:
    assert list(tools) == [
        "notes_get_one_tool",
        "notes_count_tool",
        "notes_create_one_tool",
        "notes_download_tool",
        "notes_attach_tool",
    ]
    assert [tool.description for tool in tools.values()] == ["Gets it.", "Does it.", "Does it.", "download", "Does it."]


async def test_a_tool_leaves_out_the_files_that_an_action_can_do_without(
    api: ScriptedApi, tools: dict[str, BaseTool]
) -> None:
    api.answers[f"{PATH}attach"] = Answer.of({"data": {"id": 3}, "meta": None})
    assert tools["notes_attach_tool"].args == {"title": TEXT}
    assert tools["notes_attach_tool"].invoke({"title": "t"}) == {"data": {"id": 3}, "meta": None}
    assert api.asked[-1].body == b"title=t"


async def test_arguments_are_flat_and_no_model_is_asked_for_a_token(tools: dict[str, BaseTool]) -> None:
    assert tools["notes_get_one_tool"].args == {"title": TEXT}
    function = convert_to_openai_tool(tools["notes_get_one_tool"])["function"]
    assert function["parameters"] == {"type": "object", "properties": {"title": TEXT}, "required": ["title"]}
    assert tools["notes_download_tool"].args == {}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_tool_calls_for_its_user(way: str, api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    answered = await call(tools["notes_get_one_tool"], way, {"title": "t"})
    assert answered == {"data": {"id": 1}, "meta": None}
    assert api.asked[-1].arguments == {"title": "t"}
    said = api.asked[-1].said
    assert (said["x-api-key"], said["authorization"], said["x-integration"]) == ("client-key", "Bearer jwt", "me")


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_model_may_give_a_number_as_text(way: str, api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    api.answers[f"{PATH}count"] = Answer.of({"data": 3, "meta": None})
    assert await call(tools["notes_count_tool"], way, {"most": "3"}) == {"data": 3, "meta": None}
    assert api.asked[-1].arguments == {"most": 3}
    for odd in ({"most": "three"}, {"most": "3", "mots": 3}):
        said = await call(tools["notes_count_tool"], way, odd)
        assert said.startswith("Invalid parameters: ")


async def test_a_tool_runs_without_any_configuration(tools: dict[str, BaseTool]) -> None:
    tool = tools["notes_get_one_tool"]
    assert tool.run({"title": "t"}) == await tool.arun({"title": "t"}) == {"data": {"id": 1}, "meta": None}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_one_set_of_tools_serves_many_users(way: str, api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    config = {"configurable": {"bosa_user_token": "theirs", "bosa_account": "other"}}
    await call(tools["notes_get_one_tool"], way, {"title": "t"}, config)
    await call(tools["notes_get_one_tool"], way, {"title": "t"})
    calls = [(asked.said["authorization"], asked.said["x-integration"]) for asked in api.asked[1:]]
    assert calls == [("Bearer theirs", "other"), ("Bearer jwt", "me")]


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_arguments_that_are_named_as_langchains_own_arrive(
    way: str, api: ScriptedApi, tools: dict[str, BaseTool]
) -> None:
    assert list(tools["notes_create_one_tool"].args) == ["config_", "run_manager_"]
    await call(tools["notes_create_one_tool"], way, {"config_": "a", "run_manager_": "b"})
    assert api.asked[-1].arguments == {"config": "a", "run_manager": "b"}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_file_is_told_of_and_is_the_artifact(way: str, tools: dict[str, BaseTool]) -> None:
    tool = tools["notes_download_tool"]
    message = await call(tool, way, as_model(tool))
    assert message.content == '{"file": "a.txt", "content_type": "text/plain", "size": 3}'
    assert isinstance(message.artifact, ConnectorFile)
    assert message.artifact.file == b"abc"


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
async def test_a_failure_is_told_to_the_model_as_one(way: str, api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    tool = tools["notes_get_one_tool"]
    wrong = await call(tool, way, as_model(tool, titel="t"))
    assert (wrong.status, "'title': 'Field required'" in wrong.content) == ("error", True)
    assert len(api.asked) == 1
    api.answers[f"{PATH}get"] = Answer.of({"message": "There is none."}, 404)
    failed = await call(tool, way, as_model(tool, title="t"))
    assert (failed.status, "404: There is none." in failed.content) == ("error", True)


async def test_all_tools_share_one_connection_and_one_discovery(api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    for name in ("notes_get_one_tool", "notes_create_one_tool", "notes_get_one_tool"):
        tools[name].invoke({"title": "t"} if "get" in name else {"config_": "x"})
    assert api.lines == [f"GET {LISTING}", f"POST {PATH}get", f"POST {PATH}create", f"POST {PATH}get"]
    assert len({asked.connection for asked in api.asked}) == 1


async def test_tools_that_are_awaited_run_at_the_same_time(api: ScriptedApi, tools: dict[str, BaseTool]) -> None:
    async def use(user: int) -> None:
        config: Any = {"configurable": {"bosa_user_token": f"token-{user}"}}
        await tools["notes_get_one_tool"].ainvoke({"title": str(user)}, config)

    async with anyio.create_task_group() as users:
        for user in range(10):
            users.start_soon(use, user)
    calls = {asked.arguments["title"]: asked.said["authorization"] for asked in api.asked[1:]}
    assert calls == {str(user): f"Bearer token-{user}" for user in range(10)}


async def test_every_tool_has_a_name_of_its_own_that_a_model_takes(
    api: ScriptedApi, generator: BOSAConnectorToolGenerator
) -> None:
    names = ["a-b", "a_b", "c/d", "c.d", "é", "x" * 100, "x" * 101]
    api.answers[LISTING] = Answer.of({"notes": {name: listed() for name in names}})
    made = [tool.name for tool in generator.generate_tools()]
    assert made[0] == "notes_a_b_tool"
    assert len(set(made)) == len(names)
    assert all(name.isascii() and name.isidentifier() and len(name) <= 64 for name in made)
    assert made == [tool.name for tool in generator.generate_tools()]


async def test_a_generator_has_the_published_attributes_and_shows_no_secret(
    generator: BOSAConnectorToolGenerator,
) -> None:
    assert (generator.api_key, generator.app_name) == ("client-key", "notes")
    assert generator.api_base_url.startswith("http://127.0.0.1:")
    assert "client-key" not in repr(generator)
    assert "jwt" not in repr(vars(generator))


async def test_a_connector_that_there_is_not_has_no_tools(api: ScriptedApi) -> None:
    api.answers[LISTING] = Answer.of({})
    generator = BOSAConnectorToolGenerator(api.url, "client-key", "notes")
    with pytest.raises(BosaConnectorToolError, match=r"^No connector found for app 'notes'") as caught:
        generator.generate_tools()
    assert isinstance(caught.value, BosaConnectorError)
    with pytest.raises(BosaConnectorToolError, match="'langchain' only, not 'gllm'"):
        generator.generate_tools("gllm")  # pyright: ignore[reportArgumentType]  that is the point
    generator.close()


async def test_langchain_is_loaded_only_when_tools_are_made(tmp_path: Path) -> None:
    code = "import sys, bosa_connectors.tool; print([name for name in sys.modules if name.startswith('langchain')])"
    ended = await anyio.run_process([sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path)})
    assert ended.stdout.decode().strip() == "[]"
