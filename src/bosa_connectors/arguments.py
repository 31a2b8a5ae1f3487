"""What a program gave becomes a call: its arguments put together, what the action does not know taken out."""

import inspect
import json
import math
import traceback
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, MappingView
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import takewhile
from typing import Final, SupportsFloat, cast
from warnings import warn

from bosa_connectors import fields, retry
from bosa_connectors.calls import DEFAULT_TIMEOUT, Action, Call, Credentials, Headers, Policy, Reply, Timeout
from bosa_connectors.errors import InvalidArguments, Problem
from bosa_connectors.paging import token_fields
from bosa_connectors.problems import UNKNOWN
from bosa_connectors.shapes import KINDS, is_array, is_object, items, members
from bosa_connectors.wording import kinds

FIELDS: Final = "response_fields"
_PLAIN: Final = cast("tuple[type, ...]", (str, int, float, bytes, bytearray, memoryview))
_LISTS: Final = (list, tuple, set, frozenset, MappingView, range, deque)
_TRUTHS: Final = (("0", "off", "f", "n", "no"), ("1", "on", "t", "y", "yes"))
"""Texts that are false, and that are true."""
PATHS: Final = 'array of dotted paths, such as ["id", "user.login"]'
"""What `response_fields` takes."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a program gave for a call, beside the action."""

    arguments: Mapping[str, object] = field(repr=False)
    credentials: Credentials
    policy: Policy
    timeout: Timeout
    headers: Headers = field(repr=False)

    def call(self, action: Action) -> tuple[Call, list[str]]:
        """The call, and the fields that are to be selected from its reply."""
        arguments, selected = split(action, self.arguments)
        return Call(
            action, arguments, self.credentials, policy=self.policy, timeout=self.timeout, headers=self.headers
        ), selected


def given(  # noqa: PLR0913  what a program may say of a call
    input_: Mapping[str, object] | None,
    named: Mapping[str, object],
    *,
    account: str | None = None,
    max_attempts: int | None = None,
    token: str | None = None,
    headers: Headers | None = None,
    timeout: Timeout = DEFAULT_TIMEOUT,
) -> Given:
    """What was given, checked as far as that can be done without the action: bad input costs no request."""
    check_timeout(timeout)
    return Given(
        merge(input_, named),
        Credentials(user_token=token, account=account),
        retry.documented(max_attempts),
        timeout,
        dict(headers or {}),
    )


def check_timeout(timeout: Timeout) -> None:
    """Raises ValueError for a timeout that makes no sense."""
    pair = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    if len(pair) != 2 or not all(map(_is_time, pair)):  # noqa: PLR2004  a pair
        said = (
            "timeout must be seconds above 0, None for no limit, or a pair of these: for connecting, and each silence"
        )
        raise ValueError(f"{said}. It is {timeout!r:.100}")


def _is_time(seconds: float | None) -> bool:
    try:
        return seconds is None or seconds > 0
    except TypeError:  # no number at all
        return False


def merge(input_: Mapping[str, object] | None, named: Mapping[str, object]) -> dict[str, object]:
    """One set of arguments, a copy throughout; of a name with two values, that of the input, with a warning."""
    if input_ is not None and not is_object(input_):
        raise InvalidArguments([Problem("", f"Expected an object, got {type(input_).__name__}", "an object")])
    first, second = members(_plain(input_ or {})), members(_plain(named))
    twice = [name for name in second if name in first and first[name] != second[name]]
    tell(f"{name[:200]!r} is given in the input and, otherwise, as a keyword: the input counts." for name in twice)
    return {**second, **first}


def _plain(value: object) -> object:
    """A copy as JSON has it.

    A mapping is a dict; a tuple, set, view, range or what is gone through once a list; a member of an enumeration its
    value; what NumPy and pandas hold what they say it is; any other number a float.
    """
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, _PLAIN):
        return value
    if is_object(value):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, _LISTS) or _is_gone_through(value):
        return [_plain(each) for each in cast("Iterable[object]", value)]
    listed = getattr(value, "tolist", None)
    if callable(listed):
        return _plain(listed())
    return float(value) if isinstance(value, SupportsFloat) else value


def _is_gone_through(value: object) -> bool:
    """Whether it yields one item after another, and is no file."""
    return isinstance(value, Iterator) and getattr(cast("object", value), "read", None) is None


def split(action: Action, arguments: Mapping[str, object]) -> tuple[Mapping[str, object], list[str]]:
    """The arguments for the action, and the fields that are to be selected from its reply.

    Where the action selects fields itself, they stay among its arguments, with that of the next page beside them.
    """
    wanted = arguments.get(FIELDS)
    if FIELDS in action.properties:
        tokens = token_fields(action)
        if not tokens or not is_array(wanted) or not wanted:
            return arguments, []
        return {**arguments, FIELDS: [*wanted, *tokens]}, [path for path in wanted if isinstance(path, str)]
    paths = [path for path in wanted if isinstance(path, str)] if is_array(wanted) else []
    if wanted is not None and paths != wanted:
        raise InvalidArguments([Problem(FIELDS, f"Expected {PATHS}", PATHS)])
    return {name: value for name, value in arguments.items() if name != FIELDS}, paths


