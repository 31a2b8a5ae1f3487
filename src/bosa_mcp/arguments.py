"""What a model sent becomes what the action takes, and what is ours."""

from collections.abc import Mapping
from dataclasses import replace

from bosa_connectors import schema, wire
from bosa_connectors.errors import InvalidArguments, Problem, nearest
from bosa_connectors.shapes import is_array, members
from bosa_mcp.tools import Offer

_PATHS = 'array of dotted paths, such as ["id", "user.login"]'
_TOKENS = {"page_token": "next_page_token", "next_token": "next_token"}
"""Arguments whose next value comes in the data itself, and the field that carries it."""


def split(offer: Offer, arguments: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """The arguments for the action, and the fields that are to be selected from its reply.

    Where the action selects fields itself, they stay among its arguments, with that of the next page beside them.
    """
    name, action = offer.fields_argument, offer.action
    value = arguments.get(name)
    fields = [path for path in value if isinstance(path, str)] if is_array(value) else []
    own = {key: each for key, each in arguments.items() if key != name}
    if value is not None and fields != value:
        raise InvalidArguments([*_others(offer, own), Problem(name, f"Expected {_PATHS}", _PATHS)])
    if not fields or name not in action.properties:
        return own, fields
    tokens = [token for argument, token in _TOKENS.items() if argument in action.properties]
    return {**own, name: [*fields, *tokens]}, fields if tokens else []


def _others(offer: Offer, own: Mapping[str, object]) -> tuple[Problem, ...]:
    """What else is wrong."""
    try:
        schema.check(offer.action, wire.present(offer.action, own))
    except InvalidArguments as wrong:
        return with_ours(offer, wrong).errors
    return ()


def with_ours(offer: Offer, wrong: InvalidArguments) -> InvalidArguments:
    """The same, with the tool's own arguments among the known ones."""
    known = list(members(offer.tool.input_schema["properties"]))
    return InvalidArguments(
        replace(problem, nearest=nearest(problem.path, known), expected=f"one of {', '.join(known)}")
        if problem.message == schema.UNKNOWN and "." not in problem.path
        else problem
        for problem in wrong.errors
    )
