"""Notes of one's own, with full-text search."""

import json
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

from anyio import to_thread
from pydantic import BaseModel, Field

from bosa_hub.connectors.words import match_all
from bosa_hub.database import Schema, connected, transaction
from bosa_hub.errors import BadRequest, NotFound
from bosa_hub.plugin import Connector, Context, Page, action
from bosa_hub.transfer import OutputFile

_PER_PAGE = 20

_SCHEMA = Schema(
    version=1,
    script="""
    CREATE TABLE notes (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, body TEXT NOT NULL,
        tags TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL
    ) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(
        title, body, tags, content=notes, content_rowid=number, tokenize='unicode61 remove_diacritics 2'
    );
    CREATE TRIGGER note_added AFTER INSERT ON notes BEGIN
        INSERT INTO words (rowid, title, body, tags) VALUES (new.number, new.title, new.body, new.tags);
    END;
    CREATE TRIGGER note_removed AFTER DELETE ON notes BEGIN
        INSERT INTO words (words, rowid, title, body, tags)
        VALUES ('delete', old.number, old.title, old.body, old.tags);
    END;
    CREATE TRIGGER note_changed AFTER UPDATE ON notes BEGIN
        INSERT INTO words (words, rowid, title, body, tags)
        VALUES ('delete', old.number, old.title, old.body, old.tags);
        INSERT INTO words (rowid, title, body, tags) VALUES (new.number, new.title, new.body, new.tags);
    END;
    """,
)

_Id = Annotated[str, Field(description="The note's id.", max_length=100)]
_Title = Annotated[str, Field(description="One line that says what it is about.", min_length=1, max_length=200)]
_Body = Annotated[str, Field(description="The text; Markdown is welcome.", max_length=500_000)]
_Tag = Annotated[str, Field(min_length=1, max_length=50)]
_Tags = Annotated[list[_Tag], Field(description="Labels to find it by.", max_length=20)]
_PageNumber = Annotated[int, Field(description="Which page, from 1; default 1.", ge=1, le=1_000_000)]
_PerPage = Annotated[int, Field(description=f"Notes on a page; default {_PER_PAGE}.", ge=1, le=100)]


class Note(BaseModel):
    """A note."""

    id: _Id
    title: _Title
    body: _Body
    tags: _Tags
    created_at: datetime = Field(description="When it was written, UTC.")
    updated_at: datetime = Field(description="When it was last changed, UTC.")


class CreateNote(BaseModel):
    """A note to keep."""

    title: _Title
    body: _Body
    tags: _Tags | None = None


class NoteId(BaseModel):
    """Which note."""

    id: _Id


class UpdateNote(BaseModel):
    """What changes; what is left out stays as it is."""

    id: _Id
    title: _Title | None = None
    body: _Body | None = None
    tags: _Tags | None = None


class ListNotes(BaseModel):
    """Which notes."""

    page: _PageNumber | None = None
    per_page: _PerPage | None = None
    tag: Annotated[str, Field(description="Only notes with this very tag.", max_length=50)] | None = None


class SearchNotes(BaseModel):
    """What to look for."""

    query: str = Field(description="Words, or beginnings of words, that all occur in the note.", max_length=1000)
    page: _PageNumber | None = None
    per_page: _PerPage | None = None


class DeletedNote(BaseModel):
    """What is gone."""

    id: _Id
    deleted: bool = Field(default=True, description="Always true.")


class Notes(Connector):
    """Notes of one's own."""

    @action(effect="create")
    async def create_note(self, request: CreateNote, context: Context) -> Note:
        """Keep a new note."""
        return await to_thread.run_sync(_create, context, request)

    @action(effect="read")
    async def get_note(self, request: NoteId, context: Context) -> Note:
        """One note by its id."""
        return await to_thread.run_sync(_get, context, request.id)

    @action(effect="update")
    async def update_note(self, request: UpdateNote, context: Context) -> Note:
        """Change the title, the body or the tags of a note; what is not given stays."""
        return await to_thread.run_sync(_update, context, request)

    @action(effect="delete")
    async def delete_note(self, request: NoteId, context: Context) -> DeletedNote:
        """Delete a note for good."""
        return await to_thread.run_sync(_delete, context, request.id)

    @action(effect="read")
    async def list_notes(self, request: ListNotes, context: Context) -> Page[Note]:
        """All notes, the newest first, page by page."""
        return await to_thread.run_sync(_list, context, request)

    @action(effect="read")
    async def search_notes(self, request: SearchNotes, context: Context) -> Page[Note]:
        """Notes in which all the words occur (title, body or tags), the best match first, page by page."""
        return await to_thread.run_sync(_search, context, request)

    @action(effect="read")
    async def export_notes(self, context: Context) -> OutputFile:
        """All notes, the oldest first, as one Markdown file."""
        return OutputFile("notes.md", _export(context), "text/markdown; charset=utf-8")


