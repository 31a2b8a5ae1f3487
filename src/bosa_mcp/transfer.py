"""A file that an action answers with goes into the store while it comes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bosa_connectors.calls import Action
from bosa_connectors.download import AsyncDownload
from bosa_connectors.effects import effect
from bosa_connectors.errors import BosaError, TooLarge
from bosa_connectors.naming import base_name, label
from bosa_mcp.results import Refusal
from bosa_mcp.store import LARGEST, Kept, Store, StoreError

_TOLD: Final = 8_000_000
"""Bytes after which the client is told again how far a file has come."""
_DONE_HINT: Final = "What the action does is done: do not call it again for its file."
_LARGE_HINT: Final = "This server keeps no files of this size; another action may give a part of it."


class BrokenOff(Exception):
    """A file that was only read did not come to its end: nothing of it is kept, and it may be asked for again."""

    def __init__(self, failure: BosaError) -> None:
        super().__init__(str(failure))
        self.failure = failure


async def keep(
    store: Store, owner: str, action: Action, file: AsyncDownload, report: Callable[[str], Awaitable[None]]
) -> Kept:
    """The file, once all of it is kept. Raises BrokenOff, and Refusal where it is not there although the API acted."""
    is_read = effect(action) == "read"
    done = "" if is_read else "The action was carried out, but its file is not here. "
    name = label(base_name(file.name or "")) or action.name
    try:
        if (file.size or 0) > LARGEST:
            raise TooLarge(f"It has {file.size:,} bytes, and more than {LARGEST:,} are not kept.")  # noqa: TRY301  as where it did not say so
        content = _watched(file, report)
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


async def _watched(file: AsyncDownload, report: Callable[[str], Awaitable[None]]) -> AsyncIterator[bytes]:
    """The bytes as they come, of which the client is told now and then."""
    came = told = 0
    of = f" of {file.size:,}" if file.size else ""
    async for chunk in file.iter_bytes():
        came += len(chunk)
        if came - told >= _TOLD:
            told = came
            await report(f"{came:,}{of} bytes of the file have come")
        yield chunk
