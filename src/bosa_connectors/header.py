"""What a header can carry: whoever writes one, of a request or of a part of a form, asks here."""

import re

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,200}")
_NO_VALUE = re.compile(r"[^\x20-\x7e]|^\s|\s$")


def is_name(text: object) -> bool:
    """Whether a header, in lower case, can have this name."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def is_value(text: object) -> bool:
    """Whether a header can have this value: printable ASCII, without space at either end."""
    return isinstance(text, str) and not _NO_VALUE.search(text)
