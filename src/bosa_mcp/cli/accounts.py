"""`bosa-mcp accounts`."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import anyio
import typer

from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.cli.linked import FLAGS, knowing, no_account, open_linking
from bosa_mcp.cli.options import Json, settled
from bosa_mcp.settings import Settings

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp accounts
  bosa-mcp accounts github
  bosa-mcp accounts github --select octocat
  bosa-mcp accounts --json

The account that acts is the one that BOSA_ACCOUNT names, else the selected one.
"""


@settled("account", *FLAGS)
def accounts(
    chosen: Settings,
    connector: Annotated[
        str | None, typer.Argument(help="Only those of this one.", metavar="CONNECTOR", show_default=False)
    ] = None,
    *,
    select: Annotated[
        str | None, typer.Option("--select", help="Have this account of CONNECTOR act from now on.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Show which accounts are linked to which connector, and which of them acts."""
    if select is not None and not connector:
        raise typer.BadParameter("expected CONNECTOR before --select: whose account is meant")
    found = anyio.run(_found, chosen, connector or "", select)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    _print(found)


async def _found(chosen: Settings, connector: str, select: str | None) -> dict[str, list[dict[str, Any]]]:
    from bosa_mcp import built_in  # noqa: PLC0415  it takes a while to import

    async with open_linking(chosen) as (linking, caller, tools):
        table = await knowing(tools, connector)
        if select is not None and (trouble := await linking.select(caller, connector, select)):
            built_in.check_there(connector, table)
            is_there = select in {each.name for each in (await linking.accounts.person(caller)).of(connector)}
            raise CommandFailed(trouble) if is_there else await no_account(linking, caller, connector, select)
        return await built_in.overview(linking, connector, table, caller)


def _print(found: Mapping[str, list[dict[str, Any]]]) -> None:
    from rich import box  # noqa: PLC0415  only what prints needs it
    from rich.console import Console  # noqa: PLC0415  likewise
    from rich.table import Table  # noqa: PLC0415  likewise
    from rich.text import Text  # noqa: PLC0415  likewise

    from bosa_mcp.invisible import plain  # noqa: PLC0415  likewise

    table = Table("connector", "account", "", box=box.SIMPLE_HEAD, pad_edge=False)
    for connector, mine in found.items():
        for account in mine or [{"account": "–", "acts": False}]:  # noqa: RUF001  a dash for nothing
            does = "acts" if account["acts"] else ""
            status = account.get("status", "active")
            said = does if status == "active" else f"{does} {status}".strip()
            style = "bold" if account["acts"] else "" if mine else "dim"
            cells = (connector, str(account["account"]), said)
            table.add_row(*(Text(plain(each)[:200], style) for each in cells))
    console = Console(highlight=False)
    if not found:
        console.print("No connector here links accounts.", markup=False)
        return
    console.print(table)
    if not any(found.values()):
        console.print("Nothing is linked yet: `bosa-mcp connect CONNECTOR` links an account.", markup=False)
