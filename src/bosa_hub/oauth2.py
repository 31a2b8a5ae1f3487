"""OAuth 2 with PKCE (RFC 6749, 7636), as far as the address where a user agrees."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import BaseModel, Field, SecretStr

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """Where a connector's users agree that it acts for them, and as which application it asks."""

    authorize_url: str
    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ValueError("OAuth2 needs client_id and client_secret: register an application and set both.")
        for url in (self.authorize_url, self.token_url):
            parts = urlsplit(url)
            if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
                raise ValueError(f"OAuth2 needs https:// addresses, and {url[:200]!r} is none.")


class Tokens(BaseModel):
    """What a service gave when its user had agreed."""

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: datetime | None = Field(default=None, description="UTC.")


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt to link must come back with, and what proves that it is ours; nobody can guess either."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)


def authorization_url(service: OAuth2, redirect_uri: str, attempt: Attempt) -> str:
    """The address to send the user to."""
    asked = {
        "response_type": "code",
        "client_id": service.client_id,
        "redirect_uri": redirect_uri,
        "scope": " ".join(service.scopes),
        "state": attempt.state,
        "code_challenge": urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    parts = urlsplit(service.authorize_url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *asked.items()])
    return urlunsplit(parts._replace(query=query))
