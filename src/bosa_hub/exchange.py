"""What the hub asks of a service, by httpx-oauth: each exchange bounded in time and size, and sent nowhere else."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import httpx
import jwt
from anyio import fail_after
from httpx_oauth.exceptions import HTTPXOAuthError
from httpx_oauth.oauth2 import BaseOAuth2, OAuth2RequestError
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_core import from_json

from bosa_hub.oauth2 import Attempt, OAuth2, Tokens, name_in

SECONDS: Final = 10
"""What one exchange may take in all."""
_MAX_REPLY: Final = 1 << 18
"""Bytes of a service's reply."""
_MAX_SECRET: Final = 1 << 14
_CODES: Final = {"access_denied", "invalid_client", "invalid_grant", "invalid_request", "invalid_scope"} | {
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
}
"""What a service may say went wrong (RFC 6749); other texts of its own are shown to nobody."""
_Secret = Annotated[str, Field(pattern=r"^[!-~]+$", max_length=_MAX_SECRET)]


class ServiceFailed(Exception):
    """A service is down, slow, or says what makes no sense."""


class GrantRefused(ServiceFailed):
    """A service says that the user's grant is worth nothing, or no more."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a user has agreed to."""

    tokens: Tokens
    scopes: Sequence[str]


class _Reply(BaseModel):
    access_token: _Secret
    token_type: Annotated[str, Field(pattern=r"(?i)^bearer$")] | None = None
    refresh_token: _Secret | None = None
    expires_at: Annotated[int, Field(ge=0, le=253402300799)] | None = None
    scope: Annotated[str, Field(max_length=_MAX_SECRET)] | None = None
    id_token: Annotated[str, Field(max_length=_MAX_REPLY)] | None = None


async def authorization_url(service: OAuth2, redirect_uri: str, attempt: Attempt) -> str:
    """The address to send the user to."""
    parts = urlsplit(service.authorize_url)
    bare, extra = urlunsplit(parts._replace(query="")), dict(parse_qsl(parts.query, keep_blank_values=True))
    return await _client(service, bare).get_authorization_url(
        redirect_uri,
        attempt.state,
        list(service.scopes) or None,
        attempt.challenge,
        "S256",
        extra,
    )


async def redeem(service: OAuth2, code: str, redirect_uri: str, verifier: str) -> Granted:
    """What the user has agreed to, for the code that they came back with.

    Raises:
        ServiceFailed: The service does not give it.

    """
    async with _bounded():
        reply = _checked(await _client(service).get_access_token(code, redirect_uri, verifier))
        name = name_in(_claims(reply.id_token)) or await _name(service, reply.access_token)
    tokens = Tokens(
        access_token=SecretStr(reply.access_token),
        refresh_token=SecretStr(reply.refresh_token) if reply.refresh_token else None,
        expires_at=_moment(reply),
        name=name,
    )
    return Granted(tokens, service.scopes if reply.scope is None else reply.scope.replace(",", " ").split())


async def renew(service: OAuth2, tokens: Tokens) -> Tokens:
    """The tokens with new access; the old refresh token stays where the service gives no other.

    Raises:
        GrantRefused: The user has taken their grant back, or it has ended.
        ServiceFailed: The service cannot say.

    """
    refresh_token = tokens.refresh_token
    if refresh_token is None:
        raise GrantRefused("it gave nothing to ask for more with")
    async with _bounded():
        reply = _checked(await _client(service).refresh_token(refresh_token.get_secret_value()))
    return Tokens(
        access_token=SecretStr(reply.access_token),
        refresh_token=SecretStr(reply.refresh_token) if reply.refresh_token else refresh_token,
        expires_at=_moment(reply),
        name=tokens.name,
    )


async def give_back(service: OAuth2, tokens: Tokens) -> None:
    """The grant is revoked, where the service takes it back.

    Raises:
        ServiceFailed: It did not say that it is.

    """
    kind, token = ("refresh_token", tokens.refresh_token) if tokens.refresh_token else ("access_token", None)
    async with _bounded():
        await _client(service).revoke_token((token or tokens.access_token).get_secret_value(), kind)


class _Client(BaseOAuth2[dict[str, str]]):
    def get_httpx_client(self) -> httpx.AsyncClient:
        return _http()


