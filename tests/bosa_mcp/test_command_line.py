"""The command line: help with examples, exit codes that say who is to act, and one line of explanation."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
import typer

from bosa_hub.serve import RunningHub
from bosa_mcp.cli.failures import told

from .processes import COMMAND, HANDSHAKE, environment, run, started
from .scripted_api import WAIT

COMMANDS = ("serve", "hub", "demo", "tools", "call", "doctor", "config", "login", "accounts", "connect", "disconnect")


@pytest.mark.parametrize("command", [(), *((command,) for command in COMMANDS)], ids=" ".join)
def test_help_shows_examples(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path, *command, "--help")
    assert [done.returncode, done.stderr] == [0, ""]
    assert f"bosa-mcp {command[0] if command else 'demo'}" in done.stdout.partition("Example")[2]
    assert all(name in done.stdout for name in COMMANDS if not command)
    assert run(tmp_path, *command, "-h").stdout == done.stdout


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"serve", "hub", "demo"}])
def test_every_command_that_prints_data_prints_json(tmp_path: Path, command: str) -> None:
    assert "--json " in run(tmp_path, command, "--help").stdout


def test_the_version_is_that_of_the_distribution(tmp_path: Path) -> None:
    done = run(tmp_path, "--version")
    assert [done.returncode, done.stdout, done.stderr] == [0, f"bosa-mcp {version('bosa-mcp')}\n", ""]


@pytest.mark.parametrize(
    ("arguments", "named"),
    {
        "srve": "srve",
        "--loud": "--loud",
        "--conector x": "--conector",
        "serve --conector x": "--conector",
        "serve --api-key 7291827": "--api-key",
        "serve --call-budget -1": "--call-budget: ",
        "serve --transport pigeon": "'--transport': 'pigeon' is not one of",
        "serve --config none.toml": "none.toml",
        "hub --port 65536": "'--port': Input should be less than or equal to 65535, got '65536'",
        "serve --port abc": "got 'abc'",
        "serve --refresh 5s": "got '5s'",
        "call notes_list_notes per_page=5": "Expected something like '{",
        "login": "bosa-mcp: expected IDENTIFIER",
    }.items(),
)
def test_wrong_usage_is_one_line_and_2(tmp_path: Path, arguments: str, named: str) -> None:
    done = run(tmp_path, *arguments.split())
    assert [done.returncode, done.stdout] == [2, ""]
    [line] = done.stderr.splitlines()
    assert line.startswith("bosa-mcp: ")
    assert named in line
    assert "7291827" not in line


@pytest.mark.parametrize("given", [{"BOSA_AUTH": "user-token"}, {}], ids=["variable", "flag"])
def test_a_server_of_one_client_does_not_pretend_to_ask_who_calls(tmp_path: Path, given: dict[str, str]) -> None:
    done = run(tmp_path, "serve", *([] if given else ["--auth", "user-token"]), **given)
    assert [done.returncode, done.stdout, len(done.stderr.splitlines())] == [2, "", 1]
    assert "BOSA_AUTH" in done.stderr
    assert "--transport http" in done.stderr


def test_wrong_configuration_is_one_line_and_2(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bosa-mcp.toml").write_text("conectors = 5\n")
    for done in (run(tmp_path), run(tmp_path, "hub")):
        assert [done.returncode, done.stdout, len(done.stderr.splitlines())] == [2, "", 1]


def test_whoever_has_no_home_folder_is_told_to_name_another(tmp_path: Path) -> None:
    unshare = shutil.which("unshare") or pytest.skip("nobody without a home folder can be made here")
    done = subprocess.run(
        [unshare, "--user", "--map-user=54321", *COMMAND, "tools"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={"PATH": os.defpath},
        cwd=tmp_path,
        timeout=2 * WAIT,
        check=False,
        text=True,
    )
    if "unshare" in done.stderr:
        pytest.skip(done.stderr)
    assert [done.returncode, done.stderr] == [
        2,
        "bosa-mcp: There is no home folder to keep anything in: set BOSA_DATA_DIR\n",
    ]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_hub_says_where_it_is_and_stops_on_a_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with started(tmp_path, "hub", "--port", "0", "--log", "json") as hub:
        url = hub.log_line("ready ").split()[1]
        key_file = Path(hub.log_line("client key in ").split()[-1])
        assert url.startswith("http://127.0.0.1:")
        assert stat.S_IMODE(key_file.stat().st_mode) == 0o600
        assert httpx.get(f"{url}/connectors/names").json() == ["files", "notes", "sql"]
        user = httpx.post(f"{url}/users", json={"identifier": "x"}, headers={"x-api-key": key_file.read_text().strip()})
        assert user.status_code == 200
        hub.signal(number)
        assert hub.wait() == code
        assert hub.rest() == ("", f"connectors and actions at {url}/docs\n")


@pytest.mark.parametrize("command", ["hub", "serve --transport http"])
def test_an_address_may_be_written_as_in_a_url(tmp_path: Path, command: str) -> None:
    with started(tmp_path, *command.split(), "--port", "0", "--host", "[::1]") as server:
        assert server.log_line("ready ").startswith("ready http://[::1]:")


def test_a_hub_listens_where_it_is_told(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with started(tmp_path, "hub", "--host", "localhost", "--port", str(port)) as hub:
        assert hub.log_line("ready ") == f"ready http://localhost:{port}\n"
        taken = run(tmp_path, "hub", "--port", str(port))
        hub.signal(signal.SIGINT)
        assert hub.wait() == 130
    assert [taken.returncode, taken.stdout] == [1, ""]
    [line] = taken.stderr.splitlines()
    assert str(port) in line
    assert "another port" in line


@pytest.mark.parametrize("command", ["hub", "serve --transport http --auth user-token"])
@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid"])
def test_an_address_of_no_machine_here_is_said_to_be_the_trouble(tmp_path: Path, command: str, host: str) -> None:
    done = run(tmp_path, *command.split(), "--host", host)
    assert [done.returncode, done.stdout] == [1, ""]
    [line] = done.stderr.splitlines()
    assert line.startswith(f"bosa-mcp: Cannot listen on {host} port ")
    assert line.endswith("host that is an address of this machine.")


@pytest.mark.parametrize("command", [("serve",), ()], ids=["serve", "no command"])
def test_a_server_that_is_configured_by_flags_speaks_to_that_api(
    tmp_path: Path, hub: RunningHub, command: tuple[str, ...]
) -> None:
    with started(tmp_path, *command, "--api-base-url", hub.url, "--call-budget", "5", "--account", "work") as server:
        server.end_of_input()
        assert server.wait() == 0
        assert server.rest() == ("", "")


def imported(folder: Path, statement: str) -> set[str]:
    """The top-level packages that a statement imports."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{statement}\nimport json, sys\nprint(json.dumps([n for n, it in sys.modules.items() if it]))",
        ],
        env=environment(folder),
        capture_output=True,
        timeout=WAIT,
        check=True,
        text=True,
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_command_line_imports_what_is_heavy_only_when_a_command_needs_it(tmp_path: Path) -> None:
    heavy = {"mcp", "mcp_types", "httpx", "httpx2", "jsonschema", "starlette", "uvicorn", "cryptography"}
    assert not imported(tmp_path, "import bosa_mcp.cli") & heavy


