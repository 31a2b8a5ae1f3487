"""The MCP server: a few handlers over the table of tools."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import mcp_types as types
import structlog
from mcp.shared.exceptions import MCPError

from bosa_connectors.effects import effect
from bosa_mcp import resources, results
from bosa_mcp.calling import carry_out
from bosa_mcp.changes import TellingServer
from bosa_mcp.elicitation import Asker, InputNeeded
from bosa_mcp.invisible import plain
from bosa_mcp.results import Refusal
from bosa_mcp.shutdown import Drain
from bosa_mcp.store import StoreError
from bosa_mcp.table import BadCursor
from bosa_mcp.tools import INSTRUCTIONS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mcp.server.context import ServerRequestContext

    from bosa_mcp.calling import Parts
    from bosa_mcp.execution import Report
    from bosa_mcp.table import Table
    from bosa_mcp.tools import Offer

NAME: Final = "bosa"
LIST_TTL: Final = 60_000
"""Milliseconds for which a list of tools may be used again, where nothing is missing from it."""
_Params = TypeVar("_Params")
_Result = TypeVar("_Result")
_Handler: TypeAlias = "Callable[[ServerRequestContext[Any], _Params], Awaitable[_Result]]"
_ENDED: Final = "The server ended before the answer had come."

log = structlog.get_logger("bosa_mcp")


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
        return results.result(results.written(results.refusal(_given_up(tools.table.offer(params.name)))))

    async def listen(
        context: "ServerRequestContext[Any]", params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        return await tools.changes.listen(context, server.heard(params))

    kept = resources.handlers(parts.store, parts.who).items()
    reading: dict[str, Any] = {name: _contained(handler) for name, handler in kept}
    server = TellingServer(
        NAME,
        version=version("bosa-mcp"),
        title="BOSA connectors",
        instructions=INSTRUCTIONS,
        on_list_tools=_contained(list_tools),
        on_call_tool=_contained(call_tool),
        on_subscriptions_listen=listen,
        get_tool_input_schema=tools.input_schema,  # without it each call over HTTP has the tools listed
        **reading,
    )
    server.drain = Drain()
    server.middleware.append(tools.changes.remember)
    return server


def _given_up(offer: "Offer | None") -> Refusal:
    """What is said of a call that the server's own end cut short."""
    if offer and effect(offer.action) == "read":
        return Refusal("cancelled", _ENDED, "Nothing was changed: it may be called again.")
    return Refusal("outcome_unknown", _ENDED)


def _contained(handler: "_Handler[_Params, _Result]") -> "_Handler[_Params, _Result]":
    """The handler, of whose failures clients of the handshake era would be told the text."""

    async def handle(context: "ServerRequestContext[Any]", params: _Params) -> _Result:
        try:
            return await handler(context, params)
        except StoreError as odd:
            raise MCPError(types.INTERNAL_ERROR, str(odd)) from odd
        except MCPError:
            raise
        except Exception:
            log.exception("a request failed", method=context.method)
            raise MCPError(types.INTERNAL_ERROR, "The server failed to answer this; its log says more.") from None

    return handle


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
