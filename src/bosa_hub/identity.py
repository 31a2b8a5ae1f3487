"""Who may call: clients, their users, the users' tokens. Secrets are kept as HMAC-SHA256 only."""

import hmac
import secrets
import sqlite3
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import jwt

from bosa_hub.database import Pool, Schema
from bosa_hub.errors import Conflict, NotFound, Unauthenticated
from bosa_hub.keys import Key, hashed, new_key, parse

TOKEN_SECONDS = 43_200 * 60
_ALGORITHM = "HS256"

_ACCOUNTS = (
    """
    CREATE TABLE accounts (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, user_id TEXT NOT NULL REFERENCES users,
        connector TEXT NOT NULL, user_identifier TEXT NOT NULL, kind TEXT NOT NULL, credential BLOB NOT NULL,
        scopes TEXT NOT NULL, selected INTEGER NOT NULL, UNIQUE (user_id, connector, user_identifier)
    ) STRICT
    """,
    "CREATE UNIQUE INDEX one_selected ON accounts (user_id, connector) WHERE selected",
    """
    CREATE TABLE attempts (
        state BLOB PRIMARY KEY, verifier BLOB NOT NULL, expires_at INTEGER NOT NULL,
        user_id TEXT NOT NULL REFERENCES users, connector TEXT NOT NULL, callback_url TEXT NOT NULL,
        redirect_uri TEXT NOT NULL, replace_duplicate INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX attempts_by_expiry ON attempts (expires_at)",
)
_RENEWALS = (
    """
    CREATE TABLE renewals (
        account TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE, until REAL NOT NULL
    ) STRICT
    """,
)

UPGRADES: Mapping[int, Sequence[str]] = {1: _ACCOUNTS, 2: _RENEWALS}
"""What leads from a version of the schema to the next."""

SCHEMA = Schema(
    version=3,
    script=f"""
    CREATE TABLE clients (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, secret BLOB NOT NULL) STRICT;
    CREATE TABLE users (
        id TEXT PRIMARY KEY, client_id TEXT NOT NULL REFERENCES clients, identifier TEXT NOT NULL,
        secret BLOB NOT NULL, secret_preview TEXT NOT NULL, UNIQUE (client_id, identifier)
    ) STRICT;
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users, expires_at INTEGER NOT NULL,
        revoked INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX tokens_by_expiry ON tokens (expires_at);
    {"; ".join([*_ACCOUNTS, *_RENEWALS])}
    """,
)


@dataclass(frozen=True, slots=True)
class User:
    """A user as clients see it."""

    id: str
    client_id: str
    identifier: str
    secret_preview: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """A user's token as clients see it."""

    id: str
    user_id: str
    client_id: str
    expires_at: datetime
    token: str = field(repr=False)
    token_type: str = "Bearer"  # noqa: S105  the name of a scheme
    is_revoked: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """The clients, users and tokens of one data folder."""

    database: Pool
    hash_key: str = field(repr=False)
    signing_key: str = field(repr=False)
    master_key: str = field(repr=False)

    def create_client(self, name: str) -> Key:
        """A new client's key.

        Raises:
            Conflict: The name is taken.

        """
        key = new_key("client", str(uuid4()), name)
        try:
            with self.database.writing() as connection:
                self._insert_client(connection, key)
        except sqlite3.IntegrityError as error:
            raise Conflict(f"A client named {name!r} exists already. Choose another name.") from error
        return key

    def keep_client(self, key: Key) -> None:
        """Makes the client of this key, or gives the one there is this key."""
        with self.database.writing() as connection:
            self._insert_client(connection, key, "ON CONFLICT (id) DO UPDATE SET secret = excluded.secret")

    def client_id(self, name: str) -> str | None:
        """The id of the client of this name."""
        with self.database.reading() as connection:
            row = connection.execute("SELECT id FROM clients WHERE name = ?", (name,)).fetchone()
        return row and row["id"]

    def client_of(self, api_key: str | None) -> str:
        """The id of the client whose key this is.

        Raises:
            Unauthenticated: There is no key, or the text is none.
            NotFound: It looks like a key, and is nobody's.

        """
        key = parse("client", api_key or "")
        if key is None:
            raise Unauthenticated("X-API-Key holds no client key. Copy the whole of it.")
        with self.database.reading() as connection:
            row = connection.execute("SELECT secret FROM clients WHERE id = ?", (key.id,)).fetchone()
        if row is None or not self._matches(key.secret, row["secret"]):
            raise NotFound("No client has this key. Check X-API-Key, or create a client with the master key.")
        return key.id

    def require_master(self, key: str | None) -> None:
        """Checks that the key is the master key.

        Raises:
            Unauthenticated: It is not.

        """
        if not key or not hmac.compare_digest(key.encode(), self.master_key.encode()):
            raise Unauthenticated("Only the master key may create clients. Send it as X-API-Key.")

    def create_user(self, client_id: str, identifier: str) -> tuple[User, Key]:
        """A new user of the client, with the secret that is shown once.

        Raises:
            Conflict: The client has a user of this identifier.

        """
        key = new_key("user", str(uuid4()), identifier)
        try:
            with self.database.writing() as connection:
                self._insert_user(connection, client_id, key)
        except sqlite3.IntegrityError as error:
            raise Conflict(f"User {identifier!r} exists already. Ask for a token, or choose another.") from error
        return User(key.id, client_id, identifier, _preview(key)), key

    def ensure_user(self, client_id: str, identifier: str) -> User:
        """The client's user of this identifier, made where there is none; its secret is known to nobody."""
        with self.database.writing() as connection:
            key = new_key("user", str(uuid4()), identifier)
            self._insert_user(connection, client_id, key, "ON CONFLICT DO NOTHING")
            row = connection.execute(
                "SELECT id, client_id, identifier, secret_preview FROM users WHERE client_id = ? AND identifier = ?",
                (client_id, identifier),
            ).fetchone()
        return User(*row)

    def user(self, user_id: str) -> User:
        """The user of this id.

        Raises:
            NotFound: There is none.

        """
        row = self._find_user(user_id)
        if row is None:
            raise NotFound("There is no such user any more.")
        return _user(row)

    def log_in(self, client_id: str | None, identifier: str, secret: str) -> Token:
        """A new token for the user whose secret this is; the secret alone says which client's, where none is given.

        Raises:
            Unauthenticated: Identifier and secret do not belong together.

        """
        key = parse("user", secret)
        row = self._find_user(key.id) if key else None
        if (
            key is None
            or row is None
            or not self._matches(key.secret, row["secret"])
            or row["identifier"] != identifier
            or client_id not in {None, row["client_id"]}
        ):
            raise Unauthenticated("The identifier and the secret do not belong together. Check both.")
        return self.issue_token(_user(row))

    def issue_token(self, user: User) -> Token:
        """A new token for the user; what has expired is forgotten."""
        token_id, now = str(uuid4()), int(time.time())
        claims = {"sub": user.id, "client_id": user.client_id, "jti": token_id, "iat": now, "exp": now + TOKEN_SECONDS}
        with self.database.writing() as connection:
            connection.execute("DELETE FROM tokens WHERE expires_at < ?", (now,))
            connection.execute(
                "INSERT INTO tokens (id, user_id, expires_at) VALUES (?, ?, ?)", (token_id, user.id, claims["exp"])
            )
        text = jwt.encode(claims, self.signing_key, algorithm=_ALGORITHM)
        return Token(token_id, user.id, user.client_id, datetime.fromtimestamp(now + TOKEN_SECONDS, UTC), text)

    def revoke_token(self, token_id: str) -> None:
        """The token is worth nothing from now on."""
        with self.database.writing() as connection:
            connection.execute("UPDATE tokens SET revoked = 1 WHERE id = ?", (token_id,))

    def user_of(self, token: str | None) -> User:
        """The user whose token this is.

        Raises:
            Unauthenticated: There is no token, or it is forged, expired or revoked.

        """
        if token is None:
            raise Unauthenticated("This needs a user: send Authorization: Bearer with a token from POST /auth/tokens.")
        try:
            claims = jwt.decode(token, self.signing_key, [_ALGORITHM], options={"require": ["sub", "jti", "exp"]})
        except jwt.InvalidTokenError as error:
            raise Unauthenticated("The user token is not valid, or has expired. Ask for a new one.") from error
        row = self._find_user(claims["sub"], claims["jti"])
        if row is None:
            raise Unauthenticated("The user token has been revoked. Ask for a new one.")
        return _user(row)

    def _find_user(self, user_id: str, token_id: str | None = None) -> sqlite3.Row | None:
        valid = "EXISTS (SELECT 1 FROM tokens WHERE id = :token AND user_id = users.id AND NOT revoked)"
        with self.database.reading() as connection:
            return connection.execute(
                f"SELECT * FROM users WHERE id = :user AND (:token IS NULL OR {valid})",  # noqa: S608  text of ours
                {"user": user_id, "token": token_id},
            ).fetchone()

    def _insert_client(self, connection: sqlite3.Connection, key: Key, conflict: str = "") -> None:
        connection.execute(
            f"INSERT INTO clients (id, name, secret) VALUES (?, ?, ?) {conflict}",  # noqa: S608  text of ours
            (key.id, key.name, hashed(key.secret, self.hash_key)),
        )

    def _insert_user(self, connection: sqlite3.Connection, client_id: str, key: Key, conflict: str = "") -> None:
        connection.execute(
            f"INSERT INTO users (id, client_id, identifier, secret, secret_preview) VALUES (?, ?, ?, ?, ?) {conflict}",  # noqa: S608  text of ours
            (key.id, client_id, key.name, hashed(key.secret, self.hash_key), _preview(key)),
        )

    def _matches(self, secret: str, kept: bytes) -> bool:
        return hmac.compare_digest(hashed(secret, self.hash_key), kept)


def new_server_key() -> str:
    """A key that only this hub knows: 256 random bits."""
    return secrets.token_urlsafe(32)


def _preview(key: Key) -> str:
    return f"sk-user-...{key.secret[-8:]}"


def _user(row: sqlite3.Row) -> User:
    return User(row["id"], row["client_id"], row["identifier"], row["secret_preview"])
