"""SQL on databases of one's own, to read only."""

from pathlib import Path
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from pydantic import BaseModel, Field

from bosa_hub.connectors import sample
from bosa_hub.connectors.reader import Limits, Rows, opened
from bosa_hub.errors import Forbidden
from bosa_hub.plugin import Connector, Context, Result, action
from bosa_hub.private import create_once

_DATABASE = "sample.db"
_AT_ONCE = 4
"""Queries may take seconds: they leave threads to everything else."""


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
    """SQL on databases of one's own, to read only."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._limiter = CapacityLimiter(_AT_ONCE)

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
    database = context.root / _DATABASE
    create_once(database, sample.fill)
    if database.is_symlink():
        raise Forbidden(f"{_DATABASE} is a link, and links are not followed. Put the file itself there.")
    return database
