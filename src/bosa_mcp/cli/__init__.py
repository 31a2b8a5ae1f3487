"""The command line: what a person types. Everything heavy is imported by the command that needs it."""

import sys
from typing import Annotated, NoReturn

import typer

from bosa_mcp.cli import accounts, call, config, connect, demo, disconnect, doctor, failures, hub, login, serve, tools
from bosa_mcp.invisible import plain
from bosa_mcp.logs import is_colourless
from bosa_mcp.redaction import redact

app = typer.Typer(
    name="bosa-mcp",
    help="Serve the actions of a BOSA API as MCP tools. Without a command: serve, over standard input and output.",
    epilog="Example: bosa-mcp demo  (see it work)",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=serve.EXAMPLES)(serve.serve)
app.command(epilog=hub.EXAMPLES)(hub.hub)
app.command(epilog=demo.EXAMPLES)(demo.demo)
app.command(epilog=tools.EXAMPLES)(tools.tools)
app.command(epilog=call.EXAMPLES)(call.call)
app.command(epilog=doctor.EXAMPLES)(doctor.doctor)
app.command(epilog=config.EXAMPLES)(config.config)
app.command(epilog=login.EXAMPLES)(login.login)
app.command(epilog=accounts.EXAMPLES)(accounts.accounts)
app.command(epilog=connect.EXAMPLES)(connect.connect)
app.command(epilog=disconnect.EXAMPLES)(disconnect.disconnect)


def _version(wanted: bool) -> None:  # noqa: FBT001  typer hands the flag's value over like this
    if wanted:
        from importlib import metadata  # noqa: PLC0415  it takes as long as half of the rest

        typer.echo(f"bosa-mcp {metadata.version('bosa-mcp')}")
        raise typer.Exit


@app.callback()
def _flags(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    del version


def with_command(typed: list[str]) -> list[str]:
    """What was typed, with `serve` in front where no command is: its flags may stand alone."""
    is_named = typed and (not typed[0].startswith("-") or typed[0] in {"-h", "--help", "--version"})
    return typed if is_named else ["serve", *typed]


def main() -> NoReturn:
    """Runs the command line. Exit codes: 0, 1 it failed, 2 usage or configuration, 130 SIGINT, 143 SIGTERM."""
    try:
        colour = False if is_colourless() else None  # None leaves it to what is written to
        sys.exit(app(with_command(sys.argv[1:]), standalone_mode=False, color=colour) or 0)
    except (Exception, BaseExceptionGroup) as failure:  # noqa: BLE001  the rim: what can be said in a line is, the rest is raised
        code, message = failures.told(failures.first(failure))
        typer.echo(f"bosa-mcp: {plain(redact(failures.for_people(' '.join(message.split()))))}", err=True)
        sys.exit(code)
