"""Files on their way in: beside the tree until they are whole, and on disk."""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import copyfileobj
from typing import BinaryIO
from uuid import uuid4

from bosa_hub.errors import Conflict
from bosa_hub.private import make_folder

_DAY = 24 * 3600


@contextmanager
def arrived(incoming: Path, content: BinaryIO) -> Generator[Path]:
    """A file with this content in `incoming`, to be linked or renamed to where it belongs; gone after the block.

    Raises:
        Conflict: Where it belongs, there is no folder any more.

    """
    _clear(make_folder(incoming))
    new = incoming / uuid4().hex
    try:
        with new.open("xb") as file:
            copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        yield new
    except FileNotFoundError as error:
        raise Conflict("Its folder was deleted at the same moment. Send it again.") from error
    finally:
        new.unlink(missing_ok=True)


def _clear(incoming: Path) -> None:
    """Removes what a crash has left there; nothing that goes on has lain still for a day."""
    for path in incoming.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _DAY:
                path.unlink()
