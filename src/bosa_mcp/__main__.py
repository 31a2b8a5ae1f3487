"""`bosa-mcp`, also as `python -m bosa_mcp`."""

import os
import sys
from pathlib import Path


def main() -> None:
    """Runs the command line; what it imports may be interrupted too."""
    if sys.stderr is None:  # closed by whoever started it: what is opened next would take its number
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  it lasts as long as the process
    try:
        from bosa_mcp import cli  # noqa: PLC0415  as the docstring says

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
