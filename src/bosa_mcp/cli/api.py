"""Which API the server speaks to: the one in the settings, or a hub of its own."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Final

import structlog
from anyio import create_task_group, open_signal_receiver
from starlette.routing import Route

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_mcp import addresses, links, logins
from bosa_mcp.access import Caller
from bosa_mcp.account_pages import Desk
from bosa_mcp.accounts import Accounts
from bosa_mcp.built_in import OURS
from bosa_mcp.calling import Parts
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.filters import Filter
from bosa_mcp.inputs import DOWNLOADS, Inputs
from bosa_mcp.linking import Linking
from bosa_mcp.links import Links
from bosa_mcp.local_pages import Doorway
from bosa_mcp.refresh import Tools
from bosa_mcp.results import Refusal
from bosa_mcp.saved_catalogue import Shelf
from bosa_mcp.server import create_server
from bosa_mcp.settings import InvalidSettings, Settings, reveal
from bosa_mcp.store import Store, StoreError
from bosa_mcp.tickets import Tickets
from bosa_mcp.transports import Serving
from bosa_mcp.users import Users
from bosa_mcp.web_files import WebFiles

LOCAL_USER: Final = "local"
"""Whose notes and files the embedded hub keeps, where nobody has logged in."""
DEFAULT_KEY: Final = "bosa"
"""The client key that APIs take where none is set."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Api:
    """An API's address, and who calls it."""

    url: str
    credentials: Credentials
    identity: str
    """Whose the files and results are that are kept."""


@contextmanager
def open_api(settings: Settings, *, has_user: bool = True) -> Generator[Api]:
    """The API to speak to, as the user of this machine or as none; an embedded hub runs as long as it is open."""
    login = logins.current(settings) if has_user else None
    token = login.token if login else reveal(settings.user_token)
    identity = f"login/{login.api}/{login.identifier}" if login else LOCAL_USER
    if settings.api:
        who = Credentials(reveal(settings.api_key) or DEFAULT_KEY, token, settings.account)
        yield Api(settings.api, who, identity)
        return
    from bosa_mcp.cli.hubs import open_hub  # noqa: PLC0415  a server that speaks to an API needs no hub

    with open_hub(settings) as hub:
        log.info("no BOSA API is set, so the embedded hub serves", hub=hub.url, data=str(settings.data_dir))
        if has_user and token is None:
            token = hub.user_token(LOCAL_USER)
        yield Api(hub.url, Credentials(hub.client_key, token, settings.account), identity)


@asynccontextmanager
async def open_parts(
    settings: Settings, url: str | None = None, *, has_user: bool = True
) -> AsyncGenerator[tuple[Parts, Caller]]:
    """What the server that the settings describe is made of, and who calls it on this machine.

    `url` is where people reach it over HTTP; where they do not, it shares a disk with whoever calls it.
    """
    with open_api(settings, has_user=has_user) as api:
        async with AsyncBosaConnector(api.url, api.credentials.api_key, error_contract=2) as connector:
            store = _store(settings)
            caller = Caller(api.identity, api.credentials)
            wanted = Filter(
                frozenset(settings.connectors), settings.include, settings.exclude, read_only=settings.read_only
            )
            # an embedded hub is there at once, each time at another address
            shelf = None if settings.is_embedded else Shelf.of(settings.data_dir, api.url)
            tools = Tools(connector, wanted, shelf, ours=OURS)
            parts = Parts(
                tools=tools,
                execution=Execution(connector, store, settings.call_budget, settings.result_bytes),
                store=store,
                who=lambda _: caller,
                result_bytes=settings.result_bytes,
                inputs=Inputs(store, None if url else settings.files_root, settings.data_dir),
                files=Files(store, None if url else settings.data_dir / DOWNLOADS, _links(settings, url)),
                linking=Linking(Accounts(connector), Tickets(), _nowhere, wanted.wants),
            )
            yield parts, caller


@asynccontextmanager
async def open_server(settings: Settings, url: str | None = None, *, asks_who: bool = False) -> AsyncGenerator[Serving]:
    """The MCP server that the settings describe, with all that it needs.

    It serves the user of this machine, or, where it `asks_who`, each user whose token comes with a request.
    """
    async with (
        open_parts(settings, url, has_user=not asks_who) as (parts, caller),
        parts.tools.fresh(settings.refresh),
        parts.store.swept(),
        _woken_by_hangup(parts.tools),
        with_pages(parts, settings, url) as (parts, pages),
    ):
        users = Users(parts.execution.connector, caller.credentials.api_key) if asks_who else None
        served = replace(parts, who=users.who) if users else parts
        sealed = parts.files.links
        files = sealed and WebFiles(parts.store, users.of if users else lambda _: caller, sealed)
        yield Serving(create_server(served), served.tools, users, files, pages if url else ())


@asynccontextmanager
async def with_pages(
    parts: Parts, settings: Settings, url: str | None
) -> AsyncGenerator[tuple[Parts, Sequence[Route]]]:
    """The parts, and the pages on which people link accounts; they are served here where nobody comes over HTTP."""
    linking = parts.linking
    assert linking is not None  # noqa: S101  it is made with the parts
    doorway = Doorway(linking.tickets)

    async def there() -> str:
        return addresses.outside(url, settings.public_url, settings.allowed_hosts) if url else await doorway.url()

    linking = replace(linking, place=there)
    pages = Desk(linking).routes()
    async with doorway.usable(pages):
        yield replace(parts, linking=linking), pages


def _store(settings: Settings) -> Store:
    try:
        return Store.at(settings.store or settings.data_dir / "files")
    except StoreError as odd:
        if settings.store is None:
            raise
        raise InvalidSettings(f"BOSA_STORE: {odd}") from odd


async def _nowhere() -> str:
    raise Refusal(
        "unsupported",
        "Link an account with `bosa-mcp connect CONNECTOR`: a link from here would not outlast this command.",
    )


def _links(settings: Settings, url: str | None) -> Links | None:
    if url is None:
        return None
    return Links(addresses.outside(url, settings.public_url, settings.allowed_hosts), links.key(settings.data_dir))


@asynccontextmanager
async def _woken_by_hangup(tools: Tools) -> AsyncGenerator[None]:
    """Within it, SIGHUP has the catalogue looked at again; where it came because the terminal closed, it is the end."""
    if sys.platform == "win32":
        yield
        return
    had_terminal = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN and _has_terminal()  # nohup has it ignored
    async with create_task_group() as watching:
        with open_signal_receiver(signal.SIGHUP) as hangups:

            async def watch() -> None:
                async for _ in hangups:
                    if had_terminal and not _has_terminal():
                        signal.raise_signal(signal.SIGTERM)
                    tools.wake()

            watching.start_soon(watch)
            yield
            watching.cancel_scope.cancel()


def _has_terminal() -> bool:
    """Whether the process belongs to a terminal that is still there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
