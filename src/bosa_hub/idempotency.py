"""Safe repetition: a request with an `Idempotency-Key` is carried out once, and answered the same ever after.

A request under way holds a lock on a file of its own, which dies with its process. Where there is neither an answer
nor a lock, nobody knows the outcome.
"""

import hashlib
import json
import logging
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from anyio import CancelScope, to_thread
from starlette.responses import Response

from bosa_hub.database import Pool, Schema
from bosa_hub.errors import BadRequest, Conflict, HubError, StillRunning
from bosa_hub.plugin import Effect
from bosa_hub.private import make_folder
from bosa_hub.transfer import CHUNK, InputFile

KEPT_SECONDS = 24 * 3600
_log = logging.getLogger("bosa_hub")
_KEY = re.compile(r"[ -~]{1,255}")
_SCHEMA = Schema(
    version=1,
    script="""
    CREATE TABLE requests (id BLOB PRIMARY KEY, digest BLOB NOT NULL, at INTEGER NOT NULL, status INTEGER, body BLOB)
        STRICT;
    CREATE INDEX requests_by_age ON requests (at);
    """,
)
Execute: TypeAlias = Callable[[], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Once:
    """What is to happen once."""

    id: bytes
    """Who asks for what under which key."""
    digest: bytes
    """Of the arguments."""
    effect: Effect


@dataclass(frozen=True, slots=True)
class Repeats:
    """The requests of the last day that had a key, in a folder that any number of processes share."""

    folder: Path
    database: Pool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "database", Pool(self.folder / "repeats.db", _SCHEMA))

    async def answer(self, once: Once, execute: Execute) -> Response:
        """What `execute` answers the first time, and the same again from then on.

        Not kept are answers with `Retry-After`, for nothing was done, and files: an action that reads runs again.

        Raises:
            StillRunning: The first request goes on at this moment.
            Conflict: Other arguments, an answer that was a file, or an outcome that nobody knows.

        """
        begun = await to_thread.run_sync(self._begin, once)
        if isinstance(begun, Response):
            return begun
        try:
            response = await execute()
            with CancelScope(shield=True):  # it is done: whoever repeats it must learn so
                await to_thread.run_sync(self._finish, once, response, begun)
        except BaseException:
            begun.release()
            raise
        return response

    def close(self) -> None:
        """The database is closed."""
        self.database.close()

    def _begin(self, once: Once) -> "Response | _Lock":
        path = make_folder(self.folder / "running") / once.id.hex()
        with self.database.writing() as connection:
            self._forget_old(connection)
            row = connection.execute("SELECT digest, status, body FROM requests WHERE id = ?", (once.id,)).fetchone()
            if row and (row["digest"] != once.digest or row["status"]):
                return _again(row, once)
            if row is None:
                values = (once.id, once.digest, int(time.time()))
                connection.execute("INSERT INTO requests (id, digest, at) VALUES (?, ?, ?)", values)
            lock = _lock(path)
            if lock is None:
                raise StillRunning("The first request with this Idempotency-Key is still under way. Send it again.")
            if row:
                lock.release()
                raise _unknown()
        return lock

    def _finish(self, once: Once, response: Response, lock: "_Lock") -> None:
        try:
            with self.database.writing() as connection:
                _keep(connection, once, response)
                lock.release()
        except (HubError, sqlite3.Error):
            # the answer is true all the same; without a lock, repeating it is told that the outcome is unknown
            _log.exception("the answer to a request with an Idempotency-Key could not be kept")
            lock.release()

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        before = int(time.time()) - KEPT_SECONDS
        for row in connection.execute("DELETE FROM requests WHERE at < ? RETURNING id", (before,)).fetchall():
            (self.folder / "running" / row["id"].hex()).unlink(missing_ok=True)


def key_in(headers: Mapping[str, str]) -> str | None:
    """The `Idempotency-Key`, where there is one.

    Raises:
        BadRequest: It is empty, too long, or has other characters than printable ASCII.

    """
    key = headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise BadRequest(
            "Idempotency-Key must be 1 to 255 printable ASCII characters. A random UUID is a good one.",
            code="BAD_IDEMPOTENCY_KEY",
        )
    return key


def once_of(key: str, who: Sequence[str | None], effect: Effect, arguments: Mapping[str, object]) -> Once:
    """What they ask for under this key, with arguments in whatever order."""
    return Once(_digest([key, *who]), _digest(arguments), effect)


def _digest(value: object) -> bytes:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=_marks).encode()).digest()


def _marks(file: InputFile) -> Sequence[str]:
    """What tells a file from another one, read piece by piece."""
    content = hashlib.sha256()
    file.file.seek(0)
    while piece := file.file.read(CHUNK):
        content.update(piece)
    file.file.seek(0)
    return file.filename, file.content_type, content.hexdigest()


def _keep(connection: sqlite3.Connection, once: Once, response: Response) -> None:
    # only a response that is whole in memory has a body
    body: bytes | None = getattr(response, "body", None)
    if "Retry-After" in response.headers or (body is None and once.effect == "read"):
        connection.execute("DELETE FROM requests WHERE id = ?", (once.id,))
    else:
        values = (response.status_code, body, once.id)
        connection.execute("UPDATE requests SET status = ?, body = ? WHERE id = ?", values)


def _again(row: sqlite3.Row, once: Once) -> Response:
    if row["digest"] != once.digest:
        raise Conflict(
            "This Idempotency-Key was used with other arguments. Take a new key for a new request.",
            code="IDEMPOTENCY_KEY_REUSED",
        )
    if row["body"] is None:
        raise Conflict("This was carried out already; its answer, a file, is not kept.", code="ANSWER_NOT_KEPT")
    return Response(row["body"], row["status"], media_type="application/json")


def _unknown() -> HubError:
    return Conflict(
        "The hub stopped while it ran this request: whether it was carried out is unknown, and it is not run again."
        " Look whether it happened; if not, send it with a new Idempotency-Key.",
        code="OUTCOME_UNKNOWN",
    )


@dataclass(frozen=True, slots=True)
class _Lock:
    """A locked file. SQLite's locks are the ones that every system has."""

    path: Path
    connection: sqlite3.Connection

    def release(self) -> None:
        """Removes the file, and then the lock: so it is never the file of somebody who locked a new one."""
        with suppress(PermissionError):  # Windows deletes no open file: it goes with its row
            self.path.unlink(missing_ok=True)
        self.connection.close()


def _lock(path: Path) -> _Lock | None:
    """The lock on this file, unless somebody has it."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return None
        raise
    return _Lock(path, connection)
