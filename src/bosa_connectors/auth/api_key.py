"""A client that is known by its key."""

from bosa_connectors.auth.base import BaseAuthenticator


class ApiKeyAuthenticator(BaseAuthenticator):
    """A client key, as the header that carries it."""

    def __init__(self, api_key: str) -> None:
        self.api_key = api_key

    def authenticate(self) -> dict[str, str]:
        """`{"X-API-Key": …}`."""
        return {"X-API-Key": self.api_key}
