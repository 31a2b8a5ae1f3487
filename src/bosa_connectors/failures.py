"""A reply that is a failure becomes one error, whichever generation of the API wrote it."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from bosa_connectors.errors import ApiError, Failure, api_error
from bosa_connectors.header import content_type
from bosa_connectors.shapes import items, members

_MESSAGE_LENGTH: Final = 2_000
_MOST_REASONS: Final = 20
_LONGEST_WAIT: Final = 1e9


def decode_error(status: int, headers: Mapping[str, str], body: object) -> ApiError:
    """The error in an answer, whichever generation of the API wrote it."""
    top = members(body)
    inner = members(top.get("error"))
    recovery = members(inner.get("recovery"))
    details = inner.get("details") or top.get("detail") or inner.get("detail")
    named = [top.get(name) for name in ("message", "error_description", "error", "detail", "title")]
    said = (inner.get("message"), *named, None if _is_page(headers) else body)
    message = next((text for text in said if isinstance(text, str) and text.strip()), None)
    wait = _seconds(recovery.get("retry_after_seconds"))
    return api_error(
        Failure(
            status=status,
            message=(message or _found(details) or _listed(top) or _unsaid(status, headers))[:_MESSAGE_LENGTH],
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


def _found(details: object) -> str:
    """What the API's check of the body found: `[{"loc": ["body", "kind"], "msg": …}]`."""
    found = [members(detail) for detail in items(details) if "msg" in members(detail)]
    return "; ".join(f"{'.'.join(map(str, items(each.get('loc'))))}: {each['msg']}" for each in found)


def _listed(top: Mapping[str, object]) -> str:
    """The reasons in a list: `{"errors": [{"detail": …}]}`, `{"message": ["…"]}`."""
    found = items(next((each for name in ("errors", "message", "error", "detail") if (each := top.get(name))), None))
    reasons = (each if isinstance(each, str) else _reason(members(each)) for each in found[:_MOST_REASONS])
    return "; ".join(filter(None, reasons))


def _reason(said: Mapping[str, object]) -> str | None:
    return next((text for name in ("message", "detail", "reason", "title") if (text := _text(said.get(name)))), None)


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
