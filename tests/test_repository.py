"""What README and mcp.json say is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

from mcp import Client, StdioServerParameters

from bosa_mcp.settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_readme_tells_of_every_setting_and_of_no_other() -> None:
    told = set(re.findall(r"^\| `(BOSA_\w+)` \|", README, re.MULTILINE))
    assert told == {PREFIX + name.upper() for name in Settings.model_fields}


def test_readme_shows_every_file_of_the_source_in_its_architecture() -> None:
    shown = README.split("## Architecture")[1]
    missing = [
        path.name
        for package in ("bosa_connectors", "bosa_mcp", "bosa_hub")
        for path in (ROOT / "src" / package).glob("*.py")
        if not path.name.startswith("__") and path.name not in shown
    ]
    assert missing == []


def test_links_in_readme_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_the_top_level_holds_what_it_should_and_nothing_else() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    top = {path.split("/")[0] for path in listed if path} - {"src", "tests", "examples"}
    assert {name for name in top if not name.startswith(".")} == {
        "LICENSE",
        "Makefile",
        "README.md",
        "mcp.json",
        "pyproject.toml",
    }


async def test_mcp_json_starts_the_server_from_a_clone(tmp_path: Path) -> None:
    [(name, server)] = json.loads((ROOT / "mcp.json").read_text("utf-8"))["mcpServers"].items()
    command = StdioServerParameters(**server | {"env": {"BOSA_DATA_DIR": str(tmp_path)}}, cwd=ROOT)
    async with Client(command) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
    assert name == "bosa"
    assert "notes_create_note" in tools


def test_importing_the_sdk_loads_no_server_and_prints_nothing() -> None:
    script = (
        "import sys, bosa_connectors; sys.exit(str({'mcp', 'rich', 'starlette', 'httpx'} & set(sys.modules) or ''))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.stdout, ran.stderr.strip()) == ("", "")
