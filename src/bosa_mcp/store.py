"""What is kept for a while: results that did not fit, and files. Each belongs to its owner, and to nobody else.

An object is there once the record beside it is: its content was written whole before.
"""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias

import anyio
import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from bosa_connectors.errors import TooLarge
from bosa_mcp.folders import make_folder

if TYPE_CHECKING:
    from obstore import ListStream, ObjectMeta

Kind: TypeAlias = Literal["files", "results"]
KEPT: Final[dict[Kind, timedelta]] = {"files": timedelta(hours=24), "results": timedelta(hours=1)}
CHUNK: Final = 256 * 1024
LARGEST: Final = 1 << 30
"""Bytes of one file."""
SWEEP: Final = 3_600.0
"""Seconds between looks for what is kept no longer."""
_SYSTEM: Final = re.compile(r"\(os error ([0-9]+)\)")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_RECORD: Final = ".json"
_OWN: Final = re.compile(r"(?:files|results)/[0-9a-f]{32}/[0-9a-f]{32}(?:\.json)?")
"""The names that are given here: nothing else in the place is ours to remove."""

log = structlog.get_logger("bosa_mcp")


class StoreError(OSError):
    """The store cannot be used; the message says why."""


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

    @property
    def drawer(self) -> str:
        """Stands for the owner, whom it does not tell."""
        return self.place.split("/")[1]


