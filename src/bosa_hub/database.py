"""SQLite files that the hub writes: WAL, every commit on disk, made and upgraded complete or not at all."""

import os
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from bosa_hub.errors import Busy, SetupError
from bosa_hub.private import create_once

_PATIENCE = 30.0
"""Seconds that a write waits for other writers."""
_MAX_IDLE = 64
"""Connections that are kept open for later."""
_idle: list[tuple[str, sqlite3.Connection]] = []
_idle_lock = Lock()


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
def connected(path: Path, schema: Schema) -> Generator[sqlite3.Connection]:
    """A connection to the database at `path` for this thread, which stays open for later where the block ends well.

    Opening costs a hundred times as much as a look at a row, and closing syncs the disk.
    """
    connection = _take(path) or connect(path, schema)
    file = _file_at(path)
    try:
        yield connection
    except BaseException:
        connection.close()
        raise
    _keep(file, connection)


def close_idle(folder: Path) -> None:
    """Closes the databases below the folder that were kept open for later."""
    with _idle_lock:
        below = [entry for entry in _idle if entry[0].startswith(f"{folder}{os.sep}")]
        _idle[:] = [entry for entry in _idle if entry not in below]
    for _, connection in below:
        connection.close()


def _take(path: Path) -> sqlite3.Connection | None:
    file = _file_at(path)
    with _idle_lock:
        for index in reversed(range(len(_idle))):
            if file and _idle[index][0] == file:
                return _idle.pop(index)[1]
    return None


def _keep(file: str, connection: sqlite3.Connection) -> None:
    with _idle_lock:
        _idle.append((file, connection))
        surplus = [_idle.pop(0)[1] for _ in range(len(_idle) - _MAX_IDLE)]
    for each in surplus:
        each.close()


def _file_at(path: Path) -> str:
    """What is there now: another file of the same name is another database."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ""
    return f"{path}:{found.st_dev}:{found.st_ino}"


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


def upgrade(path: Path, steps: Mapping[int, Sequence[str]]) -> None:
    """The database at `path`, if there is one, in its newest version: `steps` lead from each version to the next."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)) as connection:
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
