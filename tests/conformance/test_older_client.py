import json
import subprocess
from pathlib import Path

from .installs import python_with
from .serving import COMMAND, environment

SCRIPT = Path(__file__).with_name("older_client.py")


def test_a_client_of_the_handshake_era_lists_the_tools_and_calls_one(tmp_path: Path) -> None:
    python = python_with("mcp==1.30.0")
    done = subprocess.run(
        [str(python), str(SCRIPT), COMMAND],
        env=environment(tmp_path, {}) | {"PATH": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["version"].startswith("1.")
    assert "notes_create_note" in seen["tools"]
    assert seen["result"]["structuredContent"]["data"]["title"] == "Groceries"
