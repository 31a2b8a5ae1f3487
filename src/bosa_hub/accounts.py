"""Accounts that users have linked; their credentials are kept encrypted."""

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from uuid import uuid4

from pydantic_core import from_json, to_json

from bosa_hub.database import Pool
from bosa_hub.errors import BadRequest, Conflict, SetupError
from bosa_hub.identity import User
from bosa_hub.naming import is_account_name
from bosa_hub.plugin import no_account
from bosa_hub.vault import Vault, WrongKey

Kind: TypeAlias = Literal["custom", "oauth2"]

_THIS_ONE = "user_id = :user AND connector = :connector AND user_identifier = :identifier"
_SELECTED = "user_id = :user AND connector = :connector AND selected"


@dataclass(frozen=True, slots=True)
class Credential:
    """What lets a connector act for a user, as JSON."""

    kind: Kind
    text: str = field(repr=False)
    scopes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Linked:
    """A linked account as clients see it."""

    id: str
    client_id: str
    user_id: str
    connector: str
    user_identifier: str
    selected: bool
    auth_status: str = "active"


@dataclass(frozen=True, slots=True)
class Accounts:
    """The linked accounts of one data folder."""

    database: Pool
    vault: Vault

    def check_key(self) -> None:
        """Checks that the key opens what is kept.

        Raises:
            SetupError: It does not.

        """
        with self.database.reading() as connection:
            row = connection.execute("SELECT credential FROM accounts ORDER BY number DESC LIMIT 1").fetchone()
        try:
            _ = row and self.vault.open(row["credential"])
        except WrongKey:
            raise SetupError(
                f"The encryption key is not the one that the accounts in {self.database.path} were linked under. Give"
                " the hub that key again; where it is lost, empty the table `accounts` there: they must be linked anew."
            ) from None

    def link(self, user: User, connector: str, identifier: str, credential: Credential, *, replace: bool) -> Linked:
        """The account, new or with a new credential; a user's first one of a connector is the selected one.

        Raises:
            BadRequest: The identifier cannot stand in a path and a header.
            Conflict: There is one of this identifier, and it is not to be replaced.

        """
        if not is_account_name(identifier):
            message = (
                f"An account cannot be called {identifier[:200]!r}: use 1 to 200 ASCII characters without a slash."
            )
            raise BadRequest(message, code="BAD_ACCOUNT_NAME")
        values = {
            "id": str(uuid4()),
            "kind": credential.kind,
            "credential": self.vault.seal(credential.text),
            "scopes": to_json(credential.scopes).decode(),
        } | _key(user, connector, identifier)
        try:
            with self.database.writing() as connection:
                connection.execute(_REPLACE if replace else _INSERT, values)
                return _linked(user, _row(connection, _THIS_ONE, values))
        except sqlite3.IntegrityError:
            raise Conflict(
                f"Integration conflict: account {identifier!r} exists on {connector} already. Remove it first, give the"
                " new one another name, or send replace_duplicate: true.",
                code="INTEGRATION_EXISTS",
            ) from None

    def all(self, user: User) -> list[Linked]:
        """Every account of the user, in the order in which they were linked."""
        with self.database.reading() as connection:
            rows = connection.execute("SELECT * FROM accounts WHERE user_id = ? ORDER BY number", (user.id,))
            return [_linked(user, row) for row in rows]

    def exists(self, user: User, connector: str) -> bool:
        """The user has an account there."""
        with self.database.reading() as connection:
            return bool(_rows(connection, _SELECTED, _key(user, connector)))

    def find(self, user: User, connector: str, identifier: str | None = None) -> tuple[Linked, Credential]:
        """The account of this identifier, else the selected one, and what it is linked by.

        Raises:
            NotFound: There is none.
            Conflict: Its credential cannot be decrypted.

        """
        with self.database.reading() as connection:
            which = _SELECTED if identifier is None else _THIS_ONE
            row = _row(connection, which, _key(user, connector, identifier))
        return _linked(user, row), self._credential(row)

    def select(self, user: User, connector: str, identifier: str) -> None:
        """The account acts from now on where a call names none.

        Raises:
            NotFound: There is none.

        """
        key = _key(user, connector, identifier)
        with self.database.writing() as connection:
            _row(connection, _THIS_ONE, key)
            connection.execute(f"UPDATE accounts SET selected = 0 WHERE {_SELECTED}", key)  # noqa: S608  text of ours
            connection.execute(f"UPDATE accounts SET selected = 1 WHERE {_THIS_ONE}", key)  # noqa: S608  text of ours

    def remove(self, user: User, connector: str, identifier: str | None = None) -> Credential | None:
        """What the account of this identifier, else the selected one, was linked by: it is gone.

        None where its credential cannot be decrypted.

        Where it was the selected one, that is now the one linked last: a user with accounts always has one selected.

        Raises:
            NotFound: There is none.

        """
        which = _SELECTED if identifier is None else _THIS_ONE
        with self.database.writing() as connection:
            row = _row(connection, which, _key(user, connector, identifier))
            connection.execute("DELETE FROM accounts WHERE number = ?", (row["number"],))
            if row["selected"]:
                connection.execute(_SELECT_LAST, _key(user, connector))
        try:
            return self._credential(row)
        except Conflict:
            return None

    def claim(self, linked: Linked, seen: Credential, seconds: float) -> bool:
        """The caller, and nobody else for so many seconds, may renew the credential that they have seen."""
        now = time.time()
        with self.database.writing() as connection:
            if not self._is(connection, linked, seen):
                return False
            claimed = connection.execute(_CLAIM, {"account": linked.id, "until": now + seconds, "now": now})
            return claimed.fetchone() is not None

    def renew(self, linked: Linked, old: Credential, text: str) -> bool:
        """The credential is another one; False, and nothing done, where it is not the old one any more."""
        with self.database.writing() as connection:
            if not self._is(connection, linked, old):
                return False
            values = (self.vault.seal(text), linked.id)
            connection.execute("UPDATE accounts SET credential = ? WHERE id = ?", values)
            return True

    def is_there(self, linked: Linked) -> bool:
        """The account has not been removed."""
        with self.database.reading() as connection:
            return connection.execute("SELECT 1 FROM accounts WHERE id = ?", (linked.id,)).fetchone() is not None

    def release(self, linked: Linked) -> None:
        """Whoever comes next may renew the credential."""
        with self.database.writing() as connection:
            connection.execute("DELETE FROM renewals WHERE account = ?", (linked.id,))

    def _is(self, connection: sqlite3.Connection, linked: Linked, credential: Credential) -> bool:
        row = connection.execute("SELECT * FROM accounts WHERE id = ?", (linked.id,)).fetchone()
        return row is not None and self._credential(row) == credential

    def _credential(self, row: sqlite3.Row) -> Credential:
        try:
            return Credential(row["kind"], self.vault.open(row["credential"]), from_json(row["scopes"]))
        except WrongKey:
            raise Conflict(
                f"The credential of account {row['user_identifier']!r} cannot be decrypted. Link the account again,"
                " with replace_duplicate: true.",
                code="INTEGRATION_UNREADABLE",
            ) from None


