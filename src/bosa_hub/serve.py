"""The hub on a real socket, in a thread of its own, or in several processes."""

import errno
import socket
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from types import MappingProxyType
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from bosa_hub.app import Choices, create_app
from bosa_hub.connectors import built_in
from bosa_hub.database import close_idle
from bosa_hub.errors import CannotListen, SetupError
from bosa_hub.home import Home, open_home
from bosa_hub.idempotency import Repeats
from bosa_hub.oauth2 import Application
from bosa_hub.plugin import Connector

GRACE = 2
"""Seconds that requests under way get to finish when the hub stops."""
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that answers at `url`."""

    url: str
    home: Home = field(repr=False)

    @property
    def client_key(self) -> str:
        """The key of the hub's first client."""
        return str(self.home.client_key)

    @property
    def client_key_path(self) -> Path:
        """The file (0600) that holds it."""
        return self.home.client_key_path

    def user_token(self, identifier: str) -> str:
        """A fresh token for the first client's user of this identifier, who is made where missing."""
        identity = self.home.identity
        return identity.issue_token(identity.ensure_user(self.home.client_key.id, identifier)).token


@contextmanager
def running(  # noqa: PLR0913  each is a choice of whoever runs it
    data_dir: Path,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    master_key: str | None = None,
    encryption_key: str | None = None,
    connectors: Sequence[Connector] | None = None,
    rate_limit: int | None = None,
    applications: Mapping[str, Application] = MappingProxyType({}),
    public_url: str | None = None,
) -> Generator[RunningHub]:
    """A hub that runs until the block ends; port 0 takes a free one.

    Raises:
        CannotListen: The address is taken, or is not one of this machine.
        SetupError: `data_dir` holds something else, cannot be written, or was encrypted with another key.

    """
    choices = Choices(rate_limit, dict(applications), public_url)
    recipe = Recipe(data_dir, host, master_key, encryption_key, choices)
    chosen = built_in() if connectors is None else connectors
    with (
        recipe.home() as home,
        closing(listen(host, port)) as listener,
        recipe.serving(home, chosen, listener),
    ):
        yield RunningHub(url_of(listener, host), home)


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a hub is made of, in whichever process."""

    data_dir: Path
    host: str
    master_key: str | None = field(repr=False)
    encryption_key: str | None = field(repr=False)
    choices: Choices

    @contextmanager
    def home(self) -> Generator[Home]:
        """The hub's home, open."""
        try:
            home = open_home(self.data_dir, self.master_key, self.encryption_key)
        except (OSError, sqlite3.Error) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise SetupError(
                f"{self.data_dir} cannot hold the hub's data: {said}. Make room there and let the hub write,"
                " or use another folder."
            ) from error
        try:
            yield home
        finally:
            home.close()
            close_idle(home.folder)

    @contextmanager
    def serving(self, home: Home, connectors: Sequence[Connector], listener: socket.socket) -> Generator[None]:
        """The hub answers, until the block ends; what hangs then is left behind in its thread."""
        with closing(Repeats(home.folder)) as repeats:
            hosts = {self.host.lower(), *_LOOPBACK, *self._public_host()}
            server = _Server(create_app(home, repeats, connectors, hosts, self.choices))
            thread = Thread(target=server.run, args=([listener],), name="bosa-hub", daemon=True)
            thread.start()
            server.ready.wait()
            try:
                yield
            finally:
                server.should_exit = True
                thread.join(GRACE + 1)

    def _public_host(self) -> Sequence[str]:
        name = urlsplit(self.choices.public_url or "").hostname
        return [name] if name else []


class _Server(uvicorn.Server):
    """uvicorn, which forgets its sockets when it is told to stop before it has started."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                loop="asyncio",  # here and below, the same whatever else is installed
                http="h11",  # httptools bounds no head
                ws="none",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE,
            )
        )
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        CannotListen: The address is taken, or is not one of this machine.

    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        is_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
        choice = "another port, or 0 for a free one" if is_port else "a host that is an address of this machine"
        said = str(error.strerror).partition(" (while")[0]
        message = f"Cannot listen on {host} port {port}: {said}. Choose {choice}."
        raise CannotListen(error.errno, message) from error
    # asyncio sets this itself, but not for such a listener: without it each answer waits 40 ms for an ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def url_of(listener: socket.socket, host: str) -> str:
    """Where it is reached."""
    port = listener.getsockname()[1]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