def test_rich_is_imported_only_to_print(tmp_path: Path) -> None:
    assert "rich" not in imported(tmp_path, "import bosa_mcp.cli")


def test_a_hub_does_not_mind_the_token_of_a_user(tmp_path: Path) -> None:
    with started(tmp_path, "hub", "--port", "0", BOSA_USER_TOKEN="token") as hub:
        assert hub.log_line("ready ")


def test_whoever_leaves_at_a_question_is_shown_no_traceback() -> None:
    interrupted = typer.Abort()
    interrupted.__context__ = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        told(interrupted)
    code, line = told(typer.Abort())
    assert (code, line.startswith("The input ended")) == (1, True)


@pytest.mark.parametrize(
    "command", ["serve <&-", "serve </dev/null >&-", "demo | head -1 >/dev/null", "demo >/dev/null"]
)
def test_standard_streams_that_are_closed_or_narrow_end_in_no_traceback(tmp_path: Path, command: str) -> None:
    done = in_shell(tmp_path, command)
    assert [done.returncode, done.stderr] == [0, ""]


def in_shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    line = f"'{COMMAND[0]}' -m bosa_mcp {command}"
    variables = environment(folder, BOSA_LOG_LEVEL="error", PYTHONIOENCODING="ascii")
    return subprocess.run(["/bin/sh", "-c", line], env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["call notes_list_notes", "tools", "tools --json", "doctor", "demo", "--version"])
def test_a_command_whose_output_is_lost_has_failed(tmp_path: Path, command: str) -> None:
    done = in_shell(tmp_path, f"{command} >&-")
    assert [done.returncode, len(done.stderr.splitlines())] == [1, 1]
    assert "Standard output is closed" in done.stderr


def test_a_server_whose_client_hears_nothing_has_failed(tmp_path: Path) -> None:
    (tmp_path / "asked").write_text("".join(f"{json.dumps(each)}\n" for each in HANDSHAKE))
    done = in_shell(tmp_path, f"serve <{tmp_path}/asked >&-")
    assert [done.returncode, len(done.stderr.splitlines())] == [1, 1]
    assert "Standard output is closed" in done.stderr


def test_a_command_ends_before_the_threads_of_its_store_can_abort_it(tmp_path: Path) -> None:
    program = "import atexit; atexit.register(print, 'shut down'); from bosa_mcp.__main__ import main; main()"
    for arguments, code in ((["tools"], 0), (["call", "notes_get_note"], 1)):
        command = [sys.executable, "-c", program, *arguments]
        done = subprocess.run(command, env=environment(tmp_path), capture_output=True, timeout=WAIT, check=False)
        assert done.returncode == code
        assert done.stdout.endswith(b"\n")
        assert b"shut down" not in done.stdout
