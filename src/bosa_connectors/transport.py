"""What both shells know of httpx: how a client is set up, how long it waits, and what its failures mean."""

import math
import os
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from errno import errorcode
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any, Final, cast
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from bosa_connectors.calls import FileHead, Timeout
from bosa_connectors.errors import BosaError, BrokenReply, OutcomeUnknown, RequestTimeout, TooLarge, Unreachable
from bosa_connectors.gunzip import GZIP, AsyncUnpacked, Unpacked
from bosa_connectors.wire import Request

MAX_JSON_BYTES: Final = 64 * 1024 * 1024
"""A larger answer in JSON is refused: it would be held in memory whole."""
_SHORTEST: Final = 0.001
_LONGEST: Final = 1e6
"""Seconds that no socket can be told to wait longer than: as good as no limit."""
IDLE: Final = 4.0
"""Seconds for which an idle connection is kept: servers hang up after 5, and a request sent just then is lost."""
MOST: Final = 100
"""Connections at once."""


def client_settings(verify: ssl.SSLContext, connections: object, url: str) -> dict[str, Any]:
    """How a client of the API at `url` is set up: it follows no redirects.

    What goes through a proxy takes httpx's own connections. Raises Unreachable for a proxy that cannot be used.
    """
    # nothing but gzip is unpacked a bounded piece at a time; of the variables only those count that mean this API
    settings: dict[str, Any] = {"headers": {"accept-encoding": "gzip"}, "verify": verify, "trust_env": False}
    proxy = proxy_for(url)
    if proxy is None:
        return settings | {"transport": connections}
    limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST, keepalive_expiry=IDLE)
    try:
        httpx.HTTPTransport(verify=verify, proxy=proxy).close()
    except (ImportError, ValueError) as odd:
        raise Unreachable(f"{url} cannot be reached by way of the proxy that the variables name: {odd}") from odd
    return settings | {"proxy": proxy, "limits": limits}


def proxy_for(url: str) -> str | None:
    """The proxy that the variables name for this address: none for this machine."""
    to, proxies = urlsplit(url), getproxies()
    host = to.hostname or ""
    named = proxies.get(to.scheme) or proxies.get("all")
    if not named or host in {"127.0.0.1", "localhost", "::1"} or proxy_bypass(host):
        return None
    if _is_within(host, proxies.get("no", "")):
        return None
    return named if "://" in named else f"http://{named}"


def _is_within(host: str, networks: str) -> bool:
    """Whether the host is an address in one of these networks: `10.0.0.0/8, fd00::/8`."""
    for network in networks.split(","):
        with suppress(ValueError):  # one of the two is a name
            if ip_address(host) in ip_network(network.strip(), strict=False):
                return True
    return False


class _NoCookies(httpx.Cookies):
    """Keeps none: neither does it look for any, which takes long."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Takes none from an answer."""


class Client(httpx.Client):
    """Keeps no cookies."""

    cookies = _NoCookies()  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]  a property there


class AsyncClient(httpx.AsyncClient):
    """Keeps no cookies."""

    cookies = _NoCookies()  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride]  a property there


@lru_cache(maxsize=1024)
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def default_headers(client: httpx.Client | httpx.AsyncClient, url: str) -> dict[str, str]:
    """The headers that each request to the API at `url` has."""
    return {"host": httpx.URL(url).netloc.decode("ascii"), **dict(client.headers.items())}


def built(  # noqa: PLR0913  the parts that a request is made of
    request: Request,
    body: bytes | Iterator[bytes] | AsyncIterator[bytes],
    url: str,
    headers: Mapping[str, str],
    patience: "Patience",
    *,
    writes: bool,
) -> httpx.Request:
    """The request as httpx sends it to the API at `url`, beside these headers.

    The client would make the same, but parse the address and look through the headers anew each time.
    """
    said = {**headers, **request.headers}
    may_repeat = isinstance(body, bytes) and not writes
    settled: dict[str, Any] = {"extensions": {"timeout": patience, "may_repeat": may_repeat}}
    target = _parsed(url + request.path)
    if not isinstance(body, bytes):
        return httpx.Request(request.method, target, headers=said, content=body, **settled)
    if body or request.method == "POST":
        said["content-length"] = str(len(body))
    return httpx.Request(request.method, target, headers=said, stream=httpx.ByteStream(body), **settled)


