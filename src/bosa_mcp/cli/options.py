"""Flags that several commands take: the same as the settings, in kebab case."""

import inspect
import logging
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Concatenate, Final, Literal, ParamSpec

import typer

from bosa_connectors.shapes import is_object
from bosa_mcp import logins, logs, settings
from bosa_mcp.invisible import plain
from bosa_mcp.settings import Settings

P = ParamSpec("P")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

FLAGS: Final[dict[str, Any]] = {
    "auth": Annotated[
        Literal["none", "user-token"] | None,
        typer.Option(help="HTTP: how clients say who they are.", show_default="none"),
    ],
    "public_url": Annotated[str | None, typer.Option(help="HTTP: where the outside reaches the server.")],
    "allowed_hosts": Annotated[
        str | None, typer.Option(help="HTTP: further values of Host, comma separated.", metavar="A,B")
    ],
    "api_base_url": Annotated[str | None, typer.Option(help="The BOSA API; unset and no key: the embedded hub.")],
    "account": Annotated[str | None, typer.Option(help="Which linked account acts.")],
    "connectors": Annotated[str | None, typer.Option(help="Only these, comma separated.", metavar="A,B")],
    "include": Annotated[str | None, typer.Option(help="Only these tools.", metavar="GLOB,…")],
    "exclude": Annotated[str | None, typer.Option(help="None of these tools.", metavar="GLOB,…")],
    "read_only": Annotated[
        bool | None, typer.Option("--read-only/--no-read-only", help="Only actions that read.", show_default=False)
    ],
    "mode": Annotated[
        Literal["tools"] | None, typer.Option(help="How actions are offered: each as a tool.", show_default="tools")
    ],
    "refresh": Annotated[
        float | None, typer.Option(help="Seconds between looks at the catalogue; 0 never.", show_default="300")
    ],
    "call_budget": Annotated[float | None, typer.Option(help="Seconds for one call.", show_default="45")],
    "max_result_tokens": Annotated[int | None, typer.Option(help="Size of one result.", show_default="20000")],
    "store": Annotated[
        str | None,
        typer.Option(help="Where files and large results are kept.", metavar="URL", show_default="data folder"),
    ],
    "files_root": Annotated[
        Path | None,
        typer.Option(help="Folder below which file:// inputs may lie.", metavar="FOLDER", show_default="none"),
    ],
    "hub_connectors": Annotated[
        str | None, typer.Option(help="Connectors that the hub offers beside its own.", metavar="MODULE:CLASS,…")
    ],
    "hub_rate_limit": Annotated[int | None, typer.Option(help="Requests a minute per client.", min=1)],
    "data_dir": Annotated[
        Path | None, typer.Option(help="Where everything is kept.", show_default="per user", metavar="FOLDER")
    ],
    "config": Annotated[
        Path | None, typer.Option(help="Settings file.", show_default="bosa-mcp.toml in the data folder")
    ],
    "log": Annotated[
        Literal["pretty", "json"] | None, typer.Option(help="How the log on stderr looks.", show_default="pretty")
    ],
    "log_level": Annotated[Literal["debug", "info", "warning", "error"] | None, typer.Option(help="What is logged.")],
}
"""The settings that have a flag, and the file that holds them."""
API: Final = ("api_base_url", "account", "connectors", "include", "exclude", "read_only", "mode")
"""Flags that say which API is meant, and what of it."""
CALLS: Final = ("call_budget", "max_result_tokens")
PLACES: Final = ("store", "files_root", "hub_connectors", "data_dir")
_EVERYWHERE: Final = ("config", "log", "log_level")
_SERVING: Final = "info"
"""What is logged by a command that goes on until it is told to end."""


def settled(
    *names: str, level: str = "warning"
) -> Callable[[Callable[Concatenate[Settings, P], None]], Callable[..., None]]:
    """A command that is given the settings in force, and has these flags (of `FLAGS`) for them beside its own.

    `level` is what is logged where nothing else is set.
    """
    added = {name: FLAGS[name] for name in (*names, *_EVERYWHERE)}

    def settle(command: Callable[Concatenate[Settings, P], None]) -> Callable[..., None]:
        @wraps(command)
        def run(*args: P.args, **given: P.kwargs) -> None:
            flags = {name: given.pop(name, None) for name in added}
            file = flags.pop("config")
            chosen = settings.load(flags, file if isinstance(file, Path) else None)
            for line in settings.strangers(name for name, value in os.environ.items() if value):
                typer.echo(f"bosa-mcp: {plain(line)}", err=True)
            logged = chosen.log_level if "log_level" in chosen.model_fields_set else level
            logs.configure(chosen.log, logged, [*settings.secrets(chosen), *logins.secrets(chosen)])
            if level != _SERVING:
                for handler in logging.getLogger().handlers:
                    handler.addFilter(_once())
            command(chosen, *args, **given)

        own = list(inspect.signature(command).parameters.values())[1:]
        flags = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            for name, kind in added.items()
        ]
        # where typer looks for them
        run.__signature__ = inspect.Signature([*own, *flags])  # pyright: ignore[reportAttributeAccessIssue]
        run.__annotations__ = {each.name: each.annotation for each in (*own, *flags)}
        return run

    return settle


def _once() -> Callable[[logging.LogRecord], bool]:
    """Lets each line through that differs in more than its time: a command may find the same thing twice."""
    told: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        line = str({**record.msg, "timestamp": ""} if is_object(record.msg) else record.getMessage())
        is_known = line in told
        told.add(line)
        return not is_known

    return is_new
