"""Users of the API: made, logged in, asked for."""

from bosa_connectors.errand import Errand, given, read_as, saying
from bosa_connectors.models.token import BosaToken
from bosa_connectors.models.user import BosaUser, CreateUserResponse


def create(identifier: str) -> Errand[CreateUserResponse]:
    """A new user of this client."""
    given(identifier=identifier)
    return Errand(
        "POST",
        "/users",
        read_as(CreateUserResponse),
        older="/clients/register-user",
        body=saying(identifier=identifier),
    )


def log_in(identifier: str, secret: str) -> Errand[BosaToken]:
    """A new token for a user."""
    given(identifier=identifier, secret=secret)
    return Errand(
        "POST",
        "/auth/tokens",
        read_as(BosaToken),
        older="/clients/oauth-token",
        body=saying(identifier=identifier, secret=secret),
        secrets=(secret,),
    )


def who_am_i(token: str) -> Errand[BosaUser]:
    """The user whose token this is."""
    given(token=token)
    return Errand("GET", "/users/me", read_as(BosaUser), older="/clients/user", token=token)
