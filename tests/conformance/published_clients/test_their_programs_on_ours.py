"""Programs written for the published clients, run on our SDK: the scripts of their flows, word for word."""

import json
import re
import sys
from pathlib import Path

import pytest

from bosa_hub.connectors import built_in
from bosa_hub.serve import running

from ..side_by_side.hub_probe import Probe  # noqa: TID252  test folders are no packages
from .clients import GENERATIONS, Generation, Json, Told, run_flow
from .hub_connectors import Calendar, Refusals

CHANCE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|sk-user-[\w.-]+|eyJ[\w.-]+|\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"
    r"|(state|code_challenge)=[\w-]+|127\.0\.0\.1(:|%3A)\d+"
)
"""What differs between any two runs."""
BETTER = {
    "an argument out of bounds": "is refused before it is sent",
    "a failure by run": "is refused before it is sent, for it is the same argument",
    "a form without a file": "is sent as the form that the action takes",
    "upload bytes": "bytes that are no text can be sent",
    "tools of files": "no tool asks a model for the bytes of a file",
    "accounts": "say besides which one is selected",
    "accounts afterwards": "say besides which one is selected",
    "get an unknown account": "is an error, not a dictionary that says so",
    "remove what is not there": "its message says why it was not done, not `success`",
    "export": "what is in it differs between any two runs",
}
"""Where ours does something else on purpose."""


@pytest.fixture(scope="module", params=["0.1", "0.3"])
def flows(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Told, Told]:
    """What the script of a generation tells on the published client, and on ours; each has a hub of its own."""
    generation = GENERATIONS[request.param]
    theirs = tell(generation, None, tmp_path_factory.mktemp("theirs"))
    return theirs, tell(generation, Path(sys.executable), tmp_path_factory.mktemp("ours"))


def tell(generation: Generation, python: Path | None, folder: Path) -> Told:
    """What the script tells on a new hub."""
    with running(folder / "hub", connectors=[*built_in(), Probe(), Refusals(), Calendar()]) as hub:
        return run_flow(generation, hub, folder, python)


def settled(value: Json) -> Json:
    """The value without what differs between any two runs."""
    return json.loads(CHANCE.sub("…", json.dumps(value)))


def test_every_step_comes_to_the_same_or_to_something_better(flows: tuple[Told, Told]) -> None:
    theirs, ours = flows
    assert theirs.steps.keys() == ours.steps.keys()
    other: dict[str, tuple[Json, Json]] = {}
    for step, told in theirs.steps.items():
        mine = ours.steps[step]
        is_same = told["raised"][0] in mine.get("raised", ()) if "raised" in told else settled(told) == settled(mine)
        if not is_same and step not in BETTER:
            other[step] = told, mine
    assert other == {}


def test_what_is_better_is_so(flows: tuple[Told, Told]) -> None:
    _, ours = flows
    assert ours.raised("an argument out of bounds", "ValueError").startswith("Invalid parameters: {'page': ")
    body, status = ours.value("upload bytes")
    assert (status, body["data"]["size"]) == (200, 1)
    if "get an unknown account" in ours.steps:
        assert "Integration does not exist: " in ours.raised("get an unknown account", "NotFound")
    else:
        assert ours.value("remove what is not there")["success"] is False
        assert ours.value("remove what is not there")["message"].startswith("Integration does not exist: ")
