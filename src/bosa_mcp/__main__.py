"""`python -m bosa_mcp` is `bosa-mcp`."""

from bosa_mcp.cli import main

if __name__ == "__main__":
    main()