@dataclass(frozen=True, slots=True)
class Store:
    """A place for kept things: a folder, memory, or a bucket that any number of servers share."""

    objects: ObjectStore
    folder: Path | None = None
    """Where it is on this disk, if it is."""

    @classmethod
    def at(cls, url: str | Path) -> Self:
        """The store in this folder, or at this address; raises StoreError."""
        try:
            if isinstance(url, Path) or url.startswith("file://"):
                folder = url if isinstance(url, Path) else Path(url.removeprefix("file://"))
                make_folder(folder)
                return cls(LocalStore(folder, automatic_cleanup=True), folder)
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
        """Keeps the content as it comes, all of it or nothing.

        Raises TooLarge for more than `limit` bytes, StoreError, and what taking the content raises.
        """
        identifier = secrets.token_hex(16)
        place = f"{kind}/{_drawer(owner)}/{identifier}"
        measured = _Measured(content, limit)
        with _store_errors(measured):
            await obstore.put_async(self.objects, place, measured.chunks(), chunk_size=CHUNK * 20, max_concurrency=1)
        expires = datetime.now(UTC) + KEPT[kind]
        kept = Kept(
            kind, identifier, name, mime_type, measured.size, measured.digest.hexdigest(), expires.timestamp(), place
        )
        with _store_errors():
            await obstore.put_async(self.objects, place + _RECORD, json.dumps(asdict(kept)).encode())
        return kept

    async def find(self, owner: str, kind: Kind, identifier: str) -> Kept | None:
        """The owner's object of this id; None where there is none, or no longer."""
        return await self.in_drawer(_drawer(owner), kind, identifier)

    async def in_drawer(self, drawer: str, kind: Kind, identifier: str) -> Kept | None:
        """The same for the owner for whom the drawer stands."""
        if not (_ID.fullmatch(identifier) and _ID.fullmatch(drawer)):
            return None
        try:
            with _store_errors():
                answer = await obstore.get_async(self.objects, f"{kind}/{drawer}/{identifier}{_RECORD}")
                kept = Kept(**json.loads(bytes(await answer.bytes_async())))
            return kept if kept.expires > datetime.now(UTC).timestamp() else None
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as odd:
            log.warning("a record makes no sense, and is passed over", id=identifier, reason=str(odd)[:300])
            return None

    async def all(self, owner: str, kind: Kind) -> Sequence[Kept]:
        """What the owner has, the newest first."""
        with _store_errors():
            paths = [entry["path"] async for batch in self._listed(f"{kind}/{_drawer(owner)}") for entry in batch]
        names = [path.rpartition("/")[2] for path in paths if path.endswith(_RECORD)]
        found = [await self.find(owner, kind, name.removesuffix(_RECORD)) for name in names]
        return sorted(filter(None, found), key=lambda kept: -kept.expires)

    async def read(self, kept: Kept, offset: int, length: int) -> bytes:
        """The bytes from `offset` on, at most `length`."""
        length = max(0, min(length, kept.size - offset))
        if not length:
            return b""
        with _store_errors():
            return bytes(await obstore.get_range_async(self.objects, kept.place, start=offset, length=length))

    async def stream(self, kept: Kept, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `offset` on, as they come."""
        end = kept.size if length is None else min(kept.size, offset + length)
        while offset < end:
            chunk = await self.read(kept, offset, min(CHUNK, end - offset))
            offset += len(chunk)
            yield chunk

    def blocks(self, kept: Kept) -> Iterator[bytes]:
        """All bytes from the beginning, each time, for whoever waits for them in a thread."""
        for offset in range(0, kept.size, CHUNK):
            length = min(CHUNK, kept.size - offset)
            with _store_errors():
                yield bytes(obstore.get_range(self.objects, kept.place, start=offset, length=length))

    def _listed(self, prefix: str) -> "ListStream[Sequence[ObjectMeta]]":
        return obstore.list(self.objects, prefix=prefix)  # pyright: ignore[reportUnknownMemberType]  another overload

    async def sweep(self) -> None:
        """Removes what is kept no longer."""
        for kind, age in KEPT.items():
            before = datetime.now(UTC) - age
            async for batch in self._listed(kind):
                aged = (entry["path"] for entry in batch if entry["last_modified"] < before)
                old = [path for path in aged if _OWN.fullmatch(path)]
                if old:
                    await obstore.delete_async(self.objects, old)
        if self.folder:
            await anyio.to_thread.run_sync(_sweep_unfinished, self.folder)

    @asynccontextmanager
    async def swept(self) -> AsyncGenerator[None]:
        """Within it, what is kept no longer is removed at once, and every hour."""

        async def sweep() -> None:
            while True:
                try:
                    await self.sweep()
                except Exception as odd:  # noqa: BLE001  it is tried again, and costs nothing else
                    log.warning("the store cannot be swept", reason=str(odd)[:300])
                await anyio.sleep(SWEEP)

        async with anyio.create_task_group() as sweeping:
            sweeping.start_soon(sweep)
            yield
            sweeping.cancel_scope.cancel()


class _Measured:
    """Content on its way, measured as it passes."""

    def __init__(self, content: AsyncIterable[bytes], limit: int | None) -> None:
        self._content = content
        self._limit = limit
        self.failure: Exception | None = None
        """What taking it raised: that comes out as it was, whatever the store makes of it."""
        self.size = 0
        self.digest = hashlib.sha256()

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._content:
                self.size += len(chunk)
                self._check()
                self.digest.update(chunk)
                yield chunk
        except Exception as failure:
            self.failure = failure
            raise

    def _check(self) -> None:
        if self._limit is not None and self.size > self._limit:
            raise TooLarge(f"It is larger than {self._limit:,} bytes, more than is kept.")


@contextmanager
def _store_errors(content: _Measured | None = None) -> Generator[None]:
    """What is wrong with the store becomes a StoreError; that something is not there stays what it is."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as odd:
        if content and content.failure:
            raise content.failure from None
        if not isinstance(odd, (BaseError, OSError, NotImplementedError)):  # the last from places that only give
            raise
        log.warning("the store failed", reason=str(odd)[:1_000])
        system = _SYSTEM.search(str(odd))
        said = os.strerror(int(system[1])) if system else "it does not answer as it should, and the log says more"
        raise StoreError(f"The store cannot be used: {said}.") from odd


def _sweep_unfinished(folder: Path) -> None:
    """Removes what a process that was killed left half written: a store does not list it."""
    before = time.time() - max(KEPT.values()).total_seconds()
    for path in (path for kind in KEPT for path in folder.glob(f"{kind}/*/*#*")):
        name = path.relative_to(folder).as_posix().rpartition("#")[0]
        if _OWN.fullmatch(name) and path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _drawer(owner: str) -> str:
    """Where an owner's things are: no name from outside is part of a path."""
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()[:32]
