"""What a call was made of, and what it came to, as older programs hold them."""

from typing import Any, Final

from pydantic import BaseModel, Field

from bosa_connectors import lazy


class ActionResponseData(BaseModel):
    """The data of a reply, with its meta."""

    data: Any = None
    meta: dict[str, Any] | None = None


class InitialExecutorRequest(BaseModel):
    """What a first page was asked with; the pages after it are asked alike."""

    params: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] | None = Field(default=None, repr=False)
    max_attempts: int | None = None
    token: str | None = Field(default=None, repr=False)
    account: str | None = None
    """The older name of `identifier`."""
    identifier: str | None = None
    timeout: float | None = None


_ELSEWHERE: Final = {
    "ConnectorFile": "models.file",
}
"""Where older programs import it from here."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever has the name
    return lazy.found(__name__, _ELSEWHERE, name)
