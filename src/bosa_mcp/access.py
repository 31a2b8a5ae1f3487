"""Who is calling."""

from dataclasses import dataclass, field, replace

from bosa_connectors.calls import Credentials


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whose calls, files and results are nobody else's."""

    identity: str
    """The same for the same person, and no secret."""
    credentials: Credentials = field(repr=False)

    def acting_as(self, account: str | None) -> "Caller":
        """The same, with this account where one is named."""
        return self if account is None else replace(self, credentials=replace(self.credentials, account=account))

    def secrets(self) -> list[str]:
        """What must not come back in a result. Shorter ones, such as the default key `bosa`, are words."""
        known = (self.credentials.api_key, self.credentials.user_token)
        return [secret for secret in known if secret and len(secret) >= SECRET_LENGTH]


SECRET_LENGTH = 8
