"""A call becomes a request; an answer becomes a reply. No HTTP library is known here."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final, Literal
from urllib.parse import urlencode, urlsplit

from bosa_connectors.calls import Action, Call, Credentials, FileHead, Reply
from bosa_connectors.errors import ApiError, BadReply, BosaError, Failure, api_error
from bosa_connectors.shapes import is_object, items, members

JSON: Final = "application/json"
_MESSAGE_LENGTH: Final = 2_000
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent for a call. The path is relative to the API's base URL."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def base_url(url: str) -> str:
    """The API's address without a trailing slash; a ValueError says what is wrong with it."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is not the address of an API: expected something like https://api.bosa.id")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(f"The API's address at {parts.hostname} may hold a path, but no user, query or fragment")
    return url.strip().rstrip("/")


def encode(call: Call, *, api_key: str | None, error_contract: Literal[1, 2]) -> Request:
    """The request for a call whose arguments have been checked. `api_key` counts where the call brings none."""
    return Request(
        method="POST",
        path=call.action.path,
        headers={"content-type": JSON, **headers(call.credentials or Credentials(), api_key, error_contract)},
        body=json.dumps(present(call.action, call.arguments), ensure_ascii=False, allow_nan=False).encode(),
    )


def listing(path: str, query: Mapping[str, str] | None, error_contract: Literal[1, 2]) -> Request:
    """The request for a listing, which carries no credentials."""
    target = f"{path}?{urlencode(query)}" if query else path
    return Request("GET", target, headers(Credentials(), None, error_contract), b"")


def present(action: Action, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments without optional nulls: absent and null mean the same to the API."""
    required = items(action.schema.get("required"))
    return {name: value for name, value in arguments.items() if value is not None or name in required}


def headers(credentials: Credentials, api_key: str | None, error_contract: Literal[1, 2]) -> dict[str, str]:
    """Who calls, as headers."""
    named = {
        "x-api-key": credentials.api_key or api_key,
        "authorization": credentials.user_token and f"Bearer {credentials.user_token}",
        "x-bosa-integration": credentials.account,
        "x-integration": credentials.account,
        "x-gl-error-contract": "2" if error_contract == 2 else None,  # noqa: PLR2004  the contract's own number
        "accept": f"{JSON}, */*",
    }
    for name, value in named.items():
        if value and _UNPRINTABLE.search(value):
            raise BosaError(f"The value for the header {name} holds a character that a header cannot carry.")
    return {name: value for name, value in named.items() if value}


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer with these headers (names in lower case) is JSON; one that does not say is taken for it."""
    kind = _content_type(headers)
    return not kind or kind == JSON or kind.endswith("+json")


def decode_file(status: int, headers: Mapping[str, str]) -> Reply:
    """The reply that a successful answer other than JSON is: a file."""
    disposition, size = headers.get("content-disposition"), headers.get("content-length", "")
    if disposition is None and _content_type(headers) == "text/html":
        raise BadReply("The answer is a web page, not a reply of a BOSA API. Is the API's address right?")
    message = Message()
    message["content-disposition"] = disposition or ""
    head = FileHead(message.get_filename(), _content_type(headers), int(size) if size.isdecimal() else None)
    return Reply(status, headers, file=head)


def decode(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """The reply in an answer: its data and meta, or its error. Raises BadReply for a success that cannot be read."""
    if not 200 <= status < 300:  # noqa: PLR2004  the success statuses
        parsed = _parse_leniently(headers, body)
        return Reply(status, headers, parsed, error=decode_error(status, headers, parsed))
    if not body.strip():
        return Reply(status, headers)
    parsed = parse_json(headers, body)
    if is_object(parsed) and "data" in parsed:
        return Reply(status, headers, parsed, parsed["data"], parsed.get("meta"))
    return Reply(status, headers, parsed, parsed)


def parse_json(headers: Mapping[str, str], body: bytes) -> object:
    """JSON that can be written again: numbers that are none become null, halves of characters a question mark."""
    charset = _parameter(headers, "charset")
    try:
        text = body.decode(charset) if charset else body
        parsed: object = json.loads(text, parse_constant=lambda _: None, parse_float=_finite)
    except (ValueError, LookupError, RecursionError) as odd:
        raise BadReply("The answer says that it is JSON and is not.") from odd
    if _LONE_SURROGATE.search(body):
        parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    return parsed


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def decode_error(status: int, headers: Mapping[str, str], body: object) -> ApiError:
    """The error in an answer, whichever generation of the API wrote it."""
    top = members(body)
    inner = members(top.get("error"))
    recovery = members(inner.get("recovery"))
    said = (inner.get("message"), top.get("message"), top.get("error"), top.get("detail"), body)
    message = next((text for text in said if isinstance(text, str) and text.strip()), None) or _unsaid(status, headers)
    return api_error(
        Failure(
            status=status,
            message=message[:_MESSAGE_LENGTH],
            code=_text(inner.get("code")),
            request_id=_text(inner.get("request_id"))
            or headers.get("x-request-id")
            or _text(inner.get("reference_id")),
            retryable=retryable if isinstance(retryable := recovery.get("retryable"), bool) else None,
            retry_after=_seconds(recovery.get("retry_after_seconds")) or retry_after(headers),
            details=inner.get("details") or top.get("detail") or inner.get("detail"),
        )
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After as seconds or as a date (against the server's own Date)."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return max(0.0, wait.total_seconds())


def _parse_leniently(headers: Mapping[str, str], body: bytes) -> object:
    if is_json(headers):
        try:
            return parse_json(headers, body)
        except BadReply:
            pass
    return None if _content_type(headers) == "text/html" else body.decode("utf-8", "replace")


def _unsaid(status: int, headers: Mapping[str, str]) -> str:
    if 300 <= status < 400:  # noqa: PLR2004  the redirects
        target = urlsplit(headers.get("location", ""))
        where = f"{target.scheme}://{target.netloc.rpartition('@')[2]}" if target.netloc else "another path"
        return f"The API redirects to {where}, and redirects are not followed. Is the API's address right?"
    return "The API gave no reason."


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def _parameter(headers: Mapping[str, str], name: str) -> str | None:
    message = Message()
    message["content-type"] = headers.get("content-type", "")
    value = message.get_param(name)
    return value if isinstance(value, str) else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0 else None


def _text(value: object) -> str | None:
    return value[:_MESSAGE_LENGTH] if isinstance(value, str) and value else None