def selected(reply: Reply, paths: list[str]) -> Reply:
    """The reply with only these fields in its data; its body stays as sent, for it tells of the next page."""
    if not paths or reply.error or reply.file:
        return reply
    return replace(reply, data=fields.select(reply.data, paths))


def body(reply: Reply) -> object:
    """The body of a reply from whose data fields may have been selected."""
    if reply.error or reply.file or not is_object(reply.body) or "data" not in reply.body:
        return reply.body if reply.error or reply.file else reply.data
    return {**reply.body, "data": reply.data}


def fitting(call: Call, wrong: InvalidArguments) -> tuple[Call, list[str]]:
    """The call without what is wrong with it and was never an error for older programs, and what to say of that.

    Arguments that the action does not know are left out, and so is an empty text where there may be nothing; a text
    that is meant for a number, true or false becomes one, a truth a number or the other way round, and bytes a text.
    """
    given: object = call.arguments
    said: list[str] = []
    for problem in wrong.errors:
        places = list(_places(given, problem.path))
        if len(places) != 1:  # names may hold dots themselves: what could be meant twice stays, and is refused
            continue
        [(place, value)] = places
        if problem.message == UNKNOWN:
            given = _without(given, place)
        else:
            meant = _as_one_of(kinds(problem.expected), value)
            if meant is value:
                continue
            given = _with(given, place, meant)
        said.append(_warning(call.action, problem))
    return replace(call, arguments=members(given)), said


def _places(value: object, path: str) -> Iterator[tuple[list[str], object]]:
    """Where a dotted path can lead, and what is there."""
    inside = ((str(index), each) for index, each in enumerate(items(value)))
    for name, each in (*members(value).items(), *inside):
        if name == path:
            yield [name], each
        elif path.startswith(f"{name}."):
            yield from (([name, *below], there) for below, there in _places(each, path[len(name) + 1 :]))


def tell(said: Iterable[str]) -> None:
    """Warns the program of these."""
    for text in said:
        warn(text, stacklevel=_outside())


def _outside() -> int:
    """How many frames above the caller of this the program is: that is where a warning points."""
    names = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_stack(inspect.currentframe()))
    return sum(1 for _ in takewhile(lambda name: name.startswith("bosa_connectors."), names))


def _without(value: object, place: list[str]) -> object:
    name, *below = place
    if is_array(value):
        return [_without(each, below) if str(index) == name else each for index, each in enumerate(value)]
    kept = {key: each for key, each in members(value).items() if key != name or below}
    return {key: _without(each, below) if key == name else each for key, each in kept.items()}


def _with(value: object, place: list[str], new: object) -> object:
    """The same, with this at that place."""
    if not place:
        return new
    name, *below = place
    if is_array(value):
        return [_with(each, below, new) if str(index) == name else each for index, each in enumerate(value)]
    return {key: _with(each, below, new) if key == name else each for key, each in members(value).items()}


def _as_one_of(expected: Collection[str], value: object) -> object:
    """What the library of older programs made of a value that is of none of these kinds; else the value itself."""
    if isinstance(value, str):
        # where a text may be given, it is one
        return value if "string" in expected else _said(value.strip().lower(), expected, value)
    if isinstance(value, (bytes, bytearray)) and "string" in expected:
        with suppress(ValueError):
            return value.decode()
    takes_number = "integer" in expected or "number" in expected
    if isinstance(value, bool) and takes_number:
        return int(value)
    if value in (0, 1) and "boolean" in expected and not takes_number:
        return bool(value)
    return value


def _said(text: str, expected: Collection[str], otherwise: str) -> object:
    if not text and "null" in expected:
        return None
    with suppress(ValueError, RecursionError):
        said: object = json.loads(text)
        if isinstance(said, (int, float)) and math.isfinite(said) and not KINDS[type(said)].isdisjoint(expected):
            return said
    which = [truth for truth, words in enumerate(_TRUTHS) if text in words and "boolean" in expected]
    return bool(which[0]) if which else otherwise


def _warning(action: Action, problem: Problem) -> str:
    name = f"{action.connector}.{action.name}"
    if problem.message != UNKNOWN:
        return (
            f"{name} takes {problem.expected[:200]} for {problem.path[:200]!r}: what is given there is taken for that."
        )
    hint = f" Did you mean {problem.nearest!r}?" if problem.nearest else ""
    return f"{name} takes no argument {problem.path[:200]!r}: it is left out.{hint}"
