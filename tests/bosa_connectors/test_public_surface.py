"""Everything public, listed once: where it is imported from, by new programs and by older ones."""

from importlib import import_module
from inspect import signature

import pytest

import bosa_connectors

from .fresh import said_by

PUBLIC = {
    "Action": ("", "calls"),
    "ActionResponse": ("", "action_response"),
    "ActionResponseData": ("models.action",),
    "ActionResult": ("models.result",),
    "ApiError": ("errors",),
    "ApiKeyAuthenticator": ("auth", "auth.api_key"),
    "AsyncActionResponse": ("", "action_response"),
    "AsyncBosaConnector": ("", "aio"),
    "AsyncBosaConnectorModule": ("module",),
    "BOSAConnectorToolGenerator": ("", "tool"),
    "BadReply": ("errors",),
    "BaseAuthenticator": ("auth", "auth.base"),
    "BosaAuthenticator": ("", "auth"),
    "BosaConnector": ("", "connector"),
    "BosaConnectorError": ("errors", "module"),
    "BosaConnectorModule": ("", "module"),
    "BosaConnectorToolError": ("tool",),
    "BosaError": ("", "errors"),
    "BosaToken": ("models.token",),
    "BosaUser": ("models.user",),
    "BrokenReply": ("errors",),
    "Call": ("", "calls"),
    "Catalogue": ("", "catalogue"),
    "Conflict": ("errors",),
    "ConnectorFile": ("", "models.file"),
    "ConnectorNotFound": ("errors",),
    "CreateUserResponse": ("models.user",),
    "Credentials": ("", "calls"),
    "Forbidden": ("errors",),
    "GLConnectors": ("", "connector"),
    "InitialExecutorRequest": ("models.action",),
    "Integration": ("models.integration",),
    "InvalidAction": ("errors",),
    "InvalidArguments": ("errors",),
    "InvalidHeader": ("errors",),
    "InvalidSchema": ("errors",),
    "NotConnected": ("errors",),
    "NotFound": ("errors",),
    "OutcomeUnknown": ("errors",),
    "PagingError": ("errors",),
    "Policy": ("calls",),
    "RateLimited": ("errors",),
    "Reply": ("", "calls"),
    "RequestTimeout": ("errors",),
    "ThirdPartyIntegrationAuthBasic": ("models.user",),
    "TooLarge": ("errors",),
    "Unauthenticated": ("errors",),
    "Unreachable": ("errors",),
    "documented": ("retry",),
    "effect": ("effects",),
    "safe": ("retry",),
    "select": ("fields",),
}
"""By name: the modules that have it; the package itself is the one without a name."""
OLDER = {
    "action": "ActionResponse BaseAuthenticator BosaConnectorModule ConnectorFile",
    "action_response": "ActionResponseData ConnectorFile InitialExecutorRequest",
    "connector": (
        "ActionResponse ActionResult ApiKeyAuthenticator BosaAuthenticator BosaConnectorError BosaConnectorModule"
        " BosaToken BosaUser ConnectorFile CreateUserResponse"
    ),
    "helpers.authenticator": "ApiKeyAuthenticator BosaAuthenticator BosaToken BosaUser CreateUserResponse",
    "helpers.integrations": "ActionResult ApiKeyAuthenticator",
    "models.action": "ConnectorFile",
    "module": "BaseAuthenticator ConnectorFile",
}
"""What older programs import from somewhere else."""
METHODS = [
    "auth_schema",
    "authenticate",
    "authenticate_bosa_user",
    "catalogue",
    "connect",
    "create_bosa_user",
    "create_user",
    "execute",
    "from_env",
    "get_available_modules",
    "get_connector",
    "get_integration",
    "get_user_info",
    "initiate_connector_auth",
    "initiate_plugin_configuration",
    "refresh_connector",
    "remove_integration",
    "run",
    "select_integration",
    "send",
    "stream",
    "user_has_integration",
]


KEYWORDS = {
    "__init__": "api_base_url api_key",
    "authenticate_bosa_user": "identifier secret",
    "connect": "app_name",
    "create_bosa_user": "identifier",
    "execute": "app_name action identifier account max_attempts input_ token headers timeout",
    "get_connector": "app_name",
    "get_integration": "app_name token user_identifier",
    "get_user_info": "token",
    "initiate_connector_auth": "app_name token callback_uri",
    "initiate_plugin_configuration": "app_name token config",
    "refresh_connector": "app_name",
    "remove_integration": "app_name token user_identifier",
    "run": "app_name action identifier account max_attempts input_ token headers timeout",
    "select_integration": "app_name token user_identifier",
    "user_has_integration": "app_name token",
}
"""What the published clients call the parameters of each method."""


def test_everything_public_is_exported_sorted() -> None:
    assert bosa_connectors.__all__ == sorted(name for name, homes in PUBLIC.items() if "" in homes)


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_public_has_at_most_two_paths_to_the_one_object(name: str) -> None:
    homes = PUBLIC[name]
    found = [getattr(import_module(f"bosa_connectors.{home}".rstrip(".")), name) for home in homes]
    assert 1 <= len(homes) <= 2
    assert all(each is found[0] for each in found)
    assert found[0].__module__.startswith("bosa_connectors.")


@pytest.mark.parametrize("module", OLDER)
def test_older_programs_find_the_same_objects_where_they_look_for_them(module: str) -> None:
    for name in OLDER[module].split():
        known = getattr(import_module(f"bosa_connectors.{PUBLIC[name][-1]}"), name)
        assert getattr(import_module(f"bosa_connectors.{module}"), name) is known


IN_ONE_GO = """
import bosa_connectors
assert {"BosaConnector", "connector", "models"} <= set(dir(bosa_connectors))
assert {"httpx", "pydantic"}.isdisjoint(__import__("sys").modules)
bosa_connectors.models.file.ConnectorFile, bosa_connectors.module.BosaConnectorError
bosa_connectors.helpers.integrations.BosaIntegrationHelper, bosa_connectors.action.Action
with bosa_connectors.connector.BosaConnector("http://127.0.0.1:9", "key") as connector:
    print(connector.DEFAULT_TIMEOUT, connector.DEFAULT_MAX_ATTEMPTS, connector.auth_scheme.authenticate())
"""


async def test_modules_are_there_without_being_imported_by_name_and_nothing_is_loaded_before() -> None:
    assert await said_by(IN_ONE_GO) == "30.0 1 {'X-API-Key': 'key'}"


@pytest.mark.parametrize("shell", ["BosaConnector", "AsyncBosaConnector"])
def test_both_shells_have_what_programs_call(shell: str) -> None:
    assert not [name for name in METHODS if not callable(getattr(getattr(bosa_connectors, shell), name, None))]


@pytest.mark.parametrize("method", KEYWORDS)
@pytest.mark.parametrize("shell", ["BosaConnector", "AsyncBosaConnector"])
def test_what_older_programs_give_by_keyword_has_the_same_name(shell: str, method: str) -> None:
    assert (
        set(KEYWORDS[method].split()) <= signature(getattr(getattr(bosa_connectors, shell), method)).parameters.keys()
    )


@pytest.mark.parametrize("name", ["Nothing", "wire_", "import_module_", "_Validator"])
def test_what_is_not_public_is_not_there(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'bosa_connectors' has no attribute '{name}'"):
        getattr(bosa_connectors, name)
