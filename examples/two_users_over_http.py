"""One server over HTTP for two users: each brings their own token, and sees what is theirs.

    python examples/two_users_over_http.py

It starts a hub and the server as programs, as a deployment would: only the addresses differ.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client

from bosa_hub.serve import RunningHub, running


@contextmanager
def server(hub: RunningHub, folder: Path) -> Generator[str]:
    """The address of `bosa-mcp serve`, which asks everybody for a token of the hub."""
    settings = {
        "BOSA_API_BASE_URL": hub.url,
        "BOSA_API_KEY": hub.client_key,
        "BOSA_AUTH": "user-token",
        "BOSA_DATA_DIR": str(folder),
    }
    command = [sys.executable, "-m", "bosa_mcp", "serve", "--transport", "http", "--port", "0"]
    with subprocess.Popen(  # noqa: S603  a command of its own
        command, env=os.environ | settings, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = iter(process.stderr or ())
            ready = next((line for line in lines if line.startswith("ready ")), None)
            if ready is None:
                raise SystemExit("The server did not start.")
            yield ready.split()[1]
        finally:
            process.terminate()


async def act(url: str, name: str, token: str | None) -> None:
    """What one user does: writes a note, and lists the notes there are."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        create_mcp_http_client(headers) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        await client.call_tool("notes_create_note", {"title": f"A note of {name}", "body": "…"})
        listed = await client.call_tool("notes_list_notes", {"response_fields": ["title"]})
        print(name, "has", listed.structured_content)


async def main(url: str, hub: RunningHub) -> None:
    """Two users at the same time, and somebody without a token."""
    await asyncio.gather(*(act(url, name, hub.user_token(name)) for name in ("ada", "bob")))
    async with create_mcp_http_client() as http:
        answer = await http.post(f"{url}/mcp", json={})
        print("without a token:", answer.status_code)


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as data,
        running(Path(data) / "hub") as started,
        server(started, Path(data) / "server") as address,
    ):
        asyncio.run(main(address, started))
