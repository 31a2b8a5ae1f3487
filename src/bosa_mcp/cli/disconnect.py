"""`bosa-mcp disconnect`."""

import json
from typing import Annotated, Final

import anyio
import typer

from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.cli.linked import FLAGS, knowing, no_account, open_linking
from bosa_mcp.cli.options import Json, settled
from bosa_mcp.settings import Settings

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp disconnect github
  bosa-mcp disconnect github octocat
  bosa-mcp disconnect github octocat --json

Without ACCOUNT the one that acts is removed. Other tools then act for the account that the API selects instead.
"""


@settled(*FLAGS)
def disconnect(
    chosen: Settings,
    connector: Annotated[str, typer.Argument(help="The connector's name.", metavar="CONNECTOR", show_default=False)],
    account: Annotated[
        str | None, typer.Argument(help="The account's name.", metavar="ACCOUNT", show_default="the one that acts")
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Remove a linked account."""
    removed = anyio.run(_removed, chosen, connector, account)
    told = {"connector": connector, "account": removed, "removed": True}
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else f"{removed!r} is no longer linked to {connector}.")


async def _removed(chosen: Settings, connector: str, account: str | None) -> str:
    from bosa_mcp import built_in  # noqa: PLC0415  it takes a while to import
    from bosa_mcp.accounts import acting  # noqa: PLC0415  likewise

    async with open_linking(chosen) as (linking, caller, tools):
        mine = (await linking.accounts.person(caller)).of(connector)
        name = account or caller.credentials.account
        acts = acting(mine, name)
        if acts is None:
            built_in.check_there(connector, await knowing(tools, connector))
            raise await no_account(linking, caller, connector, name)
        if trouble := await linking.remove(caller, connector, acts.name):
            raise CommandFailed(trouble)
        return acts.name
