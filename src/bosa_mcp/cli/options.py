"""Flags that several commands take: the same as the settings, in kebab case."""

from pathlib import Path
from typing import Annotated, Literal

import typer

DataDir = Annotated[
    Path | None, typer.Option(help="Where everything is kept.", show_default="per user", metavar="FOLDER")
]
Config = Annotated[Path | None, typer.Option(help="Settings file.", show_default="bosa-mcp.toml in the data folder")]
Log = Annotated[
    Literal["pretty", "json"] | None, typer.Option(help="How the log on stderr looks.", show_default="pretty")
]
LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"] | None, typer.Option(help="What is logged.", show_default="info")
]
HubConnectors = Annotated[
    str | None, typer.Option(help="Connectors that the hub offers beside its own.", metavar="MODULE:CLASS,…")
]
