"""A request's body, read within bounds: a JSON object, or a form with files."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import cast

from pydantic_core import from_json
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from bosa_hub.envelope import invalid_body
from bosa_hub.errors import BadRequest, TooLarge
from bosa_hub.transfer import InputFile

MAX_BODY = 1 << 20
"""Bytes of a JSON body, and of a form without files."""
MAX_FORM = 1 << 30
"""Bytes of a form with files."""
MAX_FIELDS = 200
MAX_FILES = 100
MAX_FIELD = 1 << 18
"""Bytes of a field that is no file."""

_MULTIPART = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"


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


@asynccontextmanager
async def arguments_in(request: Request, lists: frozenset[str] | None) -> AsyncGenerator[dict[str, object]]:
    """The arguments of a call: a JSON object where `lists` is None, else a form that may repeat these fields.

    Files are gone after the block.

    Raises:
        TooLarge: JSON or a form without files has more than `MAX_BODY` bytes, a form with files more than `MAX_FORM`.
        Invalid: The body is something else, or has more or larger fields than a form may have.

    """
    if lists is None:
        yield await read_object(request)
        return
    form = await _parse(request)
    try:
        yield _arguments(form.multi_items(), lists)
    finally:
        await form.close()


class _Parts(MultiPartParser):
    """Starlette's parser, which takes a form that breaks off for a whole one."""

    spool_max_size = 1 << 16  # of many files in one form, each stays in memory up to here
    ended = False

    def __init__(self, headers: Headers, body: AsyncGenerator[bytes]) -> None:
        super().__init__(
            headers, self._whole(body), max_files=MAX_FILES, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD
        )

    def on_end(self) -> None:
        self.ended = True

    async def _whole(self, body: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        async for chunk in body:
            yield chunk
        if not self.ended:
            raise MultiPartException("It breaks off before its last boundary.")


async def _parse(request: Request) -> FormData:
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind == _MULTIPART:
            return await _Parts(request.headers, _body(request, MAX_FORM)).parse()
        if kind == _URLENCODED:
            body = _body(request, MAX_BODY)
            return await FormParser(request.headers, body, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD).parse()
    except MultiPartException as error:
        raise invalid_body("form_invalid", f"The form cannot be read: {error.message}") from error
    if await _read(request):
        raise invalid_body("form_type", f"This action takes files: send a form, {_MULTIPART} or {_URLENCODED}.")
    return FormData()


def _arguments(items: Iterable[tuple[str, str | UploadFile]], lists: frozenset[str]) -> dict[str, object]:
    given: dict[str, list[str | InputFile]] = {}
    for name, value in items:
        given.setdefault(_text(name), []).append(_text(value) if isinstance(value, str) else _input_file(value))
    return {name: values if name in lists or len(values) > 1 else values[0] for name, values in given.items()}


def _input_file(upload: UploadFile) -> InputFile:
    return InputFile(upload.file, _text(upload.filename or ""), upload.content_type or "", upload.size or 0)


def _text(value: str) -> str:
    """The text without halves of characters, which odd charsets bring along and nothing can store."""
    return value.encode(errors="replace").decode()


async def _read(request: Request) -> bytes:
    return b"".join([chunk async for chunk in _body(request, MAX_BODY)])


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise TooLarge(f"The body is larger than {limit} bytes. Send less at once.")


async def _body(request: Request, limit: int) -> AsyncGenerator[bytes]:
    _check_size(int(request.headers.get("Content-Length", "0")), limit)
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            _check_size(size, limit)
            yield chunk
    except ClientDisconnect as error:
        raise BadRequest("The connection was closed before the whole body was here. Send it again.") from error
