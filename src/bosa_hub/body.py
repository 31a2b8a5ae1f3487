"""A request's body, read within bounds."""

from typing import cast

from pydantic_core import from_json
from starlette.requests import Request

from bosa_hub.envelope import invalid_body
from bosa_hub.errors import TooLarge

MAX_BODY = 1 << 20
"""Bytes of a JSON body."""


async def read_object(request: Request) -> dict[str, object]:
    """The JSON object in the body; no body is an empty one.

    Raises:
        TooLarge: The body has more than `MAX_BODY` bytes.
        Invalid: The body is no JSON, or no object.

    """
    raw = await _read(request)
    if not raw:
        return {}
    try:
        # refuses NaN, lone surrogates and deep nesting, which the standard library lets pass or fails on
        value = from_json(raw, allow_inf_nan=False)
    except ValueError as error:
        raise invalid_body("json_invalid", f"The body is not JSON: {error}. Send one JSON object.") from error
    if not isinstance(value, dict):
        raise invalid_body("dict_type", "The body is not a JSON object. Send one: {…}.")
    return cast("dict[str, object]", value)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise TooLarge(f"The body is larger than {MAX_BODY} bytes. Send less at once.")
    return bytes(body)
