"""How clients and users are known, where older programs import it from."""

from bosa_connectors.auth.api_key import ApiKeyAuthenticator
from bosa_connectors.auth.authenticator import BosaAuthenticator
from bosa_connectors.auth.base import BaseAuthenticator

__all__ = ["ApiKeyAuthenticator", "BaseAuthenticator", "BosaAuthenticator"]
