import sqlite3
import stat
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest

from bosa_hub.errors import SetupError, Unauthenticated
from bosa_hub.home import open_home
from bosa_hub.keys import new_key
from bosa_hub.serve import RunningHub, running

MASTER = {"X-API-Key": "the-master-key"}
_FILES = ["client.key", "encryption.key", "hash.key", "identity.db", "master.key", "signing.key"]


@pytest.fixture
def key(hub: RunningHub) -> dict[str, str]:
    return {"X-API-Key": hub.client_key}


def _new_client(anyone: httpx.Client) -> dict[str, str]:
    made = anyone.post("/clients", headers=MASTER, json={"name": uuid4().hex}).json()["data"]
    return {"X-API-Key": made["api_key"]}


def _new_user(anyone: httpx.Client, key: dict[str, str]) -> dict[str, Any]:
    return anyone.post("/users", headers=key, json={"identifier": uuid4().hex}).json()["data"]


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_master_key_creates_clients_and_nobody_else_does(anyone: httpx.Client, key: dict[str, str]) -> None:
    name = uuid4().hex
    made = anyone.post("/clients", headers={"X-API-User": "the-master-key"}, json={"name": name})
    assert made.status_code == 200
    data = made.json()["data"]
    assert UUID(data["id"])
    assert (data["name"], data["is_active"], data["api_key"][:10]) == (name, True, "sk-client-")
    assert made.json()["meta"] is None
    assert anyone.post("/clients", headers=MASTER, json={"name": name}).status_code == 409
    assert anyone.post("/clients", headers=key, json={"name": "x"}).status_code == 401
    assert anyone.post("/clients", json={"name": "x"}).status_code == 401
    assert anyone.post("/clients", headers=MASTER, json={"name": "x" * 201}).status_code == 422
    assert anyone.post("/clients", headers=MASTER, json={"name": ""}).status_code == 422


@pytest.mark.parametrize(
    ("users", "tokens", "me"),
    [("/users", "/auth/tokens", "/users/me"), ("/clients/register-user", "/clients/oauth-token", "/clients/user")],
)
def test_both_families_know_users_and_tokens(
    anyone: httpx.Client, key: dict[str, str], users: str, tokens: str, me: str
) -> None:
    identifier = uuid4().hex
    user = anyone.post(users, headers=key, json={"identifier": identifier}).json()["data"]
    assert user["secret"].startswith("sk-user-")
    assert user["secret_preview"] == f"sk-user-...{user['secret'][-8:]}"
    assert anyone.post(users, headers=key, json={"identifier": identifier}).status_code == 409

    login = {"identifier": identifier, "secret": user["secret"]}
    token = anyone.post(tokens, headers=key, json=login).json()["data"]
    assert set(token) == {"id", "token", "token_type", "expires_at", "is_revoked", "user_id", "client_id"}
    assert (token["token_type"], token["is_revoked"], token["user_id"]) == ("Bearer", False, user["id"])

    found = anyone.get(me, headers=key | _bearer(token["token"])).json()["data"]
    del user["secret"]
    assert found == user | {"integrations": []}


def test_a_token_or_a_secret_alone_says_whose_it_is(anyone: httpx.Client, key: dict[str, str]) -> None:
    user = _new_user(anyone, key)
    login = {"identifier": user["identifier"], "secret": user["secret"]}
    token = anyone.post("/auth/tokens", json=login).json()["data"]
    assert token["client_id"] == user["client_id"]
    assert anyone.get("/users/me", headers=_bearer(token["token"])).json()["data"]["id"] == user["id"]


def test_a_wrong_secret_gives_no_token(anyone: httpx.Client, key: dict[str, str]) -> None:
    user, other = _new_user(anyone, key), _new_user(anyone, key)
    for identifier, secret in [
        (user["identifier"], user["secret"] + "x"),
        (user["identifier"], other["secret"]),
        (user["identifier"], "anything"),
        (user["identifier"], "sk-user-!.!.!"),
        (user["identifier"], str(new_key("user", str(uuid4()), user["identifier"]))),
        ("nobody", user["secret"]),
    ]:
        refused = anyone.post("/auth/tokens", headers=key, json={"identifier": identifier, "secret": secret})
        assert refused.status_code == 401
        assert secret not in refused.text
    login = {"identifier": user["identifier"], "secret": user["secret"]}
    assert anyone.post("/auth/tokens", headers=_new_client(anyone), json=login).status_code == 401


def test_a_secret_is_never_sent_back(anyone: httpx.Client, key: dict[str, str]) -> None:
    refused = anyone.post("/auth/tokens", headers=key, json={"secret": "sk-user-precious"})
    assert refused.status_code == 422
    assert "precious" not in refused.text


def test_a_malformed_key_is_401_and_an_unknown_one_404(anyone: httpx.Client, key: dict[str, str]) -> None:
    with_wrong_secret = key["X-API-Key"][:-1] + ("A" if key["X-API-Key"][-1] != "A" else "B")
    for text, status in [
        ("", 401),
        ("bosa", 401),
        ("sk-client-x", 401),
        ("sk-client-eA.eA.secret", 401),
        ("sk-user-eA.eA.secret", 401),
        (key["X-API-Key"].replace("sk-client", "sk-user"), 401),
        (with_wrong_secret, 404),
        ("sk-client-MzcwZDQ3OTItYzk0Zi00ZWQ4LWFiMmMtMTJiNjYwZDc1ZmQw.YQ==.secret", 404),
    ]:
        refused = anyone.post("/users", headers={"X-API-Key": text}, json={"identifier": "x"})
        assert (text, refused.status_code) == (text, status)
    assert anyone.post("/users", json={"identifier": "x"}).status_code == 401


