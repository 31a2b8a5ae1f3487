"""A BOSA API on a real socket that answers as it is told, and remembers what it was asked."""

import json
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Self

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_OF_THE_TRANSPORT = frozenset(
    {"host", "connection", "accept", "accept-encoding", "user-agent", "content-length"} | {"idempotency-key"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answers; headers exactly these, with a content length."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""

    @classmethod
    def of(cls, value: object, status: int = 200, **headers: str) -> Self:
        """An answer in JSON; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        return cls(status, {"content-type": "application/json", **named}, json.dumps(value).encode())


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    line: str
    """`POST /connectors/notes/do?x=y`, as it stood on the wire."""
    headers: Mapping[str, str]
    body: bytes
    connection: int
    """Which TCP connection it came on."""

    @property
    def said(self) -> dict[str, str]:
        """The headers that say something about the call: all but those of the transport."""
        return {name: value for name, value in self.headers.items() if name not in _OF_THE_TRANSPORT}

    @property
    def arguments(self) -> Any:  # noqa: ANN401  JSON
        """The body, parsed."""
        return json.loads(self.body)


class ScriptedApi:
    """An ASGI app: `answers` by target (`/connectors/?modules=notes`), 404 for everything else."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: dict[str, Answer | Callable[[Asked], Answer]] = {}
        self.asked: list[Asked] = []

    @property
    def lines(self) -> list[str]:
        """The request lines so far."""
        return [asked.line for asked in self.asked]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        target = scope["raw_path"].decode() + query
        body = await request.body()
        line = f"{request.method} {target}"
        answer = self.answer(Asked(line, dict(request.headers), body, scope["client"][1]))
        await Response(answer.body, answer.status, dict(answer.headers))(scope, receive, send)

    def answer(self, asked: Asked) -> Answer:
        """What it answers to this."""
        self.asked.append(asked)
        found = self.answers.get(asked.line.partition(" ")[2], Answer.of({"message": "There is nothing here."}, 404))
        return found if isinstance(found, Answer) else found(asked)


@contextmanager
def running_api() -> Generator[ScriptedApi]:
    """An API that listens until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        api = ScriptedApi(f"http://127.0.0.1:{listener.getsockname()[1]}")
        server = _Server(uvicorn.Config(api, log_config=None, access_log=False, lifespan="off", ws="none"))
        thread = Thread(target=server.run, args=([listener],))
        thread.start()
        assert server.ready.wait(10)
        try:
            yield api
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
