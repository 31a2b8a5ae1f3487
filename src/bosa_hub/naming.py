"""Names as the contract writes them: snake_case."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import cast

_CONNECTOR = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_ACCOUNT = re.compile(r"(?!\.+$)(?! )[ -.0-~]{1,200}(?<! )")
_PLUMBING = {"admin", "integrations"}
_BEFORE_WORD = re.compile(r"(.)([A-Z][a-z]+)")
_BEFORE_CAPITAL = re.compile(r"([a-z0-9])([A-Z])")


@lru_cache(512)  # a reply has the same few keys in every row
def snake_case(name: str) -> str:
    """`name` in snake_case, as the published server writes it: `userID2` is `user_id2`."""
    return _BEFORE_CAPITAL.sub(r"\1_\2", _BEFORE_WORD.sub(r"\1_\2", name)).lower()


def check_names(connector: str, actions: Iterable[str]) -> None:
    """Checks that clients can call these.

    Raises:
        ValueError: A name cannot stand in a path, or clients take it for something else than an action.

    """
    if not _CONNECTOR.fullmatch(connector):
        raise ValueError(f"{connector!r} is no name for a connector: use a to z, 0 to 9, _ and -, at most 64 of them.")
    if taken := _PLUMBING.intersection(actions):
        raise ValueError(
            f"{connector} names an action {taken.pop()!r}: clients take that for something else. Rename it."
        )


def is_account_name(text: str) -> bool:
    """An account can be called this: it can stand in a path and in a header."""
    return bool(_ACCOUNT.fullmatch(text))


def snake_keys(data: object) -> object:
    """`data` with every key of every object in snake_case; a key stays as it is where its new name is taken."""
    if isinstance(data, list):
        return [snake_keys(item) for item in cast("list[object]", data)]
    if isinstance(data, Mapping):
        return _snake_object(cast("Mapping[str, object]", data))
    return data


def _snake_object(data: Mapping[str, object]) -> dict[str, object]:
    taken = {key for key in data if snake_case(key) == key}
    named: dict[str, object] = {}
    for key, value in data.items():
        snake = snake_case(key)
        named[key if snake != key and snake in taken else snake] = snake_keys(value)
        taken.add(snake)
    return named
