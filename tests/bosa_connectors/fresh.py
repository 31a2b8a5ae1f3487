"""Programs in a fresh interpreter."""

import os
import sys

import anyio


async def said_by(code: str, *arguments: str, **environment: str) -> str:
    """What a fresh interpreter prints, on either stream; it has no proxies but those of this environment."""
    ours = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    ended = await anyio.run_process(command, env={**ours, **environment})
    return (ended.stdout + ended.stderr).decode().strip()
