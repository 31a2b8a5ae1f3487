"""The SDK's calls about users and accounts against the published server, as far as they need no provider."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from bosa_connectors import AsyncBosaConnector
from bosa_connectors.errors import ApiError, Conflict, NotConnected, NotFound, Unauthenticated

from ..bosa_connectors.shells import SHELLS, connecting  # noqa: TID252  test folders are no packages
from .published import PublishedServer

CALLBACK = "https://here.example/back?with=a&query"


@pytest.fixture(params=SHELLS)
async def connector(
    published_server: PublishedServer, request: pytest.FixtureRequest
) -> AsyncIterator[AsyncBosaConnector]:
    async with connecting(request.param, published_server.url, published_server.client_key) as connector:
        yield connector


@pytest.fixture
async def token(connector: AsyncBosaConnector) -> str:
    """The token of a new user."""
    made = await connector.create_bosa_user(f"user-{uuid4().hex}")
    return (await connector.authenticate_bosa_user(made.identifier, made.secret)).token


async def test_a_user_arrives(connector: AsyncBosaConnector) -> None:
    identifier = f"user-{uuid4().hex}"
    made = await connector.create_bosa_user(identifier)
    with pytest.raises(Conflict):
        await connector.create_bosa_user(identifier)
    with pytest.raises(Unauthenticated):
        await connector.authenticate_bosa_user(identifier, made.secret[:-3] + "zzz")
    token = await connector.authenticate_bosa_user(identifier, made.secret)
    assert token.expires_at
    me = await connector.get_user_info(token.token)
    assert (me.id, me.identifier, me.integrations) == (made.id, identifier, [])


async def test_an_account_is_linked_looked_at_selected_and_removed(
    connector: AsyncBosaConnector, published_server: PublishedServer, token: str
) -> None:
    assert await connector.user_has_integration("sql", token) is False
    [way] = await connector.auth_schema("sql")
    assert way["type"] == "custom"
    config = {"url": published_server.database_url}
    assert (await connector.initiate_plugin_configuration("sql", token, config)).success
    assert await connector.user_has_integration("sql", token) is True
    with pytest.raises(Conflict):
        await connector.initiate_plugin_configuration("sql", token, config)

    [linked] = (await connector.get_user_info(token)).integrations
    assert (linked.connector, linked.selected) == ("sql", True)
    account = await connector.get_integration("sql", token, linked.user_identifier)
    assert str(account["auth_string"]).startswith("postgresql")
    assert (await connector.select_integration("sql", token, linked.user_identifier)).success
    assert (await connector.remove_integration("sql", token, linked.user_identifier)).success
    assert await connector.user_has_integration("sql", token) is False


async def test_the_account_that_acts_is_removed_where_none_is_named(
    connector: AsyncBosaConnector, published_server: PublishedServer, token: str
) -> None:
    await connector.initiate_plugin_configuration("sql", token, {"url": published_server.database_url})
    assert (await connector.remove_integration("sql", token)).success
    assert await connector.user_has_integration("sql", token) is False
    assert not (await connector.remove_integration("sql", token)).success


async def test_an_account_that_there_is_not_is_said_to_be_none(connector: AsyncBosaConnector, token: str) -> None:
    for refused in (
        await connector.select_integration("sql", token, "nobody"),
        await connector.remove_integration("sql", token, "nobody"),
    ):
        assert (refused.success, refused.message[:28]) == (False, "Integration does not exist: ")
    with pytest.raises(NotConnected):
        await connector.get_integration("sql", token, "nobody")
    assert not (await connector.remove_integration("sql", token, "../../../users/me")).success
    assert (await connector.get_user_info(token)).is_active


async def test_a_user_is_sent_where_an_account_is_agreed_to(connector: AsyncBosaConnector, token: str) -> None:
    assert await connector.auth_schema("github") == [{"type": "oauth2"}]
    url = await connector.initiate_connector_auth("github", token, CALLBACK)
    assert url.startswith("https://github.com/login/oauth/authorize?")
    with pytest.raises(ApiError):
        await connector.initiate_connector_auth("sql", token, CALLBACK)


async def test_a_connector_that_there_is_not_is_not_found(connector: AsyncBosaConnector, token: str) -> None:
    with pytest.raises(NotFound):
        await connector.user_has_integration("nothing", token)


async def test_a_configuration_that_the_server_repeats_is_in_no_error(
    connector: AsyncBosaConnector, token: str
) -> None:
    with pytest.raises(ApiError, match=r"\[hidden\]") as caught:
        await connector.initiate_plugin_configuration("sql", token, {"url": "hush-hush-" * 20})
    assert "hush-hush" not in str(caught.value)
