"""Attempts to link an account by OAuth 2, until the user comes back: each for one user, connector and address."""

import time
from dataclasses import dataclass, field

from bosa_hub.database import Pool
from bosa_hub.keys import hashed
from bosa_hub.oauth2 import Attempt
from bosa_hub.vault import Vault

_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Begun:
    """What an attempt is for."""

    user_id: str
    connector: str
    callback_url: str
    """Where the user goes in the end."""
    redirect_uri: str
    """Where the service sends the user first."""
    replace_duplicate: bool


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts under way of one data folder; a state is kept as HMAC-SHA256, a verifier encrypted."""

    database: Pool
    vault: Vault
    hash_key: str = field(repr=False)

    def begin(self, begun: Begun) -> Attempt:
        """A new attempt, good for ten minutes; what has expired is forgotten."""
        attempt, now = Attempt(), int(time.time())
        values = (
            hashed(attempt.state, self.hash_key),
            self.vault.seal(attempt.verifier),
            now + _SECONDS,
            begun.user_id,
            begun.connector,
            begun.callback_url,
            begun.redirect_uri,
            begun.replace_duplicate,
        )
        with self.database.writing() as connection:
            connection.execute("DELETE FROM attempts WHERE expires_at < ?", (now,))
            connection.execute("INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        return attempt

    def finish(self, connector: str, state: str) -> tuple[Begun, str] | None:
        """What the attempt of this state was for, and its verifier: once, in time, and for its own connector."""
        key = {"state": hashed(state, self.hash_key), "connector": connector, "now": int(time.time())}
        which = "state = :state AND connector = :connector AND expires_at >= :now"
        with self.database.writing() as connection:
            rows = connection.execute(f"DELETE FROM attempts WHERE {which} RETURNING *", key).fetchall()  # noqa: S608  text of ours
        for row in rows:
            begun = Begun(*row[3:7], replace_duplicate=bool(row["replace_duplicate"]))
            return begun, self.vault.open(row["verifier"])
        return None
