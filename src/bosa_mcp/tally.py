"""What is told of a tool call: what it cost and came to, and in the log the shapes of its arguments, never a value.

The mcp package makes one OpenTelemetry span for each request, `tools/call {tool}`, with what the semantic conventions
for MCP name; what only we know goes onto it under `bosa.`.
"""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from opentelemetry.trace import get_current_span

from bosa_connectors.calls import Action
from bosa_connectors.effects import effect
from bosa_connectors.shapes import is_array, is_object

OK: Final = "ok"
_MOST: Final = 40
"""Arguments of which the shape is told."""
_ID_LENGTH: Final = 200


@dataclass(slots=True)
class Tally:
    """What a call cost; counted while it is under way."""

    attempts: int = 0
    """Requests that were sent, or could not be."""
    pages: int = 0
    """Replies that were no error."""
    api_bytes: int = 0
    """Of the bodies of these."""
    status: int | None = None
    """Of the last reply."""
    api_request_id: str | None = None
    """How the API's logs name the last request."""
    result_bytes: int = 0
    """What the model gets."""
    kind: str = "cancelled"
    """What came of it: `ok`, or the kind of the error."""

    def saw(self, status: int, headers: Mapping[str, str]) -> None:
        """A reply began to come."""
        self.status, self.api_request_id = status, headers.get("x-request-id", "")[:_ID_LENGTH] or None

    def told(self) -> dict[str, object]:
        """The same by name, for a log."""
        told = asdict(self)
        return {"outcome": told.pop("kind"), **told}

    def trace(self, action: Action) -> None:
        """Puts what the call was and cost onto the current span, where there is an SDK that records it."""
        span = get_current_span()
        if not span.is_recording():
            return
        span.set_attributes(
            {
                "bosa.connector": action.connector,
                "bosa.action": action.name,
                "bosa.effect": effect(action),
                "bosa.attempts": self.attempts,
                "bosa.pages": self.pages,
                "bosa.api.bytes": self.api_bytes,
                "bosa.result.bytes": self.result_bytes,
            }
        )
        if self.status is not None:
            span.set_attribute("bosa.api.status", self.status)
        if self.kind != OK:
            span.set_attribute("bosa.error.kind", self.kind)


def shapes(arguments: Mapping[str, object], known: Collection[str]) -> dict[str, str]:
    """The shape of each argument that the tool knows; of the others only how many there are: a name may tell too."""
    told = {name: _shape(value) for name, value in arguments.items() if name in known}
    shown = dict(list(told.items())[:_MOST])
    if others := len(arguments) - len(told):
        shown["(unknown)"] = f"{others} more"
    return shown


def _shape(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return f"text of {len(value)}"
    if is_array(value):
        return f"list of {len(value)}"
    return f"object of {len(value)}" if is_object(value) else "other"
