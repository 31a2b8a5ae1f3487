"""Discovery documents: where real ones are, a static API that serves them, and which tools must come of them."""

import json
import os
import re
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import partial, reduce
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import getitem
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

import pytest

PLUMBING = {"integrations", "integration-exists", "success-authorize-callback", "auth-schema", "admin"}


def read_listings() -> dict[str, Any]:
    """Connector name to actions, from the JSON files in the folder that BOSA_LISTINGS names."""
    folder = os.environ.get("BOSA_LISTINGS")
    if not folder:
        pytest.skip("BOSA_LISTINGS names no folder with listings of real connectors")
    documents = [json.loads(file.read_text()) for file in sorted(Path(folder).glob("*.json"))]
    assert documents, f"BOSA_LISTINGS is {folder}, which holds no JSON file"
    return {connector: actions for document in documents for connector, actions in document.items()}


@contextmanager
def serve_listings(listings: dict[str, Any]) -> Generator[str]:
    """The URL of an API that lists these connectors and does nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(ListingHandler, listings))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class ListingHandler(BaseHTTPRequestHandler):
    """Answers the two listing paths of the current family."""

    def __init__(self, listings: dict[str, Any], *connection: Any) -> None:  # noqa: ANN401  as socketserver passes it
        self.listings = listings
        super().__init__(*connection)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        wanted = parse_qs(url.query).get("modules", [])
        if url.path == "/connectors/names":
            self.reply(200, list(self.listings))
        elif url.path == "/connectors/":
            self.reply(200, {name: self.listings[name] for name in wanted if name in self.listings})
        else:
            self.reply(404, {"message": "This API only lists."})

    def do_POST(self) -> None:
        self.reply(404, {"message": "This API only lists."})

    def reply(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Nothing: the requests are not what a failed test is about."""


def expected_tools(listings: dict[str, Any]) -> set[str]:
    """The tools that the contract leaves (what is posted, and is no plumbing), and the server's own."""
    return {*listed_actions(listings), "bosa_accounts", "bosa_connect", "bosa_disconnect", "bosa_read"}


def listed_actions(listings: dict[str, Any]) -> dict[str, Any]:
    """The schema of each action's arguments, by the name of its tool."""
    return {
        tool_name(connector, action): item["parameters"].get("request", {}).get("schema", {})
        for connector, actions in listings.items()
        for action, item in actions.items()
        if item["method"] == "POST" and action.split("/")[0] not in PLUMBING
    }


def tool_name(connector: str, action: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{connector}_{action}")
    assert len(name) <= 48, f"{name} would be cut: this test knows no such name yet"
    return name


LIMITS = frozenset(
    {"pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
    | {"minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"}
)
OURS = {"response_fields", "response_filters", "max_items"}

Fact: TypeAlias = tuple[str, str, Any]
"""What kind it is of, where it stands, and what it says."""


def facts(schema: Any, root: Any, path: str = "", seen: tuple[str, ...] = ()) -> Iterator[Fact]:  # noqa: ANN401  JSON
    """What a model reads in a schema, references followed until they lead back."""
    if (reference := schema.get("$ref")) is not None and reference not in seen:
        target = reduce(getitem, reference.removeprefix("#/").split("/"), root)
        yield from facts(target, root, path, (*seen, reference))
    if reference in seen:
        return
    yield from stated(schema, path)
    for where, each in below(schema, path):
        yield from facts(each, root, where, seen)


def stated(schema: dict[str, Any], path: str) -> Iterator[Fact]:
    """What a schema says itself."""
    choices = [*schema.get("enum", []), schema.get("const")]
    yield from (("choice", path, value) for value in choices if value is not None)
    yield from ((limit, path, schema[limit]) for limit in LIMITS & schema.keys())
    yield from (("required", path, name) for name in schema.get("required", []))
    yield from (("argument", path, name) for name in schema.get("properties", {}) if path or name not in OURS)
    if schema.get("description"):
        yield "description", path, schema["description"]
    if schema.get("default") is not None:
        yield "default", path, json.dumps(schema["default"])


def below(schema: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """The schemas within a schema, each with where it stands."""
    for name, each in schema.get("properties", {}).items():
        if path or name not in OURS:
            yield f"{path}.{name}", each
    for union in ("anyOf", "oneOf", "allOf"):
        yield from ((path, branch) for branch in schema.get(union, []))
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield f"{path}.{key}", schema[key]
