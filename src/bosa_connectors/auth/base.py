"""How a client says who it is."""

from abc import ABC, abstractmethod


class BaseAuthenticator(ABC):
    """Something that knows the headers by which a client is known."""

    @abstractmethod
    def authenticate(self) -> dict[str, str]:
        """These headers."""
