"""Files, as they are sent and as they come back."""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, Field, PrivateAttr

from bosa_connectors.calls import FileHead, Reply
from bosa_connectors.form import CHUNK
from bosa_connectors.naming import media_type
from bosa_connectors.saving import Place, save


class ConnectorFile(BaseModel):
    """A file to send, or one that came: its bytes in memory, or where they lie on disk."""

    file: bytes = Field(repr=False)
    filename: str | None = None
    content_type: str | None = None
    headers: dict[str, str] | None = Field(default=None, repr=False)
    """Of a file that came, those of its reply; of one to send, what its part of the form says beside name and type."""
    _path: Path | None = PrivateAttr(default=None)
    _has_come: bool = PrivateAttr(default=False)

    @classmethod
    def from_path(
        cls, path: str | os.PathLike[str], filename: str | None = None, content_type: str | None = None
    ) -> Self:
        """A file on disk, which is streamed from there when it is sent. `.file` reads all of it, each time.

        Name and content type are those of the path, where they are not given.
        """
        name = filename or Path(path).name
        made = cls.model_construct(filename=name, content_type=content_type or media_type(name), headers=None)
        made._path = Path(path)  # noqa: SLF001  the class's own
        return made

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever it has
            path = super().__getattr__("_path") if name == "file" else None
            return path.read_bytes() if path else super().__getattr__(name)

    @property
    def path(self) -> Path | None:
        """Where the bytes lie; None where they are in memory, also in place of those that lay on disk."""
        return None if "file" in self.__dict__ else self._path

    @property
    def own_headers(self) -> Mapping[str, str]:
        """The headers that a program gave it: those of a reply speak of that reply."""
        return {} if self._has_come else self.headers or {}

    def save(self, place: Place) -> Path:
        """Where the file lies now: in the folder `place` under its own name, made safe and unique, or at that path.

        Raises FileExistsError rather than overwrite a file.
        """
        return save(self._chunks(), place, self.filename)

    def _chunks(self) -> Iterator[bytes]:
        if not self.path:
            yield self.file
            return
        with self.path.open("rb") as file:
            yield from iter(partial(file.read, CHUNK), b"")


def held(reply: Reply, content: bytes) -> Reply:
    """The reply that is this file, with its bytes in memory."""
    head = reply.file
    file = ConnectorFile(
        file=content,
        filename=head and head.name,
        content_type=reply.headers.get("content-type"),
        headers=dict(reply.headers),
    )
    file._has_come = True  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  the model's own module
    return Reply(
        reply.status, reply.headers, file, file, file=head and FileHead(head.name, head.content_type, head.size)
    )
