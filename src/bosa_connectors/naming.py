"""What files are called: labels that others wrote, and names under which they may lie on a disk."""

import re
import unicodedata
from mimetypes import guess_type
from typing import Final

ANY_BYTES: Final = "application/octet-stream"
_LONGEST: Final = 255
_BREAKING: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of characters, and what ends a line."""
_TURNING: Final = _BREAKING | {"Cf"}
"""Also what cannot be seen, and turns around what follows."""
_NO_NAME: Final = re.compile(r'[<>:"|?*]')
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_LONGEST_NAME: Final = 200
"""Bytes, which leaves room for a number, and for the name of the file while it is not whole."""
_LONGEST_SUFFIX: Final = 20


def media_type(name: str) -> str:
    """What the name says that it is; bytes of any kind where it says nothing."""
    kind, encoding = guess_type(f"file{_suffix(name)}")
    return kind if kind and not encoding else ANY_BYTES


def base_name(path: str) -> str:
    """The last part of a path, of whichever system."""
    return re.split(r"[/\\]", path)[-1]


def label(name: str) -> str:
    """The name without what could break out of a header, and not endless."""
    stem, suffix = _split(_without(_BREAKING, name))
    return stem[: _LONGEST - len(suffix)] + suffix


def safe_name(name: str | None) -> str:
    """A name that any disk takes, in whichever folder: no path, not hidden, nothing that cannot be seen in it."""
    cleaned = _NO_NAME.sub("_", _without(_TURNING, base_name(name or "")))
    stem, suffix = _split(cleaned.strip(" ").lstrip(".").rstrip(". ").strip())
    if _RESERVED.fullmatch(stem.partition(".")[0].strip()):
        stem = f"_{stem}"
    room = _LONGEST_NAME - len(suffix.encode())
    return (stem.encode()[:room].decode(errors="ignore") + suffix).rstrip(". ") or "file"


def numbered(name: str, number: int) -> str:
    """The name with a number in it: `report.pdf`, `report (1).pdf`, `report (2).pdf`."""
    stem, suffix = _split(name)
    return f"{stem} ({number}){suffix}" if number else name


def _without(categories: frozenset[str], name: str) -> str:
    return "".join("_" if unicodedata.category(character) in categories else character for character in name)


def _split(name: str) -> tuple[str, str]:
    suffix = _suffix(name)
    return name.removesuffix(suffix), suffix


def _suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return f".{suffix}" if stem and dot and suffix and len(suffix.encode()) < _LONGEST_SUFFIX else ""
