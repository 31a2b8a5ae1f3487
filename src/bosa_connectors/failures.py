"""A reply that is a failure becomes one error, whichever generation of the API wrote it."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from bosa_connectors.errors import ApiError, Failure, api_error
from bosa_connectors.header import content_type
from bosa_connectors.shapes import is_array, items, members

_MESSAGE_LENGTH: Final = 2_000
_MOST_REASONS: Final = 20
_LONGEST_WAIT: Final = 1e9
_REASONS: Final = (
    *("message", "error_description", "detail", "details", "errors", "error", "fault", "faultstring"),
    *("reason", "title", "text", "value"),
)
"""Members that say what went wrong, what says most of it first."""


def decode_error(status: int, headers: Mapping[str, str], body: object) -> ApiError:
    """The error in an answer, whichever generation of the API wrote it."""
    top = members(body)
    inner = members(top.get("error"))
    recovery = members(inner.get("recovery"))
    details = inner.get("details") or top.get("detail") or inner.get("detail")
    message = _told(inner) or _told(None if _is_page(headers) else body) or _unsaid(status, headers)
    wait = _seconds(recovery.get("retry_after_seconds"))
    return api_error(
        Failure(
            status=status,
            message=message[:_MESSAGE_LENGTH],
            code=_text(inner.get("code")),
            request_id=_text(inner.get("request_id"))
            or headers.get("x-request-id")
            or _text(inner.get("reference_id")),
            retryable=retryable if isinstance(retryable := recovery.get("retryable"), bool) else None,
            retry_after=retry_after(headers) if wait is None else wait,
            details=details,
        )
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After as seconds or as a date (against the server's own Date)."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return _seconds(float(value[:400]))
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())


def _told(body: object) -> str:
    """What a body says, with the errors that it lists beside."""
    said, listed = _reason(body), _reason(members(body).get("errors"), is_listed=True)
    return f"{said} ({listed})" if said and listed and listed not in said else said or listed


def _reason(value: object, depth: int = 3, *, is_listed: bool = False) -> str:
    """The reason that a value gives: a text, several in a list, what an object says, also of each of its members.

    One that `is_listed` under `errors` may say it of each of its members in a text, or in another object.
    """
    if isinstance(value, str):
        return value if value.strip() else ""
    if not depth or not value:
        return ""
    if is_array(value):
        return "; ".join(filter(None, (_reason(each, depth - 1) for each in value[:_MOST_REASONS])))
    said = members(value)
    if isinstance(message := said.get("msg"), str):  # as `{"loc": ["body", "kind"], "msg": …}`
        return f"{'.'.join(map(str, items(said.get('loc'))))}: {message}"
    if named := next(filter(None, (_reason(said.get(name), depth - 1) for name in _REASONS)), ""):
        return named
    parts = {name: each for name, each in islice(said.items(), _MOST_REASONS) if is_listed or is_array(each)}
    reasons = ((name, _reason(each, depth - 1)) for name, each in parts.items())
    return "; ".join(f"{name}: {reason}" for name, reason in reasons if reason)


def _unsaid(status: int, headers: Mapping[str, str]) -> str:
    if 300 <= status < 400:  # noqa: PLR2004  the redirects
        return f"The API redirects{_where(headers)}, and redirects are not followed. Is the API's address right?"
    if status == 404 and _is_page(headers):  # noqa: PLR2004  not found
        return "A web page answered, and no API. Is the API's address right?"
    return "The API gave no reason."


def _is_page(headers: Mapping[str, str]) -> bool:
    return content_type(headers) == "text/html"


def _where(headers: Mapping[str, str]) -> str:
    try:
        target = urlsplit(headers.get("location", ""))
    except ValueError:
        return ""
    return f" to {target.scheme}://{target.netloc.rpartition('@')[2]}"[:200] if target.netloc else " to another path"


def _seconds(value: object) -> float | None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= _LONGEST_WAIT:
        return None
    return float(value)


def _text(value: object) -> str | None:
    return value[:_MESSAGE_LENGTH] if isinstance(value, str) and value else None
