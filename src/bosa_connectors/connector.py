"""The shell that waits: it sends what `wire` encodes, and hands over what `wire` decodes."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx

from bosa_connectors import discovery, wire
from bosa_connectors.base import Connector, Exchange, repeating
from bosa_connectors.calls import Call, Reply
from bosa_connectors.catalogue import Catalogue
from bosa_connectors.discovery import Known, Steps
from bosa_connectors.download import Download, StreamedReply
from bosa_connectors.errors import BosaError
from bosa_connectors.models.file import held
from bosa_connectors.retry import Outcome
from bosa_connectors.transport import (
    MAX_JSON_BYTES,
    client_settings,
    headers_of,
    received,
    too_large,
    translate,
)

if TYPE_CHECKING:
    from types import TracebackType

T = TypeVar("T")


class BosaConnector(Connector):
    """The connectors of one BOSA API: what they offer, and calls to it.

    One pooled HTTP client serves any number of threads and users at once: credentials travel with each call, cookies
    are neither kept nor sent, redirects are not followed. `api_key` counts for calls that bring none of their own.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  those of Connector
        super().__init__(*args, **kwargs)
        self._client = httpx.Client(**client_settings(), event_hooks={"response": [received]})
        self._locks: dict[str, Lock] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections. Using the object afterwards raises RuntimeError."""
        self._client.close()

    def get_available_modules(self) -> list[str]:
        """The names of the API's connectors, asked anew each time."""
        return self._hold(discovery.names(self._error_contract))

    def catalogue(self, app: str) -> Catalogue:
        """The actions of a connector, asked once and kept for an hour.

        Raises ConnectorNotFound where there is no such connector.
        """
        known = self._known.setdefault(app, Known())
        if known.found is not None and self._is_fresh(known):
            return known.found
        return self._discover(app, known)

    def refresh_connector(self, app: str) -> Catalogue:
        """The actions of a connector, asked anew."""
        known = self._known.setdefault(app, Known())
        return self._discover(app, known)

    def _discover(self, app: str, known: Known) -> Catalogue:
        """What the API says now; whoever waits for it meanwhile hears the same."""
        asked = known.asked
        with self._locks.setdefault(app, Lock()):
            if known.asked == asked:
                try:
                    known.keep(self._hold(discovery.discover(app, self._error_contract)), time.monotonic())
                except BosaError as failure:
                    known.keep(failure, time.monotonic())
            return known.answer()

    def send(self, call: Call) -> Reply:
        """The reply to a call.

        A failure that the API states is the reply's `error`. Raises InvalidArguments and InvalidSchema before anything
        is sent, Unreachable where nothing was done, RequestTimeout where a question was not answered in time,
        OutcomeUnknown where it is not known whether the API acted, and BadReply for an answer that cannot be read.
        """
        exchange = self._prepare(call)
        return self._settle(exchange, partial(self._receive, exchange))

    @contextmanager
    def stream(self, call: Call) -> Generator[Reply | StreamedReply]:
        """The reply to a call, as `send` gives it, while a file that it holds still arrives: see `Download`."""
        exchange = self._prepare(call)
        with ExitStack() as stack:
            yield self._settle(exchange, partial(self._begin, exchange, stack))

    def _hold(self, steps: Steps[T]) -> T:
        """What a conversation with the API comes to."""
        try:
            request = next(steps)
            while True:
                request = steps.send(self._receive(self._ask(request)))
        except StopIteration as done:
            return done.value

    def _settle(self, exchange: Exchange, attempt: Callable[[], Reply]) -> Reply:
        """The outcome of the first attempt, or of as many as the policy allows."""
        outcome = _outcome(attempt)
        if not exchange.is_settled(outcome):
            outcome = self._repeat(exchange, attempt, outcome)
        if isinstance(outcome, BosaError):
            raise outcome
        return outcome

    def _repeat(self, exchange: Exchange, attempt: Callable[[], Reply], first: Outcome) -> Outcome:
        from tenacity import Retrying  # noqa: PLC0415  most calls never need it

        outcome = first
        for trying in Retrying(**repeating(exchange, self._echoes)):
            with trying:
                if trying.retry_state.attempt_number > 1:
                    outcome = _outcome(attempt)
            trying.retry_state.set_result(outcome)
        return outcome

    def _receive(self, exchange: Exchange) -> Reply:
        """The whole reply."""
        with ExitStack() as stack:
            reply = self._begin(exchange, stack)
            return held(reply, b"".join(reply.file.chunks)) if isinstance(reply, StreamedReply) else reply

    def _begin(self, exchange: Exchange, stack: ExitStack) -> Reply | StreamedReply:
        """The reply; of a file only the beginning."""
        response = stack.enter_context(self._response(exchange))
        headers = headers_of(response)
        if wire.is_file(response.status_code, headers):
            file = Download.of(wire.decode_file(headers), self._bytes(exchange, response))
            return self._listen(exchange, StreamedReply(response.status_code, headers, file=file))
        body = b"".join(self._bytes(exchange, response, MAX_JSON_BYTES))
        return self._decoded(exchange, response.status_code, headers, body)

    @contextmanager
    def _response(self, exchange: Exchange) -> Generator[httpx.Response]:
        request, patience = exchange.request, exchange.patience()
        url = self.api_base_url + request.path
        try:
            built = self._client.build_request(
                request.method, url, headers=request.headers, content=request.body, extensions={"timeout": patience}
            )
            response = self._client.send(built, stream=True)
        except (httpx.RequestError, httpx.InvalidURL) as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure
        patience.transfer()
        try:
            yield response
        finally:
            response.close()

    def _bytes(self, exchange: Exchange, response: httpx.Response, limit: int | None = None) -> Iterator[bytes]:
        """The body as it comes."""
        came = 0
        try:
            for chunk in response.iter_bytes():
                came += len(chunk)
                if limit is not None and came > limit:
                    raise too_large(limit)
                yield chunk
        except httpx.RequestError as failure:
            raise translate(failure, self.api_base_url, writes=exchange.writes) from failure


def _outcome(attempt: Callable[[], Reply]) -> Outcome:
    try:
        return attempt()
    except BosaError as failure:
        return failure
