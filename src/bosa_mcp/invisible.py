"""Characters in foreign texts that nobody sees, or that reverse others: they may hide what a text says."""

import re
from typing import Final

INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # one that says how the character before it looks is part of ordinary texts
    "(?<![^\ufe0e\ufe0f][\ufe0e\ufe0f])(?<![\u3400-\u9fff\U00020000-\U0003fffd][\U000e0100-\U000e01ef])"
)
"""Joiners are not among them: Persian, Hindi and many emoji are written with these."""
_NO_TEXT: Final = re.compile(f"{INVISIBLE.pattern}|[\ud800-\udfff]")


def plain(text: str) -> str:
    """The text without such characters, and without halves of characters, which cannot be written."""
    if text.isprintable() and text.isascii():
        return text
    while (cleaned := _NO_TEXT.sub("", text)) != text:  # what stood between may have made another one part of the text
        text = cleaned
    return text
