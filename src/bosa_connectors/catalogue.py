"""A discovery document becomes an immutable catalogue of actions.

The document is `{connector: {action: item}}`, as `GET /connectors/?modules={connector}` answers it. One odd item costs
that action alone: the catalogue says in `refused` what was wrong with it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import get_args

from bosa_connectors.calls import Action, Effect
from bosa_connectors.dialects import may_be_older, today
from bosa_connectors.errors import BadReply, ConnectorNotFound, InvalidAction
from bosa_connectors.keywords import may_be_object, typed
from bosa_connectors.references import BRANCHING, branches, follow
from bosa_connectors.shapes import is_array, is_object, items, members

PLUMBING = frozenset({"integrations", "integration-exists", "success-authorize-callback", "auth-schema", "admin"})
"""First path segments that the API keeps for itself: not actions for a person or a model."""

TAKES_NOTHING: Mapping[str, object] = MappingProxyType({"type": "object", "properties": {}})

_EFFECTS: Mapping[str, Effect] = {effect: effect for effect in get_args(Effect)}
_PATH_LENGTH = 2_000
_LEADING = frozenset({"items", "$ref", *BRANCHING})
"""Keywords that lead to what a value may be as well."""
_SAYS_FILE = ('"binary"', '"bytes"', '"file"', '"application/octet-stream"')
"""Something of this is in the JSON of each schema with a file."""
_OF_PARTS = frozenset({"type", "title", "description", "properties", "required"})
_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\?#]*")


class Catalogue(Mapping[str, Action]):
    """The actions of one connector, by name."""

    __slots__ = ("_actions", "connector", "refused")

    def __init__(self, connector: str, actions: Mapping[str, Action], refused: Mapping[str, str]) -> None:
        self.connector = connector
        self.refused: Mapping[str, str] = MappingProxyType(dict(refused))
        """Listed actions that make no sense, each with the reason."""
        self._actions = MappingProxyType(dict(actions))

    def __getitem__(self, name: str) -> Action:
        return self._actions[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._actions)

    def __len__(self) -> int:
        return len(self._actions)

    def action(self, name: str) -> Action:
        """The action of this name; raises InvalidAction, which lists the names that there are."""
        try:
            return self._actions[name]
        except (KeyError, TypeError):  # what cannot be a key is no name
            raise InvalidAction(name, self._actions) from None

    def __repr__(self) -> str:
        return f"<Catalogue {self.connector}: {len(self)} actions>"


def parse(connector: str, document: object) -> Catalogue:
    """The catalogue of `connector` in a discovery document.

    Raises ConnectorNotFound where the document has no such connector, BadReply where it is no discovery document.
    """
    if not is_object(document):
        raise BadReply(f"The listing of {connector!r} is not a JSON object. Is this the address of a BOSA API?")
    if connector not in document:
        raise ConnectorNotFound(connector, document)
    listed = document[connector]
    if not is_object(listed):
        raise BadReply(f"The listing of {connector!r} does not hold its actions by name.")
    actions: dict[str, Action] = {}
    refused: dict[str, str] = {}
    for name, item in listed.items():
        if _is_plumbing(name, item):
            continue
        try:
            actions[name] = _action(connector, name, item)
        except ValueError as odd:
            refused[name] = str(odd)
    return Catalogue(connector, actions, refused)


def _is_plumbing(name: str, item: object) -> bool:
    if name.lstrip("/").split("/")[0] in PLUMBING:
        return True
    return members(item).get("method", "POST") != "POST"


def _action(connector: str, name: str, item: object) -> Action:
    listed = _object(item, "it is not a JSON object")
    docstring = listed.get("docstring")
    schema, text = _schema(listed)
    action = Action(
        connector=connector,
        name=name,
        path=_path(listed.get("path")),
        description=docstring if isinstance(docstring, str) else "",
        schema=schema,
        stated_effect=_EFFECTS.get(str(listed.get("x-bosa-effect"))),
    )
    if text is not None and not any(word in text for word in _SAYS_FILE):
        return action
    files = frozenset(name for name, field in action.properties.items() if _is_binary(field, action.schema))
    return replace(action, binary=files) if files else action


def _path(path: object) -> str:
    """A path that stays on the API's own origin."""
    if not isinstance(path, str) or len(path) > _PATH_LENGTH or not _PATH.fullmatch(path):
        raise ValueError(f"its path {str(path)[:200]!r} is not a path on the API")
    segments = path.lower().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/").split("/")
    if ".." in segments or "." in segments:
        raise ValueError(f"its path {path[:200]!r} leads elsewhere")
    return path


