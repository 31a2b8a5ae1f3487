"""SQLite files that the hub writes: WAL, every commit on disk, made complete or not at all."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from bosa_hub.errors import Busy, SetupError
from bosa_hub.private import create_once

_PATIENCE = 30.0
"""Seconds that a write waits for other writers."""


@dataclass(frozen=True, slots=True)
class Schema:
    """What a database holds; `version` is kept in the file's user_version."""

    version: int
    script: str


def connect(path: Path, schema: Schema, *, patience: float = _PATIENCE) -> sqlite3.Connection:
    """A connection to the database at `path`, which is made on first use. Close it."""
    create_once(path, lambda new: _create(new, schema))
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    # WAL alone syncs at checkpoints only: an acknowledged write must outlive a power cut
    connection.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != schema.version:
        connection.close()
        raise SetupError(
            f"{path} has version {found} of its schema, this hub needs {schema.version}: use another folder."
        )
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    """A write transaction: committed at the end, rolled back on any exception.

    Raises:
        Busy: Others keep writing; nothing was done.

    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        raise Busy(f"Nothing can be written now ({error}). Try again in a second.") from error
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Pool:
    """Open connections to one database, each used by one thread at a time."""

    path: Path
    schema: Schema
    _idle: list[sqlite3.Connection] = field(default_factory=list[sqlite3.Connection], init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """A connection for this thread."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        connection = connection or connect(self.path, self.schema)
        try:
            yield connection
        finally:
            with self._lock:
                self._idle.append(connection)

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection]:
        """A write transaction for this thread."""
        with self.reading() as connection, transaction(connection):
            yield connection

    def close(self) -> None:
        """Every connection is closed; call it when no thread uses one."""
        while self._idle:
            self._idle.pop().close()


def _create(path: Path, schema: Schema) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"PRAGMA journal_mode = WAL; BEGIN; {schema.script}; PRAGMA user_version = {schema.version}; COMMIT"
        )
