"""A hub, and what the published clients found there."""

from collections.abc import Iterator

import pytest

from bosa_hub.connectors import built_in
from bosa_hub.serve import RunningHub, running

from ..side_by_side.hub_probe import Probe  # noqa: TID252  test folders are no packages
from .clients import GENERATIONS, Told, run_flow
from .hub_connectors import Calendar, Refusals


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    connectors = [*built_in(), Probe(), Refusals(), Calendar()]
    with running(tmp_path_factory.mktemp("hub"), connectors=connectors) as started:
        yield started


@pytest.fixture(scope="session", params=GENERATIONS)
def generation(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def told(generation: str, hub: RunningHub, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """What the client of this generation told of its flow."""
    return run_flow(GENERATIONS[generation], hub, tmp_path_factory.mktemp("client"))
