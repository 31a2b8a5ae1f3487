"""Two people who use one server at random, with clients of every kind, and look for what is the other's, or secret."""

import logging
import random
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

import anyio
import httpx
import pytest
from mcp import Client, MCPError
from pydantic import BaseModel, SecretStr

from bosa_hub import Connector, Context, action
from bosa_hub.connectors import built_in
from bosa_hub.serve import RunningHub, running

from .many_users import JSON, Person, SharedServer, shared_server
from .scripted_api import WAIT, Json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NOTES = 12
"""Notes that a person has at most, so that lists stay short."""
_URI = re.compile(r"bosa://(?:files|results)/[0-9a-f]{32}")
_ID = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
"""Whole: two empty files have the same digest, whoever owns them."""


class SafeAccount(BaseModel):
    name: str
    api_key: SecretStr


class Safe(Connector):
    """Something that needs a linked account."""

    configuration = SafeAccount

    @action(effect="read")
    async def get_holder(self, context: Context) -> str:
        """Whose safe it is."""
        return context.account.configuration(SafeAccount).name


@dataclass(slots=True)
class Somebody:
    """A person, with all that nobody else may see."""

    person: Person
    mark: str
    """Stands in everything that they write."""
    user_id: str
    account_key: str
    user_secret: str
    notes: list[str] = field(default_factory=list[str])
    uris: list[str] = field(default_factory=list[str])
    sessions: list[str] = field(default_factory=list[str])
    ids: set[str] = field(default_factory=set[str])
    """Of whatever was ever theirs."""

    @property
    def secrets(self) -> list[str]:
        return [self.person.token, self.account_key, self.user_secret]


def somebody(hub: RunningHub, name: str) -> Somebody:
    mark, key = f"mark-of-{name}-5e1d", f"planted-key-of-{name}-77c3"
    with httpx.Client(base_url=hub.url, headers={"x-api-key": hub.client_key}, timeout=WAIT) as http:
        made = http.post("/users", json={"identifier": name}).json()["data"]
        token = http.post("/auth/tokens", json={"identifier": name, "secret": made["secret"]}).json()["data"]["token"]
        configuration = {"name": mark, "api_key": key}
        linked = http.post(
            "/connectors/safe/integrations",
            json={"auth_type": "custom", "configuration": configuration},
            headers={"authorization": f"Bearer {token}"},
        )
        assert linked.status_code == 200, linked.text
    return Somebody(Person(name, token), mark, made["id"], key, made["secret"], ids={made["id"]})


@dataclass(slots=True)
class Game:
    """What goes on, and what was found so far."""

    server: SharedServer
    key: str
    chance: random.Random
    calls: int
    """How many are still to come."""

    def check(self, me: Somebody, other: Somebody, said: str, *asked: str) -> None:
        """Nothing in what was said to me is the other's, but for what I had named myself; no secret is in it."""
        assert other.mark not in said
        assert not [secret for secret in (self.key, *me.secrets, *other.secrets) if secret in said]
        named = {found for text in asked for found in _ID.findall(text)}
        assert not (set(_ID.findall(said)) & other.ids) - named


