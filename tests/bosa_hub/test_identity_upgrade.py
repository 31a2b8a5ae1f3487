"""A data folder of the first version, opened by this one."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bosa_hub.database import upgrade
from bosa_hub.home import open_home
from bosa_hub.serve import running

_VERSION_1 = """
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
"""
"""As the first version wrote it."""


def _of_version_1(data_dir: Path) -> tuple[str, str]:
    """A folder of that version with one user; their token and their secret."""
    home = open_home(data_dir)
    user, secret = home.identity.create_user(home.client_key.id, "ada")
    token = home.identity.issue_token(user).token
    home.close()
    (home.folder / "encryption.key").unlink()
    new, old = home.folder / "identity.db", home.folder / "old.db"
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA journal_mode = WAL; {_VERSION_1} PRAGMA user_version = 1")
        connection.execute("ATTACH ? AS new", (str(new),))
        for table in ("clients", "users", "tokens"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM new.{table}")  # noqa: S608  names of ours
    old.replace(new)
    return token, str(secret)


def _schema(path: Path) -> tuple[int, set[str]]:
    with closing(sqlite3.connect(path)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        rows = connection.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return version, {" ".join(row[0].split()) for row in rows}


def test_clients_users_and_tokens_of_the_first_version_stay(tmp_path: Path) -> None:
    token, secret = _of_version_1(tmp_path)
    with running(tmp_path) as hub:
        headers = {"X-API-Key": hub.client_key, "Authorization": f"Bearer {token}"}
        me = httpx.get(f"{hub.url}/users/me", headers=headers).json()["data"]
        assert (me["identifier"], me["integrations"]) == ("ada", [])
        login = {"identifier": "ada", "secret": secret}
        assert httpx.post(f"{hub.url}/auth/tokens", json=login).status_code == 200


def test_an_upgraded_database_is_like_a_new_one(tmp_path: Path) -> None:
    _of_version_1(tmp_path / "old")
    for folder in ("old", "new"):
        open_home(tmp_path / folder).close()
    upgraded, new = (_schema(tmp_path / folder / "hub/identity.db") for folder in ("old", "new"))
    assert upgraded == new
    assert new[0] == 3


def test_hubs_that_start_at_once_upgrade_once(tmp_path: Path) -> None:
    _of_version_1(tmp_path)
    with ThreadPoolExecutor(6) as threads:
        homes = list(threads.map(open_home, [tmp_path] * 6))
    assert {str(home.client_key) for home in homes} == {str(homes[0].client_key)}
    for home in homes:
        home.close()
    assert _schema(tmp_path / "hub/identity.db")[0] == 3


def test_steps_lead_one_to_the_next_and_an_upgrade_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    upgrade(path, {0: ("CREATE TABLE a (x)",)})
    assert not path.exists()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE a (x)")
    steps = {0: ("CREATE TABLE b (x)",), 1: ("CREATE TABLE c (x)", "nonsense")}
    with pytest.raises(sqlite3.OperationalError, match="nonsense"):
        upgrade(path, steps)
    assert _schema(path) == (1, {"CREATE TABLE a (x)", "CREATE TABLE b (x)"})
    upgrade(path, {1: ("CREATE TABLE c (x)",)})
    assert _schema(path)[0] == 2
