"""Search in a user's files by an index, which every search first brings in step with the folder.

The folder alone says what there is; the index may be deleted at any time.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from bosa_hub.connectors.paths import MAX_DEPTH
from bosa_hub.connectors.tree import MAX_TEXT, Entry, Tree, head, scan
from bosa_hub.connectors.words import match_all
from bosa_hub.database import Schema, connected, transaction
from bosa_hub.errors import Busy

_MAX_FILES = 50_000
_MAX_READ = 32 << 20
"""Bytes of new text that one search reads."""
_SNIPPET_WORDS = 24
_MAX_SNIPPET = 400

_SCHEMA = Schema(
    version=1,
    script="""
    CREATE TABLE files (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, stamp TEXT NOT NULL) STRICT;
    CREATE VIRTUAL TABLE words USING fts5(path, text, tokenize='unicode61 remove_diacritics 2');
    CREATE TRIGGER file_gone AFTER DELETE ON files BEGIN DELETE FROM words WHERE rowid = old.number; END;
    """,
)
_FIND = f"""
    SELECT path, snippet(words, 1, '', '', '…', {_SNIPPET_WORDS}) AS snippet,
        rowid IN (SELECT rowid FROM words WHERE words MATCH :in_path) AS named
    FROM words WHERE words MATCH :text ORDER BY bm25(words, 4.0, 1.0), path LIMIT :limit OFFSET :start
"""  # noqa: S608  numbers of ours
_Stamps = Mapping[str, str]
"""Each path with what changes when the file does."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that a search found, and the text around the place."""

    entry: Entry
    match: Literal["name", "content"]
    snippet: str | None


def search(tree: Tree, index: Path, query: str, *, start: int, limit: int) -> list[Hit]:
    """Files in whose path or text every word occurs, the best match first: `limit` of them from the one at `start`.

    Raises:
        Busy: There is more new text than one search reads; the next one goes on from there.

    """
    found = dict(islice(_walk(tree.root), _MAX_FILES))
    with connected(index, _SCHEMA) as connection:
        connection.execute("PRAGMA synchronous = NORMAL")  # what a power cut takes is indexed again
        with transaction(connection):
            left = _refresh(connection, tree.root, found)
            rows = [] if left else _matching(connection, match_all(query), start, limit)
    if left:
        raise Busy(f"New files are being indexed, {left} to go. Search again in a second.")
    return [hit for row in rows for hit in _hits(tree, row)]


def _refresh(connection: sqlite3.Connection, root: Path, found: _Stamps) -> int:
    """How many files are still to be indexed."""
    known = dict[str, str](connection.execute("SELECT path, stamp FROM files"))
    connection.executemany("DELETE FROM files WHERE path = ? AND stamp = ?", known.items() - found.items())
    new, size = sorted(found.items() - known.items()), 0
    for done, (path, stamp) in enumerate(new):
        if size > _MAX_READ:
            return len(new) - done
        text = _text(root / path)
        size += len(text)
        number = connection.execute("INSERT INTO files (path, stamp) VALUES (?, ?)", (path, stamp)).lastrowid
        connection.execute("INSERT INTO words (rowid, path, text) VALUES (?, ?, ?)", (number, path, text))
    return 0


def _matching(connection: sqlite3.Connection, text: str, start: int, limit: int) -> list[sqlite3.Row]:
    values = {"text": text, "in_path": f"path : ({text})", "limit": limit, "start": start}
    return connection.execute(_FIND, values).fetchall()


def _hits(tree: Tree, row: sqlite3.Row) -> Iterator[Hit]:
    for entry in tree.entries([tuple(row["path"].split("/"))]):
        yield Hit(entry, "name", None) if row["named"] else Hit(entry, "content", row["snippet"][:_MAX_SNIPPET])


def _walk(folder: Path, names: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """Every file below the folder in the order of the paths, each with its stamp."""
    try:
        children = scan(folder)
    except OSError:  # it went away meanwhile, or may not be read
        return
    for child in children:
        path = (*names, child.name)
        if child.is_dir(follow_symlinks=False):
            if len(path) < MAX_DEPTH:
                yield from _walk(folder / child.name, path)
        else:
            with suppress(OSError):
                yield "/".join(path), _stamp(child.stat(follow_symlinks=False))


def _stamp(found: os.stat_result) -> str:
    # the time of the last change, unlike that of the last writing, cannot be set back
    return f"{found.st_ctime_ns} {found.st_ino} {found.st_size}"


def _text(path: Path) -> str:
    """The text to be searched; none where there is too much, or it is not UTF-8."""
    try:
        raw = head(path, MAX_TEXT + 1)
        return raw.decode() if len(raw) <= MAX_TEXT else ""
    except (OSError, UnicodeDecodeError):
        return ""
