"""What a person is asked in order to link an account: the schema of a configuration becomes questions, answers JSON."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bosa_connectors import schema
from bosa_connectors.calls import Action
from bosa_connectors.errors import InvalidArguments, InvalidSchema, Problem
from bosa_connectors.problems import UNKNOWN
from bosa_connectors.references import BRANCHING, UNIONS, branches, follow
from bosa_connectors.shapes import is_object, items, members
from bosa_connectors.wording import describe
from bosa_mcp.invisible import plain

Kind: TypeAlias = Literal["text", "number", "choice", "check", "json"]
_MOST: Final = 100
_DEPTH: Final = 10
_LABEL_LENGTH: Final = 120
_HELP_LENGTH: Final = 600
_SECRET: Final = re.compile(r"key|secret|token|passw|passphrase|passcode|pwd|credential|private", re.IGNORECASE)
_WORDS: Final = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that a person is asked."""

    name: str
    """The member of the configuration; foreign text."""
    label: str
    help: str
    kind: Kind
    is_required: bool = False
    is_secret: bool = False
    """Not shown while it is written, and never shown again."""
    choices: Sequence[object] = ()
    default: object = None
    expected: str = ""
    """What is a right answer, in a few words."""
    is_whole: bool = False
    """It is about a configuration as a whole, which is not put together from members."""


def questions(config: Mapping[str, object]) -> list[Question]:
    """The questions, in the order of the schema; one for the whole where there are no members to ask for."""
    properties = members(config.get("properties"))
    if not properties or len(properties) > _MOST:
        label, text = "Configuration", _text(config.get("description"), _HELP_LENGTH)
        secret = _holds_secret("", config, config)
        return [Question("", label, text or "As JSON.", "json", is_required=True, is_secret=secret, is_whole=True)]
    required = {str(name) for name in items(config.get("required"))}
    return [_question(name, each, config, is_required=name in required) for name, each in properties.items()]


def _question(name: str, said: object, root: Mapping[str, object], *, is_required: bool) -> Question:
    node = _resolved(said, root)
    choices = _choices(node)
    kind: Kind = "choice" if choices else _kind(node)
    is_secret = kind in {"text", "number", "json"} and _holds_secret(name, said, root)
    return Question(
        name=name,
        label=_text(node.get("title"), _LABEL_LENGTH) or _label(name),
        help=_text(node.get("description"), _HELP_LENGTH),
        kind=kind,
        is_required=is_required,
        is_secret=is_secret,
        choices=choices,
        default=None if is_secret else node.get("default"),
        expected=describe({key: value for key, value in node.items() if key != "format"}),
    )


def _label(name: str) -> str:
    words = _WORDS.sub(" ", plain(name)).strip()
    return f"{words[:1].upper()}{words[1:]}"[:_LABEL_LENGTH] or "(no name)"


def _text(value: object, most: int) -> str:
    return plain(value).strip()[:most] if isinstance(value, str) else ""


def _resolved(said: object, root: Mapping[str, object]) -> Mapping[str, object]:
    """The schema without references and without `null`, where one branch is left; what stands beside these stays."""
    node = dict(members(said))
    for _ in range(_DEPTH):
        reference = node.pop("$ref", None)
        if isinstance(reference, str):
            node = {**members(follow(root, reference)), **node}
            continue
        union = next((key for key in UNIONS if key in node), None)
        others = [branch for branch in items(node.get(union or "")) if members(branch).get("type") != "null"]
        if union and len(others) == 1:
            rest = {key: value for key, value in node.items() if key != union}
            node = {**members(others[0]), **rest}
            continue
        break
    return node


def _choices(node: Mapping[str, object]) -> list[object]:
    if "const" in node:
        return [node["const"]]
    return [value for value in items(node.get("enum")) if value is not None]


def _kind(node: Mapping[str, object]) -> Kind:
    types = [each for each in items(node.get("type")) or [node.get("type")] if each != "null"]
    match types:
        case ["string"]:
            return "text"
        case ["integer"] | ["number"]:
            return "number"
        case ["boolean"]:
            return "check"
        case _:
            return "json"


