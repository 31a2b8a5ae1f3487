"""Two users never see each other's rows, whatever they call at the same moment.

The calls go straight into the application: over sockets they would take most of the time.
"""

import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import anyio
import httpx

from bosa_hub.app import create_app
from bosa_hub.connectors import built_in
from bosa_hub.home import Home
from bosa_hub.repeats import Repeats
from bosa_hub.serve import Recipe

_CALLS = 10_000
_AT_ONCE = 16
_ANSWERS = {200, 404, 409, 503}
"""Found, not found, in the way or under way, and busy."""


@dataclass(frozen=True, slots=True)
class Someone:
    """A user, all of whose rows and files hold a word that nobody else writes."""

    name: str
    word: str
    token: str
    notes: list[str] = field(default_factory=list[str])


_Call: TypeAlias = Callable[[random.Random, Someone, Someone], tuple[str, object]]


def _path(chance: random.Random) -> str:
    return f"folder/{chance.randrange(20)}.txt"


def _some_note(chance: random.Random, me: Someone, other: Someone) -> dict[str, str]:
    known = me.notes + other.notes
    return {"id": chance.choice(known) if known else "none"}


_CHOICES: Sequence[_Call] = (
    lambda _, me, __: ("notes/create_note", {"title": me.word, "body": "shared", "tags": [me.word]}),
    lambda chance, me, other: ("notes/get_note", _some_note(chance, me, other)),
    lambda chance, me, other: ("notes/get_note", _some_note(chance, me, other)),
    lambda chance, me, other: ("notes/update_note", {**_some_note(chance, me, other), "body": f"shared {me.word}"}),
    lambda chance, me, other: ("notes/delete_note", _some_note(chance, me, other)),
    lambda chance, _, __: ("notes/list_notes", {"page": chance.randint(1, 9), "per_page": 5}),
    lambda _, __, other: ("notes/list_notes", {"tag": other.word, "per_page": 5}),
    lambda _, __, ___: ("notes/search_notes", {"query": "shared", "per_page": 5}),
    lambda _, __, other: ("notes/search_notes", {"query": other.word}),
    lambda chance, me, _: ("files/write_text_file", {"path": _path(chance), "text": f"shared {me.word}"}),
    lambda chance, _, __: ("files/read_text_file", {"path": _path(chance)}),
    lambda chance, _, __: ("files/read_text_file", {"path": _path(chance)}),
    lambda chance, _, __: ("files/move_file", {"path": _path(chance), "new_path": _path(chance)}),
    lambda chance, _, __: ("files/delete_file", {"path": _path(chance)}),
    lambda _, __, ___: ("files/list_files", {"folder": "folder"}),
    lambda _, __, ___: ("files/search_files", {"query": "shared", "per_page": 5}),
    lambda _, __, ___: ("sql/query", {"query": "SELECT word FROM mine"}),
    lambda _, __, ___: ("sql/list_tables", {}),
    lambda _, __, ___: ("me", None),
    lambda _, __, ___: ("me", None),
)


def _someone(home: Home, name: str) -> Someone:
    user = home.identity.ensure_user(home.client_key.id, name)
    someone = Someone(name, f"word{name}", home.identity.issue_token(user).token)
    folder = home.user_folder(user.id, "sql")
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "sample.db")) as connection:
        connection.execute("CREATE TABLE mine (word)")
        connection.execute("INSERT INTO mine VALUES (?)", (someone.word,))
        connection.commit()
    return someone


async def _call(client: httpx.AsyncClient, chance: random.Random, me: Someone, other: Someone) -> None:
    path, body = chance.choice(_CHOICES)(chance, me, other)
    headers = {"Authorization": f"Bearer {me.token}"}
    if path == "me":
        answer = await client.get("/users/me", headers=headers)
        assert answer.json()["data"]["identifier"] == me.name
        return
    if chance.random() < 0.05:
        headers["Idempotency-Key"] = str(chance.randrange(10))
    answer = await client.post(f"/connectors/{path}", json=body, headers=headers)
    assert answer.status_code in _ANSWERS, answer.text
    assert other.word not in answer.text
    if answer.status_code == 200 and path in {"notes/get_note", "files/read_text_file", "sql/query"}:
        assert me.word in answer.text
    if answer.status_code == 200 and path == "notes/create_note":
        me.notes.append(answer.json()["data"]["id"])


async def _all_calls(home: Home, repeats: Repeats) -> None:
    chance = random.Random(10_000)  # noqa: S311  repeatable, not secret
    users = [_someone(home, name) for name in ("ada", "bob")]
    transport = httpx.ASGITransport(create_app(home, repeats, built_in(), {"hub.test"}))
    left = iter(range(_CALLS))

    async def caller() -> None:
        for _ in left:
            await _call(client, chance, *chance.sample(users, 2))

    async with (
        httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(_AT_ONCE):
            tasks.start_soon(caller)
    assert all(len(user.notes) > _CALLS / 100 for user in users)


def test_two_users_never_see_each_others_rows(tmp_path: Path) -> None:
    with Recipe(tmp_path, "localhost", None, None, None).home() as home, closing(Repeats(home.folder)) as repeats:
        anyio.run(_all_calls, home, repeats)
