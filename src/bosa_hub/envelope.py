"""What a body looks like, for every generation of client: values in, values out."""

from collections.abc import Iterable, Mapping
from typing import Literal, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json, to_jsonable_python

from bosa_hub.errors import HubError, Invalid

_MAX_ECHO = 200
"""Characters of a wrong value that are sent back."""


def success(data: object, meta: Mapping[str, object] | None = None, message: str | None = None) -> dict[str, object]:
    """`{"data", "meta"}`, both always there, and `message` where there is something to say."""
    return {"data": data, "meta": meta} | ({"message": message} if message else {})


def failure(error: HubError, request_id: str) -> dict[str, object]:
    """`{"message", "error": {…}}`, and `detail` where fields of the body are wrong."""
    body: dict[str, object] = {
        "message": error.message,
        "error": {
            "message": error.message,
            "type": type(error).__name__,
            "code": error.code,
            "source": "bosa_hub",
            "reference_id": request_id,
            "request_id": request_id,
            "recovery": {"retryable": error.retry_after is not None, "retry_after_seconds": error.retry_after},
            "details": to_jsonable_python(error.details, fallback=str),
        },
    }
    return body | ({"detail": error.problems} if isinstance(error, Invalid) else {})


def error_contract(asked: str | None) -> str:
    """The error contract that is spoken, "1" or "2"; bodies are the same in both."""
    return "2" if asked == "2" else "1"


def invalid_arguments(
    failed: ValidationError, model: type[BaseModel], *, echo: bool, where: Literal["body", "query"] = "body"
) -> Invalid:
    """What is wrong with a request, field by field; wrong values are sent back only where `echo` allows."""
    problems = [
        {
            "type": error["type"],
            "loc": [where, *error["loc"]],
            "msg": _unknown(model) if error["type"] == "extra_forbidden" and len(error["loc"]) == 1 else error["msg"],
            "input": _bounded(cast("object", error["input"])) if echo else None,
        }
        for error in failed.errors(include_url=False, include_context=False)
    ]
    return Invalid(_summary(problems, "request body" if where == "body" else where), problems)


def invalid_body(kind: str, message: str) -> Invalid:
    """A body that is no JSON object at all."""
    return Invalid(message, [{"type": kind, "loc": ["body"], "msg": message, "input": None}])


def _unknown(model: type[BaseModel]) -> str:
    return f"Unknown field. Known ones: {', '.join(model.model_fields) or 'none'}"


def _summary(problems: Iterable[Mapping[str, object]], where: str) -> str:
    listed = [f"{_path(cast('list[object]', problem['loc']))}: {problem['msg']}" for problem in problems]
    more = f" (and {len(listed) - 3} more)" if len(listed) > 3 else ""  # noqa: PLR2004  three fit in a sentence
    return f"The {where} is not valid. {'; '.join(listed[:3])}{more}. Correct it and send it again."


def _path(loc: list[object]) -> str:
    return ".".join(str(part)[:_MAX_ECHO] for part in loc[1:]) or "body"


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return value[:_MAX_ECHO]
    # a file says its name
    json = to_json(value, fallback=repr, inf_nan_mode="null")
    return from_json(json) if len(json) <= _MAX_ECHO else "…"
