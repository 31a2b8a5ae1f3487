"""A scripted API for everyone, and a connector object that talks to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bosa_connectors import AsyncBosaConnector

from .scripted import ScriptedApi, running_api


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def running() -> Iterator[ScriptedApi]:
    with running_api() as api:
        yield api


@pytest.fixture
def api(running: ScriptedApi) -> ScriptedApi:
    """An API that has no answers yet, and has not been asked anything."""
    running.answers.clear()
    running.asked.clear()
    return running


@pytest.fixture
async def connector(api: ScriptedApi) -> AsyncIterator[AsyncBosaConnector]:
    async with AsyncBosaConnector(api.url, "client-key") as connector:
        yield connector
