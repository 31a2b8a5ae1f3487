"""What an API says about users and their accounts, and how it is asked, in both families of paths."""

from dataclasses import dataclass
from typing import Any

from .scripted import Answer, ScriptedApi

KEY = {"x-api-key": "client-key"}
BEARER = {**KEY, "authorization": "Bearer the-token"}
SAYS_JSON = {"content-type": "application/json"}
ID = "3f1b1d9e-0000-4000-8000-000000000001"
CLIENT_ID = "3f1b1d9e-0000-4000-8000-000000000002"
NAMES = "GET /connectors/names"

NEW_USER: dict[str, Any] = {
    "id": ID,
    "identifier": "ada",
    "secret": "sk-user-hush",
    "secret_preview": "sk-user-...sh",
    "is_active": True,
    "client_id": CLIENT_ID,
}
TOKEN: dict[str, Any] = {
    "id": ID,
    "token": "the-token",
    "token_type": "Bearer",
    "expires_at": "2027-01-01T00:00:00Z",
    "is_revoked": False,
    "user_id": ID,
    "client_id": CLIENT_ID,
}


@dataclass(frozen=True, slots=True)
class Paths:
    """Where a family has what is about users."""

    users: str
    tokens: str
    me: str
    names: Answer


CURRENT = Paths("/users", "/auth/tokens", "/users/me", Answer.of(["sql"]))
OLDER = Paths(
    "/clients/register-user", "/clients/oauth-token", "/clients/user", Answer.of({"detail": "Not Found"}, 404)
)
FAMILIES = {"current": CURRENT, "older": OLDER}


def account(name: str = "shop", connector: str = "sql", **more: object) -> dict[str, Any]:
    """A linked account as the API lists it."""
    return {
        "id": ID,
        "client_id": CLIENT_ID,
        "user_id": ID,
        "connector": connector,
        "user_identifier": name,
        **more,
    }


def user(*accounts: dict[str, Any], **more: object) -> dict[str, Any]:
    """A user as the API says who they are."""
    said = {"id": ID, "client_id": CLIENT_ID, "identifier": "ada", "secret_preview": "sk-user-...sh", "is_active": True}
    return {**said, "integrations": list(accounts), **more}


def data(value: object, status: int = 200, **headers: str) -> Answer:
    """An answer with this data."""
    return Answer.of({"data": value, "meta": None}, status, **headers)


def speak(api: ScriptedApi, family: Paths = CURRENT, **answers: Answer) -> None:
    """The API speaks this family of paths, and answers `users`, `tokens` and `me` so."""
    api.answers["/connectors/names"] = family.names
    api.answers |= {getattr(family, name): answer for name, answer in answers.items()}
