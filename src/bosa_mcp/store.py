"""What is kept for a while: results that did not fit, and files. Each belongs to its owner, and to nobody else.

An object is there once the record beside it is: its content was written whole before.
"""

import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from bosa_connectors.errors import TooLarge

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta

Kind: TypeAlias = Literal["files", "results"]
KEPT: Final[dict[Kind, timedelta]] = {"files": timedelta(hours=24), "results": timedelta(hours=1)}
CHUNK: Final = 256 * 1024
_ID: Final = re.compile(r"[0-9a-f]{32}")
_RECORD: Final = ".json"


class StoreError(OSError):
    """The store cannot be used; the message says which one and why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Something kept: what it is, and until when."""

    kind: Kind
    id: str
    name: str
    mime_type: str
    size: int
    """Bytes."""
    sha256: str
    expires: float
    """Seconds since 1970."""
    place: str = field(repr=False)

    @property
    def uri(self) -> str:
        """How clients name it."""
        return f"bosa://{self.kind}/{self.id}"


@dataclass(frozen=True, slots=True)
class Store:
    """A place for kept things: a folder, memory, or a bucket that any number of servers share."""

    objects: ObjectStore

    @classmethod
    def at(cls, url: str | Path) -> Self:
        """The store in this folder, or at this address; raises StoreError."""
        try:
            if isinstance(url, Path) or url.startswith("file://"):
                folder = url if isinstance(url, Path) else Path(url.removeprefix("file://"))
                folder.mkdir(0o700, parents=True, exist_ok=True)
                return cls(LocalStore(folder, automatic_cleanup=True))
            return cls(from_url(url))
        except (OSError, ValueError, BaseError) as odd:
            raise StoreError(
                f"The store {str(url)[:200]!r} cannot be opened: {str(odd).splitlines()[0][:300]}"
            ) from odd

    async def keep(  # noqa: PLR0913  what there is to say of it
        self,
        owner: str,
        kind: Kind,
        content: AsyncIterable[bytes],
        *,
        name: str,
        mime_type: str,
        limit: int | None = None,
    ) -> Kept:
        """Keeps the content as it comes; raises TooLarge for more than `limit` bytes, of which nothing stays."""
        identifier = secrets.token_hex(16)
        place = f"{_folder(kind, owner)}/{identifier}"
        measured = _Measured(content, limit)
        await obstore.put_async(self.objects, place, measured.chunks(), chunk_size=CHUNK * 20, max_concurrency=1)
        expires = datetime.now(UTC) + KEPT[kind]
        kept = Kept(
            kind, identifier, name, mime_type, measured.size, measured.digest.hexdigest(), expires.timestamp(), place
        )
        await obstore.put_async(self.objects, place + _RECORD, json.dumps(asdict(kept)).encode())
        return kept

    async def find(self, owner: str, kind: Kind, identifier: str) -> Kept | None:
        """The owner's object of this id; None where there is none, or no longer."""
        if not _ID.fullmatch(identifier):
            return None
        try:
            answer = await obstore.get_async(self.objects, f"{_folder(kind, owner)}/{identifier}{_RECORD}")
            kept = Kept(**json.loads(bytes(await answer.bytes_async())))
        except FileNotFoundError:
            return None
        return kept if kept.expires > datetime.now(UTC).timestamp() else None

    async def all(self, owner: str, kind: Kind) -> Sequence[Kept]:
        """What the owner has, the newest first."""
        found: list[Kept] = []
        async for batch in self._listed(_folder(kind, owner)):
            for entry in batch:
                if entry["path"].endswith(_RECORD):
                    kept = await self.find(owner, kind, entry["path"].rpartition("/")[2].removesuffix(_RECORD))
                    found += [kept] if kept else []
        return sorted(found, key=lambda kept: -kept.expires)

    async def read(self, kept: Kept, offset: int, length: int) -> bytes:
        """The bytes from `offset` on, at most `length`."""
        length = max(0, min(length, kept.size - offset))
        if not length:
            return b""
        return bytes(await obstore.get_range_async(self.objects, kept.place, start=offset, length=length))

    async def stream(self, kept: Kept, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, as they come."""
        end = kept.size if length is None else min(kept.size, offset + length)
        while offset < end:
            chunk = await self.read(kept, offset, min(CHUNK, end - offset))
            offset += len(chunk)
            yield chunk

    def _listed(self, prefix: str) -> "ListStream[Sequence[ObjectMeta]]":
        return obstore.list(self.objects, prefix=prefix)  # pyright: ignore[reportUnknownMemberType]  another overload

    async def sweep(self) -> None:
        """Removes what is kept no longer."""
        for kind, age in KEPT.items():
            before = datetime.now(UTC) - age
            async for batch in self._listed(kind):
                old = [entry["path"] for entry in batch if entry["last_modified"] < before]
                if old:
                    await obstore.delete_async(self.objects, old)


class _Measured:
    """Content on its way, measured as it passes."""

    def __init__(self, content: AsyncIterable[bytes], limit: int | None) -> None:
        self._content = content
        self._limit = limit
        self.size = 0
        self.digest = hashlib.sha256()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._content:
            self.size += len(chunk)
            if self._limit is not None and self.size > self._limit:
                raise TooLarge(f"It is larger than {self._limit:,} bytes, more than is kept.")
            self.digest.update(chunk)
            yield chunk


def _folder(kind: Kind, owner: str) -> str:
    """Where an owner's things are: no name from outside is part of a path."""
    return f"{kind}/{hashlib.sha256(owner.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
