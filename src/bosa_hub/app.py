"""The contract as routes, every generation of client."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from typing import Annotated, TypeAlias

from anyio import to_thread
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bosa_hub.actions import Action, actions, listing_item, validate
from bosa_hub.body import arguments_in, read_object
from bosa_hub.catalog import Catalog, tools
from bosa_hub.docs import docs_route
from bosa_hub.download import file_response
from bosa_hub.envelope import success
from bosa_hub.errors import NotFound, Unauthenticated
from bosa_hub.home import Home
from bosa_hub.idempotency import Repeats, key_in, once_of
from bosa_hub.identity import Identity, User
from bosa_hub.limits import Limits
from bosa_hub.linking import Linking, of_path, ways_to_link
from bosa_hub.middleware import FAILURES, Outermost, explained, to_response
from bosa_hub.oauth2 import Application
from bosa_hub.plugin import Connector, Context
from bosa_hub.schema import Schema
from bosa_hub.transfer import OutputFile

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class _NewClient(BaseModel):
    name: _Name


class _NewUser(BaseModel):
    identifier: _Name


class _Login(BaseModel):
    identifier: _Name
    secret: Annotated[str, Field(max_length=4000)]


@dataclass(frozen=True, slots=True)
class Choices:
    """What whoever runs a hub may choose."""

    rate_limit: int | None = None
    """Requests a minute to each client."""
    applications: Mapping[str, Application] = field(default_factory=dict[str, Application])
    """As which application the hub asks for each connector with OAuth2."""
    public_url: str | None = None
    """How browsers reach the hub, where that is not the address it listens on."""


def create_app(
    home: Home, repeats: Repeats, connectors: Iterable[Connector], hosts: Iterable[str], choices: Choices
) -> Starlette:
    """The hub as an ASGI application that answers for these host names."""
    own = list(connectors)
    found = actions(own)
    listed = {connector: {name: listing_item(each) for name, each in own.items()} for connector, own in found.items()}
    named = {connector.name: connector for connector in own}
    ways = {name: ways_to_link(connector) for name, connector in named.items()}
    api = _Api(home, repeats, Limits(choices.rate_limit), found, listed, named, ways, choices)
    app = Starlette(
        routes=[*api.linking.routes(), *api.catalog.routes(), docs_route(own, listed), *_routes(api)],
        middleware=[Middleware(Outermost, hosts=frozenset(hosts))],
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
        (f"POST {connector}/{{action:path}}", api.run, ""),
    ]
    for current, endpoint, older in table:
        method, path = current.split(" ")
        yield from (Route(each, endpoint, methods=[method]) for each in (path, older) if each)


@dataclass(frozen=True, slots=True)
class _Api:
    home: Home
    repeats: Repeats
    limits: Limits
    actions: Mapping[str, Mapping[str, Action]]
    listed: Mapping[str, Mapping[str, Schema]]
    connectors: Mapping[str, Connector]
    ways: Mapping[str, Sequence[Schema]]
    choices: Choices

    @property
    def linking(self) -> Linking:
        applications, public_url = self.choices.applications, self.choices.public_url
        return Linking(self.home, self.connectors, self.ways, self._user, applications, public_url)

    @property
    def catalog(self) -> Catalog:
        return Catalog(tools(self.connectors.values(), self.actions), self._user)

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
        client_id = await self._client(request.headers.get("X-API-Key"))
        user, key = await to_thread.run_sync(self.home.identity.create_user, client_id, body.identifier)
        return to_response(
            success(asdict(user) | {"secret": str(key)}, message="User created. The secret is shown once.")
        )

    async def log_in(self, request: Request) -> Response:
        body = validate(_Login, await read_object(request), echo=False)
        api_key = request.headers.get("X-API-Key")
        client_id = await self._client(api_key) if api_key else None
        token = await to_thread.run_sync(self.home.identity.log_in, client_id, body.identifier, body.secret)
        return to_response(success(asdict(token)))

    async def who_am_i(self, request: Request) -> Response:
        user = await self._user(request)
        linked = await to_thread.run_sync(self.home.accounts.all, user)
        return to_response(success({**asdict(user), "integrations": [asdict(each) for each in linked]}))

    async def run(self, request: Request) -> Response:
        action = self._action(request)
        key = key_in(request.headers)
        user = await self._user(request)
        folder = self.home.user_folder(user.id, action.connector)
        context = Context(user.id, folder, await self.linking.acting(request, user, action.connector))
        async with AsyncExitStack() as uploads:
            arguments = await uploads.enter_async_context(arguments_in(request, action.lists))

            async def execute() -> Response:
                answer = await action.run(arguments, context)
                return await file_response(answer, uploads) if isinstance(answer, OutputFile) else to_response(answer)

            if key is None:
                return await execute()
            account = context.linked and context.linked.identifier
            who = (user.client_id, user.id, account, action.connector, action.name)
            once = await to_thread.run_sync(once_of, key, who, action.effect, arguments)
            response = await explained(request, self.repeats.answer(once, lambda: explained(request, execute())))
            response.headers["Idempotency-Key"] = key
            return response

    async def _client(self, api_key: str | None) -> str:
        client_id = await to_thread.run_sync(self.home.identity.client_of, api_key)
        self.limits.count(client_id)
        return client_id

    async def _user(self, request: Request) -> User:
        key, authorization = request.headers.get("X-API-Key"), request.headers.get("Authorization")
        user = await to_thread.run_sync(_caller, self.home.identity, key, authorization)
        self.limits.count(user.client_id)
        return user

    def _action(self, request: Request) -> Action:
        found, name = of_path(self.actions, request), request.path_params["action"]
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