@contextmanager
def _opened(context: Context) -> Generator[sqlite3.Connection]:
    with connected(context.root / "notes.db", _SCHEMA) as connection:
        yield connection


def _create(context: Context, new: CreateNote) -> Note:
    now = datetime.now(UTC)
    note = Note(id=str(uuid4()), title=new.title, body=new.body, tags=new.tags or [], created_at=now, updated_at=now)
    with _opened(context) as connection, transaction(connection):
        connection.execute(
            "INSERT INTO notes (id, title, body, tags, created_at, updated_at)"
            " VALUES (:id, :title, :body, :tags, :created_at, :updated_at)",
            _to_row(note),
        )
    return note


def _get(context: Context, note_id: str) -> Note:
    with _opened(context) as connection:
        return _find(connection, note_id)


def _update(context: Context, wanted: UpdateNote) -> Note:
    changes = wanted.model_dump(include={"title", "body", "tags"}, exclude_none=True)
    if not changes:
        raise BadRequest("Nothing to change. Give at least one of title, body and tags.")
    with _opened(context) as connection, transaction(connection):
        note = _find(connection, wanted.id).model_copy(update={**changes, "updated_at": datetime.now(UTC)})
        connection.execute(
            "UPDATE notes SET title = :title, body = :body, tags = :tags, updated_at = :updated_at WHERE id = :id",
            _to_row(note),
        )
    return note


def _delete(context: Context, note_id: str) -> DeletedNote:
    with _opened(context) as connection, transaction(connection):
        note = _find(connection, note_id)
        connection.execute("DELETE FROM notes WHERE id = ?", (note.id,))
    return DeletedNote(id=note.id)


def _list(context: Context, wanted: ListNotes) -> Page[Note]:
    source = "notes WHERE :text IS NULL OR EXISTS (SELECT 1 FROM json_each(notes.tags) WHERE value = :text)"
    return _page(context, source, "number DESC", wanted.tag, wanted)


def _search(context: Context, wanted: SearchNotes) -> Page[Note]:
    source = "words JOIN notes ON notes.number = words.rowid WHERE words MATCH :text"
    return _page(context, source, "bm25(words), number DESC", match_all(wanted.query), wanted)


def _export(context: Context) -> Iterator[bytes]:
    yield b"# Notes\n"
    with _opened(context) as connection:
        for row in _one_by_one(connection):
            yield _to_markdown(_to_note(row)).encode()


def _one_by_one(connection: sqlite3.Connection) -> Iterator[sqlite3.Row]:
    """Every note; a slow reader holds up no writer, as it would by one long read."""
    after = "SELECT * FROM notes WHERE number > ? ORDER BY number LIMIT 1"
    number = 0
    while row := connection.execute(after, (number,)).fetchone():
        yield row
        number = row["number"]


def _to_markdown(note: Note) -> str:
    about = f"*{note.created_at:%Y-%m-%d %H:%M}{''.join(f', {tag}' for tag in note.tags)}*"
    return f"\n## {' '.join(note.title.split())}\n\n{about}\n\n{note.body.rstrip()}\n"


def _page(context: Context, source: str, order: str, text: str | None, wanted: ListNotes | SearchNotes) -> Page[Note]:
    page, size = wanted.page or 1, wanted.per_page or _PER_PAGE
    values = {"text": text, "size": size, "start": (page - 1) * size}
    select = f"SELECT notes.* FROM {source} ORDER BY {order} LIMIT :size OFFSET :start"  # noqa: S608  text of ours
    with _opened(context) as connection, _snapshot(connection):
        total = connection.execute(f"SELECT count(*) FROM {source}", values).fetchone()[0]  # noqa: S608  text of ours
        notes = [_to_note(row) for row in connection.execute(select, values)]
    return Page(notes, page=page, per_page=size, total=total)


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Generator[None]:
    """The total and the page are of one moment."""
    connection.execute("BEGIN")
    yield
    connection.execute("COMMIT")


def _find(connection: sqlite3.Connection, note_id: str) -> Note:
    row = connection.execute("SELECT * FROM notes WHERE id = ?", (note_id,)).fetchone()
    if row is None:
        raise NotFound(f"There is no note {note_id!r}. list_notes and search_notes give the ids.")
    return _to_note(row)


def _to_note(row: sqlite3.Row) -> Note:
    return Note.model_validate({**row, "tags": json.loads(row["tags"])})


def _to_row(note: Note) -> dict[str, object]:
    return {**note.model_dump(mode="json"), "tags": json.dumps(note.tags, ensure_ascii=False)}
