"""`bosa-mcp`, also as `python -m bosa_mcp`."""

import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

if TYPE_CHECKING:
    from io import TextIOWrapper


def _leave(code: str | int | None) -> NoReturn:
    """Ends the process; where the store was opened, at once, for its threads may abort an interpreter that shuts down.

    A thread that comes for the GIL by then is ended by Python, and Rust cannot be left like that.
    """
    if "obstore" in sys.modules and isinstance(code, int):
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # what could not be written has been told
                stream.flush()
        os._exit(code)
    sys.exit(code)


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
        _leave(130)
    except SystemExit as ended:
        _leave(ended.code)


if __name__ == "__main__":
    main()
