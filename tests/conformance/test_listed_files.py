"""Every listed action that takes a file takes one as a tool: what is named is sent, and what cannot be is refused."""

from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.policy import HTTP
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from .listings import ListingHandler
from .published import PublishedServer
from .serving import connected

PLAIN: Mapping[str, object] = {"string": "x", "integer": 1, "number": 1, "boolean": True}


class ReceivingHandler(ListingHandler):
    """Also takes calls, and remembers the files in them."""

    def __init__(self, came: list[tuple[str, list[bytes]]], listings: dict[str, Any], *connection: Any) -> None:  # noqa: ANN401  as inherited
        self.came = came
        super().__init__(listings, *connection)

    def do_POST(self) -> None:  # noqa: N802  as the library names it
        body = self.rfile.read(int(self.headers["content-length"]))
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        form = message_from_bytes(head + body, policy=HTTP)
        parts = form.iter_parts() if form.is_multipart() else ()
        files = [bytes(part.get_payload(decode=True)) for part in parts if part.get_filename()]  # pyright: ignore[reportArgumentType]
        self.came.append((self.path, files))
        self.reply(200, {"data": "done", "meta": None})


@pytest.fixture
def came() -> list[tuple[str, list[bytes]]]:
    return []


@pytest.fixture
def url(published_server: PublishedServer, came: list[tuple[str, list[bytes]]]) -> Iterator[str]:
    handler = partial(ReceivingHandler, came, published_server.listings())
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_every_listed_action_that_takes_a_file_takes_one(
    url: str, came: list[tuple[str, list[bytes]]], tmp_path: Path
) -> None:
    settings = {"BOSA_API_BASE_URL": url, "BOSA_API_KEY": "key", "BOSA_USER_TOKEN": "token"}
    async with connected("auto", tmp_path, settings) as client:
        tools = [tool for tool in (await client.list_tools()).tools if file_arguments(tool.input_schema)]
        assert {"google_drive_create_file", "google_mail_send_email"} <= {tool.name for tool in tools}
        for tool in tools:
            result = await client.call_tool(tool.name, filled(tool.input_schema))
            assert not result.is_error, (tool.name, result.structured_content)
            files = len(file_arguments(tool.input_schema))
            assert came[-1][1] == [b"hello"] * files, tool.name


def file_arguments(schema: Mapping[str, Any]) -> list[str]:
    return [name for name, field in schema["properties"].items() if "bosa://files/{id}" in field.get("description", "")]


def filled(schema: Mapping[str, Any]) -> dict[str, object]:
    """Arguments that a tool takes, with a file for each that is one."""
    arguments = {name: value(schema["properties"][name]) for name in schema.get("required", ())}
    for name in file_arguments(schema):
        arguments[name] = ["data:,hello"] if schema["properties"][name]["type"] == "array" else "data:,hello"
    return arguments


def value(field: Mapping[str, Any]) -> object:
    if "enum" in field:
        return field["enum"][0]
    if field.get("type") == "array":
        return [value(field["items"])]
    return PLAIN[field.get("type", "string")]
