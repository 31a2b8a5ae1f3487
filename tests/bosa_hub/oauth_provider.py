"""A service with accounts of its own, on loopback: it asks its user, checks PKCE, rotates refresh tokens, revokes."""

import secrets
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from threading import Event, Lock, Thread
from typing import TypeAlias
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bosa_hub.oauth2 import OAuth2
from bosa_hub.serve import listen

CLIENT_ID = "the-hub"
CLIENT_SECRET = "planted-client-secret"
Odd: TypeAlias = Callable[[Request], Awaitable[Response]]


@dataclass(slots=True)
class Grant:
    user: str
    scope: str
    refresh_token: str = field(default_factory=lambda: f"planted-refresh-{secrets.token_hex(8)}")
    access: dict[str, float] = field(default_factory=dict[str, float])
    """Access tokens and when they end."""


@dataclass(slots=True)
class Provider:
    """What it knows, and how it behaves."""

    url: str = ""
    user: Mapping[str, object] = field(default_factory=lambda: {"sub": "7", "email": "ada@service.example"})
    lifetimes: list[float] = field(default_factory=list[float])
    """Of the next access tokens; an hour for all others."""
    odd: Odd | None = None
    """What answers at the token endpoint instead."""
    asks: bool = False
    """Whether a person has to agree on a page, where a script presses the button for them."""
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    grants: list[Grant] = field(default_factory=list[Grant])
    seen: list[str] = field(default_factory=list[str])
    """Every path that was asked for."""
    revoked: list[str] = field(default_factory=list[str])
    lock: Lock = field(default_factory=Lock)

    def service(self, **changed: object) -> OAuth2:
        """As a connector declares it."""
        declared: dict[str, object] = {
            "authorize_url": f"{self.url}/authorize",
            "token_url": f"{self.url}/token",
            "revoke_url": f"{self.url}/revoke",
            "userinfo_url": f"{self.url}/userinfo",
            "scopes": ("things:read",),
        }
        return OAuth2(**declared | changed)  # pyright: ignore[reportArgumentType]  what a test wants to be odd

    def end_access(self) -> None:
        """No access token is good any more; refresh tokens are."""
        for grant in self.grants:
            grant.access.clear()

    def reset(self) -> None:
        """As at the beginning, for the next story."""
        fresh = Provider(self.url)
        for name in ("user", "lifetimes", "odd", "asks", "codes", "grants", "seen", "revoked"):
            setattr(self, name, getattr(fresh, name))

    def count(self, path: str) -> int:
        return self.seen.count(path)

    async def authorize(self, request: Request) -> Response:
        asked = request.query_params
        if asked.get("client_id") != CLIENT_ID or asked.get("code_challenge_method") != "S256":
            return Response("no such application", 400)
        back = asked["redirect_uri"]
        if self.asks and request.method == "GET":
            action = escape(f"/authorize?{request.url.query}")
            page = f"<form method=post action='{action}'><button id=agree>I agree</button></form>"
            click = "<script>document.getElementById('agree').click()</script>"
            return HTMLResponse(f"<!doctype html><title>The service</title>{page}{click}")
        code = secrets.token_hex(8)
        self.codes[code] = dict(asked)
        return RedirectResponse(f"{back}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        if self.odd:
            return await self.odd(request)
        form = await request.form()
        pair = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        is_basic = request.headers.get("Authorization") == f"Basic {pair}"
        if not is_basic and (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        with self.lock:
            grant = self._granted(form) if form.get("grant_type") == "authorization_code" else self._again(form)
        if grant is None:
            return JSONResponse({"error": "invalid_grant", "error_description": CLIENT_SECRET}, 400)
        return JSONResponse(self._tokens(grant))

    def _granted(self, form: FormData) -> Grant | None:
        asked = self.codes.pop(str(form.get("code")), None)
        challenge = urlsafe_b64encode(sha256(str(form.get("code_verifier")).encode()).digest()).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return None
        grant = Grant(str(self.user.get("sub")), asked.get("scope", ""))
        self.grants.append(grant)
        return grant

    def _again(self, form: FormData) -> Grant | None:
        for grant in self.grants:
            if grant.refresh_token == form.get("refresh_token"):
                grant.refresh_token = f"planted-refresh-{secrets.token_hex(8)}"
                return grant
        return None

    def _tokens(self, grant: Grant) -> dict[str, object]:
        lifetime = self.lifetimes.pop(0) if self.lifetimes else 3600.0
        access = f"planted-access-{secrets.token_hex(8)}"
        grant.access[access] = time.time() + lifetime
        return {
            "access_token": access,
            "token_type": "bearer",
            "expires_in": int(lifetime),
            "refresh_token": grant.refresh_token,
            "scope": grant.scope,
        }

    async def revoke(self, request: Request) -> Response:
        token = str((await request.form()).get("token"))
        self.revoked.append(token)
        self.grants[:] = [grant for grant in self.grants if token not in {grant.refresh_token, *grant.access}]
        return Response()

    async def done(self, request: Request) -> Response:
        """The caller's page, where the user ends up."""
        return HTMLResponse(f"<!doctype html><p id=end>{escape(str(request.query_params))}</p>")

    async def userinfo(self, request: Request) -> Response:
        return JSONResponse(dict(self.user)) if self._bearer(request) else Response(status_code=401)

    async def things(self, request: Request) -> Response:
        """What the service is there for."""
        body = (await request.body()).decode()
        shown = self._bearer(request)
        return JSONResponse({"things": [1, 2, 3], "sent": body, "token": shown}) if shown else Response(status_code=401)

    def _bearer(self, request: Request) -> str | None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        ends = [grant.access[shown] for grant in self.grants if shown in grant.access]
        return shown if ends and ends[0] > time.time() else None


class _Server(uvicorn.Server):
    def __init__(self, app: Starlette) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
        self.ready = Event()

    async def startup(self, sockets: object = None) -> None:
        await super().startup(sockets)  # pyright: ignore[reportArgumentType]  as it came
        self.ready.set()


@contextmanager
def providing() -> Generator[Provider]:
    """A provider that runs until the block ends."""
    provider = Provider()

    def seen(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            provider.seen.append(request.url.path)
            return await endpoint(request)

        return answer

    routes = [
        Route("/authorize", seen(provider.authorize), methods=["GET", "POST"]),
        Route("/token", seen(provider.token), methods=["POST"]),
        Route("/revoke", seen(provider.revoke), methods=["POST"]),
        Route("/done", seen(provider.done)),
        Route("/userinfo", seen(provider.userinfo)),
        Route("/things", seen(provider.things), methods=["GET", "POST"]),
    ]
    with closing(listen("127.0.0.1", 0)) as listener:
        provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _Server(Starlette(routes=routes))
        thread = Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        server.ready.wait()
        try:
            yield provider
        finally:
            server.should_exit = True
            thread.join(5)
