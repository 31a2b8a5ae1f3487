"""The MCP server: a few handlers over the table of tools."""

from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import mcp_types as types
import structlog
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from bosa_connectors.calls import Call, Credentials
from bosa_connectors.errors import BosaError, InvalidArguments, nearest
from bosa_mcp import arguments, results
from bosa_mcp.tools import INSTRUCTIONS

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from bosa_connectors.aio import AsyncBosaConnector
    from bosa_connectors.calls import FileHead
    from bosa_mcp.refresh import Tools
    from bosa_mcp.tools import Offer

NAME: Final = "bosa"
SECRET_LENGTH: Final = 8
"""Shorter ones, such as the default key `bosa`, are words."""
_FILE_HINT: Final = "The action was carried out, but its file cannot be handed over: do not call it again for that."

log = structlog.get_logger("bosa_mcp")


def create_server(
    connector: "AsyncBosaConnector", tools: "Tools", credentials: Credentials, call_budget: float
) -> Server[Any]:
    """An MCP server whose tools are `tools`, called with `credentials`, each within `call_budget` seconds."""
    known = (credentials.api_key, credentials.user_token)
    secrets = [secret for secret in known if secret and len(secret) >= SECRET_LENGTH]

    async def list_tools(
        _: "ServerRequestContext[Any]", __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        table = await tools.look()
        return types.ListToolsResult(tools=[offer.tool for offer in table.offers.values()])

    async def call_tool(_: "ServerRequestContext[Any]", params: types.CallToolRequestParams) -> types.CallToolResult:
        offer = await tools.offer(params.name)
        if offer is None:
            raise MCPError(types.INVALID_PARAMS, _unknown(params.name, tools))
        try:
            result = await call(offer, params.arguments or {})
        except InvalidArguments as wrong:
            result = results.failure(arguments.with_ours(offer, wrong))
        except BosaError as failure:
            result = results.failure(failure)
        except Exception:
            log.exception("a tool call failed", tool=params.name)
            result = results.refusal("internal_error", "The server failed to carry out this call.")
        return results.without(result, secrets)

    async def call(offer: "Offer", sent: dict[str, Any]) -> types.CallToolResult:
        own, fields = arguments.split(offer, sent)
        request = Call(offer.action, own, credentials, deadline=call_budget)
        reply = await connector.send(request)
        if reply.error:
            return results.failure(reply.error)
        if reply.file:
            return results.refusal("unsupported", _file_message(reply.file), _FILE_HINT)
        return results.success(offer, request, reply, fields)

    return Server(
        NAME,
        version=version("bosa-mcp"),
        title="BOSA connectors",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _unknown(name: str, tools: "Tools") -> str:
    if reasons := tools.table.missing:
        where = ", ".join("the API" if connector == "*" else connector for connector in reasons)
        return f"Unknown tool {name[:100]!r}. Some tools are missing, for {where} could not be listed."
    similar = nearest(name, tools.table.offers)
    return f"Unknown tool {name[:100]!r}." + (f" Did you mean {similar!r}?" if similar else " List the tools anew.")


def _file_message(file: "FileHead") -> str:
    size = "of unknown size" if file.size is None else f"{file.size} bytes"
    return f"The action answered with a file ({file.content_type}, {size}), and files are not supported yet."
