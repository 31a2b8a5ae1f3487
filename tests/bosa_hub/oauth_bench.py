"""A hub with a connector whose users agree at the provider, and what a browser does in between."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
from pydantic import BaseModel, Field

from bosa_hub.oauth2 import Application
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import RunningHub, running

from .oauth_provider import CLIENT_ID, CLIENT_SECRET, Provider

CALLBACK = "https://app.example/linked?from=hub#end"


class Things(Connector):
    """Things that a service keeps."""

    def __init__(self, provider: Provider, **changed: object) -> None:
        self.oauth2 = provider.service(**changed)
        self.url = f"{provider.url}/things"

    @action(effect="read")
    async def list_things(self, context: Context) -> dict[str, object]:
        """What there is."""
        async with httpx.AsyncClient(auth=context.account.auth) as service:
            return (await service.get(self.url)).raise_for_status().json()

    @action(effect="create")
    async def stream_thing(self, context: Context) -> int:
        """A thing whose bytes cannot be sent twice."""

        async def body() -> AsyncGenerator[bytes]:
            yield b"once"

        async with httpx.AsyncClient(auth=context.account.auth) as service:
            return (await service.post(self.url, content=body())).status_code

    @action(effect="read")
    async def token(self, context: Context) -> str:
        """The token itself, which no connector should return."""
        return context.account.access_token


class Key(BaseModel):
    key: str = Field(description="Another way.")


@contextmanager
def hub_with(data_dir: Path, *connectors: Connector, **given: object) -> Generator[RunningHub]:
    applications = {each.name: Application(CLIENT_ID, CLIENT_SECRET) for each in connectors}
    with running(data_dir, connectors=connectors, **{"applications": applications, **given}) as hub:  # pyright: ignore[reportArgumentType]  as they come
        yield hub


def new_user(hub: RunningHub, name: str | None = None) -> httpx.Client:
    token = hub.user_token(name or uuid4().hex)
    return httpx.Client(base_url=hub.url, headers={"Authorization": f"Bearer {token}"}, timeout=40)


def begin(user: httpx.Client, connector: str = "things", **body: object) -> str:
    """The address where the user agrees."""
    answer = user.post(f"/connectors/{connector}/integrations", json={"callback_url": CALLBACK, **body})
    return answer.raise_for_status().json()["data"]["url"]


def agreed(url: str) -> str:
    """Where the service sends the browser of a user who agrees: the hub's callback."""
    return httpx.get(url).headers["Location"]


def told(callback: str) -> Mapping[str, str]:
    """What the caller's page is told in the end, once the browser has been at the hub's callback."""
    answer = httpx.get(callback, timeout=40)
    assert answer.status_code == 302, answer.text
    end = httpx.URL(answer.headers["Location"])
    assert (end.copy_with(query=None), end.params.get("from")) == (httpx.URL("https://app.example/linked#end"), "hub")
    return {name: value for name, value in end.params.items() if name != "from"}


def link(user: httpx.Client, connector: str = "things", **body: object) -> Mapping[str, str]:
    """The whole way."""
    return told(agreed(begin(user, connector, **body)))


def things(user: httpx.Client) -> httpx.Response:
    return user.post("/connectors/things/list_things", json={})
