"""A file that an action answers with goes into the store while it comes; how far it has come, or another has gone."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from bosa_connectors.calls import Action
from bosa_connectors.download import AsyncDownload
from bosa_connectors.effects import effect
from bosa_connectors.errors import BosaError, TooLarge
from bosa_connectors.form import Source
from bosa_connectors.naming import base_name, label
from bosa_connectors.shapes import is_array
from bosa_mcp.results import Refusal
from bosa_mcp.store import LARGEST, Kept, Store, StoreError

_TOLD: Final = 1_000_000
"""Bytes after which is told again how far a file has come."""
_DONE_HINT: Final = "What the action does is done: do not call it again for its file."
_LARGE_HINT: Final = "This server keeps no files of this size; another action may give a part of it."


@dataclass(frozen=True, slots=True)
class Moved:
    """How much of a file has come, or gone."""

    name: str
    bytes: int
    size: int | None
    """Of all of it, where that is known."""
    is_ours: bool
    """It is sent to the API, rather than by it."""

    def __str__(self) -> str:
        of = f" of {self.size:,}" if self.size else ""
        return f"{self.bytes:,}{of} bytes of the file have {'been sent' if self.is_ours else 'come'}"


class BrokenOff(Exception):
    """A file that was only read did not come to its end: nothing of it is kept, and it may be asked for again."""

    def __init__(self, failure: BosaError) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def keep(
    store: Store, owner: str, action: Action, file: AsyncDownload, report: Callable[[Moved], Awaitable[None]]
) -> Kept:
    """The file, once all of it is kept. Raises BrokenOff, and Refusal where it is not there although the API acted."""
    is_read = effect(action) == "read"
    done = "" if is_read else "The action was carried out, but its file is not here. "
    name = label(base_name(file.name or "")) or action.name
    try:
        if (file.size or 0) > LARGEST:
            raise TooLarge(f"It has {file.size:,} bytes, and more than {LARGEST:,} are not kept.")  # noqa: TRY301  as where it did not say so
        content = _watched(file, name, report)
        return await store.keep(owner, "files", content, name=name, mime_type=file.content_type, limit=LARGEST)
    except TooLarge as odd:
        raise Refusal("too_large", f"{done}{odd}", _LARGE_HINT if is_read else _DONE_HINT) from odd
    except StoreError as odd:
        told = f"{done or 'The file that came could not be kept. '}{odd}"
        raise Refusal("internal_error", told, None if is_read else _DONE_HINT) from odd
    except BosaError as failure:
        if is_read:
            raise BrokenOff(failure) from failure
        raise Refusal("bad_reply", f"{done}It broke off on its way.", _DONE_HINT) from failure


async def _watched(file: AsyncDownload, name: str, report: Callable[[Moved], Awaitable[None]]) -> AsyncIterator[bytes]:
    """The bytes as they come, of which is told now and then."""
    came = told = 0
    async for chunk in file.iter_bytes():
        came += len(chunk)
        if came - told >= _TOLD:
            told = came
            await report(Moved(name, came, file.size, is_ours=False))
        yield chunk
    if told:
        await report(Moved(name, came, file.size, is_ours=False))


def watched(arguments: Mapping[str, object], tell: Callable[[Moved], None]) -> Mapping[str, object]:
    """The arguments with files that tell now and then, from the thread that reads them, how much has been sent."""

    def told(value: object) -> object:
        if is_array(value):
            return [told(each) for each in value]
        return replace(value, chunks=lambda: _going(value, tell)) if isinstance(value, Source) else value

    return {name: told(value) for name, value in arguments.items()}


def _going(source: Source, tell: Callable[[Moved], None]) -> Iterator[bytes]:
    went = told = 0
    for chunk in source.chunks():
        yield chunk
        went += len(chunk)
        if went - told >= _TOLD:
            told = went
            tell(Moved(source.name, went, source.size, is_ours=True))
    if told:
        tell(Moved(source.name, went, source.size, is_ours=True))
