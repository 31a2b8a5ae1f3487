"""The hub's part of the data folder: keys, identities, and what each user keeps."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from bosa_hub.database import Pool
from bosa_hub.errors import SetupError
from bosa_hub.identity import SCHEMA, Identity, new_server_key
from bosa_hub.keys import Key, new_key, parse
from bosa_hub.private import make_folder, secret_file

_DEFAULT_CLIENT = "default"


@dataclass(frozen=True, slots=True)
class Home:
    """What a hub finds in its folder, or made there at its first start."""

    folder: Path
    identity: Identity
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


def open_home(data_dir: Path, master_key: str | None = None) -> Home:
    """The hub's home in `data_dir`, set up where it is new; any number of processes may do this at once.

    Raises:
        SetupError: The folder holds something else.

    """
    folder = make_folder(data_dir.absolute() / "hub")
    identity = Identity(
        Pool(folder / "identity.db", SCHEMA),
        hash_key=secret_file(folder / "hash.key", new_server_key),
        signing_key=secret_file(folder / "signing.key", new_server_key),
        master_key=master_key or secret_file(folder / "master.key", new_server_key),
    )
    try:
        return Home(folder, identity, _default_client(identity, _client_key_path(folder)))
    except BaseException:
        identity.database.close()
        raise


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
