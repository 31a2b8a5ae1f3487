"""An MCP server whose tools are the actions of a BOSA API."""
