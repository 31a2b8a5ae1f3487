"""The whole way of a user on our hub: made, logged in, linked, acting, removed; and two of them at once."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import anyio
import pytest
from pydantic import BaseModel, Field, SecretStr

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_connectors.auth import BosaAuthenticator
from bosa_connectors.errors import Conflict, InvalidArguments, NotConnected, NotFound, Unauthenticated
from bosa_connectors.helpers.integrations import BosaIntegrationHelper
from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import RunningHub, running

from .shells import Shell, connecting


class TodoAccount(BaseModel):
    """Where the list is kept."""

    name: str | None = Field(default=None, description="How to call the account.")
    api_key: SecretStr = Field(description="From the settings page.", min_length=3)


class Todo(Connector):
    """A list of things to do, kept elsewhere."""

    configuration = TodoAccount

    @action(effect="read")
    async def whoami(self, context: Context) -> str:
        """Say which account acts."""
        return context.account.identifier


class Calendar(Connector):
    """Needs an account that its owner agrees to elsewhere."""

    oauth2 = OAuth2(
        authorize_url="https://calendar.example/authorize",
        token_url="https://calendar.example/token",
        client_id="the-hub",
        client_secret="not-so-secret",
    )

    @action(effect="read")
    async def whoami(self, context: Context) -> str:
        """Say which account acts."""
        return context.account.identifier


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    with running(tmp_path_factory.mktemp("hub"), connectors=[Todo(), Calendar()]) as started:
        yield started


@pytest.fixture(params=[1, 2], ids=["contract 1", "contract 2"])
async def connector(hub: RunningHub, shell: Shell, request: pytest.FixtureRequest) -> AsyncIterator[AsyncBosaConnector]:
    async with connecting(shell, hub.url, hub.client_key, error_contract=request.param) as connector:
        yield connector


async def arrive(connector: AsyncBosaConnector) -> str:
    """The token of a new user."""
    made = await connector.create_bosa_user(f"../Ädä {uuid4().hex}")
    return (await connector.authenticate_bosa_user(made.identifier, made.secret)).token


async def acting(connector: AsyncBosaConnector, token: str, account: str | None = None) -> object:
    """What the account that acts answers."""
    whoami = (await connector.catalogue("todo")).action("whoami")
    reply = await connector.send(Call(whoami, {}, Credentials(user_token=token, account=account)))
    if reply.error:
        raise reply.error
    return reply.data


async def accounts(connector: AsyncBosaConnector, token: str) -> list[tuple[str, bool]]:
    """The user's accounts, and which is selected."""
    return [(each.user_identifier, each.selected) for each in (await connector.get_user_info(token)).integrations]


async def test_a_user_arrives(connector: AsyncBosaConnector) -> None:
    identifier = f"ada {uuid4().hex}"
    made = await connector.create_bosa_user(identifier)
    assert made.secret.startswith("sk-user-")
    with pytest.raises(Conflict):
        await connector.create_bosa_user(identifier)
    with pytest.raises(Unauthenticated):
        await connector.authenticate_bosa_user(identifier, made.secret[:-3] + "zzz")
    token = await connector.authenticate_bosa_user(identifier, made.secret)
    me = await connector.get_user_info(token.token)
    assert (me.id, str(me.id), me.identifier, me.integrations) == (made.id, token.user_id, identifier, [])
    with pytest.raises(Unauthenticated):
        await connector.get_user_info("nonsense")


async def test_a_user_links_accounts_chooses_among_them_and_removes_them(connector: AsyncBosaConnector) -> None:
    token = await arrive(connector)
    assert await connector.user_has_integration("todo", token) is False
    [way] = await connector.auth_schema("todo")
    assert way["type"] == "custom"
    for name in ("one", "50% of me? #2"):
        linked = await connector.initiate_plugin_configuration("todo", token, {"name": name, "api_key": "hush-hush"})
        assert linked.success
    assert await connector.user_has_integration("todo", token) is True
    (one, is_first), (other, is_second) = await accounts(connector, token)
    assert (is_first, is_second) == (True, False)
    assert "hush-hush" in str((await connector.get_integration("todo", token, other))["auth_string"])

    assert (await acting(connector, token), await acting(connector, token, other)) == (one, other)
    assert (await connector.select_integration("todo", token, other)).success
    assert await accounts(connector, token) == [(one, False), (other, True)]
    assert await acting(connector, token) == other
    assert (await connector.remove_integration("todo", token, other)).success
    assert [name for name, _ in await accounts(connector, token)] == [one]
    assert (await connector.remove_integration("todo", token)).success
    assert await connector.user_has_integration("todo", token) is False
    with pytest.raises(NotConnected):
        await acting(connector, token)


