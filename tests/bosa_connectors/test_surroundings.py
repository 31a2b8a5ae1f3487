"""What the package does to a fresh process, and what it lets the environment decide."""

from pathlib import Path

import pytest

from .fresh import said_by
from .raw import answer, answering, raw_api
from .scripted import Answer, ScriptedApi

OTHERS = ["anyio", "asyncio", "httpx", "jsonschema", "langchain", "mcp", "pydantic", "rich", "starlette", "structlog"]
LOADED = f"import sys; print([name for name in {OTHERS} if name in sys.modules])"
CALL_EACH = """
import asyncio, sys
from bosa_connectors import Action, AsyncBosaConnector, Call, Credentials

async def main():
    action = Action("notes", "do", "/do", "", {"type": "object"})
    for url in sys.argv[1:]:
        async with AsyncBosaConnector(url, "client-key") as connector:
            await connector.send(Call(action, {}))
            await connector.send(Call(action, {}, Credentials(user_token="jwt")))

asyncio.run(main())
"""


async def test_importing_the_package_prints_nothing() -> None:
    assert await said_by("import bosa_connectors") == ""


async def test_importing_the_package_loads_no_other() -> None:
    assert await said_by(f"import bosa_connectors; {LOADED}") == "[]"


async def test_the_pure_modules_load_only_what_checks_schemas() -> None:
    modules = ["calls", "catalogue", "errors", "fields", "paging", "schema", "shapes", "wire"]
    imports = "; ".join(f"import bosa_connectors.{name}" for name in modules)
    assert await said_by(f"{imports}; {LOADED}") == "['jsonschema']"


async def test_every_public_name_is_there_for_a_star_import() -> None:
    code = "from bosa_connectors import *; print(AsyncBosaConnector.__name__, Call.__name__)"
    assert await said_by(code) == "AsyncBosaConnector Call"


async def test_a_netrc_file_is_ignored(api: ScriptedApi, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hush\ndefault login someone password hush\n")
    netrc.chmod(0o600)
    api.answers["/do"] = Answer.of({"data": 1})
    await said_by(CALL_EACH, api.url, NETRC=str(netrc), HOME=str(tmp_path))
    assert [asked.said.get("authorization") for asked in api.asked] == [None, "Bearer jwt"]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_a_proxy_is_used_for_other_hosts_and_never_for_loopback(variable: str, api: ScriptedApi) -> None:
    api.answers["/do"] = Answer.of({"data": 1})
    port = api.url.rpartition(":")[2]
    async with raw_api(answering(answer())) as proxy:
        urls = [api.url, f"http://localhost:{port}", "http://api.example:8090/v1"]
        assert await said_by(CALL_EACH, *urls, **{variable: proxy.url}) == ""
        assert api.lines == ["POST /do"] * 4
        lines = [request.partition(b"\r\n")[0].decode() for request in proxy.requests]
        assert lines == ["POST http://api.example:8090/v1/do HTTP/1.1"] * 2


async def test_a_proxy_that_is_down_is_unreachable() -> None:
    run = "asyncio.run(main())"
    code = CALL_EACH.replace(run, f"try: {run}\nexcept Exception as error: print(error)")
    said = await said_by(code, "http://api.example", HTTP_PROXY="http://127.0.0.1:9")
    assert said.startswith("http://api.example cannot be reached: ")
