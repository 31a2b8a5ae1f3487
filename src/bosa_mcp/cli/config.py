"""`bosa-mcp config`."""

import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from pydantic import SecretStr

from bosa_mcp import logins
from bosa_mcp.cli import clients
from bosa_mcp.cli.clients import CLIENTS, Server
from bosa_mcp.cli.options import API, CALLS, PLACES, Json, settled
from bosa_mcp.redaction import clean_named, redact
from bosa_mcp.settings import PREFIX, Settings, check_api

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp config --client claude-desktop
  bosa-mcp config --client vscode --connectors github --read-only > .vscode/mcp.json
  BOSA_API_KEY=sk-client-… bosa-mcp config --client cursor --api-base-url https://api.example.com

Flags and variables that are set go into it, those that name proxies and certificates too; keys, tokens and passwords as
placeholders. What stands in bosa-mcp.toml stays there: the server reads it. What is printed is JSON, on one line with
--json; where it belongs is said on standard error.
"""
_OVER_HTTP: Final = {"auth", "public_url", "allowed_hosts"}
"""Settings that mean nothing to a server which a client starts."""
_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
"""Variables in small letters, which win, or in capitals."""
_PATHS: Final = ("XDG_DATA_HOME", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_STORES: Final = ("AWS_", "AZURE_", "GOOGLE_")
"""How variables begin that a store elsewhere is opened with."""
_NESTED: Final = f"{PREFIX}HUB_OAUTH__"
"""How variables begin that hold one part of a setting: of these, what an application is known by."""


@settled(*API, "refresh", *CALLS, *PLACES)
def config(
    chosen: Settings,
    context: typer.Context,
    *,
    client: Annotated[clients.Name, typer.Option(help="For which client.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Print the configuration that makes a client start this server."""
    check_api(chosen)
    server = _server(chosen, context.params)
    typer.echo(json.dumps(clients.configuration(client, server), ensure_ascii=False, indent=None if as_json else 2))
    for line in _advice(client, server, chosen):
        typer.echo(line, err=True)


def _server(chosen: Settings, flags: dict[str, Any]) -> Server:
    given = [name for name in Settings.model_fields if flags.get(name) is not None or os.environ.get(_variable(name))]
    secrets = [name for name in given if _is_secret(getattr(chosen, name))]
    plain = [name for name in given if name not in secrets and name not in _OVER_HTTP]
    nested = sorted(name for name, value in os.environ.items() if name.startswith(_NESTED) and value)
    around = _surroundings(chosen)
    hidden = [name for name, value in around.items() if "@" in value or clean_named(name, value, ()) != value]
    file = flags.get("config")
    command, *args = _command()
    return Server(
        command,
        (*args, "serve", "--config", str(Path(file).absolute())) if file else tuple(args),
        {_variable(name): _text(getattr(chosen, name)) for name in plain}
        | {name: value for name, value in around.items() if name not in hidden},
        (*map(_variable, secrets), *nested, *hidden),
    )


def _surroundings(chosen: Settings) -> dict[str, str]:
    """What else the server takes from where it is started: a client may start it with nothing of that."""
    proxies = [name if name in os.environ else name.upper() for name in _PROXIES]
    is_elsewhere = chosen.store and not chosen.store.startswith(("file:", "memory:"))
    store = [name for name in sorted(os.environ) if is_elsewhere and name.startswith(_STORES)]
    paths = [*_PATHS, *(["PYTHONPATH"] if chosen.hub_connectors else [])]
    found = {name: os.environ.get(name, "") for name in (*proxies, *store)}
    found |= {name: _absolute(os.environ.get(name, "")) for name in paths}
    return {name: value for name, value in found.items() if value}


def _absolute(folders: str) -> str:
    return os.pathsep.join(str(Path(each).absolute()) for each in folders.split(os.pathsep) if each)


def _is_secret(value: object) -> bool:
    """Whether it is not to be written down: a key, a token, an address that holds one."""
    return isinstance(value, SecretStr) or redact(_text(value)) != _text(value)


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _text(value: object) -> str:
    """A setting as its variable says it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, float):
        return f"{value:g}"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType]  text


def _command() -> list[str]:
    """The command that runs now, wherever a client starts it."""
    script = shutil.which("bosa-mcp", path=str(Path(sys.executable).parent))
    return [str(Path(script).absolute())] if script else [sys.executable, "-m", "bosa_mcp"]


def _advice(client: clients.Name, server: Server, chosen: Settings) -> Iterable[str]:
    """What else a person has to know."""
    yield f"This belongs into {CLIENTS[client].place(sys.platform)}"
    if client == "claude-code":
        yield f"or run: {clients.claude_line(server)}"
    for variable in server.secrets:
        yield f"{variable}: {CLIENTS[client].advice}"
    if not chosen.is_embedded:
        for name in ("api_key", "user_token"):
            if getattr(chosen, name) is None and not (name == "user_token" and logins.load(chosen)):
                yield f"{_variable(name)} is not set: set it and run this again, or write {name} into bosa-mcp.toml"
