from pathlib import Path

import pytest

from .inspector import Inspector

pytestmark = pytest.mark.parametrize("era", ["legacy", "modern"])
EMBEDDED: dict[str, str] = {}  # without settings the server brings its own hub


def test_the_embedded_hub_has_no_tool_that_some_client_refuses(inspector: Inspector, era: str, tmp_path: Path) -> None:
    names = inspector.list_strictly(era, tmp_path, EMBEDDED)
    assert {"notes_create_note", "sql_query", "files_read_text_file"} <= names


def test_a_tool_of_the_embedded_hub_can_be_called(inspector: Inspector, era: str, tmp_path: Path) -> None:
    arguments = '{"title": "Groceries", "body": "Bread and salt"}'
    call = ("--method", "tools/call", "--tool-name", "notes_create_note", "--tool-args-json", arguments)
    result = inspector.run(era, tmp_path, EMBEDDED, *call)
    assert result["structuredContent"]["data"]["title"] == "Groceries"
    assert not result.get("isError")
