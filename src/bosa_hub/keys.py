"""Client keys and user secrets: `sk-client-<b64 id>.<b64 name>.<secret>`, and `sk-user-…` with the identifier."""

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import UUID

Kind: TypeAlias = Literal["client", "user"]

_SHAPE = re.compile(r"sk-(client|user)-([A-Za-z0-9_=-]{1,100})\.([A-Za-z0-9_=-]{1,2000})\.([A-Za-z0-9_-]{1,200})")


@dataclass(frozen=True, slots=True)
class Key:
    """A key taken apart."""

    kind: Kind
    id: str
    name: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"sk-{self.kind}-{_encode(self.id)}.{_encode(self.name)}.{self.secret}"


def new_key(kind: Kind, id_: str, name: str) -> Key:
    """A key with a secret that nobody knows."""
    return Key(kind, id_, name, secrets.token_urlsafe(32))


def parse(kind: Kind, text: str) -> Key | None:
    """The key that `text` is, or None where it is none of this kind."""
    found = _SHAPE.fullmatch(text)
    if not found or found[1] != kind:
        return None
    try:
        return Key(kind, str(UUID(_decode(found[2]))), _decode(found[3]), found[4])
    except ValueError:
        return None


def hashed(secret: str, server_key: str) -> bytes:
    """What is kept of a secret."""
    return hmac.new(server_key.encode(), secret.encode(), hashlib.sha256).digest()


def _encode(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(text: str) -> str:
    bare = text.rstrip("=")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode()
