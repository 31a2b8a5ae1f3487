"""An action becomes a tool: its name, its description, and a schema that every model API takes."""

import hashlib
import inspect
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import mcp_types as types

from bosa_connectors.calls import Action
from bosa_connectors.shapes import items, members
from bosa_mcp.compact import compact

NAME_LENGTH: Final = 48
"""Model APIs take 64 characters, and clients put a prefix of their own before the name."""
DESCRIPTION_LENGTH: Final = 2_000

FIELDS: Final = "response_fields"
FILTERS: Final = "response_filters"
INSTRUCTIONS: Final = """\
Each tool is one action of a connector, named {connector}_{action}. A result is {"data", "meta"}; where there is a \
further page, it also holds "next": call the same tool again with exactly next.arguments. A failure is {"error"}: its \
message and hint say what to do.

`response_fields`, on every tool, keeps only these parts of data: dotted paths such as ["id", "user.login"]; lists are \
mapped over. Use it whenever you need only a few fields of a large result.

`response_filters`, on some tools, keeps only items of data for which all filters hold: objects {"type", "field_name", \
"root"?, …} with "type" one of string (value, ignore_case?), string_list (values, ignore_case?), number (value), \
number_list (values), number_range (from_value?, to_value?), date_range (from_date?, to_date?)."""

_SECTION = re.compile(r"^(args|arguments|parameters|params|returns?|raises|yields|examples?) *:", re.IGNORECASE)
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool, and the action behind it."""

    tool: types.Tool
    action: Action
    fields_argument: str
    """The name under which the tool takes `response_fields`."""


def offer(name: str, action: Action) -> Offer:
    """The tool for an action; a ValueError says why there can be none."""
    listed = action.properties
    fields_argument = FIELDS if FIELDS not in listed or _is_list(listed[FIELDS]) else f"bosa_{FIELDS}"
    instead: dict[str, Mapping[str, object]] = {fields_argument: {"type": "array", "items": {"type": "string"}}}
    if _is_list(listed.get(FILTERS)):
        instead[FILTERS] = {"type": "array", "items": {}}
    tool = types.Tool(name=name, description=describe(action), input_schema=compact(action.schema, instead))
    return Offer(tool, action, fields_argument)


def _is_list(schema: object) -> bool:
    branches = [schema, *items(members(schema).get("anyOf"))]
    return any(members(branch).get("type") == "array" for branch in branches)


def describe(action: Action) -> str:
    """The prose of the action's docstring, without its sections and indentation."""
    lines: list[str] = []
    for line in inspect.cleandoc(action.description[: 4 * DESCRIPTION_LENGTH]).splitlines():
        if _SECTION.match(line):
            break
        lines.append(line.strip())
    prose = "\n".join(lines).strip()[:DESCRIPTION_LENGTH]
    return prose or f"{action.name} of the connector {action.connector}."


def name_tools(actions: Iterable[Action]) -> dict[str, Action]:
    """Each action under its tool's name, the same whatever the order of the actions.

    `{connector}_{action}`, with `_` for characters that model APIs refuse. A name that this made too long, or the same
    as another tool's, is cut and ends in a part of the full name's SHA-256.
    """
    ordered = sorted(actions, key=lambda action: (action.connector, action.name))
    legal = Counter(_legal(_full(action)) for action in ordered)
    named: dict[str, Action] = {}
    for action in ordered:
        full = _full(action)
        name = _legal(full)
        if len(name) > NAME_LENGTH or (name != full and legal[name] > 1):
            name = _cut(name, full)
        if name in named:  # a_b + c and a + b_c
            name = _cut(name, f"{action.connector}\0{action.name}")
        named[name] = action
    return named


def _full(action: Action) -> str:
    return f"{action.connector}_{action.name}"


def _legal(name: str) -> str:
    return _ILLEGAL.sub("_", name)


def _cut(name: str, full: str) -> str:
    digest = hashlib.sha256(full.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name[: NAME_LENGTH - 7]}_{digest}"
