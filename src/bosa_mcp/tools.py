"""An action becomes a tool: its name, title, description and annotations, and a schema that every model API takes."""

import hashlib
import inspect
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import mcp_types as types

from bosa_connectors import places
from bosa_connectors.arguments import FIELDS
from bosa_connectors.calls import Action
from bosa_connectors.effects import effect
from bosa_connectors.shapes import items, members
from bosa_mcp.compact import compact, refuse_invisible
from bosa_mcp.invisible import plain

KEY_LENGTH: Final = 64
"""Model APIs take no longer name of an argument."""
NAME_LENGTH: Final = 48
"""Model APIs take 64 characters, and clients put a prefix of their own before the name."""
DESCRIPTION_LENGTH: Final = 2_000
TITLE_LENGTH: Final = 100
MOST_BYTES: Final = 500_000
"""A tool whose definition is larger is none: it would fill a page of the list alone."""

FILTERS: Final = "response_filters"
ITEMS: Final = "max_items"
ACCOUNT: Final = "account"
INSTRUCTIONS: Final = """\
Each tool is one action of a connector, named {connector}_{action}. A result is {"data", "meta"}; where there is a \
further page, it also holds "next": call the same tool again with exactly next.arguments. A failure is {"error"}: its \
message and hint say what to do. Where a result is too large for one answer, "omitted" says how much is left out, and \
names a resource that holds all of it.

What is kept here, bosa://files/{id} and bosa://results/{id}, is read in parts with `bosa_read`. An argument that is a \
file takes either address, or content of your own: data:text/csv;name=a.csv,id%0A1

`max_items`, on tools that page, puts pages together until so many items have come; "next" goes on from there.

`response_fields`, on every tool, keeps only these parts of data: dotted paths such as ["id", "user.login"]; lists are \
mapped over. Use it whenever you need only a few fields of a large result.

`response_filters`, on some tools, keeps only items of data for which all filters hold: objects {"type", "field_name", \
"root"?, …} with "type" one of string (value, ignore_case?), string_list (values, ignore_case?), number (value), \
number_list (values), number_range (from_value?, to_value?), date_range (from_date?, to_date?). A string is the whole \
value, not a part of it. They filter each page after it was fetched, so that one without items may still have a "next".

`account`, on tools of connectors to which the person links accounts, names the one that acts, as `bosa_accounts` \
lists them; without it the selected one acts. Where none is linked, give the person the link of the error or of \
`bosa_connect`; never ask for a password or a key."""

_FILE: Final = "(a file: bosa://files/{id}, file:// or data: URI)"
_FILES: Final = "(files, each: bosa://files/{id}, file:// or data: URI)"

_SECTION = re.compile(
    r"(args|arguments|(other )?param(eter)?s?|returns?|raises|yields|examples?|see also|references) *:"
    r"|@(param|returns?|throws|exception|type|rtype)\b"
    r"|:(param|parameter|arg|argument|key|keyword|type|returns?|rtype|raises?|except|exception|yields?)\b[^:]*:",
    re.IGNORECASE,
)
_UNDERLINE = re.compile("-{3,}|={3,}")
_HEADING = re.compile(r"#{1,6} +")
_ANSWER = re.compile(r"^(returns?|yields) *: *", re.IGNORECASE)
_GAP = re.compile(r"\n{3,}")
_KEY = re.compile(rf"[a-zA-Z0-9_.-]{{1,{KEY_LENGTH}}}")
_NO_KEY = re.compile(r"[^a-zA-Z0-9_.-]")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_UNSEEN = ("\x7f", "\\b", "\\f", "\\u")
"""As JSON has them: the characters of ASCII that nobody sees."""
_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool, and the action behind it."""

    tool: types.Tool
    action: Action
    fields_argument: str
    """The name under which the tool takes `response_fields`."""
    items_argument: str | None = None
    """The name under which a tool that pages takes `max_items`."""
    size: int = 0
    """Bytes of the tool's definition in JSON."""
    account_argument: str | None = None
    """The name under which a tool of which several accounts can exist takes `account`."""
    is_ours: bool = False
    """It is no action of the API, but something that the server does itself."""
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Arguments of the action whose names model APIs refuse, with what the tool calls them."""

    def said(self, text: str) -> str:
        """A sentence about the action's arguments in the tool's names."""
        for own in sorted(self.renamed, key=len, reverse=True):
            text = text.replace(own, self.renamed[own])
        return text

    def shown(self, path: str) -> str:
        """A dotted path into the action's arguments, as the tool calls it."""
        leading = [own for own in self.renamed if path == own or path.startswith(f"{own}.")]
        if not leading:
            return path
        own = max(leading, key=len)  # a name may hold dots itself
        return f"{self.renamed[own]}{path[len(own) :]}"


def offer(name: str, action: Action, *, has_accounts: bool = False) -> Offer:
    """The tool for an action, of whose connector accounts can be linked or not; a ValueError says why there is none."""
    listed = action.properties
    fields_argument = FIELDS if _is_list(listed.get(FIELDS)) else _free(FIELDS, listed)
    instead: dict[str, Mapping[str, object]] = {fields_argument: {"type": "array", "items": {"type": "string"}}}
    if _is_list(listed.get(FILTERS)):
        instead[FILTERS] = {"type": "array", "items": {}}
    items_argument = None
    if places.does_page(action):
        items_argument = _free(ITEMS, listed)
        instead[items_argument] = {"type": "integer", "minimum": 1}
    account_argument = _free(ACCOUNT, listed) if has_accounts else None
    if account_argument:
        instead[account_argument] = {"type": "string"}
    input_schema = _with_files(compact(action.schema, instead, _called), action)
    renamed = {own: _called(own) for own in members(input_schema["properties"]) if not _KEY.fullmatch(own)}
    tool = types.Tool(
        name=name,
        title=title(action),
        description=describe(action),
        input_schema=_with_names(input_schema, renamed) if renamed else input_schema,
        annotations=annotate(action),
    )
    written = tool.model_dump_json(by_alias=True, exclude_none=True)
    if not written.isascii() or any(each in written for each in _UNSEEN):
        refuse_invisible(tool.input_schema)
    size = len(written.encode())
    if size > MOST_BYTES:
        raise ValueError(f"its definition of {size:,} bytes is too large for a list of tools")
    return Offer(tool, action, fields_argument, items_argument, size, account_argument, renamed=renamed)


