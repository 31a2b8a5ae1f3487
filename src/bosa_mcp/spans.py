"""What OpenTelemetry is told of a tool call.

The mcp package makes one span for each request, `tools/call {tool}`, with what the semantic conventions for MCP name;
what only we know goes onto it under `bosa.`. Without an SDK there is no span that records, and this does nothing.
"""

from opentelemetry.trace import get_current_span

from bosa_connectors.calls import Action
from bosa_connectors.effects import effect
from bosa_mcp.tally import OK, Tally


def tell(action: Action, tally: Tally) -> None:
    """Puts what a call was and cost onto the current span."""
    span = get_current_span()
    if not span.is_recording():
        return
    span.set_attributes(
        {
            "bosa.connector": action.connector,
            "bosa.action": action.name,
            "bosa.effect": effect(action),
            "bosa.attempts": tally.attempts,
            "bosa.pages": tally.pages,
            "bosa.api.bytes": tally.api_bytes,
            "bosa.result.bytes": tally.result_bytes,
        }
    )
    if tally.status is not None:
        span.set_attribute("bosa.api.status", tally.status)
    if tally.kind != OK:
        span.set_attribute("bosa.error.kind", tally.kind)
