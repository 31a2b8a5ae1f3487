"""Users alone, for programs that make them and log them in, and call nothing."""

from typing import TYPE_CHECKING, Self

from bosa_connectors.connector import BosaConnector
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse

if TYPE_CHECKING:
    from types import TracebackType


class Part:
    """A part of a BosaConnector, with connections of its own."""

    def __init__(self, api_base_url: str = "https://api.bosa.id", api_key: str | None = "bosa") -> None:
        self._connector = BosaConnector(api_base_url, api_key)

    @property
    def api_base_url(self) -> str:
        """Where the API is."""
        return self._connector.api_base_url

    def close(self) -> None:
        """Closes the connections. Using the object afterwards raises RuntimeError."""
        self._connector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_base_url}>"


class BosaAuthenticator(Part):
    """The part of a BosaConnector that is about users, under its older names; it raises what that raises."""

    def register(self, identifier: str) -> CreateUserResponse:
        """A new user; `.secret` is shown this once."""
        return self._connector.create_bosa_user(identifier)

    def authenticate(self, identifier: str, secret: str) -> BosaToken:
        """A new token for a user, `.token`."""
        return self._connector.authenticate_bosa_user(identifier, secret)

    def get_user(self, token: str) -> BosaUser:
        """The user whose token this is."""
        return self._connector.get_user_info(token)
