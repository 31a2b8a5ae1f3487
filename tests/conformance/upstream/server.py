"""Hosts the published BOSA connectors (bosa-server-plugins-binary 0.14.9 on bosa-core-binary 0.9.6).

Original, running as shipped: routing, the {data, meta} envelope, form data, response_fields and response_filters, the
listing items, every connector, the integration routes, and the client, user, token and integration services (on
PostgreSQL).
Rebuilt, because the thin app around them is private: the listing paths, the user and token paths, the error handlers.
"""

import importlib
import json
import os
import socket
import sys
import uuid
import warnings
from pathlib import Path
from typing import Annotated

ready_line, sys.stdout = sys.stdout, sys.stderr  # the connectors print, and stdout carries the ready line alone
warnings.filterwarnings("ignore")
PORT, STATE = int(os.environ["BOSA_PORT"]), Path(os.environ["BOSA_STATE"])
CACHE_PORT = PORT + 41000
BASE32 = "GAYTEMZUGU3DOOBZMFRGGZDFMYYDCMRT"
PLACEHOLDERS = (
    "GITHUB_CLIENT_ID GITHUB_CLIENT_SECRET GOOGLE_CLIENT_ID GOOGLE_CLIENT_SECRET "
    "TWITTER_CLIENT_ID TWITTER_CLIENT_SECRET TWITTER_API_KEY TWITTER_API_SECRET "
    "TWITTER_BEARER_TOKEN TWITTER_ACCESS_TOKEN TWITTER_ACCESS_TOKEN_SECRET "
    "GOOGLE_API_CLIENT_ID GOOGLE_API_CLIENT_SECRET CATAPA_CLIENT_ID CATAPA_CLIENT_SECRET ACIDEV_API_KEY"
)
os.environ.update(dict.fromkeys(PLACEHOLDERS.split(), "placeholder"))
os.environ.update(
    DATABASE_AUTHENTICATION_URL=f"postgresql+psycopg2://bosa@127.0.0.1:{os.environ['BOSA_PG_PORT']}/bosa_auth",
    AUTH_SECRET_KEY="x" * 32,
    BOSA_AUTH_ENCRYPTION_PASSWORD=BASE32,
    BOSA_AUTH_ENCRYPTION_SALT=BASE32,
    REDIS_HOST="127.0.0.1",
    REDIS_PORT=str(CACHE_PORT),
    BOSA_API_URL=f"http://127.0.0.1:{PORT}",
    BOSA_WHITELISTED_KEYS="master-key",
    CELERY_BROKER_URL="memory://",
    CELERY_RESULT_BACKEND="cache+memory://",
)

import cache  # noqa: E402

cache.serve(CACHE_PORT)  # before the services, which connect to it while they are made

import uvicorn  # noqa: E402
from bosa_core.authentication import service as services  # noqa: E402
from bosa_core.authentication.config import AuthenticationDbSettings  # noqa: E402
from bosa_core.authentication.provider import init_auth_services  # noqa: E402
from bosa_core.cache.config import CacheSettings  # noqa: E402
from bosa_core.cache.redis import RedisCacheService  # noqa: E402
from bosa_core.exception.base import BosaException  # noqa: E402
from bosa_core.plugin.manager import PluginManager  # noqa: E402
from bosa_core.services.config import ConfigService  # noqa: E402
from fastapi import FastAPI, Header, Request  # noqa: E402
from fastapi.exceptions import RequestValidationError  # noqa: E402
from fastapi.responses import JSONResponse  # noqa: E402

CONNECTORS = {
    "github": "GithubApiPlugin",
    "google": "GoogleApiPlugin",
    "google_drive": "GoogleDriveApiPlugin",
    "google_docs": "GoogleDocsApiPlugin",
    "google_mail": "GoogleMailApiPlugin",
    "google_admin": "GoogleAdminApiPlugin",
    "twitter": "TwitterApiPlugin",
    "sql": "SqlApiPlugin",
    "code_interpreter": "CodeInterpreterPlugin",
    "catapa": "CatapaPlugin",
    "cursor_analytics": "CursorAnalyticsPlugin",
    "github_copilot_analytics": "GithubCopilotAnalyticsPlugin",
}

