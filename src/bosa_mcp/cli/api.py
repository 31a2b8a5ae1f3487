"""Which API the server speaks to: the one in the settings, or a hub of its own."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from bosa_connectors.calls import Credentials
from bosa_mcp.settings import DEFAULT_API, Settings, reveal

LOCAL_USER: Final = "local"
"""Whose notes and files the embedded hub keeps."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Api:
    """An API's address, and who calls it."""

    url: str
    credentials: Credentials


@contextmanager
def open_api(settings: Settings) -> Generator[Api]:
    """The API to speak to; an embedded hub runs as long as it is open."""
    if not settings.is_embedded:
        who = Credentials(reveal(settings.api_key), reveal(settings.user_token), settings.account)
        yield Api(settings.api_base_url or DEFAULT_API, who)
        return
    from bosa_hub.serve import running  # noqa: PLC0415  a server that speaks to an API needs no hub

    with running(settings.data_dir, master_key=reveal(settings.hub_master_key)) as hub:
        log.info("no BOSA API is set, so the embedded hub serves", hub=hub.url, data=str(settings.data_dir))
        yield Api(hub.url, Credentials(hub.client_key, hub.user_token(LOCAL_USER), settings.account))
