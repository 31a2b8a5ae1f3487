"""The accounts that users link to connectors: asked for, linked, chosen, removed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from bosa_connectors import users
from bosa_connectors.dialects import respelled
from bosa_connectors.errand import Errand, given, given_object, lacking, member, saying, segment
from bosa_connectors.errors import ApiError, NotConnected, NotFound, api_error
from bosa_connectors.hiding import texts
from bosa_connectors.models.integration import Integration
from bosa_connectors.models.result import ActionResult
from bosa_connectors.shapes import is_array, is_object, members

_PLAIN: Final = frozenset(
    {"database", "driver", "file", "folder", "host", "name", "path", "port", "region", "username"}
)
"""Names of what configurations say openly."""


def exists(app_name: str, token: str) -> Errand[bool]:
    """Whether the user has linked an account."""

    def refused(error: ApiError) -> bool:
        if isinstance(error, NotConnected):
            return False
        raise error

    path = f"{_connector(app_name, token)}/integration-exists"
    return Errand("GET", path, member("has_integration", bool), refused, token=token)


def agree(app_name: str, token: str, callback_uri: str, *, replace_duplicate: bool) -> Errand[str]:
    """The address where the user agrees that an account is linked."""
    path = f"{_connector(app_name, token)}/integrations"
    given(callback_uri=callback_uri)
    body = saying(callback_url=callback_uri, **_replacing(replace_duplicate=replace_duplicate))
    return Errand("POST", path, member("url", str), body=body, token=token)


def configure(
    app_name: str, token: str, config: Mapping[str, object], *, replace_duplicate: bool
) -> Errand[ActionResult]:
    """Links an account by what its owner knows of it, such as a key."""
    path = f"{_connector(app_name, token)}/integrations"
    known = given_object("config", config)
    body = saying(auth_type="custom", configuration=known, **_replacing(replace_duplicate=replace_duplicate))
    done = _done("Plugin configuration initiated successfully.")
    return Errand("POST", path, done, _not_done, body=body, token=token, secrets=tuple(texts(_confided(known))))


def look(app_name: str, token: str, user_identifier: str) -> Errand[Integration]:
    """One account with its credential."""

    def refused(error: ApiError) -> Integration:
        raise api_error(replace(error.failure, status=404)) if _came_as_success(error) else error

    return Errand("GET", _account(app_name, token, user_identifier), _integration, refused, token=token)


def select(app_name: str, token: str, user_identifier: str) -> Errand[ActionResult]:
    """Makes an account the one that acts where a call names none."""
    return Errand("POST", _account(app_name, token, user_identifier), _done(), _not_found, token=token)


def selected(app_name: str, token: str) -> Errand[str | None]:
    """Which account acts where a call names none."""
    _connector(app_name, token)
    ask = users.who_am_i(token)

    def acting(data: object) -> str | None:
        accounts = ask.understand(data).integrations
        mine = (account for account in accounts if account.connector == app_name and account.selected)
        return next((account.user_identifier for account in mine), None)

    return Errand(ask.method, ask.path, acting, older=ask.older, token=token)


def remove(app_name: str, token: str, user_identifier: str | None) -> Errand[ActionResult]:
    """Removes an account; the older family, where a connector has one, does without its name."""
    whole = f"{_connector(app_name, token)}/integrations"
    path = whole if user_identifier is None else _account(app_name, token, user_identifier)
    return Errand("DELETE", path, _done(), _not_found, token=token)


def none_selected(app_name: str) -> ActionResult:
    """What comes of removing the selected account where there is none."""
    said = f"Integration does not exist: no account of {app_name} is selected. Name the one that is meant."
    return ActionResult(success=False, message=said)


def auth_schema(app_name: str) -> Errand[list[dict[str, object]]]:
    """The ways to link an account."""
    path = f"/connectors/{segment('app_name', app_name)}/auth-schema"
    return Errand("GET", path, _ways)


def _connector(app_name: str, token: str) -> str:
    given(app_name=app_name, token=token)
    return f"/connectors/{segment('app_name', app_name)}"


def _account(app_name: str, token: str, user_identifier: str) -> str:
    return f"{_connector(app_name, token)}/integrations/{segment('user_identifier', user_identifier)}"


def _confided(config: Mapping[str, object]) -> dict[str, object]:
    """What of a configuration may be a secret: all but what plainly is none, so that messages can still name it."""
    return {name: value for name, value in config.items() if name.lower() not in _PLAIN}


def _replacing(*, replace_duplicate: bool) -> dict[str, bool]:
    """Said where it is wanted: not every generation knows the word."""
    return {"replace_duplicate": True} if replace_duplicate else {}


def _done(message: str = "success") -> Callable[[object], ActionResult]:
    succeeded = member("success", bool)
    return lambda data: ActionResult(success=succeeded(data), message=message)


def _not_done(error: ApiError) -> ActionResult:
    if not _came_as_success(error):
        raise error
    return ActionResult(success=False, message=error.failure.message)


def _not_found(error: ApiError) -> ActionResult:
    if not isinstance(error, NotFound):
        return _not_done(error)
    return ActionResult(success=False, message=error.failure.message)


def _came_as_success(error: ApiError) -> bool:
    return error.status < 300  # noqa: PLR2004  the success statuses end there


def _integration(data: object) -> Integration:
    if not is_object(data):
        raise lacking(["data"])
    return Integration(data)


def _ways(data: object) -> list[dict[str, object]]:
    ways = members(data).get("supported_auth_types")
    if not is_array(ways):
        raise lacking(["data.supported_auth_types"])
    return [
        {name: respelled(said) if name == "config" else said for name, said in way.items()}
        for way in ways
        if is_object(way)
    ]
