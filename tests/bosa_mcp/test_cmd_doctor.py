"""`bosa-mcp doctor`: what would keep a server from working, and what to do about it."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse

from bosa_connectors.calls import Credentials
from bosa_hub.serve import RunningHub
from bosa_mcp.cli import findings

from ..bosa_connectors.certificates import vouched_for  # noqa: TID252  test folders are no packages
from .conftest import KEY
from .processes import in_terminal, run
from .scripted_api import ScriptedApi, address, fails, reserved_port, served

NOW = datetime(2030, 1, 2, tzinfo=UTC)


def examined(folder: Path, *arguments: str, **settings: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by what was looked at."""
    done = run(folder, "doctor", "--json", *arguments, **settings)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["ok"] is (done.returncode == 0)
    return done.returncode, {each["check"]: each for each in answer["checks"]}


def states(found: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {check: each["state"] for check, each in found.items()}


def jwt(**said: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{body}.c2ln"


def test_all_is_well_with_a_hub_and_its_user(tmp_path: Path, hub: RunningHub, hub_user: Credentials) -> None:
    settings = {"BOSA_API_KEY": str(hub_user.api_key), "BOSA_USER_TOKEN": str(hub_user.user_token)}
    code, found = examined(tmp_path, "--api-base-url", hub.url, **settings)
    assert code == 0
    assert set(states(found).values()) == {"ok"}
    assert found.keys() == {
        "data folder",
        "store",
        "tls",
        "key",
        "token",
        "address",
        "catalogue",
        "user",
        "accounts",
    }
    assert "tools from 3 connectors" in found["catalogue"]["message"]


def test_without_an_api_it_looks_at_the_hub_that_the_server_brings(tmp_path: Path) -> None:
    code, found = examined(tmp_path)
    assert [code, set(states(found).values())] == [0, {"ok"}]
    assert found["user"]["message"].endswith("'local'")


def test_a_connector_of_ones_own_that_is_left_out_is_told(tmp_path: Path) -> None:
    code, found = examined(tmp_path, "--hub-connectors", "no_module:Own")
    assert [code, found["connectors"]["state"]] == [0, "warn"]
    assert "'no_module:Own' was left out: No module named 'no_module'" in found["connectors"]["message"]


def test_people_get_a_line_for_each_with_what_to_do(tmp_path: Path, hub: RunningHub) -> None:
    done = run(tmp_path, "doctor", "--api-base-url", hub.url)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    warned = lines.index("warn  key          no client key is set")
    assert lines[warned + 1].strip().startswith("→ Set BOSA_API_KEY")
    assert any(line.startswith("ok    address") for line in lines)
    assert "[hidden]" not in done.stdout


def test_a_token_that_the_api_refuses_fails(tmp_path: Path, hub: RunningHub) -> None:
    token = jwt(exp=(datetime.now(UTC) + timedelta(days=30)).timestamp())
    code, found = examined(tmp_path, "--api-base-url", hub.url, BOSA_API_KEY=hub.client_key, BOSA_USER_TOKEN=token)
    assert [code, found["token"]["state"], found["user"]["state"]] == [1, "ok", "fail"]
    assert "BOSA_USER_TOKEN" in found["user"]["remedy"]
    assert "[hidden]" not in found["user"]["remedy"]
    assert token not in json.dumps(found)


def test_a_key_that_was_cut_is_told_without_holes(tmp_path: Path, hub: RunningHub, hub_user: Credentials) -> None:
    settings = {"BOSA_API_KEY": hub.client_key[:30], "BOSA_USER_TOKEN": str(hub_user.user_token)}
    code, found = examined(tmp_path, "--api-base-url", hub.url, **settings)
    assert [code, found["user"]["state"]] == [1, "fail"]
    assert "[hidden]" not in found["user"]["message"]


def test_where_each_client_brings_a_token_none_is_asked_for_and_none_may_be_set(
    tmp_path: Path, hub: RunningHub, hub_user: Credentials
) -> None:
    known = {"BOSA_API_BASE_URL": hub.url, "BOSA_API_KEY": hub.client_key, "BOSA_AUTH": "user-token"}
    code, found = examined(tmp_path, **known)
    assert [code, set(states(found).values())] == [0, {"ok"}]
    code, found = examined(tmp_path, **known, BOSA_USER_TOKEN=str(hub_user.user_token))
    assert [code, states(found)] == [1, {"start": "fail"}]
    assert "BOSA_USER_TOKEN is one person's" in found["start"]["message"]


def test_an_api_that_is_not_there_fails(tmp_path: Path) -> None:
    with reserved_port() as nobody:
        code, found = examined(tmp_path, "--api-base-url", address(nobody))
    assert [code, found["address"]["state"]] == [1, "fail"]
    assert "BOSA_API_BASE_URL" in found["address"]["remedy"]


def test_an_api_that_refuses_the_key_fails_with_the_key_to_check(tmp_path: Path, api: ScriptedApi) -> None:
    api.odd["/connectors/names"] = fails(401, "Who are you?")
    code, found = examined(tmp_path, "--api-base-url", api.url, BOSA_API_KEY=KEY)
    assert [code, found["address"]["state"]] == [1, "fail"]
    assert "Who are you?" in found["address"]["message"]
    assert found["address"]["remedy"] == "Check BOSA_API_KEY."


def test_what_speaks_no_tls_fails(tmp_path: Path, api: ScriptedApi) -> None:
    code, found = examined(tmp_path, "--api-base-url", api.url.replace("http:", "https:"))
    assert [code, found["tls"]["state"]] == [1, "fail"]
    assert "does not answer in TLS" in found["tls"]["message"]
    assert "use http:// in BOSA_API_BASE_URL" in found["tls"]["remedy"]


def test_what_speaks_tls_alone_is_not_asked_in_clear(tmp_path: Path) -> None:
    vouched_for(tmp_path, "localhost")
    with served(ScriptedApi(), reserved_port(), tmp_path / "server.pem") as url:
        code, found = examined(tmp_path, "--api-base-url", url)
    assert [code, found["address"]["state"]] == [1, "fail"]
    assert "use https:// in BOSA_API_BASE_URL" in found["address"]["remedy"]


@pytest.mark.parametrize(
    ("scheme", "variable"), [("http", "HTTP_PROXY"), ("https", "HTTPS_PROXY"), ("https", "ALL_PROXY")]
)
def test_a_proxy_that_keeps_it_from_the_api_is_named(tmp_path: Path, scheme: str, variable: str) -> None:
    with reserved_port() as nobody:
        url = f"{scheme}://api.example.test"
        code, found = examined(tmp_path, "--api-base-url", url, **{variable: address(nobody)})
        assert [code, found["address"]["state"]] == [1, "fail"]
        assert f"the proxy that the variables name, {address(nobody)}," in found["address"]["remedy"]
    assert scheme != "https" or "behind a proxy" in found["tls"]["message"]


def test_another_web_site_is_told_from_an_api_that_refuses(tmp_path: Path, api: ScriptedApi) -> None:
    api.odd["/users/me"] = JSONResponse({"hello": "world"})
    code, found = examined(tmp_path, "--api-base-url", api.url, BOSA_USER_TOKEN=jwt(sub="me"))
    assert [code, found["user"]["state"]] == [1, "fail"]
    assert found["user"]["remedy"] == "Is BOSA_API_BASE_URL right, and the API running?"
    assert found["catalogue"]["remedy"] == "The API lists no connector. Is BOSA_API_BASE_URL right?"


@pytest.mark.parametrize(
    ("colours", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_a_terminal_gets_the_colours_that_it_wants(tmp_path: Path, colours: dict[str, str], is_coloured: bool) -> None:  # noqa: FBT001  pytest names it
    with in_terminal(tmp_path, "doctor", **colours) as terminal:
        code, shown = terminal.end()
    assert [code, "\x1b[" in shown] == [0, is_coloured]


def test_an_account_that_is_not_linked_fails(tmp_path: Path, hub: RunningHub, hub_user: Credentials) -> None:
    settings = {"BOSA_API_KEY": str(hub_user.api_key), "BOSA_USER_TOKEN": str(hub_user.user_token)}
    code, found = examined(tmp_path, "--api-base-url", hub.url, "--account", "work", **settings)
    assert [code, found["accounts"]["state"]] == [1, "fail"]


def test_a_connector_that_cannot_be_listed_is_named(tmp_path: Path, api: ScriptedApi) -> None:
    api.offer("shop", "find_goods")
    api.offer("till", "get_total")
    api.odd["/connectors/?modules=till"] = fails(500)
    code, found = examined(tmp_path, "--api-base-url", api.url)
    assert [code, found["catalogue"]["state"]] == [0, "warn"]
    assert "till" in found["catalogue"]["message"]


def test_the_age_of_the_kept_catalogue_is_told(tmp_path: Path, api: ScriptedApi) -> None:
    api.offer("shop", "find_goods")
    run(tmp_path, "tools", "--api-base-url", api.url)
    [kept] = (tmp_path / "data" / "catalogue").glob("*/*.json")
    old = datetime.now(UTC).timestamp() - 3 * 86_400
    os.utime(kept, (old, old))
    _, found = examined(tmp_path, "--api-base-url", api.url)
    assert found["catalogue"]["state"] == "warn"
    assert "3 days old" in found["catalogue"]["message"]


def test_a_data_folder_that_others_can_read_is_a_warning(tmp_path: Path, hub: RunningHub) -> None:
    (tmp_path / "data").mkdir(0o700)
    (tmp_path / "data").chmod(0o755)
    code, found = examined(tmp_path, "--api-base-url", hub.url)
    assert [code, found["data folder"]["state"]] == [0, "warn"]
    assert found["data folder"]["remedy"] == f"chmod 700 '{tmp_path / 'data'}'"


def test_looking_makes_no_data_folder(tmp_path: Path, hub: RunningHub) -> None:
    code, found = examined(tmp_path, "--api-base-url", hub.url)
    assert [code, found["data folder"]["state"]] == [0, "ok"]
    assert not (tmp_path / "data").exists()


def test_a_store_that_cannot_be_used_fails(tmp_path: Path, hub: RunningHub) -> None:
    (tmp_path / "file").write_text("")
    code, found = examined(tmp_path, "--api-base-url", hub.url, "--store", f"file://{tmp_path / 'file' / 'x'}")
    assert [code, found["store"]["state"]] == [1, "fail"]
    assert "BOSA_STORE" in found["store"]["remedy"]


@pytest.mark.parametrize("scheme", ["s3", "http"])
def test_a_store_that_fails_is_told_with_its_own_words(tmp_path: Path, hub: RunningHub, scheme: str) -> None:
    with reserved_port() as nobody:
        place = {"s3": "s3://bucket/folder", "http": f"{address(nobody)}/folder"}[scheme]
        known = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "planted-secret", "AWS_ALLOW_HTTP": "true"}
        code, found = examined(
            tmp_path, "--api-base-url", hub.url, "--store", place, AWS_ENDPOINT=address(nobody), **known
        )
    assert [code, found["store"]["state"]] == [1, "fail"]
    assert {"s3": "Generic S3 error", "http": "HttpStore"}[scheme] in found["store"]["message"]
    assert "planted" not in json.dumps(found)


def test_the_store_is_left_as_it_was(tmp_path: Path, hub: RunningHub) -> None:
    code, _ = examined(tmp_path, "--api-base-url", hub.url, "--store", f"file://{tmp_path / 'store'}")
    assert code == 0
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("token", "state"),
    [
        (None, "warn"),
        (jwt(exp=(NOW - timedelta(seconds=1)).timestamp()), "fail"),
        (jwt(exp=(NOW + timedelta(days=1)).timestamp()), "warn"),
        (jwt(exp=(NOW + timedelta(days=30)).timestamp()), "ok"),
        (jwt(exp="soon"), "ok"),
        (jwt(exp=1e300), "ok"),
        ("opaque", "ok"),
        ("eyJ.ÿ.x", "ok"),
    ],
)
def test_a_token_says_itself_how_long_it_is_good(token: str | None, state: str) -> None:
    assert findings.token(token, NOW).state == state


@pytest.mark.parametrize(
    ("url", "days", "state"),
    [
        ("https://api.example.com", 90, "ok"),
        ("https://api.example.com", 3, "warn"),
        ("http://api.example.com", None, "warn"),
        ("http://127.0.0.1:8090", None, "ok"),
    ],
)
def test_what_goes_over_the_net_in_clear_or_soon_will_not_go_is_a_warning(
    url: str, days: int | None, state: str
) -> None:
    assert findings.tls(url, None if days is None else NOW + timedelta(days=days), NOW).state == state


def test_a_key_has_a_shape() -> None:
    assert [findings.key(each).state for each in (None, "abc", KEY)] == ["warn", "warn", "ok"]


def test_little_room_on_the_disk_is_a_warning_and_none_a_failure() -> None:
    found = [findings.folder("x", 0o40700, megabytes * 1024**2, is_writable=True).state for megabytes in (1, 100, 1000)]
    assert found == ["fail", "warn", "ok"]


def test_a_login_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(0o700)
    (tmp_path / "data" / "login.json").write_text("nonsense")
    code, found = examined(tmp_path, "--store", "gopher://x")
    assert [code, found["start"]["state"]] == [1, "fail"]
    assert "login.json cannot be read" in found["start"]["message"]


def test_names_that_match_nothing_are_told(tmp_path: Path) -> None:
    code, found = examined(tmp_path, BOSA_CONNECTORS="note", BOSA_EXCLUDE="zzz*")
    assert [code, found["catalogue"]["state"]] == [0, "warn"]
    assert "BOSA_CONNECTORS 'note' (did you mean notes?)" in found["catalogue"]["message"]
    assert "BOSA_EXCLUDE 'zzz*'" in found["catalogue"]["message"]


def test_a_store_that_cannot_be_is_named_by_its_setting(tmp_path: Path) -> None:
    done = run(tmp_path, "tools", "--store", "foo")
    assert [done.returncode, len(done.stderr.splitlines())] == [2, 1]
    assert "--store: " in done.stderr
