"""Imports, which take most of the time at the start, made quicker."""

import gc
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def quick() -> Generator[None]:
    """Within it imports look for no garbage, and do without rich."""
    with uncollected(), without_rich():
        yield


@contextmanager
def uncollected() -> Generator[None]:
    """Within it no garbage is looked for, where most of what is made lasts; nor is that looked at afterwards."""
    gc.disable()
    try:
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
