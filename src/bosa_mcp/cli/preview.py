"""The request that a tool call would be, for a person to read."""

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bosa_connectors import effects, wire
from bosa_connectors.calls import Call, Credentials
from bosa_connectors.errors import InvalidArguments
from bosa_mcp import arguments
from bosa_mcp.redaction import redact
from bosa_mcp.results import Refusal

if TYPE_CHECKING:
    from bosa_mcp.access import Caller
    from bosa_mcp.arguments import Asked
    from bosa_mcp.tools import Offer

_ONCE: Final = "(another one for each call)"


def preview(offer: "Offer", asked: "Asked", caller: "Caller", api: str) -> dict[str, object]:
    """Method, address, headers without credentials, and body. Raises InvalidArguments as the call itself would.

    Raises Refusal for a tool that is no action of the API.
    """
    if not offer.action.path:
        raise Refusal("unsupported", f"{offer.tool.name} is the server's own: there is no request to show.")
    own = dict(asked.own)
    try:
        arguments.check(offer.action, own)
    except InvalidArguments as wrong:
        own = arguments.repaired(offer.action, own, wrong)
    who = caller.acting_as(asked.account).credentials
    call = Call(offer.action, own, replace(who, api_key=None, user_token=None))
    key = None if effects.effect(offer.action) == "read" else _ONCE
    request = wire.encode(call, api_key=None, error_contract=2, key=key)
    return {
        "method": request.method,
        "url": redact(f"{api}{request.path}"),
        "headers": dict(request.headers),
        "left_out": _credentials(who),
        "body": _shown(request),
    }


def _shown(request: wire.Request) -> object:
    """The body as a person reads it: of a file only what it is."""
    if isinstance(request.body, bytes):
        return json.loads(request.body) if wire.is_json(request.headers) else request.body.decode()
    return "".join(
        piece.decode() if isinstance(piece, bytes) else f"({piece.name}, {piece.content_type}, {piece.size} bytes)"
        for piece in request.body.pieces
    )


def _credentials(who: Credentials) -> list[str]:
    """The headers that are sent besides."""
    return ["x-api-key", *(["authorization"] if who.user_token else [])]
