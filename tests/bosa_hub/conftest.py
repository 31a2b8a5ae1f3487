"""One hub for most stories, and users who are new to it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import httpx
import pytest
from pydantic import BaseModel, Field

from bosa_hub.connectors.files import Files
from bosa_hub.connectors.notes import Notes
from bosa_hub.connectors.reader import Limits
from bosa_hub.connectors.sql import Sql
from bosa_hub.errors import Conflict
from bosa_hub.plugin import Connector, Context, Page, Result, action
from bosa_hub.serve import RunningHub, running

MASTER_KEY = "the-master-key"
NewUser: TypeAlias = Callable[[], httpx.Client]


class Shape(BaseModel):
    shape: str = Field(description="Which reply.")


class Count(BaseModel):
    cursor: str | None = Field(default=None, description="Where to go on.")


class Probe(Connector):
    """Replies of every shape."""

    @action(effect="read")
    async def get(self, request: Shape) -> object:
        """Return one reply."""
        return {
            "object": {"aB": 1, "a_b": 2, "HTTPServer": {"userID2": [{"cD": None}]}},
            "list": [{"aB": 1}, "text", 3],
            "null": None,
            "text": "hello",
            "infinite": float("inf"),
        }[request.shape]

    @action(effect="send")
    async def ping(self) -> None:
        """Take nothing, answer nothing."""

    @action(effect="read")
    async def numbers(self, request: Count) -> Page[int]:
        """Count to six, two at a time."""
        start = int(request.cursor or 0)
        return Page([start, start + 1], next_cursor=str(start + 2) if start < 4 else None)

    @action(effect="read")
    async def annotated(self) -> Result[list[int]]:
        """Return a meta of its own."""
        return Result([1], {"camelCase": "kept"})

    @action(effect="create")
    async def refuse(self) -> None:
        """Raise a typed error."""
        raise Conflict("It exists. Choose another name.", code="TAKEN", details={"name": "it"})

    @action(effect="create")
    async def break_down(self, context: Context) -> None:
        """Raise what nobody expects."""
        raise RuntimeError(f"a secret of {context.user_id}")


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    connectors = [Files(), Notes(), Sql(Limits(seconds=0.3, rows=1000)), Probe()]
    with running(tmp_path_factory.mktemp("data"), master_key=MASTER_KEY, connectors=connectors) as started:
        yield started


@pytest.fixture(scope="session")
def anyone(hub: RunningHub) -> Iterator[httpx.Client]:
    """Sends no credentials."""
    with httpx.Client(base_url=hub.url, timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def new_user(hub: RunningHub) -> NewUser:
    """Makes a user whom nobody else has."""

    def make() -> httpx.Client:
        headers = {"X-API-Key": hub.client_key, "Authorization": f"Bearer {hub.user_token(uuid4().hex)}"}
        return httpx.Client(base_url=hub.url, headers=headers, timeout=20)

    return make


@pytest.fixture
def ada(new_user: NewUser) -> Iterator[httpx.Client]:
    with new_user() as client:
        yield client


@pytest.fixture
def bob(new_user: NewUser) -> Iterator[httpx.Client]:
    with new_user() as client:
        yield client


@pytest.fixture
def ada_root(hub: RunningHub, ada: httpx.Client) -> Path:
    """Where the hub keeps what is hers."""
    user_id = ada.get("/users/me").json()["data"]["id"]
    return hub.home.user_folder(user_id, "files").parent
