"""How accounts are linked, chosen, shown and removed, and which of them acts in a call."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from inspect import iscoroutinefunction
from typing import Annotated, Literal, TypeVar, cast
from urllib.parse import quote

from anyio import to_thread
from pydantic import AnyHttpUrl, BaseModel, UrlConstraints, ValidationError, create_model, field_validator
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bosa_hub.accounts import Credential, Linked
from bosa_hub.actions import Strict, validate
from bosa_hub.attempts import Begun
from bosa_hub.body import read_object
from bosa_hub.envelope import error_contract, invalid_arguments, success
from bosa_hub.errors import BadRequest, Conflict, HubError, Invalid, MethodNotAllowed, NotFound, TooLarge
from bosa_hub.home import Home
from bosa_hub.identity import User
from bosa_hub.middleware import to_response
from bosa_hub.oauth2 import Application, OAuth2, Tokens
from bosa_hub.plugin import Account, Connector, Context
from bosa_hub.schema import Schema

_MAX_CONFIGURATION = 1 << 16
"""Bytes of a configuration as JSON."""

T = TypeVar("T")


class _Link(BaseModel):
    auth_type: Literal["oauth2", "custom"] | None = None
    replace_duplicate: bool | None = None


class _Agree(_Link):
    callback_url: Annotated[AnyHttpUrl, UrlConstraints(max_length=2000)]

    @field_validator("callback_url")
    @classmethod
    def _plain(cls, url: AnyHttpUrl) -> AnyHttpUrl:
        if url.username is not None or url.password is not None:
            raise ValueError("an address with a user in it looks like another one")
        return url


class _Configure(_Link):
    configuration: dict[str, object]


@dataclass(frozen=True, slots=True)
class Linking:
    """The endpoints that are about accounts."""

    home: Home
    connectors: Mapping[str, Connector]
    ways: Mapping[str, Sequence[Schema]]
    """How accounts of each connector are linked."""
    user_of: Callable[[Request], Awaitable[User]]
    applications: Mapping[str, Application]
    """As which application the hub asks for each connector, where the connector does not say."""
    public_url: str | None
    """How browsers reach the hub; None for the address that the request came to."""

    def routes(self) -> Iterable[Route]:
        """Where they are."""
        integrations = "/connectors/{connector}/integrations"
        one = f"{integrations}/{{user_identifier:path}}"
        yield Route("/connectors/{connector}/auth-schema", self.auth_schema, methods=["GET"])
        yield Route("/connectors/{connector}/integration-exists", self.exists, methods=["GET"])
        yield Route("/connectors/{connector}/success-authorize-callback", self.callback, methods=["GET"])
        yield Route(integrations, self.link, methods=["POST"])
        yield Route(integrations, self.remove, methods=["DELETE"])
        yield Route(one, self.show, methods=["GET"])
        yield Route(one, self.select, methods=["POST"])
        yield Route(one, self.remove, methods=["DELETE"])

    async def auth_schema(self, request: Request) -> Response:
        """The ways to link an account."""
        return to_response(success({"supported_auth_types": of_path(self.ways, request)}))

    async def exists(self, request: Request) -> Response:
        """Whether the user has linked an account."""
        connector, user = of_path(self.connectors, request), await self.user_of(request)
        found = await to_thread.run_sync(self.home.accounts.exists, user, connector.name)
        return to_response(success({"has_integration": found}))

    async def link(self, request: Request) -> Response:
        """A linked account; or the address where the user agrees to one."""
        connector, user = of_path(self.connectors, request), await self.user_of(request)
        body = await read_object(request)
        if body.get("auth_type") == "custom" or "configuration" in body:
            return await self._configure(connector, user, validate(_Configure, body, echo=False))
        base_url = self.public_url or str(request.base_url).rstrip("/")
        return await self._agree(connector, user, validate(_Agree, body, echo=False), base_url)

    async def _configure(self, connector: Connector, user: User, wanted: _Configure) -> Response:
        configuration, text = _configuration(connector, wanted.configuration)
        context = Context(user.id, self.home.user_folder(user.id, connector.name))
        identifier = await connector.account_identifier(configuration, context)
        credential, replace = Credential("custom", text), bool(wanted.replace_duplicate)

        def keep() -> Linked:
            return self.home.accounts.link(user, connector.name, identifier, credential, replace=replace)

        linked = await to_thread.run_sync(keep)
        result = {"configuration_id": linked.id, "configuration_name": linked.user_identifier}
        return to_response(success({"result": result, "success": True}))

    async def _agree(self, connector: Connector, user: User, wanted: _Agree, base_url: str) -> Response:
        service = self._asked(connector)
        from bosa_hub.grants import Grants  # noqa: PLC0415  what it needs is there where a connector has OAuth2

        redirect_uri = f"{base_url}/connectors/{quote(connector.name)}/success-authorize-callback"
        callback_url, replace = str(wanted.callback_url), bool(wanted.replace_duplicate)
        begun = Begun(user.id, connector.name, callback_url, redirect_uri, replace)
        return to_response(success({"url": await Grants(self.home, connector, service).begin(begun)}))

    async def callback(self, request: Request) -> Response:
        """The user comes back from where they agreed, and is sent on."""
        if request.method != "GET":  # whoever only looks, as previews of links do, must not use the address up
            raise MethodNotAllowed("Not with HEAD: use GET.")
        connector = of_path(self.connectors, request)
        service = self._asked(connector)
        from bosa_hub.grants import Grants  # noqa: PLC0415  as above

        return await Grants(self.home, connector, service).callback(request.query_params)

    def _service(self, connector: Connector) -> OAuth2 | None:
        service, application = connector.oauth2, self.applications.get(connector.name)
        return service.asked_by(application) if service and application else service

    def _asked(self, connector: Connector) -> OAuth2:
        service = self._service(connector)
        if service is None:
            raise _not_so(connector, "OAuth 2")
        if service.application is None:
            raise HubError(
                f"No application is set up for {connector.name}: the hub's operator registers one with the service,"
                " and puts its client_id and client_secret into BOSA_HUB_OAUTH.",
                code="OAUTH2_NOT_SET_UP",
            )
        return service

    async def show(self, request: Request) -> Response:
        """One account with its credential."""

        def show(user: User, connector: str, identifier: str | None) -> Mapping[str, object]:
            linked, credential = self.home.accounts.find(user, connector, identifier)
            return asdict(linked) | {"auth_string": credential.text, "auth_scopes": credential.scopes}

        return await self._one(request, show)

    async def select(self, request: Request) -> Response:
        """The account acts where a call names none."""

        def select(user: User, connector: str, identifier: str | None) -> dict[str, object]:
            self.home.accounts.select(user, connector, identifier or "")
            return {"success": True}

        return await self._one(request, select)

    async def remove(self, request: Request) -> Response:
        """Removes the account, or the selected one where the path names none, and gives its grant back."""
        removed: list[Credential | None] = []

        def remove(user: User, connector: str, identifier: str | None) -> dict[str, object]:
            removed.append(self.home.accounts.remove(user, connector, identifier))
            return {"success": True}

        response, connector = await self._one(request, remove), of_path(self.connectors, request)
        service = self._service(connector)
        for credential in removed:
            if service and credential and credential.kind == "oauth2":
                from bosa_hub.renewal import give_back  # noqa: PLC0415  as above

                await give_back(service, connector.name, credential)
        return response

    async def _one(self, request: Request, answer: Callable[[User, str, str | None], Mapping[str, object]]) -> Response:
        connector, user = of_path(self.connectors, request), await self.user_of(request)
        identifier = request.path_params.get("user_identifier")
        try:
            return to_response(success(await to_thread.run_sync(answer, user, connector.name, identifier)))
        except NotFound as missing:
            if error_contract(request.headers.get("X-GL-Error-Contract")) == "2":
                raise
            return to_response(success({"success": False, "error": missing.message}))

    async def acting(self, request: Request, user: User, connector: str) -> Account | None:
        """The account that the call names, else the selected one; None where none is needed.

        Raises:
            NotFound: There is none.
            Conflict: What it was linked by is of no use any more.

        """
        used = self.connectors[connector]
        if used.configuration is None and used.oauth2 is None:
            return None  # clients send the header everywhere
        identifier = request.headers.get("X-Integration") or request.headers.get("X-Bosa-Integration") or None
        found = await to_thread.run_sync(self._acting, used, user, identifier)
        if found is None:
            return None
        linked, credential = found
        service = self._service(used)
        if service and credential.kind == "oauth2":
            from bosa_hub.renewal import Renewal  # noqa: PLC0415  as above

            return await Renewal(self.home.accounts, service).account(user, linked)
        return Account(connector, linked.user_identifier, _model(used, linked, credential))

    def _acting(self, connector: Connector, user: User, identifier: str | None) -> tuple[Linked, Credential] | None:
        try:
            return self.home.accounts.find(user, connector.name, identifier)
        except NotFound:
            if identifier or connector.needs_account:
                raise
            return None


def ways_to_link(connector: Connector) -> list[Schema]:
    """How accounts of the connector are linked, as clients are told.

    Raises:
        TypeError: The connector says something else than a model and an `OAuth2`.

    """
    _check_ways(connector)
    model, ways = connector.configuration, list[Schema]()
    if model:
        ways.append({"type": "custom", "config": model.model_json_schema()})
    if connector.oauth2:
        ways.append({"type": "oauth2"})
    return ways


def _check_ways(connector: Connector) -> None:
    model, service = cast("object", connector.configuration), cast("object", connector.oauth2)
    if not (model is None or (isinstance(model, type) and issubclass(model, BaseModel))):
        raise TypeError(f"{connector.name}.configuration is no class of a pydantic model: name the class itself.")
    if not (service is None or isinstance(service, OAuth2)):
        raise TypeError(f"{connector.name}.oauth2 is no bosa_hub.OAuth2.")
    if not iscoroutinefunction(connector.account_identifier):
        raise TypeError(f"{connector.name}.account_identifier is no `async def`.")


def of_path(table: Mapping[str, T], request: Request) -> T:
    """What the table has for the connector that the path names.

    Raises:
        NotFound: Nothing.

    """
    name = request.path_params["connector"]
    if name not in table:
        raise NotFound(f"There is no connector {name[:200]!r}. GET /connectors/names lists those there are.")
    return table[name]


def _configuration(connector: Connector, given: dict[str, object]) -> tuple[BaseModel, str]:
    own = connector.configuration
    if own is None:
        raise _not_so(connector, "a configuration")
    raw = to_json(given)
    if len(raw) > _MAX_CONFIGURATION:
        raise TooLarge(f"The configuration has more than {_MAX_CONFIGURATION} bytes of JSON. Send less.")
    strict = create_model(own.__name__, __base__=(Strict, own))
    try:
        return strict.model_validate_json(raw), raw.decode()
    except ValidationError as failed:
        invalid = invalid_arguments(failed, strict, echo=False)
        raise Invalid(invalid.message, [_inside(problem) for problem in invalid.problems]) from None


def _inside(problem: Mapping[str, object]) -> Mapping[str, object]:
    _body, *loc = cast("list[object]", problem["loc"])
    return {**problem, "loc": ["body", "configuration", *loc]}


def _model(connector: Connector, linked: Linked, credential: Credential) -> BaseModel:
    model = Tokens if credential.kind == "oauth2" else connector.configuration
    try:
        if model:
            return model.model_validate_json(credential.text)
    except ValidationError:
        pass
    raise Conflict(
        f"What account {linked.user_identifier!r} was linked by is not what {connector.name} takes now. Link it again,"
        " with replace_duplicate: true.",
        code="INTEGRATION_OUTDATED",
    )


def _not_so(connector: Connector, way: str) -> BadRequest:
    return BadRequest(
        f"Accounts of {connector.name} are not linked by {way}."
        f" GET /connectors/{connector.name}/auth-schema says how they are, if at all.",
        code="AUTH_TYPE_NOT_SUPPORTED",
    )
