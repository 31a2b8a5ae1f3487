"""`bosa-mcp serve`."""

import sys
from contextlib import closing
from functools import partial
from typing import Annotated, Final, Literal, NoReturn

import anyio
import typer

from bosa_mcp import addresses, settings
from bosa_mcp.cli.options import API, CALLS, PLACES, settled
from bosa_mcp.imports import quick

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp serve
  bosa-mcp serve --connectors notes,sql --log json
  bosa-mcp serve --include 'github_*' --exclude '*_delete_*' --read-only
  BOSA_API_KEY=sk-client-… BOSA_USER_TOKEN=… bosa-mcp serve --api-base-url https://api.example.com
  bosa-mcp serve --transport http
  bosa-mcp serve --transport http --port 0 --json-response --stateless
  bosa-mcp serve --transport http --allowed-hosts mcp.example.com
  bosa-mcp serve --transport http --auth user-token --host 0.0.0.0 --public-url https://mcp.example.com

Over HTTP it serves streamable HTTP at /mcp, SSE at /sse for older clients, /healthz and /readyz.
Keys and tokens have no flag: they come from the variables, or from bosa-mcp.toml.
"""
HOST: Final = "127.0.0.1"
PORT: Final = 8080


@settled("auth", "public_url", "allowed_hosts", *API, "refresh", *CALLS, *PLACES, level="info")
def serve(  # noqa: PLR0913  each is a flag
    chosen: settings.Settings,
    *,
    transport: Annotated[
        Literal["stdio", "http", "sse"], typer.Option(help="How clients reach the server; sse is http by another name.")
    ] = "stdio",
    host: Annotated[str | None, typer.Option(help="HTTP: where to listen.", show_default=HOST)] = None,
    port: Annotated[
        int | None, typer.Option(help="HTTP: 0 takes a free one.", min=0, max=65535, show_default=str(PORT))
    ] = None,
    json_response: Annotated[
        bool, typer.Option("--json-response", help="HTTP: JSON instead of event streams.")
    ] = False,
    stateless: Annotated[bool, typer.Option("--stateless", help="HTTP: keep no sessions.")] = False,
) -> None:
    """Serve the actions of a BOSA API as MCP tools."""
    settings.check_api(chosen)
    is_http, place = transport != "stdio", addresses.bare(host or HOST)
    if not is_http and (host is not None or port is not None or json_response or stateless):
        raise typer.BadParameter("--host, --port, --json-response and --stateless go with --transport http")
    if is_http:
        settings.check_bind(chosen, place)
    elif chosen.auth != "none":
        raise settings.InvalidSettings(
            f"BOSA_AUTH is {chosen.auth}, and over standard input there is one user: use --transport http, or unset it"
        )
    (
        _http(chosen, place, PORT if port is None else port, json_response=json_response, stateless=stateless)
        if is_http
        else _stdio(chosen)
    )


def _stdio(chosen: settings.Settings) -> NoReturn:
    if sys.stdin and sys.stdin.isatty():
        typer.echo("Waiting for an MCP client on standard input: clients start this command themselves.", err=True)
    with quick():
        from bosa_mcp.cli.api import open_server  # noqa: PLC0415  mcp takes most of a second to import
        from bosa_mcp.transports import leave, serve_stdio  # noqa: PLC0415  likewise

    try:
        code = anyio.run(serve_stdio, open_server(chosen))
    except* BrokenPipeError:  # whoever would be told is gone
        code = 1
    leave(code)


def _http(chosen: settings.Settings, host: str, port: int, *, json_response: bool, stateless: bool) -> NoReturn:
    with quick():
        from bosa_mcp.cli.api import open_server  # noqa: PLC0415  as above
        from bosa_mcp.transports import leave, listen, serve_http  # noqa: PLC0415  as above

    with closing(listen(host, port)) as listener:
        port = listener.getsockname()[1]
        url = addresses.url_of(host, port)
        ours = addresses.ours(host, port, chosen.public_url, chosen.allowed_hosts)
        code = anyio.run(
            partial(serve_http, json_response=json_response, stateless=stateless),
            open_server(chosen, url, asks_who=chosen.auth == "user-token"),
            listener,
            ours,
            lambda: typer.echo(f"ready {url}", err=True),
        )
    leave(code)
