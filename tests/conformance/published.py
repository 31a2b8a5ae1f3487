"""The published BOSA server: the bench in upstream/, started on ports of its own and stopped again."""

import os
import secrets
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from .installs import last_line

START = Path(__file__).with_name("upstream") / "start"
UNAVAILABLE = 69  # what start exits with when something is missing on this machine
START_SECONDS = 1800  # the first start installs 1.4 GB
STOP_SECONDS = 60
SIGNING_KEY = "x" * 32  # AUTH_SECRET_KEY in upstream/server.py
PLANETS = [{"name": "Jupiter", "moons": 95}, {"name": "Mars", "moons": 2}, {"name": "Venus", "moons": None}]


@dataclass(frozen=True, slots=True)
class PublishedServer:
    """A running server and a client key for it."""

    url: str
    client_key: str
    database_url: str

    def settings(self, token: str) -> dict[str, str]:
        """What our server needs to act for the user whose token this is."""
        return {"BOSA_API_BASE_URL": self.url, "BOSA_API_KEY": self.client_key, "BOSA_USER_TOKEN": token}

    def post(self, path: str, body: dict[str, Any], token: str = "") -> Any:  # noqa: ANN401  JSON
        """The data of the reply, over a connection of its own: this server drops a connection after a 500."""
        headers = {"X-API-Key": self.client_key} | ({"Authorization": f"Bearer {token}"} if token else {})
        return httpx.post(self.url + path, json=body, headers=headers, timeout=60).raise_for_status().json()["data"]

    def listings(self) -> dict[str, Any]:
        """Every connector's actions."""
        return httpx.get(f"{self.url}/connectors/", timeout=60).raise_for_status().json()

    def new_user(self) -> str:
        """A user's token."""
        identifier = f"user-{secrets.token_hex(4)}"
        user = self.post("/users", {"identifier": identifier})
        return self.post("/auth/tokens", {"identifier": identifier, "secret": user["secret"]})["token"]

    def unknown_token(self) -> str:
        """A token with the right signature that this server has never issued; it answers 500 to a wrong signature."""
        claims = {name: str(uuid.uuid4()) for name in ("sub", "client_id", "identifier", "jti")}
        return jwt.encode(claims, SIGNING_KEY)

    def link_planets(self, token: str) -> None:
        """Gives the user an sql account, on a database whose table planets holds PLANETS."""
        configuration = {"url": self.database_url}
        self.post("/connectors/sql/integrations", {"auth_type": "custom", "configuration": configuration}, token)
        rows = ", ".join(f"('{row['name']}', {row['moons'] or 'NULL'})" for row in PLANETS)
        # the connector leaves its transaction open and rolls it back, whence the commit
        query = f"CREATE TABLE planets (name text, moons int); INSERT INTO planets VALUES {rows}; COMMIT"  # noqa: S608  our rows
        self.post("/connectors/sql/query", {"query": query}, token)


@contextmanager
def running_server(state: Path) -> Generator[PublishedServer]:
    """A server that keeps its log and its client key in this folder; skips the test when it cannot be had here."""
    port = free_port()
    log = state / "log"
    # the Python that runs the tests may be the right one under another name than python3.11
    variables = {"BOSA_UPSTREAM_STATE": str(state), "BOSA_UPSTREAM_PYTHON": sys.executable}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [str(START), str(port)],
            env=os.environ | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            url = ready_url(process)
            if process.poll() == UNAVAILABLE:
                pytest.skip(last_line(log.read_text()))
            assert url, f"The published server did not start:\n{log.read_text()}"
            database_url = f"postgresql+psycopg2://bosa@127.0.0.1:{port + 40_000}/postgres"
            yield PublishedServer(url, (state / "client_key").read_text(), database_url)
        finally:
            stop(process)


def stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def free_port() -> int:
    """A port that is free with its two companions; all three lie where the system takes none for itself."""
    candidates = secrets.SystemRandom().sample(range(21_000, 24_000), 100)
    return next(port for port in candidates if all(is_free(port + offset) for offset in (0, 40_000, 41_000)))


def is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def ready_url(process: subprocess.Popen[str]) -> str:
    """What the server says that it is ready at; empty when it has ended or takes too long."""
    assert process.stdout
    patience = threading.Timer(START_SECONDS, process.terminate)
    patience.start()
    try:
        url = process.stdout.readline().removeprefix("ready ").strip()
    finally:
        patience.cancel()
    if not url:
        process.wait(STOP_SECONDS)
    return url
