"""The shell that awaits: it sends what `wire` encodes, and hands over what `wire` decodes."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Literal, Self

import anyio
import httpx

from bosa_connectors import catalogue, schema, wire
from bosa_connectors.calls import Call, Reply
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.errors import (
    ApiError,
    BadReply,
    BosaError,
    OutcomeUnknown,
    RequestTimeout,
    TooLarge,
    Unreachable,
)
from bosa_connectors.shapes import is_array, is_object

if TYPE_CHECKING:
    from types import TracebackType

MAX_JSON_BYTES = 64 * 1024 * 1024
"""A larger answer in JSON is refused: it would be held in memory whole."""

_OLDER_FAMILY = frozenset({404, 405})
"""What a server of the older family says to `GET /connectors/names`."""

DEFAULT_TIMEOUT = 30.0
"""Seconds for connecting, and for each silence."""


class AsyncBosaConnector:
    """The connectors of one BOSA API: what they offer, and calls to it.

    One pooled HTTP client serves any number of users at once: credentials travel with each call, cookies are neither
    kept nor sent, redirects are not followed. `api_key` counts for calls that bring none of their own.
    """

    def __init__(
        self,
        api_base_url: str = "https://api.bosa.id",
        api_key: str = "bosa",
        *,
        error_contract: Literal[1, 2] = 1,
    ) -> None:
        self.api_base_url = wire.base_url(api_base_url)
        self._api_key = api_key
        self._error_contract: Literal[1, 2] = error_contract
        self._client = httpx.AsyncClient(
            timeout=DEFAULT_TIMEOUT,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            event_hooks={"response": [_set_redirect_aside]},
            mounts=dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]")),  # never through a proxy
        )
        self._catalogues: dict[str, Catalogue] = {}
        self._discovering: dict[str, anyio.Lock] = {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.api_base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections. Using the object afterwards raises RuntimeError."""
        await self._client.aclose()

    async def get_available_modules(self) -> list[str]:
        """The names of the API's connectors, asked anew each time."""
        try:
            names = await self._get("/connectors/names")
        except ApiError as failure:
            if failure.status not in _OLDER_FAMILY:
                raise
            names = None
        if is_array(names):
            return [name for name in names if isinstance(name, str)]
        listing = await self._get("/connectors")
        if not is_object(listing):
            raise BadReply("The list of connectors is not a JSON object. Is this the address of a BOSA API?")
        return list(listing)

    async def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector, asked once; raises ConnectorNotFound where there is no such connector."""
        async with self._discovering.setdefault(app, anyio.Lock()):
            if app not in self._catalogues:
                self._catalogues[app] = await self._discover(app)
            return self._catalogues[app]

    async def refresh_connector(self, app: str) -> Catalogue:
        """The actions of a connector, asked anew."""
        async with self._discovering.setdefault(app, anyio.Lock()):
            self._catalogues[app] = await self._discover(app)
            return self._catalogues[app]

    async def send(self, call: Call) -> Reply:
        """The reply to a call.

        A failure that the API states is the reply's `error`. Raises InvalidArguments and InvalidSchema before anything
        is sent, Unreachable where nothing could be, RequestTimeout and OutcomeUnknown where it is not known whether
        the API acted, and BadReply for an answer that cannot be read.
        """
        request = wire.encode(call, api_key=self._api_key, error_contract=self._error_contract)
        schema.check(call.action, wire.present(call.action, call.arguments))
        with _within(call.deadline):
            return await self._reply(request)

    async def _discover(self, app: str) -> Catalogue:
        return catalogue.parse(app, await self._get("/connectors/", {"modules": app}))

    async def _get(self, path: str, query: Mapping[str, str] | None = None) -> object:
        request = wire.listing(path, query, self._error_contract)
        reply = await self._reply(request)
        if reply.error:
            raise reply.error
        if reply.file:
            raise BadReply(f"The answer is of type {reply.file.content_type}, not JSON. Is the API's address right?")
        return reply.body

    async def _reply(self, request: wire.Request) -> Reply:
        async with self._exchange(request) as response:
            headers = {name.lower(): value for name, value in response.headers.items()} | response.extensions[
                "redirect"
            ]
            if response.is_success and not wire.is_json(headers):
                return wire.decode_file(response.status_code, headers)
            return wire.decode(response.status_code, headers, await _read(response))

    @asynccontextmanager
    async def _exchange(self, request: wire.Request) -> AsyncGenerator[httpx.Response]:
        url, content = self.api_base_url + request.path, request.body
        try:
            async with self._client.stream(request.method, url, headers=request.headers, content=content) as response:
                yield response
        except httpx.InvalidURL as failure:
            raise BosaError(f"A request to {request.path[:200]!r} cannot be made: {failure}") from failure
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as failure:
            raise Unreachable(
                f"{self.api_base_url} cannot be reached: {failure or 'no connection in time'}"
            ) from failure
        except httpx.TimeoutException as failure:
            raise RequestTimeout(f"{self.api_base_url} did not answer within {DEFAULT_TIMEOUT:g} s.") from failure
        except httpx.DecodingError as failure:
            raise BadReply(f"The answer of {self.api_base_url} cannot be decompressed.") from failure
        except httpx.TransportError as failure:
            raise OutcomeUnknown(f"The connection to {self.api_base_url} broke before the answer came.") from failure


async def _read(response: httpx.Response) -> bytes:
    """The body. That of a 5xx is left one step before its end, so that its connection is not used again."""
    # the published server closes it after a 500 without a word
    length = int(response.headers.get("content-length", -1)) if response.is_server_error else -1
    body = bytearray()
    if length == 0:
        return b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_JSON_BYTES:
            raise TooLarge(
                f"The answer is larger than {MAX_JSON_BYTES // 1024 // 1024} MB, more than is taken at once."
            )
        if response.num_bytes_downloaded == length:
            break
    return bytes(body)


async def _set_redirect_aside(response: httpx.Response) -> None:
    """The library reads where a redirect leads even where it does not follow, and fails where that makes no sense."""
    response.extensions["redirect"] = {
        name: response.headers.pop(name) for name in ("location",) if name in response.headers
    }


@contextmanager
def _within(seconds: float | None) -> Generator[None]:
    try:
        with anyio.fail_after(seconds):
            yield
    except TimeoutError as late:
        if isinstance(late, RequestTimeout):
            raise
        raise RequestTimeout(
            f"The call was not finished within {seconds:g} s: whether it acted is not known."
        ) from late
