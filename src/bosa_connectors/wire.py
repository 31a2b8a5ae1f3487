"""A call becomes a request; an answer becomes a reply. No HTTP library is known here."""

import codecs
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value
from functools import lru_cache
from typing import Final, Literal, TypeAlias, cast
from urllib.parse import SplitResult, urlencode, urlsplit

from bosa_connectors import form, header
from bosa_connectors.calls import Action, Call, Credentials, FileHead, Headers, Reply
from bosa_connectors.errors import (
    BadReply,
    BrokenReply,
    InvalidArguments,
    InvalidHeader,
    Problem,
)
from bosa_connectors.failures import decode_error
from bosa_connectors.naming import base_name
from bosa_connectors.shapes import is_object

JSON: Final = "application/json"
SAYABLE: Final = "text, finite numbers, true, false, null, objects and arrays of these"
_JSON_TOO: Final = (JSON, "text/json", "")
ACCEPT: Final = {"accept": f"{JSON}, */*"}
"""What is wanted, where the caller does not say."""
_SIZE_DIGITS: Final = 18
_Parameter: TypeAlias = str | tuple[str | None, str | None, str]
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_FRAMING = frozenset(
    {"connection", "content-length", "cookie", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent for a call. The path is relative to the API's base URL."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | form.Form = field(repr=False)


def base_url(url: str) -> str:
    """The API's address without a trailing slash; a ValueError says what is wrong with it, without repeating it."""
    address = url.strip() if isinstance(url, str) else ""  # pyright: ignore[reportUnnecessaryIsInstance]  any program's
    parts = _address(address)
    if parts is None:
        raise ValueError("This is not the address of an API: expected something like https://api.bosa.id")
    if parts.username or parts.password or "?" in address or "#" in address:
        raise ValueError(f"The API's address at {parts.hostname} may hold a path, but no user, query or fragment")
    return address.rstrip("/")


def _address(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and text.isprintable()
    except ValueError:  # a port that is no number, brackets that do not close
        return None
    return parts if is_address else None


def encode(call: Call, *, api_key: str | None, error_contract: Literal[1, 2], key: str | None = None) -> Request:
    """The request for a call whose arguments have been checked. `api_key` counts where the call brings none.

    `key` goes along as Idempotency-Key: an API that knows it carries out what comes twice only once.
    """
    own = headers(call.credentials or Credentials(), api_key, error_contract)
    beside = {"idempotency-key": key} if key else {}
    kind, body = _body(call.action, present(call.action, call.arguments))
    return Request(
        method="POST",
        path=call.action.path,
        headers={**ACCEPT, **beside, **_callers(call.headers), "content-type": kind, **_length(body), **own},
        body=body,
    )


def _body(action: Action, arguments: Mapping[str, object]) -> tuple[str, bytes | form.Form]:
    """What an action that has a field for files takes is a form, also where no file is attached."""
    return form.encode(action, arguments) if action.binary else (JSON, _json(arguments))


def _length(body: bytes | form.Form) -> dict[str, str]:
    """The length of what is streamed, where it is known."""
    return {} if isinstance(body, bytes) or body.size is None else {"content-length": str(body.size)}


def _callers(headers: Headers) -> dict[str, str]:
    """The caller's own headers; what frames the message is not theirs to say."""
    named = header.plain(headers)
    for name, value in named.items():
        if not header.is_name(name) or name in _FRAMING:
            raise InvalidHeader(f"The header {name[:100]!r} cannot be sent along with a call: leave it out.")
        _check_header(name, value)
    return named


def _check_header(name: str, value: object) -> None:
    if not header.is_value(value):
        raise InvalidHeader(
            f"The value for the header {name} holds a character that a header cannot carry there: expected printable"
            " ASCII text, without space at either end."
        )


def _json(arguments: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(arguments, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as odd:
        names = [name for name, value in arguments.items() if not is_sayable({name: value})]
        raise InvalidArguments(Problem(name, f"JSON cannot say this: {odd}"[:300], SAYABLE) for name in names) from odd


def is_sayable(value: object) -> bool:
    """Whether JSON has a way to write this."""
    try:
        return bool(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError):
        return False


def listing(path: str, query: Mapping[str, str] | None, error_contract: Literal[1, 2]) -> Request:
    """The request for a listing, which carries no credentials."""
    target = f"{path}?{urlencode(query)}" if query else path
    return Request("GET", target, {**ACCEPT, **headers(Credentials(), None, error_contract)}, b"")


def present(action: Action, arguments: Mapping[str, object]) -> dict[str, object]:
    """The arguments without optional nulls: absent and null mean the same to the API."""
    if not any(value is None for value in arguments.values()):
        return dict(arguments)
    optional = action.properties.keys() - action.required
    return {name: value for name, value in arguments.items() if value is not None or name not in optional}


def headers(credentials: Credentials, api_key: str | None, error_contract: Literal[1, 2]) -> dict[str, str]:
    """Who calls, as headers; raises InvalidHeader for what is no text."""
    check_texts(
        client_key=credentials.api_key or api_key, user_token=credentials.user_token, account=credentials.account
    )
    named = {
        "x-api-key": credentials.api_key or api_key,
        "authorization": credentials.user_token and f"Bearer {credentials.user_token}",
        "x-bosa-integration": credentials.account,
        "x-integration": credentials.account,
        "x-gl-error-contract": "2" if error_contract == 2 else None,  # noqa: PLR2004  the contract's own number
    }
    present = {name: value for name, value in named.items() if value}
    for name, value in present.items():
        _check_header(name, value)
    return present


def check_texts(**texts: object) -> None:
    """Raises InvalidHeader unless each of these is text, or None."""
    for name, text in texts.items():
        if text is not None and not isinstance(text, str):
            raise InvalidHeader(
                f"The {name.replace('_', ' ')} is of type {type(text).__name__}: expected text, or None."
            )


def is_json(headers: Mapping[str, str]) -> bool:
    """Whether an answer with these headers (names in lower case) is JSON; one that does not say is taken for it."""
    kind = header.content_type(headers)
    return kind in _JSON_TOO or kind.endswith("+json")


def is_file(status: int, headers: Mapping[str, str]) -> bool:
    """Whether an answer is a file: a success that is not JSON."""
    return 200 <= status < 300 and not is_json(headers)  # noqa: PLR2004  the success statuses


def decode_file(headers: Mapping[str, str]) -> FileHead:
    """What a file's answer says about it."""
    size = headers.get("content-length", "")
    is_known = size.isdecimal() and len(size) <= _SIZE_DIGITS and "content-encoding" not in headers
    return FileHead(_filename(headers), header.content_type(headers), int(size) if is_known else None)


def _filename(headers: Mapping[str, str]) -> str | None:
    """The name in a disposition, which is no path; of two, the one that is not an ASCII stand-in for the other."""
    names = [value for name, value in _parameters(headers, "content-disposition") if name.lower() == "filename"]
    names.sort(key=lambda name: isinstance(name, str))
    try:
        said = collapse_rfc2231_value(names[0]) if names else ""
        return base_name(said.encode("utf-8", "replace").decode()) or None
    except (ValueError, LookupError):  # in a charset that there is not
        return None


def _parameters(headers: Mapping[str, str], name: str) -> list[tuple[str, _Parameter]]:
    message = Message()
    message[name] = headers.get(name, "")
    try:
        return cast("list[tuple[str, _Parameter]]", message.get_params([], header=name))
    except (TypeError, ValueError):  # what the parser makes of one that is said in pieces
        return []


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
    try:
        text = _text_of(headers, body)
        parsed: object = _DECODER.decode(text)
        if (not text.isascii() or "\\u" in text) and _HALF_CHARACTER.search(text):
            parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, LookupError, RecursionError) as odd:
        raise BrokenReply("The answer says that it is JSON and is not.") from odd
    return parsed


def _text_of(headers: Mapping[str, str], body: bytes) -> str:
    charset = _charset(headers.get("content-type", "")) or json.detect_encoding(body)
    return body.decode(charset, _WESTERN if charset.lower() in _UTF_8 else "strict").removeprefix("\ufeff")


def _western(odd: UnicodeError) -> tuple[str, int]:
    """The characters that older programs mean by bytes which are no UTF-8; 0xFF says that this is no text at all."""
    if not isinstance(odd, UnicodeDecodeError) or b"\xff" in (found := odd.object[odd.start : odd.end]):
        raise odd
    return found.decode("cp1252", "replace"), odd.end


_UTF_8: Final = frozenset({"utf-8", "utf8", "utf-8-sig"})
_WESTERN: Final = "bosa_connectors.western"
codecs.register_error(_WESTERN, _western)


@lru_cache(maxsize=64)
def _charset(content_type: str) -> str | None:
    parameters = _parameters({"content-type": content_type}, "content-type")
    charsets = [value for name, value in parameters if name.lower() == "charset"]
    return charsets[0] if charsets and isinstance(charsets[0], str) else None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_DECODER: Final = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)


def _parse_leniently(headers: Mapping[str, str], body: bytes) -> object:
    if is_json(headers):
        try:
            return parse_json(headers, body)
        except BadReply:
            pass
    try:
        return _text_of(headers, body).encode("utf-8", "replace").decode()
    except (ValueError, LookupError):
        return body.decode("utf-8", "replace")
