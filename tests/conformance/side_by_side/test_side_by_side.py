"""The published server and our hub, asked the same: they answer alike, but for what is listed."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest

from bosa_hub.connectors import built_in
from bosa_hub.serve import RunningHub, running

from ..published import PublishedServer  # noqa: TID252  test folders are no packages
from .exchanges import EXCHANGES, STORY, WHO_AM_I, Exchange
from .hub_probe import GoogleDrive, Probe
from .on_purpose import ACTIONS, DIFFERENCES, LISTING, Difference
from .seen import Seen, answers_differ, differences
from .servers import Server, met

COMMON = ("response_fields", "response_filters")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    connectors = [*built_in(), Probe(), GoogleDrive()]
    with running(tmp_path_factory.mktemp("hub"), connectors=connectors) as started:
        yield started


@pytest.fixture(scope="module")
def ours(hub: RunningHub) -> Iterator[Server]:
    with met(
        hub.url,
        hub.client_key,
        unknown_token=unknown_token(hub),
        first_configuration={"name": "first", "file": "first.db"},
        first_account="first",
        second_configuration={"name": "second", "file": "second.db"},
        second_account="second",
        wrong_configuration={"file": 5},
    ) as server:
        user_id = server.answer(WHO_AM_I).json()["data"]["id"]
        make_databases(hub.home.user_folder(user_id, "sql"), "first", "second")
        yield server


def unknown_token(hub: RunningHub) -> str:
    """A token with the right signature that the hub has never issued."""
    claims = {name: str(uuid4()) for name in ("sub", "client_id", "jti")}
    return jwt.encode({**claims, "exp": int(time.time()) + 1000}, hub.home.identity.signing_key)


def make_databases(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        database = sqlite3.connect(folder / f"{name}.db")
        database.execute("CREATE TABLE place (name TEXT)")
        database.close()


@pytest.fixture(scope="module")
def theirs(published_server: PublishedServer) -> Iterator[Server]:
    url = published_server.database_url.rpartition("/")[0]
    account = url.replace("://bosa@", ":") + ":bosa"
    with met(
        published_server.url,
        published_server.client_key,
        unknown_token=published_server.unknown_token(),
        first_configuration={"url": f"{url}/postgres"},
        first_account=f"{account}:postgres",
        second_configuration={"url": f"{url}/bosa_auth"},
        second_account=f"{account}:bosa_auth",
        wrong_configuration={"url": 5},
    ) as server:
        yield server


@pytest.fixture(scope="module")
def told(theirs: Server, ours: Server) -> Mapping[str, tuple[Seen, Seen]]:
    """What both answered to each exchange of the story, which was told to both from its beginning to its end."""
    return {name: (theirs.seen(exchange), ours.seen(exchange)) for name, exchange in STORY.items()}


def check(listed: Iterable[Difference], exchange: str, found: set[str]) -> None:
    """What was found to differ is what is listed, all of it."""
    expected = {path for difference in listed if exchange in difference.exchanges for path in difference.paths}
    surprising = {path for path in found if not any(is_within(path, each) for each in expected)}
    gone = {each for each in expected if not any(is_within(path, each) for path in found)}
    assert not surprising, "This differs, and on_purpose.py does not say so."
    assert not gone, "This differs no longer, and on_purpose.py says that it does."


def is_within(path: str, listed: str) -> bool:
    return path == listed or path.startswith(f"{listed}.")


@pytest.mark.parametrize("name", EXCHANGES)
def test_both_answer_alike(theirs: Server, ours: Server, name: str) -> None:
    published, hub = theirs.seen(EXCHANGES[name]), ours.seen(EXCHANGES[name])
    check(DIFFERENCES, name, answers_differ(published, hub))


@pytest.mark.parametrize("name", STORY)
def test_both_tell_the_same_story(told: Mapping[str, tuple[Seen, Seen]], name: str) -> None:
    published, hub = told[name]
    check(DIFFERENCES, name, answers_differ(published, hub))


@pytest.mark.parametrize("action", ACTIONS)
def test_both_list_an_action_alike(theirs: Server, ours: Server, action: str) -> None:
    published, hub = listed(theirs)[action], listed(ours)[action]
    check(LISTING, action, set(differences(published, hub)))


def listed(server: Server) -> dict[str, Any]:
    """The actions of the probe; of the fields that are worded for every action alike, that they are there."""
    actions = server.answer(Exchange("/connectors/?modules=probe", method="GET", sender="nobody")).json()["probe"]
    for item in actions.values():
        inputs = (item["parameters"].get("request", {}).get("schema"), item.get("request_body"))
        for schema in filter(None, inputs):
            schema.pop("$defs", None)
            there = [field for field in COMMON if schema["properties"].pop(field, None)]
            schema["properties"].update(dict.fromkeys(there, "as everywhere"))
    return actions


def test_every_listed_difference_is_one_of_an_exchange() -> None:
    named = {exchange for difference in DIFFERENCES for exchange in difference.exchanges}
    assert named <= {*EXCHANGES, *STORY}
