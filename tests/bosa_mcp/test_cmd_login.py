"""`bosa-mcp login`: who has logged in acts, at the API that it was for and at no other."""

import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from bosa_hub.serve import RunningHub

from .conftest import KEY
from .processes import COMMAND, environment, in_terminal
from .scripted_api import WAIT, Json, ScriptedApi, fails, says, takes

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def bosa(tmp_path: Path) -> Run:
    """The command, with what is typed into it."""

    def bosa(*arguments: str, typed: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            input=typed,
            capture_output=True,
            env=environment(tmp_path, **settings),
            cwd=tmp_path,
            timeout=2 * WAIT,
            check=False,
            text=True,
            encoding="utf-8",
        )

    return bosa


@pytest.fixture
def at_hub(hub: RunningHub) -> dict[str, str]:
    return {"BOSA_API_BASE_URL": hub.url, "BOSA_API_KEY": hub.client_key}


@pytest.fixture
def name() -> str:
    return f"somebody-{uuid4().hex[:8]}"


def kept(folder: Path) -> Json:
    return json.loads((folder / "data" / "login.json").read_bytes())


def made(done: "subprocess.CompletedProcess[str]") -> str:
    """The secret of a user who was made."""
    assert done.returncode == 0, done.stderr
    [secret] = [line for line in done.stderr.splitlines() if line.startswith("sk-user-")]
    assert secret not in done.stdout
    return secret


def test_a_new_user_is_told_their_secret_once_and_acts_from_then_on(bosa: Run, tmp_path: Path) -> None:
    secret = made(bosa("login", "--new", "alice"))
    file = tmp_path / "data" / "login.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret not in file.read_text()
    assert json.loads(bosa("call", "notes_create_note", '{"title": "Hers", "body": ""}').stdout)["data"]["title"]
    made(bosa("login", "--new", "bob"))
    assert json.loads(bosa("call", "notes_list_notes").stdout)["data"] == []
    assert bosa("login", "alice", typed=f"{secret}\n").returncode == 0
    assert len(json.loads(bosa("call", "notes_list_notes").stdout)["data"]) == 1
    assert bosa("login", "--forget").returncode == 0
    assert not file.exists()
    assert json.loads(bosa("call", "notes_list_notes").stdout)["data"] == []


def test_whoever_logs_in_beside_a_token_that_is_set_is_told_which_counts(
    bosa: Run, at_hub: dict[str, str], name: str
) -> None:
    beside = bosa("login", "--new", name, **at_hub, BOSA_USER_TOKEN="eyJ-another")
    assert "BOSA_USER_TOKEN is set, and counts in place of this login" in beside.stderr
    printed = bosa("login", name, "--print", typed=made(beside), **at_hub, BOSA_USER_TOKEN="eyJ-another")
    assert [printed.returncode, printed.stderr] == [0, ""]


def test_a_login_counts_at_its_own_api_alone(
    bosa: Run, at_hub: dict[str, str], name: str, api: ScriptedApi, tmp_path: Path
) -> None:
    made(bosa("login", "--new", name, **at_hub))
    token = kept(tmp_path)["token"]
    api.offer("shop", "get_price", takes())
    api.answer("shop/get_price", says(7))
    assert bosa("call", "notes_list_notes", **at_hub).returncode == 0
    bosa("call", "shop_get_price", BOSA_API_BASE_URL=api.url, BOSA_API_KEY=KEY)
    assert api.sent("shop/get_price")
    assert not [asked for asked in api.asked if token in str(asked.headers)]


def test_a_token_that_is_set_wins(bosa: Run, api: ScriptedApi, tmp_path: Path) -> None:
    keep(tmp_path, api.url, "token-of-login")
    api.offer("shop", "get_price", takes())
    api.answer("shop/get_price", says(7))
    known = {"BOSA_API_BASE_URL": api.url, "BOSA_API_KEY": KEY}
    bosa("call", "shop_get_price", **known)
    bosa("call", "shop_get_price", **known, BOSA_USER_TOKEN="token-that-is-set")
    sent = [asked.headers["authorization"] for asked in api.sent("shop/get_price")]
    assert sent == ["Bearer token-of-login", "Bearer token-that-is-set"]


def keep(folder: Path, api: str, token: str, **more: str) -> Path:
    file = folder / "data" / "login.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"api": api, "identifier": "alice", "token": token, **more}))
    return file


def test_who_does_not_know_the_secret_gets_nowhere(
    bosa: Run, at_hub: dict[str, str], name: str, tmp_path: Path
) -> None:
    wrong = made(bosa("login", "--new", name, **at_hub))[:-4] + "AAAA"
    before = kept(tmp_path)
    done = bosa("login", name, typed=wrong, **at_hub)
    assert [done.returncode, done.stdout] == [1, ""]
    [line] = done.stderr.splitlines()
    assert "do not belong together" in line
    assert wrong not in line
    assert kept(tmp_path) == before


