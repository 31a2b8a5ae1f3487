"""OAuth 2 with PKCE (RFC 6749, 7009, 7636), as values: what a connector declares, what a service grants."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from importlib.util import find_spec
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr
from pydantic_core import to_json

from bosa_hub.naming import is_account_name

SOON = timedelta(seconds=60)
"""Access that ends within this time is renewed before a call."""
AuthMethod: TypeAlias = Literal["client_secret_post", "client_secret_basic"]
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_NAMES = ("email", "preferred_username", "login", "username", "name", "sub", "id")
"""Where services say who their user is, the most telling first."""


@dataclass(frozen=True, slots=True)
class Application:
    """As which application a hub asks: what the service gave when the application was registered there."""

    client_id: str
    client_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not self.client_id or not self.client_secret:
            raise ValueError("OAuth2 needs client_id and client_secret: register an application and set both.")


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """Where a connector's users agree that it acts for them.

    `client_id` and `client_secret` are best left out: the hub's settings then say as which application it asks.
    """

    authorize_url: str
    """Where the user agrees; what its query holds is kept."""
    token_url: str
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    scopes: Sequence[str] = ()
    revoke_url: str | None = None
    """Where a grant is given back when an account is removed (RFC 7009)."""
    userinfo_url: str | None = None
    """What says, as JSON and to the bearer of the access token, how the user is called."""
    auth_method: AuthMethod = "client_secret_post"
    """How the hub shows its secret to the service."""

    def __post_init__(self) -> None:
        if self.client_id is not None or self.client_secret is not None:
            Application(self.client_id or "", self.client_secret or "")
        for url in (self.authorize_url, self.token_url, self.revoke_url, self.userinfo_url):
            if url is not None and not _is_safe(url):
                raise ValueError(f"OAuth2 needs https:// addresses, and {url[:200]!r} is none.")
        if find_spec("httpx_oauth") is None:
            raise ValueError("OAuth2 needs a package more: pip install 'bosa-mcp[hub-oauth]'.")

    @property
    def application(self) -> Application | None:
        """The application; None where only the hub's settings can say."""
        return Application(self.client_id, self.client_secret) if self.client_id and self.client_secret else None

    def asked_by(self, application: Application) -> "OAuth2":
        """The same, as this application."""
        return replace(self, client_id=application.client_id, client_secret=application.client_secret)


def _is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    )


class Tokens(BaseModel):
    """What a service gave when its user had agreed."""

    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: datetime | None = Field(default=None, description="UTC.")
    name: str | None = Field(default=None, description="How the service calls its user.")

    @property
    def text(self) -> str:
        """All of it as JSON, in clear."""
        revealed = {name: value.get_secret_value() for name, value in self if isinstance(value, SecretStr)}
        return to_json(dict(self) | revealed, exclude_none=True).decode()

    def ends_before(self, moment: datetime) -> bool:
        """The access is known to have ended by then."""
        return self.expires_at is not None and _in_utc(self.expires_at) <= moment

    def is_due(self, now: datetime, refused: str | None = None) -> bool:
        """The access has ended, or will soon; or it is the one that was refused."""
        return self.ends_before(now + SOON) or refused == self.access_token.get_secret_value()

    def spent(self) -> "Tokens":
        """The same, known to be of no use any more."""
        return self.model_copy(update={"refresh_token": None, "expires_at": datetime.fromtimestamp(0, UTC)})


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def name_in(said: Mapping[str, object]) -> str | None:
    """How a service calls its user, as far as that can name an account."""
    values = (said.get(name) for name in _NAMES)
    texts = (str(value).strip() for value in values if isinstance(value, (str, int)))
    return next((text for text in texts if is_account_name(text)), None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt to link must come back with, and what proves that it is ours; nobody can guess either."""

    state: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def challenge(self) -> str:
        """What the service is shown of the verifier (S256)."""
        return urlsafe_b64encode(sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()
