"""What a connector object does is the same over a socket and over a transport that is told what to answer.

Over servers of their own the same is shown by `test_pages_on_hub`, `test_seed_page` and `conformance`.
"""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bosa_connectors import AsyncBosaConnector, BosaConnector, Call
from bosa_connectors.errors import BadReply, InvalidArguments, NotFound
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.retry import safe

from .samples import listed, takes
from .scripted import Answer, Asked, ScriptedApi
from .shells import Shell, connecting

LISTING = {
    "get_it": listed(takes(id={"type": "integer"}, required=("id",)), path="/it"),
    "list_them": listed(takes(page={"type": "integer"}), path="/them"),
    "send_file": listed(takes(file={"type": "string", "format": "binary"}), path="/file"),
}
USUAL = (AsyncBosaConnector, BosaConnector)


def scripted(api: ScriptedApi) -> tuple[type[AsyncBosaConnector], type[BosaConnector]]:
    """Connector objects without a network."""

    def respond(request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url.raw_path.decode()}"
        answer = api.answer(Asked(line, dict(request.headers), request.content, 0))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)

    def transport(_: ssl.SSLContext) -> httpx.MockTransport:
        return httpx.MockTransport(respond)

    class Awaiting(AsyncBosaConnector):
        _connections = staticmethod(transport)

    class Blocking(BosaConnector):
        _connections = staticmethod(transport)

    return Awaiting, Blocking


@pytest.fixture(params=["socket", "transport"])
async def connector(
    request: pytest.FixtureRequest, api: ScriptedApi, shell: Shell
) -> AsyncIterator[AsyncBosaConnector]:
    api.answers["/connectors/?modules=notes"] = Answer.of({"notes": LISTING})
    kinds = scripted(api) if request.param == "transport" else USUAL
    async with connecting(shell, api.url, kinds=kinds) as connector:
        yield connector


async def test_a_call_is_sent_as_who_calls_says_and_comes_back_as_it_was_said(
    api: ScriptedApi, connector: AsyncBosaConnector
) -> None:
    api.answers["/it"] = Answer.of({"data": {"id": 7}, "meta": None})
    assert await connector.execute("notes", "get_it", {"id": 7}, token="jwt") == (
        {"data": {"id": 7}, "meta": None},
        200,
    )
    assert api.asked[-1].arguments == {"id": 7}
    who = {"x-api-key": "client-key", "authorization": "Bearer jwt"}
    assert api.asked[-1].said == {**who, "content-type": "application/json"}


async def test_what_is_wrong_is_not_sent(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    with pytest.raises(InvalidArguments, match="Field required"):
        await connector.execute("notes", "get_it", {})
    assert api.lines == ["GET /connectors/?modules=notes"]


async def test_a_failure_is_a_reply_until_it_is_raised(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/it"] = Answer.of({"error": {"message": "No such thing."}}, 404, x_request_id="r1")
    response = await connector.run("notes", "get_it", {"id": 7})
    assert (response.get_status(), response.ok, response.request_id) == (404, False, "r1")
    with pytest.raises(NotFound, match="No such thing"):
        response.raise_for_status()


async def test_an_answer_that_is_no_json_is_said_to_be_none(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    api.answers["/it"] = Answer(200, {"content-type": "application/json"}, b"{")
    action = (await connector.catalogue("notes"))["get_it"]
    with pytest.raises(BadReply):
        await connector.send(Call(action, {"id": 7}))


async def test_all_pages_come_once(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    def page(asked: Asked) -> Answer:
        number = asked.arguments.get("page", 1)
        return Answer.of({"data": [number], "meta": {"page": number, "has_next": number < 3, "has_prev": number > 1}})

    api.answers["/them"] = page
    response = await connector.run("notes", "list_them")
    assert [item async for item in response.iter_items()] == [1, 2, 3]


async def test_a_read_is_repeated_where_that_may_help(api: ScriptedApi, connector: AsyncBosaConnector) -> None:
    answers = iter([Answer.of({"message": "Slow."}, 429, retry_after="0"), Answer.of({"message": "Broke."}, 500)])
    api.answers["/it"] = lambda _: next(answers, Answer.of({"data": 1, "meta": None}))
    action = (await connector.catalogue("notes"))["get_it"]
    assert (await connector.send(Call(action, {"id": 7}, policy=safe("read")))).data == 1
    assert api.lines[1:] == ["POST /it"] * 3


async def test_a_file_goes_and_another_one_comes(
    api: ScriptedApi, connector: AsyncBosaConnector, tmp_path: Path
) -> None:
    (tmp_path / "note.txt").write_bytes(b"as it was")
    name = {"content-type": "text/plain; charset=utf-8", "content-disposition": 'attachment; filename="back.txt"'}
    api.answers["/file"] = lambda asked: Answer(200, name, b"got it" if b"\r\nas it was\r\n" in asked.body else b"")
    body, status = await connector.execute("notes", "send_file", {"file": tmp_path / "note.txt"})
    assert isinstance(body, ConnectorFile)
    assert (body.file, body.filename, status) == (b"got it", "back.txt", 200)
    assert body.content_type == "text/plain; charset=utf-8"
