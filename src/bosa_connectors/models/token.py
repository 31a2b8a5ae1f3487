"""User tokens."""

from pydantic import BaseModel, ConfigDict, Field


class BosaToken(BaseModel):
    """A token that acts for a user."""

    model_config = ConfigDict(hide_input_in_errors=True)

    token: str = Field(repr=False)
    token_type: str
    expires_at: str | None = None
    """An ISO date, where the API says one."""
    is_revoked: bool
    user_id: str
    client_id: str