class Player:
    """One client of somebody, who does anything that comes to mind."""

    def __init__(self, game: Game, me: Somebody, other: Somebody, client: Client, http: httpx.AsyncClient) -> None:
        self.game, self.me, self.other, self.client, self.http = game, me, other, client, http
        self.moves: list[Callable[[], Awaitable[None]]] = [
            self.write,
            self.list,
            self.list,
            self.read,
            self.delete,
            self.export,
            self.resources,
            self.open,
            self.account,
            self.accounts,
            self.spy_on_note,
            self.spy_on_file,
            self.spy_by_search,
            self.spy_on_session,
            self.spy_by_upload,
            self.spy_by_http,
        ]

    async def play(self) -> None:
        while self.game.calls > 0:
            self.game.calls -= 1
            await self.game.chance.choice(self.moves)()

    async def call(self, tool: str, *, fails: bool = False, **arguments: object) -> Json:
        result = await self.client.call_tool(tool, arguments)
        self.game.check(self.me, self.other, result.model_dump_json(), *map(str, arguments.values()))
        assert result.is_error is fails or not fails, result
        said = str(result.structured_content)
        if not fails:
            self.me.uris += _URI.findall(said)
            self.me.ids |= set(_ID.findall(said))
        return cast("Json", result.structured_content)

    def any_of(self, things: list[str]) -> str:
        return self.game.chance.choice(things or ["0" * 32])

    async def write(self) -> None:
        if len(self.me.notes) < NOTES:
            made = await self.call(
                "notes_create_note", title=self.me.mark, body="x" * self.game.chance.choice((5, 900))
            )
            self.me.notes += [str(made["data"]["id"])] if isinstance(made.get("data"), dict) else []

    async def list(self) -> None:
        await self.call("notes_list_notes", per_page=self.game.chance.choice((2, 20)))

    async def read(self) -> None:
        if self.me.notes:
            await self.call("notes_get_note", id=self.any_of(self.me.notes))

    async def delete(self) -> None:
        if len(self.me.notes) == NOTES:
            await self.call("notes_delete_note", id=self.me.notes.pop())

    async def export(self) -> None:
        await self.call("notes_export_notes")

    async def resources(self) -> None:
        listed = await self.client.list_resources()
        self.game.check(self.me, self.other, listed.model_dump_json())

    async def open(self) -> None:
        if self.me.uris:
            read = await self.client.read_resource(f"{self.any_of(self.me.uris)}?offset=0&length=50")
            self.game.check(self.me, self.other, read.model_dump_json())

    async def account(self) -> None:
        told = await self.call("safe_get_holder")
        assert told["data"] == self.me.mark

    async def accounts(self) -> None:
        told = await self.call("bosa_accounts", connector="safe")
        assert self.me.mark in str(told["data"])

    async def spy_on_note(self) -> None:
        tool = self.game.chance.choice(("notes_get_note", "notes_delete_note", "notes_update_note"))
        more = {"title": "taken"} if tool == "notes_update_note" else {}
        await self.call(tool, fails=True, id=self.any_of(self.other.notes), **more)

    async def spy_on_file(self) -> None:
        uri = self.any_of(self.other.uris)
        with pytest.raises(MCPError) as refused:
            await self.client.read_resource(uri)
        self.game.check(self.me, self.other, str(refused.value), uri)

    async def spy_by_search(self) -> None:
        found = await self.client.call_tool("notes_search_notes", {"query": self.other.mark})
        assert found.structured_content
        assert found.structured_content["data"] == []

    async def spy_by_upload(self) -> None:
        if self.other.uris:
            await self.call("files_upload_file", fails=True, file=self.any_of(self.other.uris))

    async def spy_on_session(self) -> None:
        listing = {"jsonrpc": "2.0", "id": 2, "method": "resources/list"}
        session = {"mcp-session-id": self.any_of(self.other.sessions)}
        method = self.game.chance.choice(("GET", "POST", "DELETE"))
        refused = await self.http.request(
            method, "/mcp", headers={**session, **self.me.person.headers}, json=listing if method == "POST" else None
        )
        assert refused.status_code == 404
        self.game.check(self.me, self.other, refused.text, *session.values())

    async def spy_by_http(self) -> None:
        identifier = self.any_of(self.other.uris).rpartition("/")[2]
        refused = await self.http.get(f"/files/{identifier}", headers=self.me.person.headers)
        assert refused.status_code == 404
        self.game.check(self.me, self.other, refused.text, identifier)


async def nothing_is_met_in(calls: int, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fails where in so many calls one sees anything of the other, or where a secret is said, logged or stored."""
    for chatty in ("httpcore", "httpcore2", "httpx", "httpx2", "mcp"):
        caplog.set_level(logging.WARNING, chatty)  # what they say at every step takes more time than the calls
    with running(tmp_path / "hub", connectors=[*built_in(), Safe()]) as hub:
        await _played(calls, hub, tmp_path)


async def _played(calls: int, hub: RunningHub, tmp_path: Path) -> None:
    alice, bob = somebody(hub, "alice"), somebody(hub, "bob")
    seed = random.randrange(2**32)  # noqa: S311  a game
    print(f"seed {seed}")  # noqa: T201  shown where the test fails
    folder = tmp_path / "server"
    folder.mkdir()
    settings = {"BOSA_LOG": "json", "BOSA_LOG_LEVEL": "debug", "BOSA_MAX_RESULT_TOKENS": "500"}
    with shared_server(folder, hub.url, hub.client_key, **settings) as server:
        game = Game(server, hub.client_key, random.Random(seed), calls)  # noqa: S311  likewise
        for each in (alice, bob):
            each.sessions += [server.session(each.person) for _ in range(3)]
            each.ids |= set(each.sessions)
        async with AsyncExitStack() as stack:
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=server.url, timeout=WAIT, headers=JSON))
            players: list[Player] = []
            for me, other in ((alice, bob), (bob, alice)):
                for era, path in (("auto", "/mcp"), ("legacy", "/mcp"), ("legacy", "/sse")):
                    client = await stack.enter_async_context(server.client(me.person, era, path))
                    players.append(Player(game, me, other, client, http))
            async with anyio.create_task_group() as playing:
                for player in players:
                    playing.start_soon(player.play)
    assert alice.uris
    assert bob.uris
    secrets = [hub.client_key, *alice.secrets, *bob.secrets]
    assert holding("".join(server.log).encode(), secrets) == []
    assert {path: found for path in files(folder) if (found := holding(path.read_bytes(), secrets))} == {}
    kept_by_hub = [path for path in files(tmp_path / "hub") if path.name != "client.key"]
    assert {path: found for path in kept_by_hub if (found := holding(path.read_bytes(), secrets))} == {}


def files(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert found
    return found


def holding(content: bytes, secrets: list[str]) -> list[str]:
    """Those of the secrets that stand in it."""
    return [secret for secret in secrets if secret.encode() in content]