_INSERT = """
    INSERT INTO accounts (id, user_id, connector, user_identifier, kind, credential, scopes, selected)
    VALUES (:id, :user, :connector, :identifier, :kind, :credential, :scopes,
        NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = :user AND connector = :connector))
"""
_REPLACE = f"""{_INSERT} ON CONFLICT (user_id, connector, user_identifier)
    DO UPDATE SET kind = excluded.kind, credential = excluded.credential, scopes = excluded.scopes
"""
_CLAIM = """
    INSERT INTO renewals VALUES (:account, :until) ON CONFLICT (account)
    DO UPDATE SET until = excluded.until WHERE until < :now RETURNING account
"""
_SELECT_LAST = """
    UPDATE accounts SET selected = 1
    WHERE number = (SELECT max(number) FROM accounts WHERE user_id = :user AND connector = :connector)
"""


def _key(user: User, connector: str, identifier: str | None = None) -> dict[str, object]:
    return {"user": user.id, "connector": connector, "identifier": identifier}


def _rows(connection: sqlite3.Connection, which: str, key: dict[str, object]) -> list[sqlite3.Row]:
    return connection.execute(f"SELECT * FROM accounts WHERE {which}", key).fetchall()  # noqa: S608  text of ours


def _row(connection: sqlite3.Connection, which: str, key: dict[str, object]) -> sqlite3.Row:
    for row in _rows(connection, which, key):
        return row
    identifier = key["identifier"]
    raise no_account(str(key["connector"]), None if identifier is None else str(identifier))


def _linked(user: User, row: sqlite3.Row) -> Linked:
    names = (row["connector"], row["user_identifier"])
    return Linked(row["id"], user.client_id, user.id, *names, selected=bool(row["selected"]))
