"""Connectors of the hub that the published clients are tried on, beside those that it brings."""

from pydantic import BaseModel

from bosa_hub.errors import Conflict
from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context, action


class Refusals(Connector):
    """Says no."""

    @action(effect="create")
    async def refuse(self) -> None:
        """Always refuses."""
        raise Conflict("It exists. Choose another name.", code="TAKEN", details={"name": "it"})


class Event(BaseModel):
    """Something at a time."""

    title: str


class Calendar(Connector):
    """Needs an account that its owner agrees to elsewhere."""

    oauth2 = OAuth2(
        authorize_url="https://calendar.example/authorize?prompt=consent",
        token_url="https://calendar.example/token",
        client_id="the-hub",
        client_secret="not-so-secret",
        scopes=("read", "write"),
    )

    @action(effect="read")
    async def list_events(self, context: Context) -> list[Event]:
        """The events of the account."""
        return [Event(title=context.account.identifier)]
