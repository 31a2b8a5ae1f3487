"""A scripted API for everyone, and a connector object that talks to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bosa_connectors import AsyncBosaConnector

from .scripted import ScriptedApi, running_api
from .shells import SHELLS, Shell, connecting


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


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> Shell:
    return request.param


@pytest.fixture
async def connector(api: ScriptedApi, shell: Shell) -> AsyncIterator[AsyncBosaConnector]:
    async with connecting(shell, api.url) as connector:
        yield connector
