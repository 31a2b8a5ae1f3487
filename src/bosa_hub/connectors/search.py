"""A search through a user's files, in one fixed order and within bounds, so that it can go on where it stopped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bosa_hub.connectors.paths import MAX_DEPTH
from bosa_hub.connectors.tree import MAX_TEXT, Entry, Kind, Names, head, listed, to_entry

_MAX_VISITED = 10_000
_MAX_SCANNED = 16 << 20
_AROUND = 80


@dataclass(frozen=True, slots=True)
class Hit:
    """A file that a search found, and the text around the place."""

    entry: Entry
    match: Literal["name", "content"]
    snippet: str | None = None


@dataclass(slots=True)
class Allowance:
    """What one search may still look at."""

    visits: int = _MAX_VISITED
    bytes: int = _MAX_SCANNED

    @property
    def spent(self) -> bool:
        """Nothing more may be looked at."""
        return self.visits <= 0 or self.bytes <= 0


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for, and where to go on."""

    pattern: re.Pattern[str]
    after: Names
    limit: int
    allowance: Allowance = field(default_factory=Allowance)


def search(root: Path, wanted: Search) -> tuple[list[Hit], Names | None]:
    """Hits in the order of the paths, and where to go on: None when every file has been looked at."""
    hits: list[Hit] = []
    walk = _walk(root, (), wanted.after, wanted.allowance)
    for names, kind in walk:
        hit = _match(root, names, wanted) if kind == "file" else None
        if hit:
            hits.append(hit)
        if len(hits) == wanted.limit or wanted.allowance.spent:
            return hits, names if next(walk, None) else None
    return hits, None


def _match(root: Path, names: Names, wanted: Search) -> Hit | None:
    path = root.joinpath(*names)
    try:
        entry = to_entry(names, path.lstat())
        if wanted.pattern.search(entry.path):
            return Hit(entry, "name")
        snippet = _snippet(_text(path, entry, wanted.allowance), wanted.pattern)
    except OSError:  # it went away meanwhile, or may not be read
        return None
    return Hit(entry, "content", snippet) if snippet is not None else None


def _walk(root: Path, folder: Names, after: Names, allowance: Allowance) -> Iterator[tuple[Names, Kind]]:
    """What is below `folder` and comes after `after`, a folder before what is in it."""
    try:
        children = listed(root.joinpath(*folder))
    except OSError:  # it went away meanwhile
        return
    for name in children:
        names = (*folder, name)
        kind: Kind = "folder" if root.joinpath(*names).is_dir() else "file"
        if names > after:
            allowance.visits -= 1
            yield names, kind
        if kind == "folder" and names >= after[: len(names)] and len(names) < MAX_DEPTH:
            yield from _walk(root, names, after, allowance)


def _text(path: Path, entry: Entry, allowance: Allowance) -> str:
    if (entry.size or 0) > MAX_TEXT:
        return ""
    raw = head(path, MAX_TEXT)
    allowance.bytes -= len(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""


def _snippet(text: str, pattern: re.Pattern[str]) -> str | None:
    found = pattern.search(text)
    return text[max(found.start() - _AROUND, 0) : found.end() + _AROUND] if found else None
