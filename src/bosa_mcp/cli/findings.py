"""The findings of `bosa-mcp doctor`, as values made of facts: nothing is asked for here."""

import base64
import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from bosa_connectors.shapes import members
from bosa_mcp.addresses import is_loopback

if TYPE_CHECKING:
    from bosa_connectors.models.user import BosaUser

State: TypeAlias = Literal["ok", "warn", "fail"]
_SOON: Final = timedelta(days=7)
_OLD: Final = timedelta(days=1)
_LITTLE: Final = 500 * 1024 * 1024
_TOO_LITTLE: Final = 20 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    state: State
    message: str
    remedy: str | None = None
    """What to do, where it is not well."""


def tls(url: str, expires: datetime | None, now: datetime) -> Finding:
    """Whether what is sent to this address is sent in confidence; `expires` is the end of its certificate."""
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return Finding("tls", "warn", "key and token travel in clear", "Use https:// in BOSA_API_BASE_URL.")
    if expires is None:
        return Finding("tls", "ok", "not needed on this machine")
    when = f"the certificate is valid until {expires:%Y-%m-%d}"
    if expires - now < _SOON:
        return Finding("tls", "warn", when, "Whoever runs the API has to renew its certificate.")
    return Finding("tls", "ok", when)


def key(value: str | None) -> Finding:
    """Whether there is a client key that looks like one."""
    if value is None:
        return Finding(
            "key", "warn", "no client key is set", "Set BOSA_API_KEY to the key that the API's owner gave you."
        )
    if not value.startswith("sk-client-"):
        return Finding("key", "warn", "set, and does not begin with sk-client-", "Look whether it was copied whole.")
    return Finding("key", "ok", "set")


def token(value: str | None, now: datetime) -> Finding:
    """Whether there is a user token, and for how long it is good."""
    if value is None:
        remedy = "Set BOSA_USER_TOKEN or log in (`bosa-mcp login`), for most actions act for a user."
        return Finding("token", "warn", "no user token is set", remedy)
    ends = _expiry(value)
    if ends is None:
        return Finding("token", "ok", "set; it does not say how long it is good")
    if ends < now:
        remedy = "Get a new one: `bosa-mcp login`, which counts where BOSA_USER_TOKEN is not set."
        return Finding("token", "fail", f"it was good until {ends:%Y-%m-%d %H:%M} UTC", remedy)
    if ends - now < _SOON:
        return Finding("token", "warn", f"good until {ends:%Y-%m-%d %H:%M} UTC", "Get a new one before that.")
    return Finding("token", "ok", f"good until {ends:%Y-%m-%d}")


def _expiry(value: str) -> datetime | None:
    """When a token ends, as it says itself."""
    try:
        body = value.split(".")[1]
        said = members(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))).get("exp")
        return datetime.fromtimestamp(said, UTC) if isinstance(said, (int, float)) else None
    except (ValueError, IndexError, OverflowError, OSError):
        return None


def accounts(user: "BosaUser", wanted: str | None) -> Finding:
    """Which accounts are linked, and whether the wanted one is among them."""
    linked = [f"{each.connector}: {each.user_identifier}{' (selected)' * each.selected}" for each in user.integrations]
    if wanted and wanted not in {each.user_identifier for each in user.integrations}:
        remedy = (
            f"Set BOSA_ACCOUNT to one of these: {_listed(linked)}." if linked else "`bosa-mcp connect` links accounts."
        )
        return Finding("accounts", "fail", f"BOSA_ACCOUNT {wanted[:100]!r} is not linked", remedy)
    if not linked:
        return Finding("accounts", "ok", "none is linked: connectors that need one answer not_connected")
    return Finding("accounts", "ok", _listed(linked))


def catalogue(tools: int, connectors: int, missing: Sequence[str], odd: int, age: timedelta | None) -> Finding:
    """What the API lists, and how old the copy is that is kept for when it is down."""
    said = f"{tools} tools from {connectors} connectors"
    said += "" if age is None else f"; the copy on disk is {_age(age)} old"
    if missing:
        remedy = "The server serves what it knows, and asks again."
        return Finding("catalogue", "warn", f"{said}; not listed: {'; '.join(missing)[:500]}", remedy)
    if not tools:
        remedy = "Look at BOSA_CONNECTORS, BOSA_INCLUDE, BOSA_EXCLUDE and BOSA_READ_ONLY."
        if not connectors:
            remedy = "The API lists no connector. Is BOSA_API_BASE_URL right?"
        return Finding("catalogue", "warn", said, remedy)
    if odd:
        return Finding("catalogue", "warn", f"{said}; {odd} actions cannot be tools", "`bosa-mcp tools` says why.")
    if age is not None and age > _OLD:
        return Finding("catalogue", "warn", said, "Is the data folder writable? A server that runs keeps it fresh.")
    return Finding("catalogue", "ok", said)


def folder(path: str, mode: int, free: int, *, is_writable: bool) -> Finding:
    """Whether the data folder can be used, by this user alone."""
    said = f"{path}, mode {stat.S_IMODE(mode):04o}, {free // 1024**2:,} MB free"
    if not is_writable:
        return Finding("data folder", "fail", f"{said}; not writable", "Make it yours, or set BOSA_DATA_DIR.")
    if free < _TOO_LITTLE:
        return Finding("data folder", "fail", said, "Make room on the disk, or set BOSA_DATA_DIR to another one.")
    if stat.S_IMODE(mode) & 0o077:
        return Finding("data folder", "warn", f"{said}; others may look into it", f"chmod 700 '{path}'")
    if free < _LITTLE:
        return Finding("data folder", "warn", said, "Make room on the disk.")
    return Finding("data folder", "ok", said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)[:1_000] or "none"


def _age(age: timedelta) -> str:
    seconds = max(0, round(age.total_seconds()))
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