async def test_an_account_is_linked_once_or_in_place_of_itself(connector: AsyncBosaConnector) -> None:
    token = await arrive(connector)
    config = {"name": "one", "api_key": "hush-hush"}
    await connector.initiate_plugin_configuration("todo", token, config)
    with pytest.raises(Conflict) as caught:
        await connector.initiate_plugin_configuration("todo", token, config)
    assert "hush" not in str(caught.value)
    assert (await connector.initiate_plugin_configuration("todo", token, config, replace_duplicate=True)).success
    with pytest.raises(ValueError, match="api_key") as refused:
        await connector.initiate_plugin_configuration("todo", token, {"api_key": ["hush-hush"]})
    assert "hush" not in str(refused.value)
    assert len(await accounts(connector, token)) == 1


async def test_an_account_that_there_is_not_is_said_to_be_none(connector: AsyncBosaConnector) -> None:
    token = await arrive(connector)
    for refused in (
        await connector.select_integration("todo", token, "nobody"),
        await connector.remove_integration("todo", token, "nobody"),
        await connector.remove_integration("todo", token),
    ):
        assert refused.success is False
        assert refused.message.startswith("Integration does not exist: ")
    with pytest.raises(NotConnected, match=r"^404: Integration does not exist: "):
        await connector.get_integration("todo", token, "nobody")


async def test_a_user_is_sent_where_an_account_is_agreed_to(connector: AsyncBosaConnector) -> None:
    token = await arrive(connector)
    assert await connector.auth_schema("calendar") == [{"type": "oauth2"}]
    url = await connector.initiate_connector_auth("calendar", token, "http://localhost/linked?with=a&query")
    assert url.startswith("https://calendar.example/authorize?")
    with pytest.raises(ValueError, match=r"^400: "):
        await connector.initiate_connector_auth("todo", token, "http://localhost/linked")


async def test_a_connector_that_there_is_not_is_not_found(connector: AsyncBosaConnector) -> None:
    token = await arrive(connector)
    with pytest.raises(NotFound):
        await connector.user_has_integration("nothing", token)
    with pytest.raises(NotFound):
        await connector.auth_schema("nothing")
    with pytest.raises(InvalidArguments):
        await connector.get_integration("..", token, "me")


async def test_two_users_of_one_connector_object_do_not_get_into_each_others_way(
    connector: AsyncBosaConnector,
) -> None:
    seen: dict[str, list[list[tuple[str, bool]]]] = {"ada": [], "bob": []}

    async def live(name: str) -> None:
        token = await arrive(connector)
        for turn in range(5):
            config = {"name": f"{name} {turn}", "api_key": "hush-hush"}
            await connector.initiate_plugin_configuration("todo", token, config)
            assert await acting(connector, token) == f"{name} {turn}"
            seen[name].append(await accounts(connector, token))
            assert (await connector.remove_integration("todo", token)).success

    async with anyio.create_task_group() as tasks:
        for name in seen:
            tasks.start_soon(live, name)
    assert seen == {name: [[(f"{name} {turn}", True)] for turn in range(5)] for name in seen}


def test_an_authenticator_is_the_part_about_users(hub: RunningHub) -> None:
    identifier = uuid4().hex
    with BosaAuthenticator(hub.url, hub.client_key) as authenticator:
        secret = authenticator.register(identifier).secret
        token = authenticator.authenticate(identifier, secret).token
        assert authenticator.get_user(token).identifier == identifier
        assert authenticator.api_base_url == hub.url
    with pytest.raises(RuntimeError):
        authenticator.get_user(token)


def test_an_integration_helper_is_the_part_about_accounts(hub: RunningHub) -> None:
    identifier = uuid4().hex
    with BosaAuthenticator(hub.url, hub.client_key) as authenticator:
        secret = authenticator.register(identifier).secret
        token = authenticator.authenticate(identifier, secret).token
    with BosaIntegrationHelper(hub.url, hub.client_key) as helper:
        assert not helper.user_has_integration("todo", token)
        assert helper.initiate_integration("calendar", token, "https://app.example/done").startswith("https://calendar")
        for name in ("home", "work"):
            config = {"name": name, "api_key": "hush-hush"}
            assert helper.initiate_plugin_configuration("todo", token, config).success
        assert helper.select_integration("todo", token, "work").success
        assert helper.get_integration("todo", token, "work")["selected"]
        assert helper.remove_integration("todo", token, "home").success
        assert helper.user_has_integration("todo", token)
