"""The examples run as they are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
TIMEOUT = 60
SHOWN = {
    "agent_loop.py": [
        "'querry': 'SELECT title FROM books ORDER BY year LIMIT 1'} -> error",
        "notes_create_note {'title': 'The oldest book', 'body': 'Sense and Sensibility'} -> ok",
        "Noted: Sense and Sensibility",
    ],
    "langchain_tools.py": ["from LangChain", "ada has {'data': [{'title': 'Hello'}]", "bob has {'data': []", "titel"],
    "oauth2_connector.py": [
        "authorization_code with PKCE",
        "http://localhost:3000/linked?user_identifier=ada%40photos.example",
        "the service: refresh_token",
        "after its access has ended: ['sea.jpg', 'hill.jpg']",
        "the service: revoked",
        "NotConnected(",
    ],
    "sdk_files.py": ["'size': 5000000", "it is the same: True", "refused: The answer is larger than 1000 bytes"],
    "two_users_over_http.py": ["ada has {'data': [{'title': 'A note of ada'}]", "bob has", "without a token: 401"],
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
