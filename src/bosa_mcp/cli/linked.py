"""What the commands about accounts share."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.settings import Settings, check_api

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bosa_mcp.access import Caller
    from bosa_mcp.linking import Linking
    from bosa_mcp.refresh import Tools
    from bosa_mcp.table import Table

FLAGS: Final = ("api_base_url", "connectors", "hub_connectors", "data_dir")


@asynccontextmanager
async def open_linking(chosen: Settings) -> "AsyncGenerator[tuple[Linking, Caller, Tools]]":
    """How accounts are linked, by whom, and the tools there are; what goes wrong ends the command."""
    check_api(chosen)
    from bosa_connectors.errors import BosaError  # noqa: PLC0415  it takes a while to import
    from bosa_mcp.cli.api import open_parts, with_pages  # noqa: PLC0415  likewise
    from bosa_mcp.results import Refusal  # noqa: PLC0415  likewise

    async with open_parts(chosen) as (parts, caller), with_pages(parts, chosen, None) as (there, _):
        assert there.linking is not None  # noqa: S101  it is made with the parts
        try:
            yield there.linking, caller, there.tools
        except BosaError as failure:
            raise CommandFailed(str(failure)) from failure
        except Refusal as refused:
            raise CommandFailed(f"{refused} {refused.hint or ''}".strip()) from refused


async def knowing(tools: "Tools", connector: str) -> "Table":
    """The table of tools; where it lacks this connector, as the API lists it now."""
    table = await tools.look()
    if connector and connector not in table.listed:
        await tools.refresh()
    return tools.table


async def no_account(linking: "Linking", caller: "Caller", connector: str, name: str | None) -> CommandFailed:
    """What to say where there is no account of this name, or none that acts."""
    from bosa_mcp.accounts import listed  # noqa: PLC0415  as above

    mine = (await linking.accounts.person(caller)).of(connector)
    linked = f"Linked are: {listed(mine)}." if mine else "Nothing is linked there."
    return CommandFailed(f"There is no account {repr(name) if name else 'that acts'} on {connector}. {linked}")
