"""`bosa-mcp`, also as `python -m bosa_mcp`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from io import TextIOWrapper


def main() -> None:
    """Runs the command line; what it imports may be interrupted too."""
    # closed by whoever started it: what is opened next would take its number, and what is printed may not get lost
    for name, mode in (("stdin", "r"), ("stdout", "r"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  it lasts as long as the process
    # a terminal that cannot show one character still shows the others
    cast("TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    try:
        from bosa_mcp import cli  # noqa: PLC0415  as the docstring says

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
