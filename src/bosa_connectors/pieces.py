"""A large text in JSON, read piece by piece: in one piece it would keep all other threads from their turns."""

import json
import re
from typing import Final

_SPACE: Final = re.compile(r"[ \t\n\r]*")
_BLANK: Final = frozenset(" \t\n\r")
_DEPTH: Final = 3
"""Objects within each other that are read member by member; a list's items are each one piece."""


def read(text: str, decoder: json.JSONDecoder) -> object:
    """What the decoder makes of the text. Raises as it does."""
    return _Reading(text, decoder).whole()


class _Reading:
    """A text, and how far it has been read."""

    def __init__(self, text: str, decoder: json.JSONDecoder) -> None:
        self._text = text
        self._decoder = decoder
        self._at = 0

    def whole(self) -> object:
        self._pass()
        value = self._value(_DEPTH)
        if self._next():
            raise self._odd("Extra data")
        return value

    def _value(self, depth: int) -> object:
        opening = self._next()
        if opening == "[" and depth:
            return self._list()
        return self._object(depth - 1) if opening == "{" and depth else self._piece()

    def _list(self) -> list[object]:
        found: list[object] = []
        self._pass(1)
        if self._next() != "]":
            found.append(self._piece())
            while self._next() == ",":
                self._pass(1)
                found.append(self._piece())
        self._expect("]")
        return found

    def _object(self, depth: int) -> dict[str, object]:
        found: dict[str, object] = {}
        self._pass(1)
        if self._next() != "}":
            self._member(found, depth)
            while self._next() == ",":
                self._pass(1)
                self._member(found, depth)
        self._expect("}")
        return found

    def _member(self, found: dict[str, object], depth: int) -> None:
        name = self._piece()
        if not isinstance(name, str):
            raise self._odd("Expecting property name enclosed in double quotes")
        self._expect(":")
        found[name] = self._value(depth)

    def _piece(self) -> object:
        value, self._at = self._decoder.raw_decode(self._text, self._at)
        self._pass()
        return value

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _pass(self, count: int = 0) -> None:
        """Leaves so many characters behind, and the space after them."""
        self._at += count
        if self._text[self._at : self._at + 1] in _BLANK and (after := _SPACE.match(self._text, self._at)):
            self._at = after.end()

    def _expect(self, character: str) -> None:
        if self._next() != character:
            raise self._odd(f"Expecting {character!r}")
        self._pass(1)

    def _odd(self, message: str) -> json.JSONDecodeError:
        return json.JSONDecodeError(message, self._text, self._at)