def certificates() -> ssl.SSLContext:
    """Whom to trust: httpx reads SSL_CERT_FILE and SSL_CERT_DIR; the variables of requests count where none is."""
    named = [os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")]
    bundle = next((path for path in named[2:] if path), None)
    context = ssl.create_default_context(cafile=bundle) if bundle and not any(named[:2]) else httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Patience(dict[str, float | None]):
    """The timeouts of one attempt, as httpx asks for them: what is left until the deadline, where that is less."""

    def __init__(self, timeout: Timeout, deadline: float | None, ends: float | None) -> None:
        connecting, silence = timeout if isinstance(timeout, tuple) else (timeout, timeout)
        steps = {"connect": connecting, "pool": connecting, "read": silence, "write": silence}
        whole = math.inf if deadline is None else max(deadline, _SHORTEST)
        longest = {step: min(seconds or math.inf, whole) for step, seconds in steps.items()}
        super().__init__({step: seconds if seconds < _LONGEST else None for step, seconds in longest.items()})
        self._ends = ends

    def get(self, key: str, default: float | None = None) -> float | None:  # type: ignore[override]  # one signature of three is used
        """Seconds for the next step of this kind."""
        timeout = super().get(key, default)
        return timeout if self._ends is None or timeout is None else min(timeout, self.left())

    def left(self) -> float:
        """Seconds until the deadline, a moment at least."""
        left = math.inf if self._ends is None else max(self._ends - time.monotonic(), _SHORTEST)
        return left if left < _LONGEST else math.inf

    def moved(self, seconds: float) -> None:
        """The request took so long to send: time in which bytes moved does not count against the deadline."""
        self._ends = None if self._ends is None else self._ends + seconds

    def transfer(self) -> None:
        """From here on bytes move: each silence is bounded, their sum is not."""
        self._ends = None


def headers_of(response: httpx.Response) -> dict[str, str]:
    """Names in lower case; of several values one text."""
    return {**dict(response.headers.items()), **response.extensions["kept"]}


def received(response: httpx.Response) -> None:
    """Called with each answer, before it is read."""
    packing = response.headers.get("content-encoding", "").strip().lower()
    is_packed = packing in GZIP
    if not is_packed and packing not in {"", "identity"}:
        raise httpx.DecodingError("It is packed in a way that was not asked for.")
    # the library reads where a redirect leads even where it does not follow, and fails where that makes no sense
    kept = ("location", "content-encoding") if is_packed else ("location",)
    response.extensions["kept"] = {name: response.headers.pop(name) for name in kept if name in response.headers}
    if response.is_server_error and "network_stream" in response.extensions:
        # the published server closes its connection after a 500 without a word
        last = _LastAnswer if isinstance(response.stream, httpx.SyncByteStream) else _AsyncLastAnswer
        response.stream = last(response)
    if is_packed:
        stream = response.stream
        is_sync = isinstance(stream, httpx.SyncByteStream)
        response.stream = Unpacked(stream) if is_sync else AsyncUnpacked(cast("httpx.AsyncByteStream", stream))


class _LastAnswer(httpx.SyncByteStream):
    """The body of an answer whose connection ends with it."""

    def __init__(self, response: httpx.Response) -> None:
        self._stream = cast("httpx.SyncByteStream", response.stream)
        self._connection = response.extensions["network_stream"]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._connection.close()
        finally:
            self._stream.close()


class _AsyncLastAnswer(httpx.AsyncByteStream):
    """The body of an answer whose connection ends with it."""

    def __init__(self, response: httpx.Response) -> None:
        self._stream = cast("httpx.AsyncByteStream", response.stream)
        self._connection = response.extensions["network_stream"]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        try:
            await self._connection.aclose()
        finally:
            await self._stream.aclose()


def too_large(limit: int) -> TooLarge:
    """The error for an answer of more than `limit` bytes."""
    megabytes, rest = divmod(limit, 1024 * 1024)
    shown = f"{limit} bytes" if rest or not megabytes else f"{megabytes} MB"
    return TooLarge(f"The answer is larger than {shown}, more than is taken at once.")


def bounded(head: FileHead, limit: int | None) -> FileHead:
    """The same head; raises TooLarge where it announces more bytes than the limit."""
    if limit is not None and head.size is not None and head.size > limit:
        raise too_large(limit)
    return head


def translate(failure: Exception, url: str, *, writes: bool) -> BosaError:
    """What a failure of the transport means for a request that only asked, or that may have acted."""
    if isinstance(failure, (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.PoolTimeout)):
        said = _said_by_system(failure) or str(failure) or "no connection in time"
        return Unreachable(f"{url} cannot be reached: {said}")
    if isinstance(failure, httpx.TimeoutException):
        said = f"{url} did not answer in time"
        return unknown(said) if writes else RequestTimeout(f"{said}.")
    if isinstance(failure, httpx.DecodingError):
        said = f"The answer of {url} cannot be decompressed"
        return unknown(said) if writes else BrokenReply(f"{said}.")
    if isinstance(failure, httpx.TransportError):
        said = f"The connection to {url} broke before the answer had come"
        return unknown(said) if writes else Unreachable(f"{said}.")
    return BosaError(f"A request to {url} cannot be made: {failure}")


def _said_by_system(failure: BaseException | None) -> str | None:
    """Why there is no connection, where a library only says that all of its attempts failed."""
    while failure:
        if isinstance(failure, BaseExceptionGroup):  # an attempt for each address
            failure = cast("BaseExceptionGroup[BaseException]", failure).exceptions[-1]
        elif isinstance(failure, socket.gaierror):
            return failure.strerror
        elif isinstance(failure, OSError) and failure.errno in errorcode and not isinstance(failure, ssl.SSLError):
            return os.strerror(failure.errno or 0)
        else:
            failure = failure.__cause__
    return None


def is_lost(failure: BosaError) -> bool:
    """Whether the answer got lost on its way: the connection was there, and broke."""
    return isinstance(failure.__cause__, (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError))


def unknown(said: str) -> OutcomeUnknown:
    """The error for what may have acted, although `said`."""
    return OutcomeUnknown(f"{said}: whether it acted is not known. Look before you repeat it.")
