"""Files of one's own: text to read, write, find and move."""

import re
from base64 import b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Literal

from anyio import to_thread
from pydantic import BaseModel, Field

from bosa_hub.connectors.paths import safe_name, split
from bosa_hub.connectors.search import Hit, search
from bosa_hub.connectors.tree import Entry, Names, Tree
from bosa_hub.errors import BadRequest
from bosa_hub.plugin import Connector, Context, Page, action
from bosa_hub.private import make_folder
from bosa_hub.transfer import InputFile, OutputFile

_PER_PAGE = 50
_PLACE = re.compile(r"[0-9]{1,9}")

_Path = Annotated[
    str, Field(description="Where, from the top of your files: notes/a.txt.", min_length=1, max_length=1024)
]
_Size = Annotated[int, Field(description="Bytes.")]
_ModifiedAt = Annotated[datetime, Field(description="When it was last changed, UTC.")]
_Cursor = Annotated[str, Field(description="Where to go on: forwards_cursor of the page before.", max_length=2000)]
_PerPage = Annotated[int, Field(description=f"Entries on a page; default {_PER_PAGE}.", ge=1, le=200)]


class ListFiles(BaseModel):
    """Which folder."""

    folder: Annotated[str, Field(description="Which folder; default the top.", max_length=1024)] | None = None
    cursor: _Cursor | None = None
    per_page: _PerPage | None = None


class SearchFiles(BaseModel):
    """What to look for."""

    query: str = Field(
        description="Words, or beginnings of words, that all occur in the path or the text.",
        min_length=1,
        max_length=200,
    )
    cursor: _Cursor | None = None
    per_page: _PerPage | None = None


class FilePath(BaseModel):
    """Which file."""

    path: _Path


class WriteTextFile(BaseModel):
    """A file and all its text."""

    path: _Path
    text: str = Field(description="The whole text; it replaces what was there.")


class UploadFile(BaseModel):
    """A file to keep."""

    file: InputFile = Field(description="The file.")
    path: _Path | None = Field(default=None, description="Where to keep it; default its own name, at the top.")


class MoveFile(BaseModel):
    """From where to where."""

    path: _Path
    new_path: _Path


class FileEntry(BaseModel):
    """A file or a folder."""

    path: _Path
    size: Annotated[int, Field(description="Bytes; null for a folder.")] | None
    modified_at: _ModifiedAt
    kind: Literal["file", "folder"] = Field(description="file or folder.")


class FoundFile(BaseModel):
    """A file that a search found."""

    path: _Path
    size: _Size
    modified_at: _ModifiedAt
    kind: Literal["file"] = Field(default="file", description="Always file.")
    match: Literal["name", "content"] = Field(description="Where the text was found.")
    snippet: Annotated[str, Field(description="The text around the place.")] | None


class TextFile(BaseModel):
    """A file with its text."""

    path: _Path
    text: str = Field(description="All of its text.")
    size: _Size
    modified_at: _ModifiedAt


class DeletedFile(BaseModel):
    """What is gone."""

    path: _Path
    deleted: bool = Field(default=True, description="Always true.")


class Files(Connector):
    """Files of one's own."""

    @action(effect="read")
    async def list_files(self, request: ListFiles, context: Context) -> Page[FileEntry]:
        """What is in a folder, by name, page by page."""
        return await to_thread.run_sync(_list, _tree(context), request)

    @action(effect="read")
    async def search_files(self, request: SearchFiles, context: Context) -> Page[FoundFile]:
        """Files in whose path or text all the words occur, the best match first, page by page.

        Content over 1 MiB, or not UTF-8, is found by its path only; so many new files that one search cannot index
        them make it answer 503, and the next one goes on. The first 50,000 files are searched.
        """
        return await to_thread.run_sync(_search, context, request)

    @action(effect="read")
    async def read_text_file(self, request: FilePath, context: Context) -> TextFile:
        """A text file: UTF-8, 1 MiB at most."""
        return await to_thread.run_sync(_read, _tree(context), request.path)

    @action(effect="read")
    async def download_file(self, request: FilePath, context: Context) -> OutputFile:
        """Any file, as it is."""
        return await to_thread.run_sync(_download, _tree(context), request.path)

    @action(effect="create")
    async def upload_file(self, request: UploadFile, context: Context) -> FileEntry:
        """Keep a file of any kind, and make the folders it needs; never over another one."""
        return await to_thread.run_sync(_upload, _tree(context), request)

    @action(effect="update")
    async def write_text_file(self, request: WriteTextFile, context: Context) -> FileEntry:
        """Write a text file, and the folders it needs; what was there is replaced."""
        return await to_thread.run_sync(_write, _tree(context), request)

    @action(effect="update")
    async def move_file(self, request: MoveFile, context: Context) -> FileEntry:
        """Move or rename a file; never over another one."""
        return await to_thread.run_sync(_move, _tree(context), request)

    @action(effect="delete")
    async def delete_file(self, request: FilePath, context: Context) -> DeletedFile:
        """Delete a file, or an empty folder, for good."""
        return await to_thread.run_sync(_delete, _tree(context), request.path)