def _schema(listed: Mapping[str, object]) -> tuple[Mapping[str, object], str | None]:
    """The schema of an action's input, and its JSON as listed: what is not in there need not be looked for."""
    parameters = _object(listed.get("parameters") or {}, "its parameters are not a JSON object")
    if "request" not in parameters:
        return TAKES_NOTHING, ""
    request = _object(parameters["request"], "its request parameter is not a JSON object")
    sent = _object(request.get("schema"), "its request schema is not a JSON object")
    try:
        text = json.dumps(sent)
    except RecursionError:  # nested more deeply than a text can be made of
        text = None
    schema = _whole(today(sent) if text is None or may_be_older(text) else sent)
    if not may_be_object(schema.get("type")):
        raise ValueError(f"its request schema is of type {str(schema['type'])[:40]!r}, not an object")
    _object(schema.get("properties") or {}, "the properties of its request schema are not a JSON object")
    return schema, text


def _whole(schema: Mapping[str, object]) -> Mapping[str, object]:
    """The schema with its root in one piece, where that says the same: what it refers to, and all of its parts."""
    target = _target(schema, schema)
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    said = beside.keys() - {"title", "description"}
    if (
        is_object(target)
        and "$ref" not in target
        and not any(target.get(key, beside[key]) != beside[key] for key in said)
    ):
        schema = {**target, **beside}
    for union in BRANCHING:
        if is_array(schema.get(union)):
            schema = {**schema, union: [_resolved(branch, schema) for branch in items(schema[union])]}
    return _joined(schema)


def _resolved(branch: object, root: Mapping[str, object]) -> object:
    target = _target(members(branch), root)
    return target if is_object(target) and len(members(branch)) == 1 else branch


def _joined(schema: Mapping[str, object]) -> Mapping[str, object]:
    """The schema with the parts that all have to hold in one, where each says only which arguments there are."""
    own = {key: value for key, value in schema.items() if key != "allOf"}
    parts = [members(part) for part in items(schema.get("allOf"))]
    if not parts or not all(map(_is_part, parts)) or "#/allOf/" in str(schema):
        return schema
    properties: dict[str, object] = {}
    for each in (*parts, own):
        for name, field in members(each.get("properties")).items():
            if properties.setdefault(name, field) != field:
                return schema
    required = list(dict.fromkeys(str(name) for each in (own, *parts) for name in items(each.get("required"))))
    texts = dict.fromkeys(str(each["description"]) for each in (own, *parts) if each.get("description"))
    described = {"description": " ".join(texts)} if texts else {}
    return {**own, "properties": properties, **({"required": required} if required else {}), **described}


def _is_part(schema: Mapping[str, object]) -> bool:
    names = schema.get("required", [])
    return (
        is_object(schema.get("properties"))
        and not schema.keys() - _OF_PARTS
        and schema.get("type", "object") == "object"
        and is_array(names)
        and all(isinstance(name, str) for name in names)
    )


def _is_binary(field: object, root: Mapping[str, object]) -> bool:
    """Whether a value of this schema is a file, or several: alone, nullable, or as the items of a list."""
    seen: set[int] = set()
    ahead = [field]
    while ahead:
        schema = members(ahead.pop())
        if "binary" in (schema.get("format"), typed(schema.get("type")).get("format")):
            return True
        if _LEADING.isdisjoint(schema) or id(schema) in seen:
            continue
        seen.add(id(schema))
        ahead += [schema.get("items"), _target(schema, root), *branches(schema, BRANCHING)]
    return False


def _target(schema: Mapping[str, object], root: Mapping[str, object]) -> object:
    return follow(root, str(schema["$ref"])) if "$ref" in schema else None


def _object(value: object, otherwise: str) -> Mapping[str, object]:
    if not is_object(value):
        raise ValueError(otherwise)
    return value
