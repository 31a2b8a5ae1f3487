"""A client that is known by its key."""

from typing import ClassVar

from bosa_connectors.auth.base import BaseAuthenticator


class ApiKeyAuthenticator(BaseAuthenticator):
    """A client key, as the header that carries it; without a key, no header."""

    API_KEY_HEADER: ClassVar = "X-API-Key"

    def __init__(self, api_key: str | None) -> None:
        self.api_key = api_key

    def authenticate(self) -> dict[str, str]:
        """`{"X-API-Key": …}`."""
        return {self.API_KEY_HEADER: self.api_key} if self.api_key else {}
