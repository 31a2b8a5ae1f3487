"""Foreign software, installed once into a cache outside the clone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

INSTALL_SECONDS = 900


def installed(name: str, commands: Callable[[Path], list[list[str]]]) -> Path:
    """The folder into which these commands have installed, now or earlier; skips the test when they cannot."""
    folder = cache() / name
    if not (folder / ".ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in commands(folder):
            run_or_skip(name, command)
        (folder / ".ready").touch()
    return folder


def cache() -> Path:
    """Where installations are kept: BOSA_CONFORMANCE_CACHE, else a folder in the user's cache."""
    user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("BOSA_CONFORMANCE_CACHE") or user_cache / "bosa-conformance")


def run_or_skip(name: str, command: list[str]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{name} cannot be installed: there is no {command[0]} here")
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
    )
    if done.returncode:
        pytest.skip(f"{name} cannot be installed: {' '.join(command[:3])} … says {last_line(done.stderr)!r}")


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "nothing")


def python_with(requirement: str, *more: str) -> Path:
    """The Python of an environment of its own that holds this requirement.

    Where more requirements are given, they stand in for those that it names itself.
    """
    return installed(requirement, lambda folder: environment_commands(folder, requirement, more)) / "bin" / "python"


def environment_commands(folder: Path, requirement: str, more: tuple[str, ...]) -> list[list[str]]:
    python = str(folder / "bin" / "python")
    if shutil.which("uv"):
        create = ["uv", "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder)]
        install = ["uv", "pip", "install", "--quiet", "--python", python]
    else:
        create = [sys.executable, "-m", "venv", str(folder)]
        install = [python, "-m", "pip", "install", "--quiet"]
    return [
        create,
        *([[*install, *more], [*install, "--no-deps", requirement]] if more else [[*install, requirement]]),
    ]
