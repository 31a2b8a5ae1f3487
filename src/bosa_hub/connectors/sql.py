"""SQL on databases of one's own, to read only."""

import os
import stat
from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, Field

from bosa_hub.connectors import sample
from bosa_hub.connectors.paths import open_file, resolve, split
from bosa_hub.connectors.reader import Limits, Rows, opened
from bosa_hub.errors import BadRequest, Conflict, Forbidden, NotFound
from bosa_hub.plugin import Connector, Context, Result, action
from bosa_hub.private import create_once

_SAMPLE = "sample.db"
_FIRST_BYTES = b"SQLite format 3\0"
_AT_ONCE = 8
"""Queries may take seconds: they leave threads to everything else."""


class Database(BaseModel):
    """An SQLite file that lies in one's own sql folder."""

    name: (
        Annotated[str, Field(description="How to call it; default the file's name.", min_length=1, max_length=200)]
        | None
    ) = None
    file: str = Field(description="Where, from the top of your sql folder: sales.db.", min_length=1, max_length=1024)


class Query(BaseModel):
    """One statement that reads."""

    query: str = Field(
        description="One SELECT statement in SQLite's SQL; :name stands for a variable.", max_length=50_000
    )
    variables: (
        Annotated[dict[str, object], Field(description="Values for :name: text, number, boolean or null.")] | None
    ) = None


class TableName(BaseModel):
    """Which table."""

    table: str = Field(description="A name from list_tables.", max_length=200)


class Table(BaseModel):
    """A table or a view."""

    name: str = Field(description="The name to query it by.")
    kind: str = Field(description="table or view.")
    columns: list[str] = Field(description="The names of its columns.")


class Column(BaseModel):
    """A column of a table."""

    name: str = Field(description="The column's name.")
    type: str = Field(description="The declared type; may be empty.")
    nullable: bool = Field(description="May hold null.")
    primary_key: bool = Field(description="Part of the primary key.")


class Reference(BaseModel):
    """A foreign key."""

    column: str = Field(description="The column that points.")
    table: str = Field(description="The table that it points to.")
    to_column: Annotated[str, Field(description="The column there; null for its primary key.")] | None


class TableDescription(BaseModel):
    """What a table is made of."""

    name: str = Field(description="The table's name.")
    kind: str = Field(description="table or view.")
    columns: list[Column] = Field(description="Its columns, in order.")
    references: list[Reference] = Field(description="Which columns point to other tables.")
    sql: str = Field(description="The statement that made it.")


class Sql(Connector):
    """SQL on databases of one's own, to read only: a sample, until others are linked as accounts."""

    configuration = Database
    needs_account = False

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._limiter = CapacityLimiter(_AT_ONCE)

    async def account_identifier(self, configuration: Database, context: Context) -> str:
        """The database's name, once its file is found to be one."""
        path = await to_thread.run_sync(_linked, context, configuration, limiter=self._limiter)
        return configuration.name or path.name

    @action(effect="read")
    async def query(self, request: Query, context: Context) -> Result[list[dict[str, object]]]:
        """Run one SELECT and return its rows, each an object.

        At most 1,000 rows and 1 MiB come back; `meta.truncated` says that there were more. BLOBs come in base64. A
        query may take 5 seconds.
        """
        rows = await to_thread.run_sync(self._query, context, request, limiter=self._limiter)
        return Result(rows.rows, {"truncated": rows.truncated, "limit": self._limits.rows})

    @action(effect="read")
    async def list_tables(self, context: Context) -> list[Table]:
        """The tables and views, with the names of their columns."""
        return await to_thread.run_sync(self._tables, context, limiter=self._limiter)

    @action(effect="read")
    async def describe_table(self, request: TableName, context: Context) -> TableDescription:
        """The columns, types and references of one table or view."""
        return await to_thread.run_sync(self._describe, context, request.table, limiter=self._limiter)

    def _query(self, context: Context, request: Query) -> Rows:
        with opened(_database(context), self._limits) as reader:
            return reader.query(request.query, request.variables or {})

    def _tables(self, context: Context) -> list[Table]:
        with opened(_database(context), self._limits) as reader:
            return [Table.model_validate(table) for table in reader.tables()]

    def _describe(self, context: Context, table: str) -> TableDescription:
        with opened(_database(context), self._limits) as reader:
            return TableDescription.model_validate(reader.describe(table))


def _database(context: Context) -> Path:
    if context.linked is None:
        return _sample(context)
    return _linked(context, context.account.configuration(Database))


def _sample(context: Context) -> Path:
    database = context.root / _SAMPLE
    create_once(database, sample.fill)
    if database.is_symlink():
        raise Forbidden(f"{_SAMPLE} is a link, and links are not followed. Put the file itself there.")
    return database


def _linked(context: Context, database: Database) -> Path:
    _sample(context)  # it may be linked, too
    try:
        path = resolve(context.root, split(database.file))
        if _is_database(path):
            return path
    except (NotFound, FileNotFoundError):
        message = f"There is no file {database.file[:200]!r} in your sql folder. The hub's operator can put one there."
        raise NotFound(message, code="DATABASE_NOT_FOUND") from None
    except (BadRequest, Conflict):
        message = (
            f"{database.file[:200]!r} is no path in your sql folder. Name it like sales.db, without links and `..`."
        )
        raise BadRequest(message, code="BAD_PATH") from None
    message = f"{database.file[:200]!r} is no SQLite file with anything in it. Name one."
    raise BadRequest(message, code="NOT_A_DATABASE")


def _is_database(path: Path) -> bool:
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    with os.fdopen(open_file(path), "rb") as file:
        return file.read(len(_FIRST_BYTES)) == _FIRST_BYTES
