"""Run by a published client's own Python: tells what each step of a flow came to, one JSON line a step."""

# its packages are in the environment of the client, not in this one
# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false

import hashlib
import json
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

Anything: TypeAlias = Any
"""Whatever the client takes or returns."""

# the clients write their log to stdout, which carries the steps alone
_lines, sys.stdout = sys.stdout, sys.stderr


def step(name: str, act: Callable[[], Anything]) -> Anything:
    """What the act returns, told under this name; None where it raises, and what it raised is told."""
    value = None
    try:
        value = act()
        told = {"value": plain(value)}
    except Exception as error:  # noqa: BLE001  what a client raises is what is asked
        told = {"raised": [kind.__name__ for kind in type(error).__mro__], "text": str(error)}
    _lines.write(json.dumps({"step": name, **told}) + "\n")
    _lines.flush()
    return value


def plain(value: Anything) -> Anything:
    """The value as JSON knows it: a file as its name, kind, size and digest, a model as its fields."""
    if hasattr(value, "file") and hasattr(value, "filename"):
        digest = hashlib.sha256(value.file).hexdigest()
        return {"name": value.filename, "type": value.content_type, "size": len(value.file), "sha256": digest}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else repr(value)
