"""Starting a hub: the only place where the server's package does."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Literal

import structlog

from bosa_hub import Connector
from bosa_hub.connectors import built_in
from bosa_hub.loading import load
from bosa_hub.oauth2 import Application
from bosa_hub.serve import RunningHub, running
from bosa_hub.workers import running_workers
from bosa_mcp import logs
from bosa_mcp.settings import Settings, reveal


def open_hub(
    settings: Settings, *, host: str = "127.0.0.1", port: int = 0, workers: int = 1, is_alone: bool = False
) -> AbstractContextManager[RunningHub]:
    """The hub that the settings describe; connectors that cannot be loaded are reported, and cost no other.

    Their modules may lie in the current folder where a person started the hub alone, in a folder of their choice.
    """
    folder = Path.cwd() if is_alone else None
    loaded = load(settings.hub_connectors, built_in(), folder)
    for failure in loaded.failures:
        structlog.get_logger("bosa_hub").warning(failure)
    applications = {
        name: Application(each.client_id, each.client_secret.get_secret_value())
        for name, each in settings.hub_oauth.items()
    }
    choices: dict[str, Any] = {
        "host": host,
        "port": port,
        "master_key": reveal(settings.hub_master_key),
        "encryption_key": reveal(settings.hub_encryption_key),
        "rate_limit": settings.hub_rate_limit,
        "applications": applications,
        "public_url": settings.public_url if is_alone else None,  # an embedded hub is not what is reached there
    }
    if workers == 1:
        return running(settings.data_dir, connectors=loaded.connectors, **choices)
    load_again = partial(_in_worker, settings.hub_connectors, folder, settings.log, settings.log_level)
    return running_workers(workers, settings.data_dir, connectors=load_again, **choices)


def _in_worker(
    names: Sequence[str], folder: Path | None, style: Literal["pretty", "json"], level: str
) -> Sequence[Connector]:
    logs.configure(style, level)
    return load(names, built_in(), folder).connectors
