"""The load test of the inspector."""

from pathlib import Path

import pytest

from .inspector import Inspector
from .web_server import web_server

LOAD = ("--load", "--load-concurrency", "20", "--load-requests", "200")
CALL = ("--method", "tools/call", "--tool-name", "notes_list_notes", "--tool-args-json", '{"per_page": 5}')


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_two_hundred_calls_twenty_at_once_all_succeed(inspector: Inspector, era: str, tmp_path: Path) -> None:
    quiet = ("--log-level", "warning")  # nobody reads what it logs, and a full pipe would stop it
    with web_server(tmp_path, *quiet) as url:
        results = [
            inspector.run(era, tmp_path, {"BOSA_DATA_DIR": str(tmp_path / "other")}, *CALL, *LOAD),
            inspector.run_at(f"{url}/mcp", era, tmp_path, *CALL, *LOAD),
        ]
    assert [(result["requests"], result["ok"]) for result in results] == [(200, 200), (200, 200)], results
