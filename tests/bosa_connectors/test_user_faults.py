"""Requests about users whose answer does not come, or not whole."""

import socket
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from bosa_connectors import AsyncBosaConnector
from bosa_connectors.errors import BosaError, OutcomeUnknown, Unreachable

from .raw import Behaviour, Connection, answer, raw_api
from .shells import Shell, connecting

Ask: TypeAlias = Callable[[AsyncBosaConnector], Awaitable[Any]]
WRITES: dict[str, Ask] = {
    "create": lambda connector: connector.create_bosa_user("ada"),
    "log in": lambda connector: connector.authenticate_bosa_user("ada", "secret"),
    "agree": lambda connector: connector.initiate_connector_auth("sql", "token", "https://here.example"),
    "configure": lambda connector: connector.initiate_plugin_configuration("sql", "token", {}),
    "select": lambda connector: connector.select_integration("sql", "token", "shop"),
    "remove": lambda connector: connector.remove_integration("sql", "token", "shop"),
}
READS: dict[str, Ask] = {
    "who am I": lambda connector: connector.get_user_info("token"),
    "exists": lambda connector: connector.user_has_integration("sql", "token"),
    "get": lambda connector: connector.get_integration("sql", "token", "shop"),
    "ways": lambda connector: connector.auth_schema("sql"),
}
TRUNCATED = answer(b'{"data": {"success": true}, "meta": null}')[:-5]
NO_JSON = answer(b'{"data": {')
COMPRESSED = answer(b"no gzip", 200, "content-encoding: gzip")


def ending(after: bytes) -> Behaviour:
    """Says which family it is, and this much of every other answer."""

    async def behave(connection: Connection) -> None:
        while b"/connectors/names" in await connection.request():
            await connection.write(answer(b'["sql"]'))
        if after:
            await connection.write(after)

    return behave


@pytest.mark.parametrize("after", [b"", TRUNCATED, NO_JSON, COMPRESSED], ids=["none", "cut", "no JSON", "no gzip"])
@pytest.mark.parametrize("write", WRITES)
async def test_a_write_whose_answer_is_lost_says_that_its_outcome_is_unknown_and_is_sent_once(
    write: str, after: bytes, shell: Shell
) -> None:
    async with raw_api(ending(after)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(OutcomeUnknown, match="whether it acted is not known"):
            await WRITES[write](connector)
        assert len([request for request in api.requests if b"/connectors/names" not in request]) == 1


@pytest.mark.parametrize("after", [b"", TRUNCATED, NO_JSON, COMPRESSED], ids=["none", "cut", "no JSON", "no gzip"])
@pytest.mark.parametrize("read", READS)
async def test_a_read_whose_answer_is_lost_may_be_asked_again(read: str, after: bytes, shell: Shell) -> None:
    async with raw_api(ending(after)) as api, connecting(shell, api.url) as connector:
        with pytest.raises(BosaError) as caught:
            await READS[read](connector)
        assert not isinstance(caught.value, OutcomeUnknown)


@pytest.mark.parametrize("ask", [*WRITES, *READS])
async def test_where_nobody_listens_nothing_was_done(ask: str, shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with connecting(shell, f"http://127.0.0.1:{port}") as connector:
        with pytest.raises(Unreachable):
            await {**WRITES, **READS}[ask](connector)


async def test_a_lost_answer_to_the_question_for_the_family_costs_no_write(shell: Shell) -> None:
    async def losing(connection: Connection) -> None:
        await connection.request()

    async with raw_api(losing) as api, connecting(shell, api.url) as connector:
        with pytest.raises(Unreachable):
            await connector.create_bosa_user("ada")
        assert [request.partition(b" HTTP")[0] for request in api.requests] == [b"GET /connectors/names"] * 2
