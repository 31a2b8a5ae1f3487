"""Whose a token is: the API says so, in either family, and what it said counts for a while."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid5

import anyio
import pytest
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Credentials
from bosa_mcp.access import Caller
from bosa_mcp.users import FAILED_FOR, KNOWN_FOR, CannotTell, Users

from .conftest import KEY
from .scripted_api import ScriptedApi, fails, says

CLIENT = UUID(int=7)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def user(token: str, **more: object) -> Response:
    """What the API says of the user whose token this is."""
    of = {"id": str(uuid5(CLIENT, token)), "client_id": str(CLIENT), "identifier": token, "secret_preview": "…"}
    return says({**of, "is_active": True, "integrations": [], **more})


async def whoever_asks(request: Request) -> Response:
    token = request.headers["authorization"].removeprefix("Bearer ")
    if request.headers.get("x-api-key") != KEY or token.startswith("nobody"):
        return fails(401, f"This is nobody's: {token}")
    return user(token)


@pytest.fixture
def asked(api: ScriptedApi) -> ScriptedApi:
    api.odd["/users/me"] = whoever_asks
    return api


@asynccontextmanager
async def known_to(api: ScriptedApi, clock: Clock | None = None, **more: Any) -> AsyncGenerator[Users]:  # noqa: ANN401  settings
    async with AsyncBosaConnector(api.url, KEY, error_contract=2) as connector:
        yield Users(connector, KEY, clock or Clock(), **more)


def times(api: ScriptedApi, path: str = "/users/me") -> int:
    return len([asked for asked in api.asked if asked.path == path])


async def test_a_token_stands_for_a_user_and_their_client(asked: ScriptedApi) -> None:
    async with known_to(asked) as users:
        found = await users.verify_token("alice")
    assert found
    assert [found.client_id, found.subject, found.scopes] == [str(CLIENT), str(uuid5(CLIENT, "alice")), []]


async def test_two_users_are_two_callers_also_where_two_clients_call_them_alike(asked: ScriptedApi) -> None:
    async with known_to(asked) as users:

        async def caller(token: str, **of: object) -> Caller:
            asked.odd["/users/me"] = user("same", **of)
            known = await users.verify_token(token)
            assert known
            return users.of(HTTPConnection({"type": "http", "user": AuthenticatedUser(known)}))

        ada, again = await caller("ada"), await caller("newer")
        bob, eve = await caller("bob", client_id=str(UUID(int=8))), await caller("eve", id=str(UUID(int=9)))
    assert ada.identity == again.identity
    assert len({each.identity for each in (ada, bob, eve)}) == 3
    assert (ada.credentials, bob.credentials) == (Credentials(KEY, "ada"), Credentials(KEY, "bob"))


async def test_an_api_of_the_older_family_is_asked_on_its_own_path(api: ScriptedApi) -> None:
    api.odd["/connectors/names"] = api.odd["/users/me"] = fails(404)
    api.odd["/clients/user"] = whoever_asks
    async with known_to(api) as users:
        assert await users.verify_token("alice")
        assert await users.verify_token("nobody") is None


async def test_an_answer_counts_for_a_minute_and_is_asked_for_again_after(asked: ScriptedApi) -> None:
    clock = Clock()
    async with known_to(asked, clock) as users:
        await users.verify_token("alice")
        clock.now = KNOWN_FOR - 0.1
        await users.verify_token("alice")
        assert times(asked) == 1
        clock.now = KNOWN_FOR
        asked.odd["/users/me"] = fails(401, "It was revoked.")
        assert await users.verify_token("alice") is None
        assert times(asked) == 2


@pytest.mark.parametrize("refused", [401, 403])
async def test_a_token_that_is_nobodys_is_asked_about_again_after_seconds(asked: ScriptedApi, refused: int) -> None:
    clock = Clock()
    asked.odd["/users/me"] = fails(refused)
    async with known_to(asked, clock) as users:
        for _ in range(3):
            assert await users.verify_token("nobody") is None
        assert times(asked) == 1
        clock.now = FAILED_FOR
        asked.odd["/users/me"] = user("nobody")
        assert await users.verify_token("nobody")


@pytest.mark.parametrize(
    "down",
    [
        fails(500),
        fails(503),
        fails(429),
        fails(404, "No client has this key."),
        JSONResponse({"data": {}}),
        JSONResponse([]),
        Response("<html>"),
    ],
)
async def test_an_api_that_does_not_say_leaves_it_open_and_is_left_alone_for_seconds(
    asked: ScriptedApi, down: Response, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    asked.odd["/users/me"] = down
    async with known_to(asked, clock) as users:
        for _ in range(3):
            with pytest.raises(CannotTell, match="try again soon"):
                await users.verify_token("alice-planted")
        assert times(asked) == 1
        clock.now = FAILED_FOR
        asked.odd["/users/me"] = whoever_asks
        assert await users.verify_token("alice-planted")
    assert "does not say whose" in caplog.text
    assert "alice-planted" not in caplog.text
    assert KEY not in caplog.text


async def test_an_api_that_cannot_be_reached_does_not_say(api: ScriptedApi) -> None:
    async with AsyncBosaConnector("http://127.0.0.1:9", KEY) as connector:
        with pytest.raises(CannotTell):
            await Users(connector, KEY).verify_token("alice")
    assert not api.asked


async def test_many_requests_with_one_token_ask_once(asked: ScriptedApi) -> None:
    async with known_to(asked) as users, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(users.verify_token, "alice")
    assert times(asked) == 1


async def test_who_goes_away_while_the_api_is_asked_leaves_the_question_to_the_next(asked: ScriptedApi) -> None:
    asked.odd["/users/me"] = asked.hang
    async with known_to(asked) as users:
        async with anyio.create_task_group() as first:
            first.start_soon(users.verify_token, "alice")
            await anyio.to_thread.run_sync(asked.reached.wait, 20)
            asked.odd["/users/me"] = whoever_asks
            first.cancel_scope.cancel()
        assert await users.verify_token("alice")


async def test_no_more_is_known_at_once_than_fits(asked: ScriptedApi) -> None:
    async with known_to(asked, most=3) as users:
        for name in ("a", "b", "c", "a", "d", "c"):
            assert await users.verify_token(name)
        assert times(asked) == 4
        assert await users.verify_token("a")
        assert times(asked) == 5


@pytest.mark.parametrize("token", ["", "a\nb", "a\x00b", "größe", "\udcff", " "])
async def test_what_no_header_can_carry_is_nobodys(asked: ScriptedApi, token: str) -> None:
    async with known_to(asked) as users:
        assert await users.verify_token(token) is None
    assert times(asked) <= 1


async def test_a_user_who_may_act_no_more_is_nobody(asked: ScriptedApi) -> None:
    asked.odd["/users/me"] = user("alice", is_active=False)
    async with known_to(asked) as users:
        assert await users.verify_token("alice") is None
