"""What a JSON value is, in words that a type checker believes."""

from collections.abc import Mapping
from types import NoneType
from typing import Final, TypeGuard

_OTHERS = (str, list, int, float, NoneType)
KINDS: Final[Mapping[type, frozenset[str]]] = {
    str: frozenset({"string"}),
    bool: frozenset({"boolean"}),
    int: frozenset({"integer", "number"}),
    float: frozenset({"number"}),
    dict: frozenset({"object"}),
    list: frozenset({"array"}),
    NoneType: frozenset({"null"}),
}
"""What JSON Schema calls the values of a type, whatever they are; a whole float is an integer too."""


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    """Whether this is a JSON object."""
    # to ask the abstract class takes long, and most values are one of the others
    return isinstance(value, dict) or (not isinstance(value, _OTHERS) and isinstance(value, Mapping))


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether this is a JSON array."""
    return isinstance(value, list)


def is_number(value: object) -> TypeGuard[float]:
    """Whether this is a JSON number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def members(value: object) -> Mapping[str, object]:
    """The members of a JSON object; none where it is no object."""
    return value if is_object(value) else {}


def items(value: object) -> list[object]:
    """The items of a JSON array; none where it is no array."""
    return value if is_array(value) else []