def _client(service: OAuth2, authorize_url: str | None = None) -> _Client:
    application = service.application
    if application is None:
        raise ServiceFailed("no application is set up for it in BOSA_HUB_OAUTH")
    return _Client(
        application.client_id,
        application.client_secret,
        authorize_url or service.authorize_url,
        service.token_url,
        service.token_url,
        service.revoke_url,
        token_endpoint_auth_method=service.auth_method,
        revocation_endpoint_auth_method=service.auth_method,
    )


def _http() -> httpx.AsyncClient:
    """It follows no redirect: the secret and the tokens go where the connector says, and nowhere else."""
    return httpx.AsyncClient(
        timeout=SECONDS,
        follow_redirects=False,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_limit]},
    )


async def _limit(response: httpx.Response) -> None:
    response.stream = _Limited(cast("httpx.AsyncByteStream", response.stream))


@dataclass(frozen=True, slots=True)
class _Limited(httpx.AsyncByteStream):
    """A body that ends in an error where it is too long."""

    body: httpx.AsyncByteStream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        taken = 0
        async for chunk in self.body:
            taken += len(chunk)
            if taken > _MAX_REPLY:
                raise httpx.RemoteProtocolError(f"more than {_MAX_REPLY} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self.body.aclose()


@asynccontextmanager
async def _bounded() -> AsyncGenerator[None]:
    try:
        with _told(), fail_after(SECONDS):
            yield
    except TimeoutError:
        raise ServiceFailed(f"it did not answer within {SECONDS} s") from None


@contextmanager
def _told() -> Generator[None]:
    """What the library raises, without anything that the service or the hub wrote: either may hold a secret."""
    try:
        yield
    except OAuth2RequestError as failed:
        raise _failure(failed.response) from None
    except (HTTPXOAuthError, httpx.HTTPError, httpx.InvalidURL):
        raise ServiceFailed("it does not answer") from None
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise ServiceFailed("its answer makes no sense") from None


def _failure(response: httpx.Response | None) -> ServiceFailed:
    if response is None:
        return ServiceFailed("it does not answer")
    code = _code(response.content)
    if code == "invalid_grant":
        return GrantRefused("it says invalid_grant")
    return ServiceFailed(f"it answers {response.status_code}" + (f", {code}" if code else ""))


def _code(body: bytes) -> str | None:
    """What the service says went wrong, where it is one of the words that there are."""
    try:
        said: object = from_json(body)
    except ValueError:
        return None
    code = cast("Mapping[str, object]", said).get("error") if isinstance(said, Mapping) else None
    return code if isinstance(code, str) and code in _CODES else None


def _checked(token: Mapping[str, Any]) -> _Reply:
    """Some services answer 200 although they refuse."""
    if code := token.get("error"):
        if code in {"invalid_grant", "bad_verification_code"}:
            raise GrantRefused("it says invalid_grant")
        raise ServiceFailed(f"it says {code}" if isinstance(code, str) and code in _CODES else "it refuses")
    try:
        return _Reply.model_validate(token)
    except ValidationError as odd:
        wrong = ", ".join(str(error["loc"][0]) for error in odd.errors(include_input=False))
        raise ServiceFailed(f"its answer makes no sense in {wrong}") from None


def _moment(reply: _Reply) -> datetime | None:
    return None if reply.expires_at is None else datetime.fromtimestamp(reply.expires_at, UTC)


def _claims(id_token: str | None) -> Mapping[str, object]:
    """What an id_token says; it comes from the service itself, so its signature adds nothing (OpenID Core 3.1.3.7)."""
    try:
        return jwt.decode(id_token, options={"verify_signature": False}) if id_token else {}
    except jwt.InvalidTokenError:
        return {}


async def _name(service: OAuth2, access_token: str) -> str | None:
    if service.userinfo_url is None:
        return None
    headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json"}
    async with _http() as client:
        response = await client.get(service.userinfo_url, headers=headers)
    if not response.is_success:
        raise ServiceFailed(f"it answers {response.status_code} when asked who its user is")
    said: object = response.json()
    if not isinstance(said, Mapping):
        raise ServiceFailed("what it says of its user makes no sense")
    return name_in(cast("Mapping[str, object]", said))
