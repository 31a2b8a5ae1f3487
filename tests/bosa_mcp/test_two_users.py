"""Two people use one server at random: neither sees anything of the other, nor a secret."""

from pathlib import Path

import pytest

from .two_users import nothing_is_met_in


async def test_two_people_who_do_anything_meet_nothing_of_each_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await nothing_is_met_in(1_500, tmp_path, caplog)
