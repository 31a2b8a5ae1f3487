"""Hubs that all start at the same moment on one folder, each in a process: `python crowd_program.py DATA_DIR COUNT`.

They end with their input.
"""

import json
import os
import sys
from pathlib import Path

from bosa_hub.serve import running


def main(data_dir: Path, count: int) -> None:
    gate, opens = os.pipe()
    children = [child for child in (_fork(gate, opens, data_dir) for _ in range(count)) if child]
    os.close(opens)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))


def _fork(gate: int, opens: int, data_dir: Path) -> int:
    if pid := os.fork():
        return pid
    os.close(opens)
    os.read(gate, 1)  # ends for all at once
    with running(data_dir) as hub:
        keys = hub.client_key, hub.user_token("ada"), (hub.home.folder / "master.key").read_text()
        os.write(1, f"{json.dumps([hub.url, *keys])}\n".encode())  # in one piece: the others write there too
        sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
