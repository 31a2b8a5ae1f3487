"""Characters in texts from outside that nobody sees, or that turn others round: they may hide what a text says."""

import re
from typing import Final

INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
_NO_TEXT: Final = re.compile(f"{INVISIBLE.pattern}|[\ud800-\udfff]")


def plain(text: str) -> str:
    """The text without such characters, and without halves of characters, which cannot be written."""
    return text if text.isprintable() and text.isascii() else _NO_TEXT.sub("", text)
