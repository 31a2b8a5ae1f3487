"""Functions of SQLite's of which one call may take minutes, made quick: nothing can stop SQLite within a call."""

import re
import sqlite3
from collections.abc import Callable, Mapping

_WIDE = re.compile(r"%[^%a-zA-Z]*(\*|\d{5})")
WIDE = "printf takes no * and no number over 9999"
"""What went wrong when one of these functions raises."""

_TRIMS: Mapping[str, Callable[[str, str], str]] = {"trim": str.strip, "ltrim": str.lstrip, "rtrim": str.rstrip}


def replace_slow(connection: sqlite3.Connection, helper: sqlite3.Connection) -> None:
    """`connection` formats and trims with these; `helper`, a connection of its own, does the formatting."""
    for name in ("printf", "format"):
        connection.create_function(name, -1, _printf(helper), deterministic=True)
    for name, strip in _TRIMS.items():
        connection.create_function(name, 2, _trim(strip), deterministic=True)


def _printf(helper: sqlite3.Connection) -> Callable[..., str | None]:
    def printf(*values: object) -> str | None:
        if values and _WIDE.search(str(values[0])):
            raise ValueError(WIDE)
        places = ", ".join("?" * len(values))
        return helper.execute(f"SELECT printf({places})", values).fetchone()[0]

    return printf


def _trim(strip: Callable[[str, str], str]) -> Callable[[object, object], str | None]:
    def trim(text: object, characters: object) -> str | None:
        if text is None or characters is None:
            return None
        return strip(str(text), "".join(set(str(characters))))

    return trim
