"""A file that an action answered with, as a model gets to know it: by reference, with a glimpse of what it holds."""

import base64
import codecs
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import mcp_types as types
import structlog
from anyio import to_thread

from bosa_connectors.download import asave
from bosa_mcp import links, results
from bosa_mcp.folders import make_folder
from bosa_mcp.links import Links
from bosa_mcp.resources import is_text
from bosa_mcp.store import Kept, Store, StoreError

PREVIEW: Final = 2_000
"""Characters of a text."""
IMAGE: Final = 75_000
"""Bytes of an image that is shown as it is: 100 KB in base64."""
_MAGIC: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
}

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is said of a file."""

    data: dict[str, object]
    blocks: list[types.ContentBlock] = field(default_factory=list[types.ContentBlock])
    """What a result holds beside its content."""
    notes: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class Files:
    """How files reach people, beside the store that clients read."""

    store: Store
    downloads: Path | None = None
    """Where each is saved as well; None where client and server do not share a disk."""
    links: Links | None = None
    """Where a browser finds it; None where none can."""

    async def shown(self, kept: Kept, room: int, secrets: Sequence[str]) -> Shown:
        """The file as data, a link to its resource, and what it looks like in at most `room` bytes."""
        data: dict[str, object] = {
            "uri": kept.uri,
            "name": kept.name,
            "mime_type": kept.mime_type,
            "size": kept.size,
            "sha256": kept.sha256,
        }
        shown = Shown(data)
        if self.downloads:
            await self._save(kept, self.downloads, shown)
        if self.links:
            minutes = links.LASTING // 60
            link = self.links.link(kept, time.time())
            shown.notes.append(f"For {minutes} minutes a person can fetch the file in a browser: {link}")
        name = str(results.cleaned(data, secrets).content["name"])
        shown.blocks.append(types.ResourceLink(uri=kept.uri, name=name, mime_type=kept.mime_type, size=kept.size))
        with suppress(StoreError):  # it is in the log, and the file may be read later
            shown.blocks.extend(await self._glimpse(kept, room, secrets))
        return shown

    async def _save(self, kept: Kept, folder: Path, shown: Shown) -> None:
        try:
            await to_thread.run_sync(make_folder, folder)
            shown.data["path"] = str(await asave(self.store.stream(kept), folder, kept.name))
        except OSError as odd:
            log.warning("a file could not be saved", folder=str(folder), reason=str(odd))
            shown.notes.append(
                f"It could not be saved below {folder}: {odd.strerror or odd}. It can be read as a resource."
            )

    async def _glimpse(self, kept: Kept, room: int, secrets: Sequence[str]) -> list[types.ContentBlock]:
        if kept.mime_type in _MAGIC and kept.size <= IMAGE:
            content = await self.store.read(kept, 0, kept.size)
            if content.startswith(_MAGIC[kept.mime_type]):
                encoded = base64.b64encode(content).decode()
                return [types.ImageContent(data=encoded, mime_type=kept.mime_type)]
        elif is_text(kept.mime_type):
            text = beginning(await self.store.read(kept, 0, 4 * PREVIEW), min(PREVIEW, room // 4))
            if text:
                what = "The file" if len(text.encode()) == kept.size else "The beginning of the file"
                shown = results.cleaned({"text": text}, secrets).content["text"]
                return [types.TextContent(text=f"{what}:\n{shown}")]
        return []


def beginning(content: bytes, most: int) -> str:
    """The first characters of a text; nothing where it is none."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(content)[: max(most, 0)]
    except UnicodeDecodeError:
        return ""