def test_a_token_of_another_client_is_refused(anyone: httpx.Client, ada: httpx.Client) -> None:
    answer = anyone.get("/users/me", headers={**_new_client(anyone), "Authorization": ada.headers["Authorization"]})
    assert answer.status_code == 401
    assert "another client" in answer.json()["message"]


def test_actions_need_a_user(anyone: httpx.Client, key: dict[str, str]) -> None:
    answer = anyone.post("/connectors/notes/list_notes", headers=key, json={})
    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.json()["message"]


@pytest.mark.parametrize("authorization", ["Bearer x", "Basic eDp5", "Bearer a.b.c", "bearer"])
def test_what_is_no_token_is_refused(anyone: httpx.Client, authorization: str) -> None:
    assert anyone.get("/users/me", headers={"Authorization": authorization}).status_code == 401


def test_forged_and_expired_tokens_are_refused(hub: RunningHub, anyone: httpx.Client, ada: httpx.Client) -> None:
    signing_key = hub.home.identity.signing_key
    claims = jwt.decode(ada.headers["Authorization"].removeprefix("Bearer "), signing_key, ["HS256"])
    assert claims["exp"] - claims["iat"] == 43_200 * 60

    def answer(changed: dict[str, object], key: str = signing_key, algorithm: str | None = "HS256") -> int:
        token = jwt.encode({**claims, **changed}, key if algorithm else "", algorithm=algorithm)
        return anyone.get("/users/me", headers=_bearer(token)).status_code

    assert answer({}) == 200
    assert answer({}, key="x" * 43) == 401
    assert answer({}, algorithm=None) == 401
    assert answer({"exp": int(time.time()) - 1}) == 401
    assert answer({"jti": str(uuid4())}) == 401
    assert answer({"sub": str(uuid4())}) == 401


def test_a_revoked_token_is_refused_and_no_other(hub: RunningHub, anyone: httpx.Client, key: dict[str, str]) -> None:
    user = _new_user(anyone, key)
    login = {"identifier": user["identifier"], "secret": user["secret"]}
    first, second = (anyone.post("/auth/tokens", headers=key, json=login).json()["data"] for _ in range(2))
    hub.home.identity.revoke_token(first["id"])
    assert anyone.get("/users/me", headers=_bearer(first["token"])).status_code == 401
    assert anyone.get("/users/me", headers=_bearer(second["token"])).status_code == 200


def test_a_user_of_this_process_is_made_once(hub: RunningHub, anyone: httpx.Client) -> None:
    first, second = (_bearer(hub.user_token("local")) for _ in range(2))
    assert first != second
    assert anyone.get("/users/me", headers=first).json() == anyone.get("/users/me", headers=second).json()


def test_secrets_are_private_files_and_never_in_a_repr_or_the_database(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    with running(data_dir) as hub:
        token = hub.user_token("ada")
        client_secret = hub.client_key.rpartition(".")[2]
        assert hub.client_key_path.read_text(encoding="ascii").strip() == hub.client_key
        shown = repr(hub) + repr(hub.home) + repr(hub.home.identity) + repr(hub.home.client_key)
        for secret in (token, client_secret, hub.home.identity.signing_key, hub.home.identity.master_key):
            assert secret not in shown
    folder = data_dir / "hub"
    kept = b"".join(path.read_bytes() for path in folder.glob("identity.db*"))
    assert client_secret.encode() not in kept
    assert token.encode() not in kept
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(_FILES, 0o600)


def test_a_lost_client_key_is_replaced_and_the_users_stay(tmp_path: Path) -> None:
    other = new_key("client", str(UUID(int=0)), "other")
    with running(tmp_path) as hub:
        hub.home.identity.keep_client(other)
        namesake, _ = hub.home.identity.create_user(other.id, "ada")
        old, me = hub.client_key, hub.home.identity.ensure_user(hub.home.client_key.id, "ada")
        assert me.client_id == hub.home.client_key.id != namesake.client_id
        hub.client_key_path.unlink()
    with running(tmp_path) as hub:
        assert hub.client_key != old
        assert hub.home.identity.client_of(str(other)) == other.id
        assert hub.home.identity.ensure_user(hub.home.client_key.id, "ada") == me
        assert httpx.post(f"{hub.url}/users", headers={"X-API-Key": old}, json={"identifier": "x"}).status_code == 404


@pytest.mark.parametrize("name", ["hash.key", "signing.key", "master.key", "encryption.key"])
@pytest.mark.parametrize("content", [b"", b"\n", b"short\n", b"\xff" * 40])
def test_a_key_file_that_holds_no_key_is_refused_by_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    open_home(tmp_path).close()
    (tmp_path / "hub" / name).write_bytes(content)
    with pytest.raises(SetupError, match=rf"{name} holds no key\. .* delete the file"):
        open_home(tmp_path)


def test_no_key_at_all_is_not_the_master_key(tmp_path: Path) -> None:
    with closing(open_home(tmp_path)) as home:
        for key in ("", None):
            with pytest.raises(Unauthenticated):
                replace(home.identity, master_key="").require_master(key)


def test_a_folder_that_holds_something_else_is_refused_with_advice(tmp_path: Path) -> None:
    open_home(tmp_path / "other").close()
    home = open_home(tmp_path / "this")
    home.close()
    home.client_key_path.write_bytes((tmp_path / "other/hub/client.key").read_bytes())
    with pytest.raises(SetupError, match="Delete it"):
        open_home(tmp_path / "this")
    home.client_key_path.write_text("nonsense", encoding="ascii")
    with pytest.raises(SetupError, match="Delete it"):
        open_home(tmp_path / "this")
    home.client_key_path.unlink()
    with closing(sqlite3.connect(tmp_path / "this/hub/identity.db")) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SetupError, match="version 99"):
        open_home(tmp_path / "this")