def _free(name: str, taken: Collection[str]) -> str:
    """The name of an argument of ours, where the action has none of this name itself."""
    while name in taken:
        name = f"bosa_{name}"
    return name


def _with_files(schema: dict[str, object], action: Action) -> dict[str, object]:
    """The schema, saying of each argument that is a file what may be given for it."""
    properties = dict(members(schema["properties"]))
    for name in action.binary & properties.keys():
        field = members(properties[name])
        what = _FILES if field.get("type") == "array" else _FILE
        properties[name] = {**field, "description": f"{field.get('description', '')} {what}".strip()}
    return {**schema, "properties": properties}


def _called(own: str) -> str:
    """A name that model APIs take for an argument: its own, where that is one."""
    if _KEY.fullmatch(own):
        return own
    digest = hashlib.sha256(own.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{_NO_KEY.sub('_', own)[: KEY_LENGTH - 7]}_{digest}"


def _with_names(schema: dict[str, object], renamed: Mapping[str, str]) -> dict[str, object]:
    """The schema with these names for its arguments, each of which says how the API calls it."""
    properties: dict[str, object] = {}
    for own, each in members(schema["properties"]).items():
        said = f"{members(each).get('description', '')} (the API calls it {plain(own)[:KEY_LENGTH]!r})".strip()
        shown = {**members(each), "description": said} if own in renamed else each
        properties[renamed.get(own, own)] = shown
    named = {**schema, "properties": properties}
    if "required" in schema:
        named["required"] = _renamed(schema["required"], renamed)
    if "dependentRequired" in schema:
        depending = members(schema["dependentRequired"])
        named["dependentRequired"] = {
            renamed.get(own, own): _renamed(names, renamed) for own, names in depending.items()
        }
    return named


def _renamed(names: object, renamed: Mapping[str, str]) -> list[object]:
    return [renamed.get(str(own), own) for own in items(names)]


def annotate(action: Action) -> types.ToolAnnotations:
    """What clients decide by whether they ask a person first.

    What overwrites, deletes or cannot be called back destroys; what only adds does not. That repeating does no harm is
    said of reading alone: a name does not tell whether an update sets or counts up. All may reach the world outside.
    """
    does = effect(action)
    if does == "read":
        return types.ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=True)
    return types.ToolAnnotations(
        read_only_hint=False, destructive_hint=does != "create", idempotent_hint=False, open_world_hint=True
    )


def title(action: Action) -> str:
    """What people read in place of the name: `List pull requests (github)`."""
    words = " ".join(_WORDS.sub(" ", plain(f"{action.name}")).split())
    label = words[:1].upper() + words[1:]
    return f"{label} ({plain(action.connector)})"[:TITLE_LENGTH]


def _is_list(schema: object) -> bool:
    branches = [schema, *items(members(schema).get("anyOf"))]
    return any(members(branch).get("type") == "array" for branch in branches)


def describe(action: Action) -> str:
    """The prose of the action's docstring, without indentation and its sections on arguments and the like."""
    lines = inspect.cleandoc(action.description[: 4 * DESCRIPTION_LENGTH]).splitlines()
    prose = _text(_prose(lines)) or _text(_prose([*(_ANSWER.sub("", line) for line in lines[:1]), *lines[1:]]))
    return prose or plain(f"{action.name} of the connector {action.connector}.")[:DESCRIPTION_LENGTH]


def _text(lines: Iterable[str]) -> str:
    return _GAP.sub("\n\n", "\n".join(plain(line).strip() for line in lines)).strip()[:DESCRIPTION_LENGTH]


def _prose(lines: Sequence[str]) -> Iterator[str]:
    """The lines outside of sections: Google's, which end where the indentation does, Sphinx's and Javadoc's fields.

    NumPy's and Markdown's, which have headings, end with the next one.
    """
    within: int | None = None
    is_headed = is_after_gap = False
    for line, below in pairwise([*lines, ""]):
        text, indent = line.strip().replace("**", "").lstrip("\"'"), len(line) - len(line.lstrip())
        if _HEADING.match(text) or (text and _UNDERLINE.fullmatch(below.strip())):
            is_headed, within = bool(_SECTION.match(f"{_HEADING.sub('', text)}:")), None
        elif _SECTION.match(text):
            within = indent
        elif is_after_gap and text and within is not None and indent <= within:
            within = None
        is_after_gap = not text
        if within is None and not is_headed and not _UNDERLINE.fullmatch(text):
            yield line


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


def checking(offer: Offer, offers: Mapping[str, Offer], most: int = 2) -> list[str]:
    """The tools that read what this one changes, the likeliest first: those of its connector that share its words."""
    words = _words(offer)
    readers = [
        (len(words & _words(other)), name)
        for name, other in offers.items()
        if other.action.connector == offer.action.connector and effect(other.action) == "read"
    ]
    return [name for shared, name in sorted(readers, key=lambda each: (-each[0], each[1])) if shared][:most]


def _words(offer: Offer) -> set[str]:
    """The words of an action's name, in the singular."""
    return {word.rstrip("s") for word in re.split(r"[^a-z0-9]+", offer.action.name.lower()) if word}
