"""What a call came to, an answer or an error, becomes the result of a tool call."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Final

import mcp_types as types

from bosa_connectors import errors
from bosa_connectors.errors import ApiError, BadReply, BosaError, InvalidArguments, Problem
from bosa_connectors.hiding import HIDDEN
from bosa_connectors.schema import is_deep
from bosa_connectors.shapes import is_array, is_object, items, members
from bosa_mcp import fit
from bosa_mcp.arguments import Asked
from bosa_mcp.invisible import INVISIBLE
from bosa_mcp.pages import Pages
from bosa_mcp.store import Kept
from bosa_mcp.tools import Offer

_MOST: Final = 50
"""Problems and notes that a model is told of."""
_LONGEST: Final = 500
"""Characters of one of these."""
_MESSAGE: Final = 4_000
"""Bytes of the message of a failure."""
KINDS: Final[Mapping[type[BosaError], str]] = {
    errors.InvalidArguments: "invalid_arguments",
    errors.InvalidSchema: "unsupported",
    errors.Unauthenticated: "unauthenticated",
    errors.Forbidden: "forbidden",
    errors.NotConnected: "not_connected",
    errors.NotFound: "not_found",
    errors.Conflict: "conflict",
    errors.RateLimited: "rate_limited",
    errors.ApiError: "api_error",
    errors.Unreachable: "unreachable",
    errors.RequestTimeout: "timeout",
    errors.OutcomeUnknown: "outcome_unknown",
    errors.TooLarge: "too_large",
    errors.BadReply: "bad_reply",
}
HINTS: Final[Mapping[str, str]] = {
    "invalid_arguments": "Correct these arguments and call the tool again.",
    "unauthenticated": "The person who runs this server has to check BOSA_API_KEY and BOSA_USER_TOKEN, or log in anew.",
    "forbidden": "Whoever acts here may not do this: ask the person, or use another account where there is one.",
    "not_connected": "The person has to link an account to this connector first: `bosa-mcp connect` does.",
    "rate_limited": "Wait before you call this tool again.",
    "unreachable": "Nothing was done. Is the BOSA API running, and BOSA_API_BASE_URL right?",
    "timeout": "Nothing was changed: it may be called again, perhaps for less.",
    "outcome_unknown": "It may have happened all the same: look before you repeat it.",
    "read_only": "Only tools that read may be called here.",
    "too_large": "Ask for fewer items, or for fewer fields with response_fields.",
    "bad_reply": "It was only a question, and the API answers it oddly: whoever runs it has to look.",
    "internal_error": "This is a fault of the server; its log on stderr says more.",
}


@dataclass(slots=True)
class Answer:
    """What a call came to that succeeded."""

    offer: Offer
    pages: Pages
    following: Mapping[str, object] | None = None
    """The arguments for the page after these."""
    notes: list[str] = field(default_factory=list[str])
    file: Kept | None = None


class Refusal(Exception):
    """A call that the server itself cannot, or will not, carry out."""

    def __init__(self, kind: str, message: str, hint: str | None = None, **told: object) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint
        self.told = told


def too_deep() -> BadReply:
    """What is said of an answer that can be read, and hardly be looked at."""
    return BadReply("The answer is nested more deeply than can be handed over.")


def payload(answer: Answer, asked: Asked) -> dict[str, object]:
    """The whole content of a result that succeeded."""
    if is_deep([answer.pages.data, answer.pages.meta]):
        raise too_deep()
    content: dict[str, object] = {"data": answer.pages.data, "meta": answer.pages.meta}
    if answer.following:
        following = {answer.offer.shown(name): value for name, value in answer.following.items()}
        content["next"] = {"arguments": {**following, **_ours(answer.offer, asked)}}
    if answer.notes:
        content["notes"] = _some([note[:_LONGEST] for note in answer.notes])
    return content


def extra_notes(body: object) -> list[str]:
    """What an API says beside data and meta, as a note."""
    sent = members(body)
    said = {name: value for name, value in sent.items() if name not in {"data", "meta"} and value and "data" in sent}
    return [f"The API says besides: {fit.shortened(fit.compact(said), _LONGEST - 50)}"] if said else []


def _ours(offer: Offer, asked: Asked) -> dict[str, object]:
    """Our own arguments, which the next page keeps."""
    ours = {
        offer.fields_argument: asked.fields or None,
        offer.items_argument: asked.max_items,
        offer.account_argument: asked.account,
    }
    return {name: value for name, value in ours.items() if name and value is not None}


@dataclass(frozen=True, slots=True)
class Written:
    """The content of a result, and the same as compact JSON."""

    content: dict[str, object]
    text: str

    @property
    def encoded(self) -> bytes:
        """The text in bytes."""
        return self.text.encode("utf-8", "surrogatepass")


def written(content: Mapping[str, object]) -> Written:
    """The content as it is."""
    return Written(dict(content), fit.compact(content))


@dataclass(frozen=True, slots=True)
class Cut:
    """A result that fits, and what it lacks."""

    content: dict[str, object]
    omitted: dict[str, object]
    hint: str


def cut(written: Written, budget: int, fields_argument: str) -> Cut | None:
    """The content in `budget` bytes, whole items from the front; None where all of it fits."""
    if len(written.encoded) <= budget:
        return None
    whole = written.content
    meta = fit.fit(whole.get("meta"), budget // 8)
    rest = {**whole, "meta": meta.value, "notes": fit.fit(whole.get("notes", []), budget // 8).value}
    del rest["data"]
    room = max(budget - fit.size(rest) - _ROOM, 0)
    data = fit.fit(whole["data"], room)
    hint = "This is the beginning."
    if largest := ", ".join(fit.largest(whole["data"])):
        hint += f" Most of it is {fit.shortened(largest, _NAMES)}."
    if chosen := fit.fields_that_fit(whole["data"], room):
        fields = json.dumps(chosen[:_MOST_FIELDS], ensure_ascii=False)
        hint += f" All of it would fit with {fields_argument} {fields}." if fit.size(fields) <= _HINT else ""
    return Cut({"data": data.value, **rest}, {"items": data.items, "bytes": data.bytes + meta.bytes}, hint)


_ROOM: Final = 1_100
"""Bytes for saying what was left out."""
_HINT: Final = 450
_NAMES: Final = 250
_BEYOND: Final = "next.arguments goes on after what is left out here: read that first, or ask anew for smaller pages."
_MOST_FIELDS: Final = 30


def with_omitted(short: Cut, resource: str | None, reader: str | None = None) -> dict[str, object]:
    """The content that says what it lacks, and where that is kept; `reader` is the tool that reads there."""
    where = {"resource": resource} if resource else {}
    hint = f"{short.hint} {reader} gives the whole resource, in parts." if resource and reader else short.hint
    notes = [*items(short.content.get("notes")), hint, *([_BEYOND] if "next" in short.content else [])]
    return {**short.content, "omitted": {**short.omitted, **where}, "notes": notes}


def failure(error: BosaError, **more: str) -> dict[str, object]:
    """The content for a call that failed: what happened, in a word of the closed list, and what to do next."""
    kind = kind_of(error)
    told: dict[str, object] = {"kind": kind, "message": fit.shortened(str(error), _MESSAGE), "hint": HINTS.get(kind)}
    if isinstance(error, ApiError):
        said = error.failure
        told |= {"message": said.message, "status": said.status, "code": said.code, "request_id": said.request_id}
        told |= {"retry_after_seconds": said.retry_after, "hint": told["hint"] or error.advice}
    if problems := _problems(error):
        told["errors"] = [_present(asdict(problem)) for problem in problems]
    return {"error": _present(told | more)}


def refusal(refused: Refusal) -> dict[str, object]:
    """The content for a call that the server itself cannot carry out."""
    told = {"kind": refused.kind, "message": str(refused), "hint": refused.hint or HINTS.get(refused.kind)}
    return {"error": _present({**told, **refused.told})}


def kind_of(error: BosaError) -> str:
    """What happened, in a word of the closed list."""
    if isinstance(error, ApiError) and error.status == 422:  # noqa: PLR2004  the API's own check of the arguments
        return "invalid_arguments"
    return next((KINDS[kind] for kind in type(error).__mro__ if kind in KINDS), "internal_error")


def _problems(error: BosaError) -> tuple[Problem, ...]:
    if isinstance(error, InvalidArguments):
        return tuple(map(_short, error.errors[:_MOST]))
    details = items(error.failure.details) if isinstance(error, ApiError) else []
    return tuple(_problem(members(detail)) for detail in details[:_MOST] if "msg" in members(detail))


def _short(problem: Problem) -> Problem:
    """The problem in few words, whatever was sent."""
    cut = {name: text[:_LONGEST] for name, text in asdict(problem).items() if isinstance(text, str)}
    return replace(problem, **cut)


def _some(notes: Sequence[str]) -> list[str]:
    left = len(notes) - _MOST
    return [*notes[:_MOST], f"There are {left:,} more of these notes."] if left > 0 else list(notes)


def _problem(detail: Mapping[str, object]) -> Problem:
    """One problem that the API found: `{"loc": ["body", "kind"], "msg": …}`."""
    where = [str(part) for part in items(detail.get("loc"))]
    message = str(detail["msg"])[:500]
    return Problem(".".join(where[1:] if where[:1] == ["body"] else where), message, message)


_PART: Final = 1_000_000
_SUSPECT = re.compile(rf"\\[ubf]|{INVISIBLE.pattern}")
"""What may stand for such a character in JSON."""


def _is_suspect(text: str) -> bool:
    """Whether such a character may be in it; looked at in parts, so that other threads get their turns."""
    return any(_SUSPECT.search(text, at, at + _PART + 1) for at in range(0, len(text), _PART))


def cleaned(content: Mapping[str, object], secrets: Sequence[str]) -> Written:
    """The content, with `[hidden]` for secrets that an API repeats, and invisible characters written out."""
    as_it_is = written(content)
    text = as_it_is.text
    if not _is_suspect(text) and not any(json.dumps(secret)[1:-1] in text for secret in secrets):
        return as_it_is
    # what is sent back for the next page stays as it is: it would lead elsewhere
    shown = {name: _cleaned(each, secrets, is_whole=name == "next") for name, each in content.items()}
    return written(shown)


def _cleaned(value: object, secrets: Sequence[str], *, is_whole: bool = False) -> object:
    if isinstance(value, str):
        shown = hidden(value, secrets)
        return shown if is_whole else INVISIBLE.sub(lambda found: f"\\u{ord(found.group()):04x}", shown)
    clean = partial(_cleaned, secrets=secrets, is_whole=is_whole)
    if is_object(value):
        return {str(clean(name)): clean(each) for name, each in value.items()}
    return [clean(each) for each in value] if is_array(value) else value


def hidden(text: str, secrets: Sequence[str]) -> str:
    """The text with `[hidden]` for each of the secrets."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _present(told: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def result(written: Written, *more: types.ContentBlock) -> types.CallToolResult:
    """The result of the call: the content as it is, and as text for models that read no other."""
    content = written.content
    blocks: list[types.ContentBlock] = [types.TextContent(text=written.text), *more]
    return types.CallToolResult(content=blocks, structured_content=content, is_error="error" in content)
