"""`bosa-mcp`, also as `python -m bosa_mcp`."""

import sys


def main() -> None:
    """Runs the command line; what it imports may be interrupted too."""
    try:
        from bosa_mcp import cli  # noqa: PLC0415  as the docstring says

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
