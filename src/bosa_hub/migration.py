"""Databases of earlier versions brought to this one, whole or not at all."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from bosa_hub.database import transaction


def upgrade(path: Path, steps: Mapping[int, Sequence[str]]) -> None:
    """The database at `path`, if there is one, in its newest version: `steps` lead from each version to the next."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        while _version(connection) in steps:
            with transaction(connection):
                _step(connection, steps)


def _step(connection: sqlite3.Connection, steps: Mapping[int, Sequence[str]]) -> None:
    version = _version(connection)  # another process may have been quicker
    for statement in steps.get(version, ()):
        connection.execute(statement)
    if version in steps:
        connection.execute(f"PRAGMA user_version = {version + 1}")


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]