def _holds_secret(name: str, said: object, root: Mapping[str, object]) -> bool:
    """Whether this, or something in it, is better not seen."""
    ahead, seen = [(name, said)], set[tuple[str, int]]()
    for key, each in ahead:
        node = _resolved(each, root)
        if _SECRET.search(key) or node.get("format") == "password" or node.get("writeOnly") is True:
            return True
        below = [(str(inner), one) for inner, one in members(node.get("properties")).items()]
        below += [("", one) for one in branches(node, BRANCHING)]
        below += [("", node[one]) for one in ("items", "additionalProperties") if is_object(node.get(one))]
        ahead += [one for one in below if (one[0], id(one[1])) not in seen]  # references multiply, and lead back
        seen |= {(inner, id(one)) for inner, one in below}
    return False


def configuration(asked: Sequence[Question], given: Mapping[str, str]) -> dict[str, object]:
    """What the answers come to, by the names of their questions.

    An answer that is empty is none; one that is no number or no JSON, where that is asked for, stays text, for the
    check to refuse.
    """
    config: dict[str, object] = {}
    for question in asked:
        text = given.get(question.name, "")
        if question.kind == "check":
            config[question.name] = bool(text)
        elif text:
            config[question.name] = _value(question, text)
    whole = config.get("") if _is_whole(asked) else None
    return dict(whole) if is_object(whole) else config


def _is_whole(asked: Sequence[Question]) -> bool:
    return len(asked) == 1 and asked[0].is_whole


def _value(question: Question, text: str) -> object:
    match question.kind:
        case "choice":
            chosen = (value for value in question.choices if spelled(value) == text)
            return next(chosen, text)
        case "number":
            return _number(text.strip())
        case "json":
            return _json(text)
        case _:
            return text


def spelled(value: object) -> str:
    """A value as a person reads and writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _number(text: str) -> object:
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        return value if value == value and abs(value) != float("inf") else text  # noqa: PLR0124  NaN alone is not itself
    return text


def _json(text: str) -> object:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return text


def check(config: Mapping[str, object], answers: Mapping[str, object], asked: Sequence[Question]) -> None:
    """Raises InvalidArguments where a configuration is not what its schema says; no message holds a secret.

    Where the schema makes no sense, only the API can say.
    """
    if _is_whole(asked) and not answers.keys() - {""}:
        raise InvalidArguments([Problem("", "Expected an object in JSON", "an object in JSON")])
    try:
        schema.check(Action("", "configuration", "/", "", config), answers)
    except InvalidSchema:
        return
    except InvalidArguments as wrong:
        raise InvalidArguments(_discreet(problem, asked) for problem in wrong.errors) from None


def confided(config: Mapping[str, object], asked: Sequence[Question]) -> dict[str, object]:
    """What of a configuration is secret."""
    if _is_whole(asked):
        return dict(config)
    names = {question.name for question in asked if question.is_secret}
    return {name: value for name, value in config.items() if name in names}


def _discreet(problem: Problem, asked: Sequence[Question]) -> Problem:
    """The problem; of a secret without the value that was given."""
    is_secret = any(each.is_secret and (each.is_whole or _is_about(problem.path, each.name)) for each in asked)
    if is_secret and problem.message not in {"Field required", UNKNOWN}:
        return Problem(problem.path, "This is not what is expected here", "a right value")
    return problem


def by_question(problems: Iterable[Problem], asked: Sequence[Question]) -> tuple[dict[str, str], list[str]]:
    """What is wrong, beside the question that it is about; and what is about none."""
    each: dict[str, str] = {}
    rest: list[str] = []
    for problem in problems:
        about = [it.name for it in asked if it.is_whole or _is_about(problem.path, it.name)]
        name = max(about, key=len, default=None)
        text = plain(problem.message)[:300]
        if name is None:
            rest.append(f"{plain(problem.path)[:100]}: {text}" if problem.path else text)
        else:
            inside = problem.path.removeprefix(name).removeprefix(".")
            each.setdefault(name, f"{plain(inside)[:100]}: {text}" if inside else text)
    return each, rest


def _is_about(path: str, name: str) -> bool:
    return path == name or path.startswith(f"{name}.")


def refused(details: object) -> list[Problem]:
    """What the API found wrong with a configuration: `[{"loc": ["body", "configuration", "file"], "msg": …}]`."""
    found = [members(detail) for detail in items(details)[:_MOST] if "msg" in members(detail)]
    return [Problem(_place(items(each.get("loc"))), str(each["msg"]), "") for each in found]


def _place(loc: Sequence[object]) -> str:
    parts = [str(part) for part in loc]
    for outer in ("body", "configuration"):
        if parts[:1] == [outer]:
            parts = parts[1:]
    return ".".join(parts)
