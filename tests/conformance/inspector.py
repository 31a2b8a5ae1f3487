"""The MCP inspector: the client and schema lint of the TypeScript SDK."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .installs import installed
from .serving import COMMAND, environment

INSPECTOR, NODE = "@modelcontextprotocol/inspector@2.12.0", "node@22"
RUN_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Inspector:
    """Runs one method against a server of its own, whose data are in the folder."""

    binaries: Path

    def run(self, era: str, folder: Path, settings: Mapping[str, str], *arguments: str) -> dict[str, Any]:
        """The method's result; a test fails with what the inspector wrote on stderr."""
        variables = [f"{name}={value}" for name, value in environment(folder, settings).items()]
        return self._run(era, folder, *arguments, *(word for each in variables for word in ("-e", each)), COMMAND)

    def run_at(self, url: str, era: str, folder: Path, *arguments: str) -> dict[str, Any]:
        """The same against a server that listens at this address."""
        return self._run(era, folder, *arguments, "--transport", "http", "--server-url", url)

    def _run(self, era: str, folder: Path, *arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [
                *(str(self.binaries / "node"), str(self.binaries / "mcp-inspector"), "--cli", "--format", "json"),
                *("--protocol-era", era, *arguments),
            ],
            env={"HOME": str(folder), "PATH": str(self.binaries)},  # it keeps a catalogue of servers in HOME
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["result"]

    def list_strictly(self, era: str, folder: Path, settings: Mapping[str, str]) -> set[str]:
        """The names of the tools, none of which has a schema that some client or model refuses."""
        result = self.run(era, folder, settings, "--method", "tools/list", "--strict")
        return {tool["name"] for tool in result["tools"]}


def install_inspector() -> Inspector:
    """The inspector, with a Node of its own: distributions ship older ones."""
    folder = installed(
        "inspector-2.12.0",
        lambda folder: [["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), INSPECTOR, NODE]],
    )
    return Inspector(folder / "node_modules" / ".bin")
