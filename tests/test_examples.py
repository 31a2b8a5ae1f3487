"""The examples run as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
TIMEOUT = 60
SHOWN = {
    "mcp_client.py": ["notes_create_note", "written through MCP", "Pride and Prejudice", "'nearest': 'title'"],
    "todo_account_connector.py": ["Integration does not exist", "water the plants", "write the report"],
    "weather_connector.py": ["'city': 'Bandung'", "Nobody knows the weather of 'Atlantis'"],
    "sdk.py": ["<Catalogue notes", "from the SDK", "NotFound(", "nearest='title'"],
}


def test_each_example_is_tried_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("example", sorted(SHOWN))
def test_an_example_shows_what_it_says(example: str, tmp_path: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BOSA_")}
    ran = subprocess.run(
        [sys.executable, EXAMPLES / example],
        env=bare | {"BOSA_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert [part for part in SHOWN[example] if part not in ran.stdout] == []
