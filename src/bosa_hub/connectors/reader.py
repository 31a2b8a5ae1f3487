"""An SQLite file that is only read, by statements that nobody has looked at."""

import math
import sqlite3
import time
from base64 import b64encode
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bosa_hub.connectors.functions import WIDE, replace_slow
from bosa_hub.errors import BadRequest, Forbidden, HubError, NotFound
from bosa_hub.naming import snake_case

_STEPS = 1000
"""SQLite's own steps between two looks at the clock."""

_ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
_DANGEROUS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}
_SQLITE_LIMITS = {
    # no single function call may take long, for the clock is looked at only between calls
    sqlite3.SQLITE_LIMIT_LENGTH: 250_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 500,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may cost."""

    seconds: float = 5.0
    rows: int = 1000
    bytes: int = 1 << 20
    """Of all the values that come back, as text."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a query, and whether there were more."""

    rows: list[dict[str, object]]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Reader:
    """One open database."""

    connection: sqlite3.Connection
    limits: Limits

    def query(self, statement: str, variables: Mapping[str, object]) -> Rows:
        """The rows that the statement selects, as many as the limits allow.

        Raises:
            BadRequest: The statement makes no sense, takes too long, or yields a row that is too large.
            Forbidden: It does more than read.

        """
        guard = _Guard()
        self.connection.set_authorizer(guard)
        with _bounded(self.connection, self.limits, guard):
            cursor = self.connection.execute(statement, variables)
            if cursor.description is None:
                raise BadRequest("There is no statement. Send one SELECT.")
            return _fetch(cursor, self.limits)

    def tables(self) -> list[dict[str, object]]:
        """Every table and view with the names of its columns."""
        return [
            {"name": name, "kind": kind, "columns": [row[0] for row in self._execute(_COLUMN_NAMES, name)]}
            for name, kind, _ in self._execute(_TABLES)
        ]

    def describe(self, table: str) -> dict[str, object]:
        """What a table is made of.

        Raises:
            NotFound: There is no such table.

        """
        found = {name: (kind, sql) for name, kind, sql in self._execute(_TABLES)}
        if table not in found:
            raise NotFound(f"There is no table {table!r}. Tables: {', '.join(map(str, found))}.")
        kind, sql = found[table]
        columns = [
            {"name": name, "type": type_, "nullable": not (required or key), "primary_key": bool(key)}
            for name, type_, required, key in self._execute(_COLUMNS, table)
        ]
        references = [
            dict(zip(("column", "table", "to_column"), row, strict=True)) for row in self._execute(_KEYS, table)
        ]
        return {"name": table, "kind": kind, "columns": columns, "references": references, "sql": sql}

    def _execute(self, statement: str, *values: object) -> list[Sequence[object]]:
        """Rows of a statement of ours, which may ask what others may not."""
        with _bounded(self.connection, self.limits, _Guard()):
            return self.connection.execute(statement, values).fetchall()


_TABLES = """
    SELECT name, type, sql FROM sqlite_schema
    WHERE type IN ('table', 'view') AND substr(name, 1, 7) <> 'sqlite_' ORDER BY name
"""
_COLUMN_NAMES = "SELECT name FROM pragma_table_info(?)"
_COLUMNS = 'SELECT name, type, "notnull", pk FROM pragma_table_info(?)'
_KEYS = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq'


@contextmanager
def opened(path: Path, limits: Limits) -> Generator[Reader]:
    """The database at `path`, to read only."""
    with closing(_connect(":memory:")) as helper, closing(_connect(f"{path.as_uri()}?mode=ro")) as connection:
        replace_slow(connection, helper)
        connection.executescript("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF")
        yield Reader(connection, limits)


def _connect(uri: str) -> sqlite3.Connection:
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    connection.text_factory = _to_text
    for limit, value in _SQLITE_LIMITS.items():
        connection.setlimit(limit, value)
    return connection


@contextmanager
def _bounded(connection: sqlite3.Connection, limits: Limits, guard: "_Guard") -> Generator[None]:
    deadline = time.monotonic() + limits.seconds
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
        raise _explanation(error, limits, guard) from error


def _explanation(error: Exception, limits: Limits, guard: "_Guard") -> HubError:
    said = str(error).rstrip(".")
    if guard.denied:
        return Forbidden(f"Only reading is allowed, with one SELECT ({said}).", code="READ_ONLY")
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
        message = f"The query took longer than {limits.seconds:g} seconds. Narrow it with WHERE or LIMIT."
        return BadRequest(message, code="QUERY_TOO_LONG")
    said = said.replace("user-defined function raised exception", WIDE)
    return BadRequest(f"SQLite says: {said}. Correct the statement; list_tables shows the tables.", code="SQL_ERROR")


@dataclass(slots=True)
class _Guard:
    """SQLite asks it about everything that a statement would do."""

    denied: bool = False

    def __call__(self, what: int, _1: str | None, function: str | None, _2: str | None, _3: str | None) -> int:
        if what in _ALLOWED and not (what == sqlite3.SQLITE_FUNCTION and (function or "").lower() in _DANGEROUS):
            return sqlite3.SQLITE_OK
        self.denied = True
        return sqlite3.SQLITE_DENY


def _fetch(cursor: sqlite3.Cursor, limits: Limits) -> Rows:
    names = unique([column[0] for column in cursor.description])
    rows: list[dict[str, object]] = []
    size = 0
    for values in cursor:
        row = [_to_json(value) for value in values]
        size += sum(len(str(value)) for value in row)
        if size > limits.bytes and not rows:
            raise BadRequest(
                "One row is too large. Select fewer columns, or parts of them with substr().", code="ROW_TOO_LARGE"
            )
        if size > limits.bytes or len(rows) == limits.rows:
            return Rows(rows, truncated=True)
        rows.append(dict(zip(names, row, strict=True)))
    return Rows(rows, truncated=False)


def unique(names: Sequence[str]) -> list[str]:
    """The names in snake_case, in their order, each once: `id`, `id` is `id`, `id_2`."""
    found: dict[str, None] = {}
    for name in map(snake_case, names):
        candidate, number = name, 1
        while candidate in found:
            number += 1
            candidate = f"{name}_{number}"
        found[candidate] = None
    return list(found)


def _to_json(value: object) -> object:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _to_text(raw: bytes) -> str:
    return raw.decode(errors="replace")
