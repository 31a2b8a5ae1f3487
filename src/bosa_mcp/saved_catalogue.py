"""The last good catalogue on disk, so that a server starts at once while the API is slow or down.

A connector is a file in the form in which the API lists it, so that reading it again checks it again. Its time of last
modification is when the API listed it so.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from bosa_connectors import catalogue
from bosa_connectors.calls import Action
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.errors import BosaError
from bosa_connectors.shapes import is_object, items, members
from bosa_mcp.folders import UNFINISHED, make_folder, replacing

FORMAT: Final = 1
"""A file of another one is passed over."""
_LARGEST: Final = 64 * 1024 * 1024
_LONGEST_WRITE: Final = 3600.0
"""Seconds after which an unfinished file is one of a process that was killed."""
_NAMES: Final = "names"
"""The file of all connectors that the API has."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the API listed of a connector."""

    catalogue: Catalogue
    digest: str
    at: float
    """When, in seconds since 1970."""
    has_accounts: bool | None = None
    """Whether users link accounts to it; None where the API does not say."""


def listed(found: Catalogue, at: float, *, has_accounts: bool | None = None) -> Listed:
    """A catalogue, with a digest that differs where an action does."""
    return Listed(found, _digest(_written(found, has_accounts)), at, has_accounts)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder (0700) for the catalogue of one API. A disk that cannot be used costs a line in the log."""

    folder: Path

    @classmethod
    def of(cls, data_dir: Path, api: str) -> "Shelf":
        """The one for the API at this address; no name from outside is part of a path."""
        return cls(data_dir / "catalogue" / _name(api))

    def load(self) -> dict[str, Listed]:
        """What is kept, by connector; files that make no sense are passed over."""
        found: dict[str, Listed] = {}
        for path in sorted(self.folder.glob("*.json")):
            try:
                each = self._read(path)
            except (OSError, ValueError, RecursionError, BosaError) as odd:
                log.warning("a kept catalogue is passed over", file=str(path), reason=str(odd)[:300])
            else:
                found[each.catalogue.connector] = each
        return found

    def names(self) -> list[str]:
        """The connectors that the API had, also those that nobody wanted then; none where that is not kept."""
        try:
            content = json.loads((self.folder / _NAMES).read_bytes())
        except (OSError, ValueError, RecursionError):
            return []
        return [name for name in items(content) if isinstance(name, str)]

    def save(self, before: Mapping[str, Listed], now: Mapping[str, Listed], names: Sequence[str] | None = None) -> None:
        """Keeps what the API lists now in place of what it listed before, and which connectors it has."""
        try:
            make_folder(self.folder)
            if names is not None and names != self.names():  # first: what is not kept after all is known to be missing
                _replace(self.folder / _NAMES, _compact(names).encode(), time.time())
            for connector in before.keys() - now.keys():
                self._path(connector).unlink(missing_ok=True)
            for connector, each in now.items():
                self._keep(each, before.get(connector))
            for left in self.folder.glob(f"{UNFINISHED}*"):
                if time.time() - left.stat().st_mtime > _LONGEST_WRITE:
                    left.unlink(missing_ok=True)
        except OSError as failure:
            log.warning("the catalogue cannot be kept", folder=str(self.folder), reason=str(failure))

    def _keep(self, each: Listed, before: Listed | None) -> None:
        path = self._path(each.catalogue.connector)
        if before and before.digest == each.digest and path.exists():
            if before.at != each.at:
                os.utime(path, (each.at, each.at))
            return
        _replace(path, _written(each.catalogue, each.has_accounts), each.at)

    def _read(self, path: Path) -> Listed:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        written = path.read_bytes()
        content = json.loads(written)
        if not is_object(content) or content.get("format") != FORMAT:
            raise ValueError("it is no catalogue of this version")
        connector = content.get("connector")
        if not isinstance(connector, str) or path != self._path(connector):
            raise ValueError("it is not the catalogue of the connector that its name says")
        found = catalogue.parse(connector, {connector: content.get("actions")})
        refused = {name: str(reason) for name, reason in members(content.get("refused")).items()}
        said = content.get("has_accounts")
        whole = Catalogue(connector, found, {**refused, **found.refused})
        return Listed(whole, _digest(written), path.stat().st_mtime, said if isinstance(said, bool) else None)

    def _path(self, connector: str) -> Path:
        return self.folder / f"{_name(connector)}.json"


def _replace(path: Path, content: bytes, at: float) -> None:
    """The whole file or the one before, whatever happens."""
    with replacing(path) as file:
        file.write(content)
        file.flush()
        os.utime(file.name, (at, at))


def _name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _digest(written: bytes) -> str:
    return hashlib.sha256(written).hexdigest()


def _written(found: Catalogue, has_accounts: bool | None) -> bytes:  # noqa: FBT001  as it is kept
    """A connector's file: its actions are in the form in which an API lists them."""
    head = {"format": FORMAT, "connector": found.connector, "has_accounts": has_accounts}
    refused = dict(sorted(found.refused.items()))
    return f'{_compact(head)[:-1]},"refused":{_compact(refused)},"actions":{{{",".join(_items(found))}}}}}'.encode()


def _items(found: Catalogue) -> Iterator[str]:
    for name, action in sorted(found.items()):
        try:
            yield f"{_compact(name)}:{_compact(_item(action))}"
        except (RecursionError, ValueError):  # nested so deeply that it cannot become a tool either
            continue


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _item(action: Action) -> dict[str, object]:
    return {
        "method": "POST",
        "path": action.path,
        "docstring": action.description,
        "parameters": {"request": {"schema": dict(action.schema)}},
        "x-bosa-effect": action.stated_effect,
    }