def test_json_tells_the_same_to_programs(bosa: Run, at_hub: dict[str, str], name: str, tmp_path: Path) -> None:
    new = bosa("login", "--new", name, "--json", **at_hub)
    told = json.loads(new.stdout)
    assert new.stderr == ""
    assert told.keys() == {"api", "identifier", "secret", "expires_at", "file"}
    assert told["file"] == str(tmp_path / "data" / "login.json")
    again = bosa("login", "--new", name, "--json", **at_hub)
    assert again.returncode == 1
    assert "already" in json.loads(again.stdout)["error"]
    shown = json.loads(bosa("login", name, "--print", "--json", typed=told["secret"], **at_hub).stdout)
    assert shown.keys() == {"api", "identifier", "expires_at", "token"}
    assert json.loads(bosa("login", "--forget", "--json").stdout) == {"forgotten": True}
    assert json.loads(bosa("login", "--forget", "--json").stdout) == {"forgotten": False}


def test_the_token_alone_is_printed_for_another_client(bosa: Run, at_hub: dict[str, str], name: str) -> None:
    done = bosa("login", "--new", name, "--print", **at_hub)
    made(done)
    [token] = done.stdout.splitlines()
    assert token.count(".") == 2
    assert bosa("login", "--forget").stdout == "Nobody was logged in.\n"


@pytest.mark.parametrize("ended", ["2020-01-01T00:00:00Z", "2020-01-01T00:00:00.123456", "2020-01-01"])
def test_a_login_that_has_expired_says_so(bosa: Run, api: ScriptedApi, tmp_path: Path, ended: str) -> None:
    keep(tmp_path, api.url, "planted-token", expires_at=ended)
    for command in (("serve",), ("call", "shop_get_price"), ("tools",)):
        done = bosa(*command, BOSA_API_BASE_URL=api.url, BOSA_API_KEY=KEY)
        assert [done.returncode, done.stdout] == [2, ""]
        [line] = done.stderr.splitlines()
        assert "expired" in line
        assert "bosa-mcp login" in line
        assert "planted" not in line
    assert not api.asked


@pytest.mark.parametrize("odd", ["", "[]", "{", '{"token": "planted"}', '{"api": 1, "identifier": "", "token": []}'])
def test_a_login_that_makes_no_sense_is_one_line(bosa: Run, api: ScriptedApi, tmp_path: Path, odd: str) -> None:
    keep(tmp_path, api.url, "x").write_text(odd)
    done = bosa("call", "shop_get_price", BOSA_API_BASE_URL=api.url, BOSA_API_KEY=KEY)
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "login.json" in line
    assert "planted" not in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "IDENTIFIER"),
        (("alice", "--new", "bob"), "one of"),
        (("alice", "--forget"), "one of"),
        (("alice",), "secret"),
    ],
)
def test_wrong_usage_is_one_line_and_2(bosa: Run, arguments: tuple[str, ...], named: str) -> None:
    done = bosa("login", *arguments)
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert named in line


def test_making_a_user_without_the_client_key_says_what_is_missing(bosa: Run, hub: RunningHub) -> None:
    done = bosa("login", "--new", "alice", BOSA_API_BASE_URL=hub.url)
    assert done.returncode == 1
    assert "BOSA_API_KEY" in done.stderr


def test_the_secret_of_a_new_user_is_told_though_the_login_fails(bosa: Run, api: ScriptedApi) -> None:
    user = {"id": str(uuid4()), "identifier": "alice", "secret": "sk-user-a.b.c", "secret_preview": "…"}
    api.odd["/users"] = says({**user, "is_active": True})
    api.odd["/auth/tokens"] = fails(503, "Down.")
    known = {"BOSA_API_BASE_URL": api.url, "BOSA_API_KEY": KEY}
    done = bosa("login", "--new", "alice", **known)
    assert done.returncode == 1
    assert "sk-user-a.b.c" in done.stderr
    told = json.loads(bosa("login", "--new", "alice", "--json", **known).stdout)
    assert told["secret"] == "sk-user-a.b.c"
    assert "Down" in told["error"]


def test_in_a_terminal_the_secret_is_asked_for_and_not_shown(
    bosa: Run, at_hub: dict[str, str], name: str, tmp_path: Path
) -> None:
    secret = made(bosa("login", "--new", name, "--print", **at_hub))
    with in_terminal(tmp_path, "login", name, **at_hub) as terminal:
        shown = terminal.until(": ")
        terminal.type(f"{secret}\n")
        shown += terminal.until("login.json.")
        assert terminal.end()[0] == 0
    assert f"Secret of {name}" in shown
    assert secret not in shown
    assert kept(tmp_path)["identifier"] == name
