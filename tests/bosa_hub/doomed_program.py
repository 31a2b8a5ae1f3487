"""For each line of input a hub in a process of its own, which only a kill ends: `python doomed_program.py DATA_DIR`.

The processes are forked, so that each starts at once.
"""

import json
import os
import signal
import sys
from pathlib import Path

from bosa_hub.serve import running


def main(data_dir: Path) -> None:
    while sys.stdin.readline():
        if pid := os.fork():
            os.waitpid(pid, 0)
            continue
        with running(data_dir) as hub:
            print(json.dumps([os.getpid(), hub.url, hub.client_key, hub.user_token("ada")]), flush=True)  # noqa: T201  how a program speaks
            signal.pause()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
