"""The published clients, each in an environment of its own, and what they told of their flow."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bosa_hub.serve import RunningHub

from ..installs import python_with  # noqa: TID252  test folders are no packages

Json: TypeAlias = Any
FLOW_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Generation:
    """A published client: what to install, and the script of its flow."""

    script: str
    requirement: str
    dependencies: tuple[str, ...] = ()
    """What to install in place of what it asks for itself."""


GENERATIONS = {
    "0.1": Generation("first.py", "bosa-connectors-binary==0.1.5"),
    "0.3": Generation("second.py", "bosa-connectors-binary==0.3.3"),
    "gl": Generation(
        "current.py",
        "gl-connectors-sdk==0.1.15.post1",
        # it asks for a certifi that not every index has
        (
            "httpx",
            "requests",
            "pydantic",
            "pydantic-settings",
            "legacy-cgi",
            "langchain-core",
            "gllm-core-binary",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a client told of each step of its flow."""

    steps: Mapping[str, Json]

    def value(self, step: str) -> Json:
        """What came out."""
        told = self.steps[step]
        assert "raised" not in told, told
        return told["value"]

    def raised(self, step: str, kind: str) -> str:
        """The text of the exception of this kind that was raised."""
        told = self.steps[step]
        assert kind in told.get("raised", ()), told
        return told["text"]

    def failed(self, step: str, status: int) -> Json:
        """The body of the reply that came with this status."""
        body, seen = self.value(step)
        assert seen == status, body
        assert body["message"] == body["error"]["message"]
        return body


def run_flow(generation: Generation, hub: RunningHub, folder: Path, python: Path | None = None) -> Told:
    """What the client tells; what it logs besides is in the folder. Skips the test when it cannot be had here.

    Where a `python` is given, its packages take the place of the client's own.
    """
    python = python or python_with(generation.requirement, *generation.dependencies)
    script = Path(__file__).parent / "scripts" / generation.script
    with (folder / "log").open("w") as log:
        done = subprocess.run(
            [str(python), str(script), hub.url, hub.client_key, str(hub.home.folder / "users")],
            env={"HOME": str(folder), "PATH": ""},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            timeout=FLOW_SECONDS,
            check=False,
        )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"It stopped after {lines[-1:]}:\n{(folder / 'log').read_text()[-3000:]}"
    return Told({line.pop("step"): line for line in lines})
