"""What a header can carry: whoever writes one, of a request or of a part of a form, asks here."""

import re
from collections.abc import Mapping

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,200}")
_NO_VALUE = re.compile(r"[^\x20-\x7e]|^\s|\s$")


def is_name(text: object) -> bool:
    """Whether a header, in lower case, can have this name."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_value(text: object) -> bool:
    """Whether a header can have this value: printable ASCII, without space at either end."""
    return isinstance(text, str) and not _NO_VALUE.search(text)


def plain(headers: Mapping[str, str | bytes | None]) -> dict[str, str]:
    """Names in lower case, with their values as text; a header without a value is none."""
    return {_text(name).lower(): _text(value) for name, value in headers.items() if value is not None}


def _text(said: str | bytes) -> str:
    return said.decode("latin-1") if isinstance(said, bytes) else said


def content_type(headers: Mapping[str, str]) -> str:
    """What a message with these headers (names in lower case) says that its body is; empty where it says nothing."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()
