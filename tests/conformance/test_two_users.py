"""Two people use one server at random, for longer than the ordinary tests can wait."""

from pathlib import Path

import pytest

from ..bosa_mcp.two_users import nothing_is_met_in  # noqa: TID252  test folders are no packages

ROUNDS, CALLS = 5, 2_000


@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
async def test_in_ten_thousand_calls_two_people_meet_nothing_of_each_other(
    number: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    del number  # each has a server of its own
    await nothing_is_met_in(CALLS, tmp_path, caplog)
