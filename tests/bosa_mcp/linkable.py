"""Our server in memory, whose users can link accounts, with connectors that need one."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

import httpx
from mcp import Client
from mcp.client.session import ElicitationFnT
from pydantic import BaseModel, Field, SecretStr

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_hub import Connector, Context, Forbidden, Page, action
from bosa_mcp.access import Caller
from bosa_mcp.account_pages import Desk
from bosa_mcp.accounts import Accounts
from bosa_mcp.built_in import OURS
from bosa_mcp.calling import Parts
from bosa_mcp.execution import Execution
from bosa_mcp.files import Files
from bosa_mcp.filters import Filter
from bosa_mcp.inputs import Inputs
from bosa_mcp.linking import Linking
from bosa_mcp.local_pages import Doorway
from bosa_mcp.refresh import Tools
from bosa_mcp.server import create_server
from bosa_mcp.store import Store
from bosa_mcp.tickets import Tickets

from .scripted_api import WAIT

GOOD_KEY = "planted-good-key-41c9"


class ShopAccount(BaseModel):
    """What a shop wants to know."""

    name: Annotated[str, Field(max_length=50)] | None = None
    api_key: SecretStr = Field(description="From the settings page.", min_length=8)
    region: Literal["eu", "us"] = Field("eu", description="Where it is.")
    limit: int | None = Field(None, ge=1, le=100)
    test_mode: bool = False


class Wanted(BaseModel):
    item: str


class Listed(BaseModel):
    cursor: str | None = None
    per_page: int | None = None


class Shop(Connector):
    """Needs an account with a secret."""

    configuration = ShopAccount

    async def account_identifier(self, configuration: ShopAccount, context: Context) -> str:
        if not configuration.api_key.get_secret_value().startswith(GOOD_KEY):
            raise Forbidden("The shop does not know this key.")
        del context
        return configuration.name or "shop"

    @action(effect="create")
    async def order(self, request: Wanted, context: Context) -> str:
        """Order something."""
        return f"{request.item} for {context.account.identifier}"

    @action(effect="read")
    async def list_orders(self, request: Listed, context: Context) -> Page[str]:
        """Orders."""
        del request
        return Page([context.account.identifier], next_cursor="more")


@dataclass(slots=True)
class Clock:
    """Time that passes when a test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Linkable:
    """A client, and how accounts are linked behind it."""

    client: Client
    linking: Linking


@asynccontextmanager
async def linkable(  # noqa: PLR0913  what a test may choose
    url: str,
    credentials: Credentials,
    era: str,
    *,
    person: ElicitationFnT | None = None,
    clock: Callable[[], float] = time.monotonic,
    call_budget: float = WAIT,
    wanted: Filter | None = None,
) -> AsyncGenerator[Linkable]:
    """A server on standard input and output, as far as pages go: they are served on this machine while they are needed.

    `person` answers where the client asks; without, it cannot.
    """
    async with AsyncBosaConnector(url, credentials.api_key, error_contract=2) as connector:
        store, wanted = Store.at("memory://"), wanted or Filter()
        tickets = Tickets(clock)
        doorway = Doorway(tickets)
        linking = Linking(Accounts(connector), tickets, doorway.url, wanted.wants)
        parts = Parts(
            Tools(connector, wanted, ours=OURS),
            Execution(connector, store, call_budget, 80_000),
            store,
            lambda _: Caller("local", credentials),
            80_000,
            Inputs(store),
            Files(store),
            linking,
        )
        async with (
            doorway.usable(Desk(linking).routes()),
            Client(create_server(parts), mode=era, read_timeout_seconds=WAIT, elicitation_callback=person) as client,
        ):
            yield Linkable(client, linking)


def as_account(credentials: Credentials, account: str) -> Credentials:
    return replace(credentials, account=account)


async def fill_in(url: str, **answers: str) -> httpx.Response:
    """Sends the form at this link, as a browser would; `answers` by the place of the question, `answer0`."""
    async with httpx.AsyncClient(timeout=WAIT) as browser:
        return await browser.post(url, data=answers, headers={"origin": url.partition("/connect/")[0]})


async def opened(url: str, **headers: str) -> httpx.Response:
    """What a browser gets at this link."""
    async with httpx.AsyncClient(timeout=WAIT) as browser:
        return await browser.get(url, headers=headers)


def link_in(error: dict[str, Any]) -> str:
    """The link that an error gives."""
    [url] = [word for word in str(error["hint"]).split() if word.startswith("http")]
    return url
