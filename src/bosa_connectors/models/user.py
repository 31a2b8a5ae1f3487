"""Users, and the accounts that they have linked. What a newer API says besides is left out."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ThirdPartyIntegrationAuthBasic(BaseModel):
    """A linked account, without its credential."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: UUID
    client_id: UUID
    user_id: UUID
    connector: str
    user_identifier: str
    selected: bool = False
    """Whether it acts where a call names none; an API of the older family does not say."""
    auth_status: str | None = None
    """What the API says of its credential; only the newest does."""


class BosaUser(BaseModel):
    """A user."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: UUID
    client_id: UUID
    identifier: str
    secret_preview: str
    is_active: bool
    integrations: list[ThirdPartyIntegrationAuthBasic]


class CreateUserResponse(BaseModel):
    """A new user, with the secret that is shown this once."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: UUID
    identifier: str
    secret: str = Field(repr=False)
    secret_preview: str
    is_active: bool
