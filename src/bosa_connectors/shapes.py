"""What a JSON value is, in words that a type checker believes."""

from collections.abc import Mapping
from types import NoneType
from typing import TypeGuard

_OTHERS = (str, list, int, float, NoneType)


def is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    """Whether this is a JSON object."""
    # to ask the abstract class takes long, and most values are one of the others
    return isinstance(value, dict) or (not isinstance(value, _OTHERS) and isinstance(value, Mapping))


def is_array(value: object) -> TypeGuard[list[object]]:
    """Whether this is a JSON array."""
    return isinstance(value, list)


def members(value: object) -> Mapping[str, object]:
    """The members of a JSON object; none where it is no object."""
    return value if is_object(value) else {}


def items(value: object) -> list[object]:
    """The items of a JSON array; none where it is no array."""
    return value if is_array(value) else []
