"""Accounts alone, for programs that link them, and call nothing."""

from collections.abc import Mapping

from bosa_connectors.auth import ApiKeyAuthenticator
from bosa_connectors.auth.authenticator import Part
from bosa_connectors.models.integration import Integration
from bosa_connectors.models.result import ActionResult

__all__ = ["ActionResult", "ApiKeyAuthenticator", "BosaIntegrationHelper"]


class BosaIntegrationHelper(Part):
    """The part of a BosaConnector that is about accounts, under its older names; it raises what that raises."""

    def user_has_integration(self, app_name: str, token: str) -> bool:
        """Whether the user has linked an account to the connector."""
        return self._connector.user_has_integration(app_name, token)

    def initiate_integration(self, app_name: str, token: str, callback_uri: str) -> str:
        """The address where the user agrees that an account is linked."""
        return self._connector.initiate_connector_auth(app_name, token, callback_uri)

    def initiate_plugin_configuration(self, app_name: str, token: str, config: Mapping[str, object]) -> ActionResult:
        """Links an account by a configuration."""
        return self._connector.initiate_plugin_configuration(app_name, token, config)

    def select_integration(self, app_name: str, token: str, user_identifier: str) -> ActionResult:
        """Makes an account the one that acts where a call names none."""
        return self._connector.select_integration(app_name, token, user_identifier)

    def get_integration(self, app_name: str, token: str, user_identifier: str) -> Integration:
        """A linked account as the API says it."""
        return self._connector.get_integration(app_name, token, user_identifier)

    def remove_integration(self, app_name: str, token: str, user_identifier: str | None = None) -> ActionResult:
        """Removes an account; without an identifier, the selected one."""
        return self._connector.remove_integration(app_name, token, user_identifier)
