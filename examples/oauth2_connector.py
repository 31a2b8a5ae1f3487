"""A connector whose users agree at a service (OAuth2), on a hub of its own.

    pip install 'bosa-mcp[hub-oauth]'
    python examples/oauth2_connector.py

The service is a tiny one on loopback, whose user always agrees. For a real one, register an application there, with
the address `https://YOUR.HUB/connectors/photos/success-authorize-callback`, and tell the hub as which it asks:

    PYTHONPATH=examples BOSA_HUB_CONNECTORS=oauth2_connector:Photos BOSA_PUBLIC_URL=https://YOUR.HUB \
      BOSA_HUB_OAUTH='{"photos": {"client_id": "…", "client_secret": "…"}}' bosa-mcp hub
"""

import asyncio
import json
import os
import secrets
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

from bosa_connectors import AsyncBosaConnector, Call, Credentials
from bosa_hub import Connector, Context, OAuth2, UpstreamFailed, action
from bosa_hub.oauth2 import Application
from bosa_hub.serve import running


class Photos(Connector):
    """The photos that a user keeps elsewhere."""

    def __init__(self) -> None:
        self.url = os.environ.get("PHOTOS_API", "http://127.0.0.1:9000")
        self.oauth2 = OAuth2(
            authorize_url=f"{self.url}/authorize",
            token_url=f"{self.url}/token",
            revoke_url=f"{self.url}/revoke",
            userinfo_url=f"{self.url}/userinfo",
            scopes=("photos:read",),
        )

    @action(effect="read")
    async def list_photos(self, context: Context) -> list[str]:
        """The names of all photos."""
        # the account's auth shows its access token, and has it renewed where the service refuses it
        async with httpx.AsyncClient(auth=context.account.auth) as service:
            reply = await service.get(f"{self.url}/photos")
        if not reply.is_success:
            raise UpstreamFailed(f"The photo service answers {reply.status_code}. Try again later.")
        return reply.json()


class Service(BaseHTTPRequestHandler):
    """What a real service would do, without its care."""

    good: set[str] = set()  # noqa: RUF012  one service, one set
    """Access tokens that it takes."""

    def do_GET(self) -> None:
        """The page where a user agrees, who they are, and their photos."""
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/authorize":
            back = urlencode({"code": "the-code", "state": asked["state"]})
            self._answer(302, None, Location=f"{asked['redirect_uri']}?{back}")
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.good:
            self._answer(401, None)
        else:
            self._answer(200, {"email": "ada@photos.example"} if url.path == "/userinfo" else ["sea.jpg", "hill.jpg"])

    def do_POST(self) -> None:
        """A new access token, or the end of all."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        if self.path == "/revoke":
            self.good.clear()
            print("the service: revoked")
            self._answer(200, None)
            return
        print("the service:", form["grant_type"][0], "with PKCE" if "code_verifier" in form else "")
        access = secrets.token_urlsafe()
        self.good.add(access)
        self._answer(200, {"access_token": access, "refresh_token": "r", "expires_in": 3600, "token_type": "bearer"})

    def _answer(self, status: int, body: object, **headers: str) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(content), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing."""


@contextmanager
def service() -> Generator[str]:
    """The address of the service."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def agree(url: str) -> str:
    """What the user's browser does; the address where it ends up."""
    async with httpx.AsyncClient() as browser:
        at_service = await browser.get(url)
        at_hub = await browser.get(at_service.headers["Location"])
        return at_hub.headers["Location"]


async def main(url: str, key: str, token: str) -> None:
    """Links an account, uses it, uses it when its access has ended, and gives it back."""
    async with AsyncBosaConnector(url, key) as bosa:
        address = await bosa.initiate_connector_auth("photos", token, "http://localhost:3000/linked")
        print("the browser ends at", await agree(address))
        call = Call((await bosa.catalogue("photos"))["list_photos"], {}, Credentials(user_token=token))
        print((await bosa.send(call)).data)
        Service.good.clear()
        print("after its access has ended:", (await bosa.send(call)).data)
        await bosa.remove_integration("photos", token, "ada@photos.example")
        print(repr((await bosa.send(call)).error))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, service() as there:
        os.environ["PHOTOS_API"] = there
        registered = {"photos": Application("the-hub", "a secret of the hub and the service")}
        with running(Path(folder), connectors=[Photos()], applications=registered) as hub:
            asyncio.run(main(hub.url, hub.client_key, hub.user_token("ada")))
