"""Imports that take most of a second, made to take less of it."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def quick() -> Generator[None]:
    """Within it imports look for no garbage, of which they make none, and do without rich.

    What has been imported is not looked at again afterwards either.
    """
    gc.disable()
    try:
        with without_rich():
            yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def without_rich() -> Generator[None]:
    """Within it, no import finds rich: structlog and httpx take it where it is, for a while, and we print without."""
    if "rich" in sys.modules:
        yield
        return
    sys.modules["rich"] = None  # pyright: ignore[reportArgumentType]  documented: importing it fails
    try:
        yield
    finally:
        del sys.modules["rich"]