def _tree(context: Context) -> Tree:
    return Tree(make_folder(context.root / "tree"), context.root / "incoming")


def _list(tree: Tree, wanted: ListFiles) -> Page[FileEntry]:
    folder, after = split(wanted.folder or ""), _after(wanted.cursor)
    names = tree.children(folder)
    size = wanted.per_page or _PER_PAGE
    rest = [name for name in names if (name,) > after]
    shown = rest[:size]
    entries = [_to_model(entry) for entry in tree.entries((*folder, name) for name in shown)]
    following = _cursor((shown[-1],)) if len(shown) < len(rest) else None
    return Page(entries, per_page=size, total=len(names), next_cursor=following)


def _search(context: Context, wanted: SearchFiles) -> Page[FoundFile]:
    start, size = _place(wanted.cursor), wanted.per_page or _PER_PAGE
    hits = search(_tree(context), context.root / "search.db", wanted.query, start=start, limit=size + 1)
    more = len(hits) > size
    return Page([_to_found(hit) for hit in hits[:size]], next_cursor=_cursor((str(start + size),)) if more else None)


def _read(tree: Tree, path: str) -> TextFile:
    entry, text = tree.read(split(path))
    return TextFile(path=entry.path, text=text, size=len(text.encode()), modified_at=entry.modified_at)


def _download(tree: Tree, path: str) -> OutputFile:
    entry, file = tree.open(split(path))
    return OutputFile(entry.names[-1], file, size=entry.size)


def _upload(tree: Tree, wanted: UploadFile) -> FileEntry:
    path = safe_name(wanted.file.filename) if wanted.path is None else wanted.path
    return _to_model(tree.create(split(path), wanted.file.file))


def _write(tree: Tree, wanted: WriteTextFile) -> FileEntry:
    return _to_model(tree.write(split(wanted.path), wanted.text.encode()))


def _move(tree: Tree, wanted: MoveFile) -> FileEntry:
    return _to_model(tree.move(split(wanted.path), split(wanted.new_path)))


def _delete(tree: Tree, path: str) -> DeletedFile:
    names = split(path)
    tree.delete(names)
    return DeletedFile(path="/".join(names))


def _to_model(entry: Entry) -> FileEntry:
    return FileEntry(path=entry.path, size=entry.size, modified_at=entry.modified_at, kind=entry.kind)


def _to_found(hit: Hit) -> FoundFile:
    entry = hit.entry
    return FoundFile(
        path=entry.path, size=entry.size or 0, modified_at=entry.modified_at, match=hit.match, snippet=hit.snippet
    )


def _cursor(last: Names) -> str:
    return urlsafe_b64encode("/".join(last).encode()).decode()


def _after(cursor: str | None) -> Names:
    if not cursor:
        return ()
    try:
        return tuple(b64decode(cursor, altchars=b"-_", validate=True).decode().split("/"))
    except ValueError as error:
        raise _bad_cursor() from error


def _place(cursor: str | None) -> int:
    """How many hits come before the cursor."""
    text = "/".join(_after(cursor)) or "0"
    if not _PLACE.fullmatch(text):
        raise _bad_cursor()
    return int(text)


def _bad_cursor() -> BadRequest:
    return BadRequest("The cursor is not one of these pages. Leave it out to begin anew.", code="BAD_CURSOR")
