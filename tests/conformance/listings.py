"""Discovery documents: where real ones are, a static API that serves them, and which tools must come of them."""

import json
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
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
    """The tools that the contract leaves: what is posted, is no plumbing, and takes no file."""
    return {
        tool_name(connector, action)
        for connector, actions in listings.items()
        for action, item in actions.items()
        if item["method"] == "POST" and action.split("/")[0] not in PLUMBING and not mentions_file(item["parameters"])
    }


def tool_name(connector: str, action: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_-]", "_", f"{connector}_{action}")
    assert len(name) <= 48, f"{name} would be cut: this test knows no such name yet"
    return name


def mentions_file(schema: object) -> bool:
    """Whether a file is somewhere in it, as either generation of the API writes one."""
    match schema:
        case {"type": "bytes"} | {"format": "binary"}:
            return True
        case dict():
            return any(map(mentions_file, cast("dict[str, object]", schema).values()))
        case list():
            return any(map(mentions_file, cast("list[object]", schema)))
        case _:
            return False
