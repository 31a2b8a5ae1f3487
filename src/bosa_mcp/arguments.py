"""What a model sent becomes what the action takes, and what is ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bosa_connectors import header, schema, wire
from bosa_connectors.arguments import PATHS
from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, Problem, nearest
from bosa_connectors.paging import token_fields
from bosa_connectors.problems import UNKNOWN
from bosa_connectors.shapes import is_array, is_number, is_object, items, members
from bosa_connectors.wording import kinds
from bosa_mcp import pages
from bosa_mcp.tools import Offer

_COUNT = "integer of at least 1"
_ACCOUNT = "the name of a linked account, as bosa_accounts lists them"
_ACCOUNT_LENGTH = 200
_MOST = 100
"""Problems that are looked at closely: a call with more is not mended."""
_LAYERS = 3
"""Of texts in texts: a list as text, of numbers as texts."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model asked for."""

    own: Mapping[str, object]
    """The arguments of the action."""
    fields: list[str]
    """The parts of the data that are wanted; empty for all."""
    selecting: list[str]
    """Those that are to be selected from the reply, for the action does not do so, or not exactly."""
    max_items: int | None = None
    """Pages are put together until so many items have come."""
    account: str | None = None
    """Which linked account is to act."""


def split(offer: Offer, sent: Mapping[str, object]) -> Asked:
    """What is the action's, and what is ours. Raises InvalidArguments with everything that is wrong.

    Where the action selects fields itself, they stay among its arguments, with that of the next page beside them.
    """
    ours = {name for name in (offer.fields_argument, offer.items_argument, offer.account_argument) if name}
    names = {shown: own for own, shown in offer.renamed.items()}
    own = {names.get(name, name): value for name, value in sent.items() if name not in ours}
    wrong: list[Problem] = []
    fields = _fields(offer.fields_argument, sent.get(offer.fields_argument), wrong)
    max_items = _count(offer.items_argument, sent.get(offer.items_argument or ""), wrong)
    account = _account(offer.account_argument, sent.get(offer.account_argument or ""), wrong)
    if wrong:
        raise InvalidArguments([*others(offer, own), *wrong])
    selecting = fields
    if fields and offer.fields_argument in offer.action.properties:
        tokens = token_fields(offer.action)
        own[offer.fields_argument] = [*fields, *tokens]
        selecting = fields if tokens else []
    if max_items is not None:
        own = pages.sized(offer.action, own, max_items)
    return Asked(own, fields, selecting, max_items, account)


def _fields(name: str, value: object, wrong: list[Problem]) -> list[str]:
    value = unpacked(value)
    found = [path for path in items(value) if isinstance(path, str)]
    if value is not None and found != value:
        wrong.append(Problem(name, f"Expected {PATHS}", PATHS))
    return found


def _count(name: str | None, value: object, wrong: list[Problem]) -> int | None:
    value = unpacked(value)
    if value is None or name is None:
        return None
    if not is_number(value) or value % 1 or value < 1:
        wrong.append(Problem(name, f"Expected {_COUNT}", _COUNT))
        return None
    return int(value)


def _account(name: str | None, value: object, wrong: list[Problem]) -> str | None:
    if name is None or value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _ACCOUNT_LENGTH or not header.is_value(value):
        wrong.append(Problem(name, f"Expected {_ACCOUNT}", _ACCOUNT))
        return None
    return value


def unpacked(value: object) -> object:
    """What a text holds, where it is JSON: models write `"[1]"` for `[1]` now and then."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=lambda _: value)
    except (ValueError, RecursionError):
        return {"True": True, "False": False}.get(value, value)


def repaired(action: Action, own: Mapping[str, object], wrong: InvalidArguments) -> dict[str, object]:
    """The arguments with what their wrong texts hold in place of these.

    Raises InvalidArguments where they are wrong all the same: with what is wrong inside of a text, where that is as far
    as it goes, and with nothing about a text that holds what was expected.
    """
    for _ in range(_LAYERS):
        if len(wrong.errors) > _MOST:
            raise wrong
        mended = own
        for problem in wrong.errors:
            if "string" in kinds(problem.expected):  # a text may be given there: it is wrong as such
                continue
            mended = members(_mended(mended, problem.path))
        if mended == own:
            raise wrong
        try:
            check(action, mended)
        except InvalidArguments as still:
            as_sent = {(problem.path, problem.expected): problem for problem in wrong.errors}
            wrong = InvalidArguments([as_sent.get((each.path, each.expected), each) for each in still.errors])
            own = mended
        else:
            return dict(mended)
    raise wrong


def _mended(value: object, path: str) -> object:
    """The value with the text at this dotted path unpacked; names on the way may hold dots themselves."""
    if not path:
        return unpacked(value)
    head, _, rest = path.partition(".")
    if is_array(value) and head.isdecimal() and int(head) < len(value):
        place = int(head)
        return [*value[:place], _mended(value[place], rest), *value[place + 1 :]]
    if not is_object(value):
        return value
    leading = [name for name in value if path == name or path.startswith(f"{name}.")]
    return {**value, **{name: _mended(value[name], path[len(name) + 1 :]) for name in leading}}


def others(offer: Offer, own: Mapping[str, object]) -> tuple[Problem, ...]:
    """What else is wrong."""
    try:
        check(offer.action, own)
    except InvalidArguments as wrong:
        try:
            repaired(offer.action, own, wrong)
        except InvalidArguments as still:
            return with_ours(offer, still).errors
    return ()


def check(action: Action, own: Mapping[str, object]) -> None:
    """Raises InvalidArguments, as the call itself would."""
    schema.check(action, wire.present(action, own))


def with_ours(offer: Offer, wrong: InvalidArguments) -> InvalidArguments:
    """The same in the tool's names, with its own arguments among the known ones."""
    known = list(members(offer.tool.input_schema["properties"]))
    named = [
        replace(
            problem,
            nearest=_inside(offer, problem.path)
            or nearest(problem.path, known)
            or offer.renamed.get(problem.nearest or ""),
            expected=f"one of {', '.join(known)}",
        )
        if problem.message == UNKNOWN and "." not in problem.path
        else _named(offer, problem)
        for problem in wrong.errors[:_MOST]
    ]
    return InvalidArguments(named)


def _inside(offer: Offer, name: str) -> str | None:
    """Where an argument holds a member of just this name, which was given beside it."""
    for argument, each in members(offer.tool.input_schema["properties"]).items():
        for place, node in ((argument, members(each)), (f"{argument}.0", members(members(each).get("items")))):
            if name in members(node.get("properties")):
                return f"{place}.{name}"
    return None


def _named(offer: Offer, problem: Problem) -> Problem:
    """The same in the tool's names, which are told where several arguments are spoken of."""
    shown = replace(problem, path=offer.shown(problem.path))
    if not problem.path:
        shown = replace(shown, expected=offer.said(problem.expected))
    if not problem.path or problem.message.startswith("Field required"):
        shown = replace(shown, message=offer.said(problem.message))
    return shown
