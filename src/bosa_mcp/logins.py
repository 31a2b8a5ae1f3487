"""Who has logged in on this machine: what `bosa-mcp login` keeps in the data folder, for one API."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bosa_mcp.folders import make_folder, replacing
from bosa_mcp.settings import InvalidSettings, Settings

FILE: Final = "login.json"


class Login(BaseModel):
    """A user's token, and the API that it is for."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api: str | None
    """The address; None for the embedded hub."""
    identifier: str
    token: str = Field(repr=False)
    expires_at: str | None = None
    """As the API says it."""

    def is_over(self, now: datetime) -> bool:
        """Whether the token is worth nothing any more, as far as is known."""
        try:
            ends = datetime.fromisoformat(self.expires_at or "")
        except ValueError:
            return False
        return (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) <= now


def path(settings: Settings) -> Path:
    """Where the login is kept."""
    return settings.data_dir / FILE


def load(settings: Settings) -> Login | None:
    """The login for the API of these settings, over or not; one for another API counts as none."""
    file = path(settings)
    try:
        login = Login.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as odd:
        reason = odd.strerror if isinstance(odd, OSError) else "it holds no login"
        raise InvalidSettings(f"{file} cannot be read: {reason}. Log in again with `bosa-mcp login`.") from None
    return login if login.api == settings.api else None


def current(settings: Settings) -> Login | None:
    """The login that counts: none where a token is set. Raises InvalidSettings where it is over."""
    login = None if settings.user_token else load(settings)
    if login and login.is_over(datetime.now(UTC)):
        raise InvalidSettings(
            f"The login of {login.identifier!r} has expired ({login.expires_at}). Log in again with `bosa-mcp login`."
        )
    return login


def secrets(settings: Settings) -> list[str]:
    """What of it must not be shown."""
    try:
        login = load(settings)
    except InvalidSettings:
        return []
    return [login.token] if login else []


def save(settings: Settings, login: Login) -> Path:
    """Keeps the login in place of the one before; nobody else can read it."""
    file = path(settings)
    make_folder(file.parent)
    with replacing(file) as opened:
        opened.write(login.model_dump_json().encode("utf-8", "surrogatepass"))
        opened.flush()
        os.fsync(opened.fileno())
    return file


def forget(settings: Settings) -> bool:
    """Removes the login, whichever API it is for; False where there was none."""
    try:
        path(settings).unlink()
    except FileNotFoundError:
        return False
    return True