init_auth_services(AuthenticationDbSettings(), CacheSettings())

# only now: these modules read the services at import
from bosa_server_plugins.handler import FastApiHttpHandler, HttpHandler  # noqa: E402
from bosa_server_plugins.handler.auth import ApiKeyAuthenticationSchema  # noqa: E402

app = FastAPI(title="The published BOSA connectors")
handler = FastApiHttpHandler(app, base_api_prefix="/connectors/", authentication_schema=ApiKeyAuthenticationSchema())


def error(status: int, message: str, source: str, **more: object) -> JSONResponse:
    body = {"message": message, "source": source, "reference_id": str(uuid.uuid4()), **more}
    return JSONResponse(status_code=status, content={"error": body, "message": message})


@app.exception_handler(BosaException)
async def on_bosa_error(_: Request, failure: BosaException) -> JSONResponse:
    return error(failure.status_code, str(failure), type(failure).__name__)


@app.exception_handler(RequestValidationError)
async def on_invalid_body(_: Request, failure: RequestValidationError) -> JSONResponse:
    details = json.loads(json.dumps(failure.errors(), default=str))
    return error(422, "The request body is not valid.", "RequestValidationError", detail=details)


@app.exception_handler(Exception)
async def on_any_error(_: Request, failure: Exception) -> JSONResponse:
    return error(500, f"{type(failure).__name__}: {failure}", type(failure).__name__)


@app.get("/connectors/names")
def names() -> list[str]:
    return [plugin.name for plugin in manager.get_plugins(HttpHandler)]


@app.get("/connectors/")
@app.get("/connectors")
def listing(modules: str | None = None) -> dict:
    wanted = modules.split(",") if modules else None
    return {
        plugin.name: {route["plugin_path"].lstrip("/"): route for route in handler.get_plugin_routes(plugin)}
        for plugin in manager.get_plugins(HttpHandler)
        if not wanted or plugin.name in wanted
    }


@app.post("/users")
@app.post("/clients/register-user")
def create_user(body: dict, x_api_key: Annotated[str, Header()] = "") -> dict:
    return {"data": services.create_user_service.create_user(x_api_key, body["identifier"]).model_dump(mode="json")}


@app.post("/auth/tokens")
@app.post("/clients/oauth-token")
def create_token(body: dict, x_api_key: Annotated[str, Header()] = "") -> dict:
    token = services.authenticate_user_service.authenticate_user(x_api_key, body["identifier"], body["secret"])
    return {"data": token.model_dump(mode="json")}


@app.get("/users/me")
@app.get("/clients/user")
def who_am_i(x_api_key: Annotated[str, Header()] = "", authorization: Annotated[str, Header()] = "") -> dict:
    user = services.verify_token_service.verify_token_and_get_user_id(x_api_key, authorization.removeprefix("Bearer "))
    return {"data": services.get_user_service.get_user_complete(x_api_key, user).model_dump(mode="json")}


manager = PluginManager(
    handlers=[handler],
    global_services=[
        RedisCacheService(host="127.0.0.1", port=CACHE_PORT),
        ConfigService(),
        services.client_aware_service,
        services.third_party_integration_service,
        services.verify_token_service,
        services.get_user_service,
    ],
)
for module, plugin in CONNECTORS.items():
    manager.register_plugin(getattr(importlib.import_module(f"bosa_server_plugins.{module}.plugin"), plugin))

import probe  # noqa: E402

manager.register_plugin(probe.ProbePlugin)
client = services.create_client_service.create_client(f"host-{uuid.uuid4().hex[:8]}", can_get_integrations=True)
(STATE / "client_key").write_text(client.api_key)

# from here on a connection waits in the queue instead of being refused, so "ready" is true when it is said
listener = socket.create_server(("127.0.0.1", PORT))
print(f"ready http://127.0.0.1:{PORT}", file=ready_line, flush=True)
uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)).run([listener])
