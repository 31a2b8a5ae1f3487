"""What is kept of linked accounts, under which key, and from which version on."""

import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel

from bosa_hub.accounts import Credential
from bosa_hub.errors import SetupError
from bosa_hub.home import Home, open_home
from bosa_hub.oauth2 import OAuth2
from bosa_hub.plugin import Connector, Context, action
from bosa_hub.serve import running
from bosa_hub.vault import new_encryption_key

PLANTED = "planted-0f5a"
KEY = new_encryption_key()


class Before(BaseModel):
    key: str


class After(BaseModel):
    token: str


class Shop(Connector):
    """Needs an account."""

    configuration = Before

    @action(effect="read")
    async def key(self, context: Context) -> str:
        """Show the key."""
        return context.account.configuration(Before).key


class NewShop(Connector):
    """The same, after a change."""

    name = "shop"
    configuration = After

    @action(effect="read")
    async def token(self, context: Context) -> str:
        """Show the token."""
        return context.account.configuration(After).token


class OtherShop(NewShop):
    """The same, after another change."""

    name = "shop"
    configuration = None

    def __init__(self) -> None:
        self.oauth2 = OAuth2(
            authorize_url="https://a.example/authorize",
            token_url="https://a.example/token",
            client_id="id",
            client_secret="secret",
        )


def _client(url: str, token: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"})


def _link(user: httpx.Client, key: str = PLANTED) -> httpx.Response:
    body = {"auth_type": "custom", "configuration": {"key": key}, "replace_duplicate": True}
    return user.post("/connectors/shop/integrations", json=body)


def _home_with_an_account(data_dir: Path, encryption_key: str | None = None) -> Home:
    home = open_home(data_dir, encryption_key=encryption_key)
    ada = home.identity.ensure_user(home.client_key.id, "ada")
    home.accounts.link(ada, "shop", "home", Credential("custom", '{"key": "k"}'), replace=False)
    home.close()
    return home


def test_credentials_are_nowhere_in_the_data_folder_in_clear(tmp_path: Path) -> None:
    with (
        running(tmp_path, connectors=[Shop()]) as hub,
        _client(hub.url, hub.user_token("ada")) as ada,
    ):
        assert _link(ada).status_code == 200
        assert PLANTED in ada.get("/connectors/shop/integrations/shop").json()["data"]["auth_string"]
        ada.post("/connectors/shop/integrations", json={"configuration": {"key": PLANTED, PLANTED: PLANTED}})
        while_running = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert PLANTED not in repr(hub) + repr(hub.home) + repr(hub.home.accounts)
    afterwards = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [content for content in while_running + afterwards if PLANTED.encode() in content]


def test_accounts_outlive_the_hub_and_a_key_that_was_given_is_not_written_down(tmp_path: Path) -> None:
    with (
        running(tmp_path, connectors=[Shop()], encryption_key=KEY) as hub,
        _client(hub.url, hub.user_token("ada")) as ada,
    ):
        _link(ada)
        assert KEY not in repr(hub) + repr(hub.home)
    with (
        running(tmp_path, connectors=[Shop()], encryption_key=KEY) as hub,
        _client(hub.url, hub.user_token("ada")) as ada,
    ):
        assert ada.post("/connectors/shop/key", json={}).json()["data"] == PLANTED
    assert not (tmp_path / "hub/encryption.key").exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()]


def test_another_key_is_refused_with_advice(tmp_path: Path) -> None:
    _home_with_an_account(tmp_path, KEY)
    for other in (new_encryption_key(), None):
        with pytest.raises(SetupError, match=r"not the one that the accounts in .* Give the hub that key again"):
            open_home(tmp_path, encryption_key=other)
    open_home(tmp_path, encryption_key=KEY).close()


def test_a_lost_key_file_is_told_and_not_replaced_by_garbage(tmp_path: Path) -> None:
    home = _home_with_an_account(tmp_path)
    (home.folder / "encryption.key").unlink()
    with pytest.raises(SetupError, match="must be linked anew"):
        open_home(tmp_path)


def test_any_key_will_do_before_anything_is_kept(tmp_path: Path) -> None:
    for key in (None, new_encryption_key(), new_encryption_key()):
        open_home(tmp_path, encryption_key=key).close()


@pytest.mark.parametrize("key", ["hunter2", "x" * 44, "é", "A" * 40])
def test_a_text_that_is_no_key_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(SetupError, match="32 bytes in URL-safe base64") as refused:
        open_home(tmp_path, encryption_key=key)
    assert key not in str(refused.value)


def test_what_is_no_key_is_found_by_its_file_and_can_be_made_good(tmp_path: Path) -> None:
    file = tmp_path / "hub" / "encryption.key"
    file.parent.mkdir(0o700)
    file.write_text("planted junk in place of a key")
    with pytest.raises(SetupError, match=rf"{file} is none: it must be 32 bytes.* backup.* delete the file") as refused:
        open_home(tmp_path)
    assert "planted" not in str(refused.value)
    file.unlink()
    open_home(tmp_path).close()


def test_the_master_key_does_not_encrypt(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="give the hub two"):
        open_home(tmp_path, master_key=KEY, encryption_key=KEY)


def test_a_credential_that_was_tampered_with_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with running(tmp_path, connectors=[Shop()]) as hub, _client(hub.url, hub.user_token("ada")) as ada:
        _link(ada)
        with closing(sqlite3.connect(hub.home.identity.database.path)) as connection, connection:
            connection.execute("UPDATE accounts SET credential = CAST(substr(credential, 1, 60) AS BLOB)")
        for answer in (ada.post("/connectors/shop/key", json={}), ada.get("/connectors/shop/integrations/shop")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INTEGRATION_UNREADABLE")
        _link(ada)
        assert ada.post("/connectors/shop/key", json={}).json()["data"] == PLANTED


def test_an_account_that_its_connector_has_outgrown_must_be_linked_again(tmp_path: Path) -> None:
    with running(tmp_path, connectors=[Shop()]) as hub, _client(hub.url, hub.user_token("ada")) as ada:
        _link(ada)
    for changed in (OtherShop(), NewShop()):
        with running(tmp_path, connectors=[changed]) as hub, _client(hub.url, hub.user_token("ada")) as ada:
            answer = ada.post("/connectors/shop/token", json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (409, "INTEGRATION_OUTDATED")
            assert PLANTED not in answer.text
    with running(tmp_path, connectors=[NewShop()]) as hub, _client(hub.url, hub.user_token("ada")) as ada:
        renewed = {"configuration": {"token": "t"}, "replace_duplicate": True}
        assert ada.post("/connectors/shop/integrations", json=renewed).status_code == 200
        assert ada.post("/connectors/shop/token", json={}).json()["data"] == "t"
    with running(tmp_path, connectors=[]) as hub, _client(hub.url, hub.user_token("ada")) as ada:
        assert [each["connector"] for each in ada.get("/users/me").json()["data"]["integrations"]] == ["shop"]
