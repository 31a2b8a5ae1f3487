"""A BOSA API that answers what a test tells it to, on a real socket, and remembers what it was asked."""

import json
import socket
from collections.abc import Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, TypeAlias
from urllib.parse import quote

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answer: TypeAlias = Response | Callable[[Request], Awaitable[Response]]
Json: TypeAlias = dict[str, Any]

WAIT = 20
"""Seconds after which a test gives up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that reached the API."""

    method: str
    path: str
    """With the query, below the API's base URL."""
    headers: Mapping[str, str]
    body: bytes

    @property
    def arguments(self) -> Any:  # noqa: ANN401  whatever JSON was sent
        return json.loads(self.body)


@dataclass(slots=True)
class ScriptedApi:
    """Lists what it was given, answers actions in turn (the last answer stays), and keeps `asked`."""

    url: str = ""
    listing: dict[str, Any] = field(default_factory=dict[str, Any])
    """The discovery document: connector to action to item."""
    odd: dict[str, Answer] = field(default_factory=dict[str, Answer])
    """What answers at a path instead of what should, the query included: `/connectors/names`."""
    asked: list[Asked] = field(default_factory=list[Asked])
    reached: Event = field(default_factory=Event)
    """Set when somebody waits for an answer that does not come."""
    abandoned: Event = field(default_factory=Event)
    """Set when they went away."""
    _answers: dict[str, Iterator[Answer]] = field(default_factory=dict[str, Iterator[Answer]])

    def offer(self, connector: str, action: str, schema: Json | None = None, **item: Any) -> None:  # noqa: ANN401  JSON
        """Lists an action."""
        request = {"name": "request", "required": True, "schema": takes() if schema is None else schema}
        self.listing.setdefault(connector, {})[action] = {
            "method": "POST",
            "path": f"/connectors/{connector}/{quote(action)}",
            "docstring": f"Does {action}.",
            "parameters": {"request": request},
            **item,
        }

    def answer(self, path: str, *answers: Answer) -> None:
        """Scripts an action, `shop/find`."""
        self._answers[f"/connectors/{path}"] = _each_then_last(answers)

    def sent(self, path: str) -> list[Asked]:
        """The calls of an action."""
        return [asked for asked in self.asked if asked.path == f"/connectors/{path}"]

    async def hang(self, request: Request) -> Response:
        """An answer that does not come: it waits until the client goes away."""
        self.reached.set()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        self.abandoned.set()
        return Response()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path[len(request.scope["root_path"]) :]
        target = f"{path}?{request.url.query}" if request.url.query else path
        self.asked.append(Asked(request.method, target, dict(request.headers), await request.body()))
        answer = self.odd.get(target) or self._usual(request, path)
        response = answer if isinstance(answer, Response) else await answer(request)
        await response(scope, receive, send)

    def _usual(self, request: Request, path: str) -> Answer:
        if path == "/connectors/names":
            return JSONResponse(list(self.listing))
        if request.method == "GET":
            wanted = request.query_params.get("modules")
            return JSONResponse({name: each for name, each in self.listing.items() if wanted in {None, name}})
        if path in self._answers:
            return next(self._answers[path])
        return JSONResponse({"error": {"message": "There is nothing here."}}, 404)


def _each_then_last(answers: tuple[Answer, ...]) -> Iterator[Answer]:
    yield from answers
    while True:
        yield answers[-1]


def takes(*required: str, **properties: object) -> Json:
    """The schema of an action's arguments."""
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def says(data: object = None, meta: object = None) -> JSONResponse:
    """The envelope of a success."""
    return JSONResponse({"data": data, "meta": meta})


def fails(status: int, message: str = "No.", headers: Mapping[str, str] | None = None, **error: object) -> JSONResponse:
    """A failure as the current generation puts it."""
    return JSONResponse({"error": {"message": message, **error}}, status, headers)


class Switchboard:
    """Many scripted APIs behind one socket, each under a path prefix of its own."""

    def __init__(self) -> None:
        self._apis: list[ScriptedApi] = []
        self.url = ""

    def new(self) -> ScriptedApi:
        api = ScriptedApi(f"{self.url}/{len(self._apis)}")
        self._apis.append(api)
        return api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = str(scope["path"]).split("/")[1]
        await self._apis[int(number)]({**scope, "root_path": f"/{number}"}, receive, send)


def reserved_port() -> socket.socket:
    """A port of this test alone, on which nobody listens yet: connecting to it is refused."""
    held = socket.socket(proto=socket.IPPROTO_TCP)  # asyncio sends at once only on a socket that says so
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    return held


def address(held: socket.socket) -> str:
    return f"http://127.0.0.1:{held.getsockname()[1]}"


@contextmanager
def served(app: ASGIApp, held: socket.socket, certificate: Path | None = None) -> Generator[str]:
    """The application on this port, in a thread of its own; in TLS where there is a certificate, with its key."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        date_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
    )
    server = _Server(config)
    thread = Thread(target=server.run, args=([held],), daemon=True)
    thread.start()
    assert server.ready.wait(WAIT)
    try:
        yield address(held)
    finally:
        server.should_exit = True
        thread.join(WAIT)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
