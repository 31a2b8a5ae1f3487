"""Links under which a person fetches a file in a browser, for some minutes, without saying who they are."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkstemp
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog

from bosa_mcp.folders import make_folder
from bosa_mcp.store import Kept

LASTING: Final = 15 * 60
"""Seconds."""
PATH: Final = "/files"
_KEY: Final = "links.key"
_KEY_BYTES: Final = 32
_NAMES: Final = ("of", "until", "seal")

log = structlog.get_logger("bosa_mcp")


class BadLink(ValueError):
    """The link is not one of ours, or no longer; the message tells a person which."""


@dataclass(frozen=True, slots=True)
class Links:
    """Links to the files of a server that people reach at this address."""

    url: str
    key: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """Where the files are at that address."""
        return urlsplit(self.url).path + PATH

    def link(self, kept: Kept, now: float) -> str:
        """The link to a file, from now on."""
        until = str(int(now) + LASTING)
        query = urlencode({"of": kept.drawer, "until": until, "seal": self._seal(kept.id, kept.drawer, until)})
        return f"{self.url}{PATH}/{kept.id}?{query}"

    def drawer(self, identifier: str, query: Mapping[str, str], now: float) -> str:
        """For whom the file is kept that a link leads to. Raises BadLink."""
        drawer, until, seal = (query.get(name, "") for name in _NAMES)
        if not hmac.compare_digest(self._seal(identifier, drawer, until).encode(), seal.encode("utf-8", "replace")):
            raise BadLink("This link has been changed, or is not whole. Ask for it again.")
        if int(until) < now:
            raise BadLink("This link has expired. Ask for another one.")
        return drawer

    def _seal(self, identifier: str, drawer: str, until: str) -> str:
        message = f"{identifier}\n{drawer}\n{until}".encode("utf-8", "surrogatepass")
        return hmac.new(self.key, message, hashlib.sha256).hexdigest()


def is_link(query: Mapping[str, str]) -> bool:
    """Whether somebody comes with a link, rather than as themselves."""
    return any(name in query for name in _NAMES)


def key(folder: Path) -> bytes:
    """The key that seals links, the same at every start; a new one where the folder cannot keep it."""
    path = folder / _KEY
    try:
        if not path.exists():
            _make(path)
        kept = path.read_bytes()
        if len(kept) == _KEY_BYTES:
            return kept
        log.warning("the key of file links is damaged: remove it", file=str(path))
    except OSError as odd:
        log.warning("file links will not outlast this process", file=str(path), reason=str(odd))
    return secrets.token_bytes(_KEY_BYTES)


def _make(path: Path) -> None:
    """The whole key, readable by nobody else; that of another process where it was faster."""
    make_folder(path.parent)
    handle, new = mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        with suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        Path(new).unlink()
