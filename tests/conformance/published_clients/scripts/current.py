"""The flow of the current generation, its blocking and its async half. Run by a Python that has gl-connectors-sdk."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import asyncio
import sys
from pathlib import Path

import accounts
import flow
from gl_connectors_sdk import GLConnectors, GLConnectorToolGenerator
from gl_connectors_sdk.models.file import ConnectorFile
from steps import Anything, step

url, key, users = sys.argv[1:]


def blocking(client: GLConnectors) -> flow.User:
    connectors = flow.discover(client)
    flow.generate(GLConnectorToolGenerator, url, key, connectors)
    user = flow.arrive(client, "third")
    flow.share(client, user, flow.another(client, user))
    flow.call(client, user.token)
    flow.walk(client, user.token, "list_pages")
    flow.walk(client, user.token, "list_cursors")
    flow.carry(client, user.token, ConnectorFile)
    flow.fail(client, user.token)
    flow.place_databases(Path(users), user)
    accounts.link(client, user.token)
    return user


def replace(client: GLConnectors, token: str) -> None:
    """An account is linked again in place of itself."""
    link = client.initiate_plugin_configuration
    step("configure before replacing", lambda: link("sql", token, flow.configuration("shop")))
    step("replace", lambda: link("sql", token, flow.configuration("shop"), replace_duplicate=True))


def catalog(client: GLConnectors, token: str) -> None:
    """What the catalogue lists."""
    step("catalog of tools", lambda: client.list_tools(limit=200))
    step("catalog of one connector", lambda: client.list_tools(connector="sql", limit=2, offset=1))
    step("catalog searched", lambda: client.list_tools(q="note"))
    step("catalog of servers", client.list_mcps)
    step("catalog of skills", client.list_skills)
    step("tenant skills", lambda: client.list_tenant_skills(token))


def second_contract(user: flow.User) -> None:
    """Failures as contract 2 has them."""
    with_status = GLConnectors(url, key, error_contract=2)
    for verb in ("get", "select", "remove"):
        name = f"contract 2: {verb} an unknown account"
        step(name, lambda verb=verb: accounts.act(with_status, verb, user.token, "nobody"))
    step("contract 2: a failure", lambda: failure(with_status, user.token))
    step("contract 2: raised", lambda: with_status.create_user(user.identifier))
    step("contract 2: fine", lambda: with_status.user_has_integration("sql", user.token))


def failure(client: GLConnectors, token: str) -> dict[str, Anything]:
    """What is known of a failure."""
    answer = client.run("refusals", "refuse", token=token)
    error = answer.get_error()
    return {
        "status": answer.get_status(),
        "contract": answer.get_error_contract(),
        "request id": bool(answer.get_request_id()) and answer.get_request_id() == error.request_id,
        "code": error.api_code,
        "message": error.message,
    }


async def awaited(user: flow.User) -> None:
    """The same, awaited, and without an API key."""
    client = GLConnectors(url)

    async def read() -> None:
        token = (await client.aauthenticate(user.identifier, user.secret)).token
        seen["who am I"] = (await client.aget_user_info(token)).identifier
        seen["connectors"] = sorted(await client.aget_available_modules())
        seen["execute"] = await client.aexecute("probe", "get", input_={"shape": "number"}, token=token)
        page = await client.arun("probe", "list_pages", input_={"per_page": 100}, token=token)
        seen["all"] = [len(each["data"]) for each in await page.aget_all_items()]
        seen["has"] = await client.auser_has_integration("sql", token)
        file = ConnectorFile(file=flow.BYTES, filename="b.bin", content_type="application/x-thing")
        await client.aexecute("files", "upload_file", input_={"file": file}, token=token)
        downloaded, _ = await client.aexecute("files", "download_file", input_={"path": "b.bin"}, token=token)
        seen["identical"] = downloaded.file == flow.BYTES

    seen: dict[str, Anything] = {}
    try:
        await read()
    except Exception as error:  # noqa: BLE001  what a client raises is what is asked
        seen["raised"] = repr(error)
    step("awaited", lambda: seen)
    await client.aclose()


client = GLConnectors(url, key)
user = blocking(client)
replace(client, user.token)
catalog(client, user.token)
second_contract(user)
asyncio.run(awaited(user))
