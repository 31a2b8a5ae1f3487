"""Users alone, where older programs import it from."""

from bosa_connectors.auth import ApiKeyAuthenticator, BosaAuthenticator
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse

__all__ = ["ApiKeyAuthenticator", "BosaAuthenticator", "BosaToken", "BosaUser", "CreateUserResponse"]
