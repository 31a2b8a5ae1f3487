"""What programs ask about users and the accounts that they link: the same for both shells, of which one awaits."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TypeVar

from bosa_connectors import integrations, users
from bosa_connectors.base import Connector
from bosa_connectors.discovery import Family
from bosa_connectors.errand import Errand
from bosa_connectors.models.integration import Integration
from bosa_connectors.models.result import ActionResult
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse

T = TypeVar("T")


class Accounts(Connector, ABC):
    """Users and their accounts.

    Each method raises the typed error of a failure that the API states (Conflict, Unauthenticated, NotFound, …),
    BadReply for an answer that lacks what it must say, and InvalidArguments, before anything is sent, for what cannot
    be asked. Nothing is sent twice: where it is not known whether a request acted, OutcomeUnknown says so. Secrets that
    were sent are in no error.
    """

    def create_bosa_user(self, identifier: str) -> CreateUserResponse:
        """A new user; `.secret` is shown this once. Raises Conflict where there is one of this identifier."""
        return self._do(users.create(identifier))

    create_user = create_bosa_user
    """Its name in the current generation."""

    def authenticate_bosa_user(self, identifier: str, secret: str) -> BosaToken:
        """A new token for a user, `.token`. Raises Unauthenticated for a wrong secret.

        A token stays valid for long: keep it, rather than asking for another one each time.
        """
        return self._do(users.log_in(identifier, secret))

    authenticate = authenticate_bosa_user
    """Its name in the current generation."""

    def get_user_info(self, token: str) -> BosaUser:
        """The user whose token this is, with the accounts that are linked."""
        return self._do(users.who_am_i(token))

    def user_has_integration(self, app_name: str, token: str) -> bool:
        """Whether the user has linked an account to the connector. Raises NotFound where there is no such connector."""
        return self._do(integrations.exists(app_name, token))

    def initiate_connector_auth(
        self,
        app_name: str,
        token: str,
        callback_uri: str,
        replace_duplicate: bool = False,  # noqa: FBT001, FBT002  the published signature
    ) -> str:
        """The address where the user agrees that an account is linked; they are sent on to `callback_uri` afterwards.

        `replace_duplicate` links an account anew that is linked already (the newest APIs know it).
        """
        return self._do(integrations.agree(app_name, token, callback_uri, replace_duplicate=replace_duplicate))

    def initiate_plugin_configuration(
        self,
        app_name: str,
        token: str,
        config: Mapping[str, object],
        replace_duplicate: bool = False,  # noqa: FBT001, FBT002  the published signature
    ) -> ActionResult:
        """Links an account by a configuration; `auth_schema` says what belongs into it.

        Raises Conflict where the account is linked already, unless `replace_duplicate`. What the API refuses under the
        first error contract with a success status has `success=False`, and `message` says why.
        """
        return self._do(integrations.configure(app_name, token, config, replace_duplicate=replace_duplicate))

    def select_integration(self, app_name: str, token: str, user_identifier: str) -> ActionResult:
        """Makes an account the one that acts where a call names none.

        Where there is no such account, `success` is False, and `message` says so, under either error contract.
        """
        return self._do(integrations.select(app_name, token, user_identifier))

    def get_integration(self, app_name: str, token: str, user_identifier: str) -> Integration:
        """A linked account as the API says it; `["auth_string"]` is its credential in clear.

        Raises NotFound (NotConnected) where there is no such account, under either error contract.
        """
        return self._do(integrations.look(app_name, token, user_identifier))

    def remove_integration(self, app_name: str, token: str, user_identifier: str | None = None) -> ActionResult:
        """Removes an account; without an identifier, the selected one.

        Where there is no such account, `success` is False, and `message` says so, under either error contract.
        """
        acting = integrations.selected(app_name, token)
        if user_identifier is None and self._speaks() == "current":
            user_identifier = self._do(acting)
            if user_identifier is None:
                return integrations.none_selected(app_name)
        return self._do(integrations.remove(app_name, token, user_identifier))

    def auth_schema(self, app_name: str) -> list[dict[str, object]]:
        """The ways to link an account to the connector, as `{"type": "oauth2"}` or with the schema of a `config`."""
        return self._do(integrations.auth_schema(app_name))

    @abstractmethod
    def _do(self, errand: Errand[T]) -> T:
        """What comes of it."""

    @abstractmethod
    def _speaks(self) -> Family:
        """Which family of paths the API speaks, asked once."""


class AsyncAccounts(Connector, ABC):
    """Users and their accounts, awaited.

    Each method raises the typed error of a failure that the API states (Conflict, Unauthenticated, NotFound, …),
    BadReply for an answer that lacks what it must say, and InvalidArguments, before anything is sent, for what cannot
    be asked. Nothing is sent twice: where it is not known whether a request acted, OutcomeUnknown says so. Secrets that
    were sent are in no error.
    """

    async def create_bosa_user(self, identifier: str) -> CreateUserResponse:
        """A new user; `.secret` is shown this once. Raises Conflict where there is one of this identifier."""
        return await self._do(users.create(identifier))

    create_user = create_bosa_user
    """Its name in the current generation."""

    async def authenticate_bosa_user(self, identifier: str, secret: str) -> BosaToken:
        """A new token for a user, `.token`. Raises Unauthenticated for a wrong secret.

        A token stays valid for long: keep it, rather than asking for another one each time.
        """
        return await self._do(users.log_in(identifier, secret))

    authenticate = authenticate_bosa_user
    """Its name in the current generation."""

    async def get_user_info(self, token: str) -> BosaUser:
        """The user whose token this is, with the accounts that are linked."""
        return await self._do(users.who_am_i(token))

    async def user_has_integration(self, app_name: str, token: str) -> bool:
        """Whether the user has linked an account to the connector. Raises NotFound where there is no such connector."""
        return await self._do(integrations.exists(app_name, token))

    async def initiate_connector_auth(
        self,
        app_name: str,
        token: str,
        callback_uri: str,
        replace_duplicate: bool = False,  # noqa: FBT001, FBT002  the published signature
    ) -> str:
        """The address where the user agrees that an account is linked; they are sent on to `callback_uri` afterwards.

        `replace_duplicate` links an account anew that is linked already (the newest APIs know it).
        """
        return await self._do(integrations.agree(app_name, token, callback_uri, replace_duplicate=replace_duplicate))

    async def initiate_plugin_configuration(
        self,
        app_name: str,
        token: str,
        config: Mapping[str, object],
        replace_duplicate: bool = False,  # noqa: FBT001, FBT002  the published signature
    ) -> ActionResult:
        """Links an account by a configuration; `auth_schema` says what belongs into it.

        Raises Conflict where the account is linked already, unless `replace_duplicate`. What the API refuses under the
        first error contract with a success status has `success=False`, and `message` says why.
        """
        return await self._do(integrations.configure(app_name, token, config, replace_duplicate=replace_duplicate))

    async def select_integration(self, app_name: str, token: str, user_identifier: str) -> ActionResult:
        """Makes an account the one that acts where a call names none.

        Where there is no such account, `success` is False, and `message` says so, under either error contract.
        """
        return await self._do(integrations.select(app_name, token, user_identifier))

    async def get_integration(self, app_name: str, token: str, user_identifier: str) -> Integration:
        """A linked account as the API says it; `["auth_string"]` is its credential in clear.

        Raises NotFound (NotConnected) where there is no such account, under either error contract.
        """
        return await self._do(integrations.look(app_name, token, user_identifier))

    async def remove_integration(self, app_name: str, token: str, user_identifier: str | None = None) -> ActionResult:
        """Removes an account; without an identifier, the selected one.

        Where there is no such account, `success` is False, and `message` says so, under either error contract.
        """
        acting = integrations.selected(app_name, token)
        if user_identifier is None and await self._speaks() == "current":
            user_identifier = await self._do(acting)
            if user_identifier is None:
                return integrations.none_selected(app_name)
        return await self._do(integrations.remove(app_name, token, user_identifier))

    async def auth_schema(self, app_name: str) -> list[dict[str, object]]:
        """The ways to link an account to the connector, as `{"type": "oauth2"}` or with the schema of a `config`."""
        return await self._do(integrations.auth_schema(app_name))

    @abstractmethod
    async def _do(self, errand: Errand[T]) -> T:
        """What comes of it."""

    @abstractmethod
    async def _speaks(self) -> Family:
        """Which family of paths the API speaks, asked once."""
