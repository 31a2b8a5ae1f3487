"""`bosa-mcp demo`."""

EXAMPLES = "Example: bosa-mcp demo"


def demo() -> None:
    """See it work."""
