"""100 MB either way cost no more memory than a small file."""

import json
import subprocess
import sys
from pathlib import Path

from bosa_hub.serve import running

PROGRAM = Path(__file__).with_name("transfer_program.py")
MOST = 5_000_000


def test_a_hundred_megabytes_cost_a_few_beyond_what_the_caller_holds(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    with (tmp_path / "files" / "large.bin").open("wb") as file:
        file.truncate(100_000_000)
    with running(tmp_path / "hub") as hub:
        command = [
            sys.executable,
            str(PROGRAM),
            hub.url,
            hub.client_key,
            hub.user_token("ada"),
            str(tmp_path / "files"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    costs = json.loads(done.stdout)
    assert set(costs) == {"up", "down", "held", "awaited up", "awaited down", "awaited held"}
    assert {way: size for way, size in costs.items() if size > MOST} == {}
