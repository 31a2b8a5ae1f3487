"""The contract as routes, every generation of client."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, TypeAlias

from anyio import to_thread
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bosa_hub.actions import Action, actions, listing_item, validate
from bosa_hub.body import read_object
from bosa_hub.envelope import success
from bosa_hub.errors import NotFound, Unauthenticated
from bosa_hub.home import Home
from bosa_hub.identity import Identity, Token, User
from bosa_hub.plugin import Connector, Context
from bosa_hub.rim import FAILURES, Rim, to_response
from bosa_hub.schema import Schema

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _NewClient(BaseModel):
    name: _Name


class _NewUser(BaseModel):
    identifier: _Name


class _Login(BaseModel):
    identifier: _Name
    secret: Annotated[str, Field(max_length=4000)]


def create_app(home: Home, connectors: Iterable[Connector], hosts: Iterable[str]) -> Starlette:
    """The hub as an ASGI application that answers for these host names."""
    found = actions(connectors)
    listed = {connector: {name: listing_item(each) for name, each in own.items()} for connector, own in found.items()}
    api = _Api(home, found, listed)
    app = Starlette(
        routes=list(_routes(api)),
        middleware=[Middleware(Rim, hosts=frozenset(hosts))],
        exception_handlers=FAILURES,
    )
    app.router.redirect_slashes = False
    return app


def _routes(api: "_Api") -> Iterable[Route]:
    connector = "/connectors/{connector}"
    table: list[tuple[str, Endpoint, str]] = [
        ("POST /clients", api.create_client, ""),
        ("GET /connectors/names", api.names, ""),
        ("GET /connectors", api.listing, "/connectors/"),
        ("POST /users", api.create_user, "/clients/register-user"),
        ("POST /auth/tokens", api.log_in, "/clients/oauth-token"),
        ("GET /users/me", api.who_am_i, "/clients/user"),
        (f"GET {connector}/integration-exists", api.has_integration, ""),
        (f"GET {connector}/auth-schema", api.auth_schema, ""),
        (f"POST {connector}/{{action:path}}", api.run, ""),
    ]
    for current, endpoint, older in table:
        method, path = current.split(" ")
        yield from (Route(each, endpoint, methods=[method]) for each in (path, older) if each)


@dataclass(frozen=True, slots=True)
class _Api:
    home: Home
    actions: Mapping[str, Mapping[str, Action]]
    listed: Mapping[str, Mapping[str, Schema]]

    async def create_client(self, request: Request) -> Response:
        body = validate(_NewClient, await read_object(request), echo=False)
        identity = self.home.identity
        identity.require_master(request.headers.get("X-API-User") or request.headers.get("X-API-Key"))
        key = await to_thread.run_sync(identity.create_client, body.name)
        client = {"id": key.id, "name": key.name, "api_key": str(key), "is_active": True}
        return to_response(success(client, message="Client created."))

    async def names(self, _request: Request) -> Response:
        return to_response(list(self.actions))

    async def listing(self, request: Request) -> Response:
        wanted = request.query_params.get("modules")
        names = set(wanted.split(",")) if wanted else set(self.actions)
        return to_response({connector: items for connector, items in self.listed.items() if connector in names})

    async def create_user(self, request: Request) -> Response:
        body = validate(_NewUser, await read_object(request), echo=False)
        user, key = await to_thread.run_sync(self._create_user, request.headers.get("X-API-Key"), body.identifier)
        return to_response(
            success(asdict(user) | {"secret": str(key)}, message="User created. The secret is shown once.")
        )

    def _create_user(self, api_key: str | None, identifier: str) -> tuple[User, object]:
        return self.home.identity.create_user(self.home.identity.client_of(api_key), identifier)

    async def log_in(self, request: Request) -> Response:
        body = validate(_Login, await read_object(request), echo=False)
        token = await to_thread.run_sync(_log_in, self.home.identity, request.headers.get("X-API-Key"), body)
        return to_response(success(asdict(token)))

    async def who_am_i(self, request: Request) -> Response:
        user = await self._user(request)
        return to_response(success({**asdict(user), "integrations": ()}))

    async def has_integration(self, request: Request) -> Response:
        self._connector(request)
        await self._user(request)
        return to_response(success({"has_integration": False}))

    async def auth_schema(self, request: Request) -> Response:
        self._connector(request)
        return to_response(success({"supported_auth_types": []}))

    async def run(self, request: Request) -> Response:
        action = self._action(request)
        user = await self._user(request)
        arguments = await read_object(request)
        context = Context(user.id, self.home.user_folder(user.id, action.connector))
        return to_response(await action.run(arguments, context))

    async def _user(self, request: Request) -> User:
        authorization = request.headers.get("Authorization")
        return await to_thread.run_sync(_caller, self.home.identity, request.headers.get("X-API-Key"), authorization)

    def _connector(self, request: Request) -> Mapping[str, Action]:
        name = request.path_params["connector"]
        if name not in self.actions:
            raise NotFound(f"There is no connector {name[:200]!r}. GET /connectors/names lists those there are.")
        return self.actions[name]

    def _action(self, request: Request) -> Action:
        found, name = self._connector(request), request.path_params["action"]
        if name not in found:
            raise NotFound(f"There is no action {name[:200]!r} here. Available actions: {', '.join(found)}.")
        return found[name]


def _caller(identity: Identity, api_key: str | None, authorization: str | None) -> User:
    client_id = identity.client_of(api_key) if api_key else None
    user = identity.user_of(_bearer(authorization))
    if client_id not in {None, user.client_id}:
        raise Unauthenticated(
            "The user token belongs to another client than X-API-Key. Send a key and a token that match."
        )
    return user


def _bearer(authorization: str | None) -> str | None:
    if authorization is None:
        return None
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Authorization must be Bearer and a user token.")
    return token.strip()


def _log_in(identity: Identity, api_key: str | None, login: _Login) -> Token:
    return identity.log_in(identity.client_of(api_key) if api_key else None, login.identifier, login.secret)
