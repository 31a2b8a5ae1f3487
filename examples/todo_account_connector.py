"""A connector that acts with a user's own account, on a hub of its own.

    python examples/todo_account_connector.py

The service behind it is a dictionary, so that the example is about accounts: how one is linked, how an action finds it,
and how one of several is chosen. The hub keeps the key encrypted, and hands it to this connector alone.
"""

import tempfile
from pathlib import Path
from typing import Annotated

import httpx
from pydantic import BaseModel, Field, SecretStr

from bosa_hub import Connector, Context, Forbidden, Page, action
from bosa_hub.serve import running

SERVICE: dict[str, list[str]] = {"key-of-home": [], "key-of-work": ["write the report"]}
"""What a real service would keep: a list for each API key."""


class TodoAccount(BaseModel):
    """What a user fills in; `name` is how the account is called."""

    name: Annotated[str, Field(max_length=50, description="How to call this account.")] | None = None
    api_key: SecretStr = Field(description="The key from the settings page of the service.")


class NewItem(BaseModel):
    """Something to do."""

    text: str = Field(max_length=200, description="What is to be done.")


class Item(BaseModel):
    """Something to do, with its place in the list."""

    number: int
    text: str


class Todo(Connector):
    """A list of things to do, kept by a service of one's own."""

    configuration = TodoAccount

    async def account_identifier(self, configuration: TodoAccount, context: Context) -> str:
        """The name that the user chose, once the key is known to work."""
        if configuration.api_key.get_secret_value() not in SERVICE:
            raise Forbidden("The service does not know this key. Copy it from the settings page again.")
        return await super().account_identifier(configuration, context)

    @action(effect="create")
    async def add_item(self, request: NewItem, context: Context) -> Item:
        """Put something on the list."""
        mine = _list(context)
        mine.append(request.text)
        return Item(number=len(mine), text=request.text)

    @action(effect="read")
    async def list_items(self, context: Context) -> Page[Item]:
        """Everything on the list."""
        items = [Item(number=number, text=text) for number, text in enumerate(_list(context), start=1)]
        return Page(items, total=len(items))


def _list(context: Context) -> list[str]:
    return SERVICE[context.account.configuration(TodoAccount).api_key.get_secret_value()]


def link(user: httpx.Client, name: str, api_key: str) -> httpx.Response:
    """Links an account."""
    configuration = {"name": name, "api_key": api_key}
    return user.post("/todo/integrations", json={"auth_type": "custom", "configuration": configuration})


def main(user: httpx.Client) -> None:
    """Asks without an account, links one that does not work and two that do, and uses both."""
    print(user.post("/todo/list_items").json()["message"])
    print(link(user, "home", "a typo").json()["message"])
    print(link(user, "home", "key-of-home").json())
    print(link(user, "work", "key-of-work").json())
    print(user.post("/todo/add_item", json={"text": "water the plants"}).json())
    print(user.post("/todo/list_items").json())
    print(user.post("/todo/list_items", headers={"X-Integration": "work"}).json())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), connectors=[Todo()]) as hub:
        token = {"Authorization": f"Bearer {hub.user_token('me')}"}
        with httpx.Client(base_url=f"{hub.url}/connectors", headers=token) as client:
            main(client)
