"""The MCP conformance suite against the real server, whose hub has connectors with what the suite wants to call."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .installs import installed
from .web_server import web_server

SUITE, NODE = "@modelcontextprotocol/conformance@0.2.0-alpha.12", "node@22"
EXPECTED = Path(__file__).with_name("expected_failures")
CONNECTORS = "suite_connectors:Test,suite_connectors:Json"
RUN_SECONDS = 300


@pytest.fixture(scope="module")
def modules() -> Path:
    """The suite, with a Node of its own: distributions ship older ones."""
    npm = ["npm", "install", "--no-audit", "--no-fund", "--prefix"]
    return installed("conformance-0.2.0-alpha.12", lambda folder: [[*npm, str(folder), SUITE, NODE]]) / "node_modules"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_server(tmp_path_factory.mktemp("server"), "--hub-connectors", CONNECTORS) as url:
        yield url


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_the_server_conforms_but_for_what_actions_cannot_do(
    modules: Path, url: str, revision: str, tmp_path: Path
) -> None:
    program = modules / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    done = subprocess.run(
        [
            *(str(modules / ".bin" / "node"), str(program), "server", "--url", f"{url}/mcp"),
            *("--requirements", revision, "--expected-failures", str(EXPECTED / f"{revision}.yaml")),
            *("-o", str(tmp_path)),
        ],
        env={"HOME": str(tmp_path), "PATH": str(modules / ".bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[done.stdout.find("=== SUMMARY") :] + done.stderr
