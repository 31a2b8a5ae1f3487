"""The MCP server: a few handlers over the table of tools."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from bosa_mcp import resources, results
from bosa_mcp.calling import carry_out
from bosa_mcp.changes import TellingServer
from bosa_mcp.consent import Asker, InputNeeded
from bosa_mcp.drain import Drain
from bosa_mcp.invisible import plain
from bosa_mcp.results import Refusal
from bosa_mcp.table import BadCursor
from bosa_mcp.tools import INSTRUCTIONS

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from bosa_mcp.calling import Parts
    from bosa_mcp.execution import Report
    from bosa_mcp.table import Table

NAME: Final = "bosa"
LIST_TTL: Final = 60_000
"""Milliseconds for which a list of tools may be used again, where nothing is missing from it."""
_ENDED: Final = Refusal("outcome_unknown", "The server ended before the answer had come.")


def create_server(parts: "Parts") -> TellingServer:
    """An MCP server for any number of callers."""
    tools = parts.tools

    async def list_tools(
        _: "ServerRequestContext[Any]", params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return _page(await tools.look(), params.cursor if params else None)

    async def call_tool(
        context: "ServerRequestContext[Any]", params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        caller, asker = parts.who(context), Asker(context, params)
        try:
            with server.drain.call():
                report = _reporting(context)
                return await carry_out(parts, params.name, params.arguments or {}, caller, report, asker=asker)
        except InputNeeded as needed:
            return needed.result
        return results.result(results.written(results.refusal(_ENDED)))

    async def listen(
        context: "ServerRequestContext[Any]", params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        return await tools.changes.listen(context, server.heard(params))

    server = TellingServer(
        NAME,
        version=version("bosa-mcp"),
        title="BOSA connectors",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_subscriptions_listen=listen,
        get_tool_input_schema=tools.input_schema,  # without it each call over HTTP has the tools listed
        **resources.handlers(parts.store, parts.who),
    )
    server.drain = Drain()
    server.middleware.append(tools.changes.remember)
    return server


def _page(table: "Table", cursor: str | None) -> types.ListToolsResult:
    try:
        page, following = table.page(cursor)
    except BadCursor as odd:
        raise MCPError(types.INVALID_PARAMS, str(odd)) from None
    ttl = 0 if table.missing else LIST_TTL
    listed = [offer.tool for offer in page]
    return types.ListToolsResult(tools=listed, next_cursor=following, ttl_ms=ttl, cache_scope="private")


def _reporting(context: "ServerRequestContext[Any]") -> "Report":
    """Tells the client how far a call has come, where it wants to know."""
    told = 0

    async def report(message: object) -> None:
        nonlocal told
        told += 1
        await context.session.report_progress(told, message=plain(str(message)))

    return report
