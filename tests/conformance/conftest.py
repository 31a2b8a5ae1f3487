"""Software that we did not write, made ready for the tests; what cannot be had here is skipped with the reason."""

from collections.abc import Iterator

import pytest

from .inspector import Inspector, install_inspector
from .published import PublishedServer, running_server


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """One event loop for all, so that a client can be connected once."""
    return "asyncio"


@pytest.fixture(scope="session")
def published_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublishedServer]:
    with running_server(tmp_path_factory.mktemp("published")) as server:
        yield server


@pytest.fixture(scope="session")
def published_user(published_server: PublishedServer) -> str:
    """The token of a user who has an sql account."""
    token = published_server.new_user()
    published_server.link_planets(token)
    return token


@pytest.fixture(scope="session")
def inspector() -> Inspector:
    return install_inspector()
