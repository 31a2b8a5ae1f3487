"""A BOSA API that does nothing but answer at once: `python loopback_api.py ACTIONS` prints its address.

It speaks just enough HTTP to cost little beside what is measured.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

PER_CONNECTOR: Final = 100
KEY: Final = "sk-client-bench.key.0123456789"
ARGUMENTS: Final[Mapping[str, object]] = {"project": "apollo", "state": "open", "labels": ["a", "b"], "per_page": 20}
_ITEMS: Final = [
    {"id": number, "title": f"Item {number}", "state": "open", "owner": {"login": "ada", "id": 7}, "labels": ["a", "b"]}
    for number in range(10)
]
ANSWER: Final[Mapping[str, object]] = {"data": _ITEMS, "meta": {"page": 1, "limit": 20, "total": 10, "has_next": False}}


def actions(number: int) -> dict[str, dict[str, dict[str, Any]]]:
    """So many actions as an API lists them: by connector, by name."""
    listed: dict[str, dict[str, dict[str, Any]]] = {}
    for each in range(number):
        connector, name = f"bench{each // PER_CONNECTOR}", f"list_items_{each % PER_CONNECTOR}"
        schema = _schema(f"Of list {each}.", "#/$defs/Filter") | {"$defs": {"Filter": FILTER}}
        listed.setdefault(connector, {})[name] = {
            "method": "POST",
            "plugin_path": f"/{name}",
            "path": f"/connectors/{connector}/{name}",
            "docstring": f"Lists the items of a project that are wanted, the newest first; list {each}.\n\nArgs: …",
            "parameters": {"request": {"name": "request", "required": True, "schema": schema}},
            "request_body": schema,
            "response": {"type": "any"},
        }
    return listed


def openapi(number: int, url: str) -> dict[str, Any]:
    """The same actions, described as an OpenAPI document."""
    paths = {
        item["path"]: {
            "post": {
                "operationId": f"{connector}_{name}",
                "description": item["docstring"],
                "requestBody": {"required": True, "content": _json(_of_document(item["request_body"]))},
                "responses": {"200": {"description": "The items.", "content": _json({"type": "object"})}},
            }
        }
        for connector, listed in actions(number).items()
        for name, item in listed.items()
    }
    info = {"title": "bench", "version": "1"}
    components = {"schemas": {"Filter": FILTER}}
    return {"openapi": "3.1.0", "info": info, "servers": [{"url": url}], "paths": paths, "components": components}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _of_document(schema: Mapping[str, Any]) -> dict[str, Any]:
    text = json.dumps({key: value for key, value in schema.items() if key != "$defs"})
    return json.loads(text.replace("#/$defs/", "#/components/schemas/"))


FILTER: Final[dict[str, Any]] = {
    "title": "Filter",
    "type": "object",
    "description": "Only items for which this holds.",
    "required": ["field"],
    "properties": {
        "field": {"title": "Field", "type": "string", "description": "The name of a field."},
        "operator": {"title": "Operator", "type": "string", "enum": ["is", "is_not", "contains"], "default": "is"},
        "value": {"title": "Value", "anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
    },
}


def _schema(description: str, reference: str) -> dict[str, Any]:
    def maybe(said: str, **schema: object) -> dict[str, Any]:
        return {"anyOf": [schema, {"type": "null"}], "default": None, "description": said}

    texts = {"type": "string"}
    return {
        "title": "Request",
        "type": "object",
        "description": description,
        "required": ["project"],
        "properties": {
            "project": {"title": "Project", "type": "string", "description": "The project's name.", "minLength": 1},
            "state": maybe("Which items.", type="string", enum=["open", "closed", "all"]),
            "labels": maybe("Items that have all of these labels.", type="array", items=texts),
            "since": maybe("Only items changed at or after this time, as in 2026-01-31T12:00:00Z.", type="string"),
            "filters": maybe("All have to hold.", type="array", items={"$ref": reference, "type": "object"}),
            "page": maybe("Which page, from 1.", type="integer", minimum=1),
            "per_page": maybe("How many items a page has.", type="integer", minimum=1, maximum=100),
            "response_fields": maybe("The fields that are wanted.", type="array", items=texts),
        },
    }


async def serve(number: int) -> None:
    """Answers until standard input ends."""
    listed = actions(number)
    replies = {b"GET /connectors/names": list(listed)} | {
        f"GET /connectors/?modules={connector}".encode(): {connector: each} for connector, each in listed.items()
    }
    known = {asked: _reply(said) for asked, said in replies.items()}
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(known), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201  whoever started it reads this
    await asyncio.to_thread(sys.stdin.read)


def _reply(said: object) -> bytes:
    body = json.dumps(said, separators=(",", ":")).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


class _Connection(asyncio.Protocol):
    def __init__(self, known: Mapping[bytes, bytes]) -> None:
        self._known, self._answer, self._read = known, _reply(ANSWER), b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end]
            _, _, length = head.lower().partition(b"\r\ncontent-length:")
            whole = end + 4 + int(length.partition(b"\r\n")[0] or 0)
            if len(self._read) < whole:
                return
            self._read = self._read[whole:]
            assert self._transport
            self._transport.write(self._known.get(head.partition(b" HTTP/")[0], self._answer))


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
