"""The hub's part of the data folder: keys, identities, and what each user keeps."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bosa_hub.accounts import Accounts
from bosa_hub.attempts import Attempts
from bosa_hub.database import Pool, upgrade
from bosa_hub.errors import SetupError
from bosa_hub.identity import SCHEMA, UPGRADES, Identity, new_server_key
from bosa_hub.keys import Key, new_key, parse
from bosa_hub.private import forget_unfinished, make_folder, secret_file
from bosa_hub.vault import Vault, new_encryption_key, open_vault

_DEFAULT_CLIENT = "default"
_SHORTEST = 16
_BACKUP = (
    "Put the one from a backup there, or delete the file: the next start makes another, and what needs the old one is"
    " lost."
)


@dataclass(frozen=True, slots=True)
class Home:
    """What a hub finds in its folder, or made there at its first start."""

    folder: Path
    identity: Identity
    accounts: Accounts
    attempts: Attempts
    client_key: Key = field(repr=False)

    @property
    def client_key_path(self) -> Path:
        """The file (0600) that holds the key of the first client."""
        return _client_key_path(self.folder)

    def user_folder(self, user_id: str, connector: str) -> Path:
        """Where a connector keeps what is this user's."""
        return self.folder / "users" / user_id / connector

    def close(self) -> None:
        """The databases are closed."""
        self.identity.database.close()


def open_home(data_dir: Path, master_key: str | None = None, encryption_key: str | None = None) -> Home:
    """The hub's home in `data_dir`, set up where it is new; any number of processes may do this at once.

    Raises:
        SetupError: The folder holds something else, or a key does not fit it.

    """
    folder = make_folder(data_dir.absolute() / "hub")
    forget_unfinished(folder)
    vault = _open_vault(folder, master_key, encryption_key)
    upgrade(folder / "identity.db", UPGRADES)
    database = Pool(folder / "identity.db", SCHEMA)
    identity = Identity(
        database,
        hash_key=_kept_key(folder / "hash.key", new_server_key),
        signing_key=_kept_key(folder / "signing.key", new_server_key),
        master_key=master_key or _kept_key(folder / "master.key", new_server_key),
    )
    accounts, attempts = Accounts(database, vault), Attempts(database, vault, identity.hash_key)
    try:
        accounts.check_key()
        client_key = _default_client(identity, _client_key_path(folder))
        return Home(folder, identity, accounts, attempts, client_key)
    except BaseException:
        database.close()
        raise


def _open_vault(folder: Path, master_key: str | None, encryption_key: str | None) -> Vault:
    if encryption_key and encryption_key == master_key:
        raise SetupError("The encryption key and the master key are the same: give the hub two.")
    if encryption_key:
        return open_vault(encryption_key)
    path = folder / "encryption.key"
    return open_vault(_kept_key(path, new_encryption_key), f"The encryption key in {path}", _BACKUP)


def _kept_key(path: Path, make: Callable[[], str]) -> str:
    try:
        key = secret_file(path, make)
    except UnicodeDecodeError:
        key = ""
    if len(key) < _SHORTEST:
        raise SetupError(f"{path} holds no key. {_BACKUP}")
    return key


def _default_client(identity: Identity, path: Path) -> Key:
    """The file comes first and decides: whoever makes it, every process then keeps that one client."""

    def make() -> str:
        return str(new_key("client", identity.client_id(_DEFAULT_CLIENT) or str(uuid4()), _DEFAULT_CLIENT))

    key = parse("client", secret_file(path, make))
    if key is None:
        raise SetupError(f"{path} holds no client key. Delete it: the next start makes another.")
    try:
        identity.keep_client(key)
    except sqlite3.IntegrityError as error:
        raise SetupError(f"{path} holds the key of another hub. Delete it: the next start makes another.") from error
    return key


def _client_key_path(folder: Path) -> Path:
    return folder / "client.key"
