"""Two people use one server at random, for longer than the ordinary tests can wait."""

from pathlib import Path

import pytest

from ..bosa_mcp.two_users import nothing_is_met_in  # noqa: TID252  test folders are no packages


async def test_in_ten_thousand_calls_two_people_meet_nothing_of_each_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await nothing_is_met_in(10_000, tmp_path, caplog)
