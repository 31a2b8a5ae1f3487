"""Connectors of the hub whose actions become the tools that the conformance suite calls, as far as actions can."""

from base64 import b64decode

from pydantic import BaseModel, Field

from bosa_hub.errors import Conflict, RateLimited
from bosa_hub.plugin import Connector, action
from bosa_hub.transfer import OutputFile

ATTEMPTS = 4
RED_DOT = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
"""A PNG of one pixel."""


class Test(Connector):
    """Becomes `test_…`."""

    def __init__(self) -> None:
        self._attempts = 0

    @action(effect="read")
    async def simple_text(self) -> str:
        """Says something."""
        return "This is a simple text response for testing."

    @action(effect="read")
    async def image_content(self) -> OutputFile:
        """A picture."""
        return OutputFile("dot.png", RED_DOT)

    @action(effect="read")
    async def error_handling(self) -> None:
        """Always fails."""
        raise Conflict("This tool intentionally returns an error for testing")

    @action(effect="read")
    async def tool_with_progress(self) -> str:
        """Works at the fourth attempt: the server tells of each that it makes."""
        self._attempts += 1
        if self._attempts % ATTEMPTS:
            raise RateLimited("Not yet.", retry_after=1)
        return "done"

    @action(effect="read")
    async def logging_tool(self) -> str:
        """Has nothing to log for its caller."""
        return "done"


class Address(BaseModel):
    """Where somebody lives."""

    street: str | None = None
    city: str | None = None


class Person(BaseModel):
    """Somebody."""

    name: str | None = Field(None, max_length=100)
    address: Address | None = None


class Json(Connector):
    """Becomes `json_…`."""

    @action(effect="read")
    async def schema_2020_12_tool(self, request: Person) -> str:
        """Tool with JSON Schema 2020-12 features."""
        return f"{request.name}"
