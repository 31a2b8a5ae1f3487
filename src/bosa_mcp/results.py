"""A reply, or an error, becomes the result of a tool call."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

import mcp_types as types

from bosa_connectors import errors
from bosa_connectors.calls import Call, Reply
from bosa_connectors.errors import ApiError, BadReply, BosaError, InvalidArguments, PagingError, Problem
from bosa_connectors.fields import select
from bosa_connectors.paging import next_arguments
from bosa_connectors.schema import is_deep
from bosa_connectors.shapes import is_array, is_object, items, members
from bosa_mcp.tools import Offer

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
    "unauthenticated": "The person who runs this server has to check BOSA_API_KEY and BOSA_USER_TOKEN.",
    "forbidden": "The linked account may not do this; ask the person, or use another account.",
    "not_connected": "The person has to link an account to this connector first.",
    "rate_limited": "Wait before you call this tool again.",
    "unreachable": "Nothing was sent. Is the BOSA API running, and BOSA_API_BASE_URL right?",
    "timeout": "It may have happened all the same: look before you repeat it.",
    "outcome_unknown": "It may have happened all the same: look before you repeat it.",
    "too_large": "Ask for fewer items, or for fewer fields with response_fields.",
    "bad_reply": "It may have happened all the same: look before you repeat it.",
    "internal_error": "This is a fault of the server; its log on stderr says more.",
}


def success(offer: Offer, call: Call, reply: Reply, fields: list[str]) -> types.CallToolResult:
    """The result for a reply with data; `fields` are selected from it."""
    if is_deep([reply.data, reply.meta]):
        raise BadReply("The answer is nested more deeply than can be handed over.")
    payload: dict[str, object] = {"data": select(reply.data, fields), "meta": reply.meta}
    try:
        following = next_arguments(call.action, call.arguments, reply)
    except PagingError as odd:
        payload["notes"] = [str(odd)]
    else:
        if following:
            ours = {offer.fields_argument: fields} if fields else {}
            payload["next"] = {"arguments": {**following, **ours}}
    return _result(payload, is_error=False)


def failure(error: BosaError) -> types.CallToolResult:
    """The result for a call that failed: what happened, in a word of the closed list, and what to do next."""
    kind = kind_of(error)
    told: dict[str, object] = {"kind": kind, "message": str(error), "hint": HINTS.get(kind)}
    if isinstance(error, ApiError):
        said = error.failure
        told |= {"message": said.message, "status": said.status, "code": said.code, "request_id": said.request_id}
        told["retry_after_seconds"] = said.retry_after
    if problems := _problems(error):
        told["errors"] = [_present(asdict(problem)) for problem in problems]
    return _result({"error": _present(told)}, is_error=True)


def refusal(kind: str, message: str, hint: str | None = None) -> types.CallToolResult:
    """The result for a call that the server itself cannot carry out."""
    return _result(
        {"error": _present({"kind": kind, "message": message, "hint": hint or HINTS.get(kind)})}, is_error=True
    )


def kind_of(error: BosaError) -> str:
    """What happened, in a word of the closed list."""
    if isinstance(error, ApiError) and error.status == 422:  # noqa: PLR2004  the API's own check of the arguments
        return "invalid_arguments"
    return next((KINDS[kind] for kind in type(error).__mro__ if kind in KINDS), "internal_error")


def _problems(error: BosaError) -> tuple[Problem, ...]:
    if isinstance(error, InvalidArguments):
        return error.errors
    details = items(error.failure.details) if isinstance(error, ApiError) else []
    return tuple(_problem(members(detail)) for detail in details[:50] if "msg" in members(detail))


def _problem(detail: Mapping[str, object]) -> Problem:
    """One problem that the API found: `{"loc": ["body", "kind"], "msg": …}`."""
    where = [str(part) for part in items(detail.get("loc"))]
    message = str(detail["msg"])[:500]
    return Problem(".".join(where[1:] if where[:1] == ["body"] else where), message, message)


def without(result: types.CallToolResult, secrets: Sequence[str]) -> types.CallToolResult:
    """The result, with `[hidden]` for secrets that an API repeats in what it says."""
    text = "".join(block.text for block in result.content if isinstance(block, types.TextContent))
    if not any(json.dumps(secret)[1:-1] in text for secret in secrets):
        return result
    return _result(members(_hidden(result.structured_content, secrets)), is_error=result.is_error)


def _hidden(value: object, secrets: Sequence[str]) -> object:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, "[hidden]")
        return value
    if is_object(value):
        return {str(_hidden(name, secrets)): _hidden(each, secrets) for name, each in value.items()}
    return [_hidden(each, secrets) for each in value] if is_array(value) else value


def _present(told: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in told.items() if value is not None}


def _result(payload: Mapping[str, object], *, is_error: bool) -> types.CallToolResult:
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    content: list[types.ContentBlock] = [types.TextContent(text=text)]
    return types.CallToolResult(content=content, structured_content=dict(payload), is_error=is_error)
