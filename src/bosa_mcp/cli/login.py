"""`bosa-mcp login`."""

import json
import sys
from typing import Annotated, Final

import typer

from bosa_mcp import logins
from bosa_mcp.cli.failures import CommandFailed
from bosa_mcp.cli.options import Json, settled
from bosa_mcp.invisible import plain
from bosa_mcp.logins import Login
from bosa_mcp.settings import Settings, check_api

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp login alice
  bosa-mcp login alice < secret.txt
  bosa-mcp login --new alice
  bosa-mcp login alice --print
  bosa-mcp login --forget

The secret is asked for without being shown, or read from standard input. What is kept is the token, for the API that
the settings name, in login.json in the data folder; it counts where BOSA_USER_TOKEN is not set.
"""
_LONGEST_TIME: Final = 60


@settled("api_base_url", "data_dir")
def login(  # noqa: PLR0913  each is a flag
    chosen: Settings,
    identifier: Annotated[
        str | None, typer.Argument(help="Who you are to the API.", metavar="IDENTIFIER", show_default=False)
    ] = None,
    *,
    new: Annotated[
        str | None, typer.Option("--new", help="Make this user first; it needs BOSA_API_KEY.", metavar="IDENTIFIER")
    ] = None,
    shown: Annotated[bool, typer.Option("--print", help="Print the token, and keep nothing.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Remove what is kept of a login.")] = False,
    as_json: Json = False,
) -> None:
    """Log in as a user of the API, and keep the token for the other commands."""
    check_api(chosen)
    if sum((identifier is not None, new is not None, forget)) > 1:
        raise typer.BadParameter("expected one of IDENTIFIER, --new IDENTIFIER and --forget")
    if forget:
        _forget(chosen, as_json=as_json)
        return
    told = _logged_in(chosen, new or _identifier(identifier), is_new=new is not None, shown=shown, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    if "error" in told:
        raise CommandFailed(told["error"])


def _forget(chosen: Settings, *, as_json: bool) -> None:
    was_there = logins.forget(chosen)
    text = f"{logins.path(chosen)} is removed." if was_there else "Nobody was logged in."
    typer.echo(json.dumps({"forgotten": was_there}) if as_json else text)


def _logged_in(chosen: Settings, identifier: str, *, is_new: bool, shown: bool, as_json: bool) -> dict[str, str]:
    """What there is to tell; a secret that was made is told of whatever happens after."""
    from bosa_connectors.connector import BosaConnector  # noqa: PLC0415  it takes a while to import
    from bosa_connectors.errors import BosaError  # noqa: PLC0415  likewise
    from bosa_mcp.cli.api import open_api  # noqa: PLC0415  likewise

    secret = "" if is_new else _secret(identifier)
    told = {"api": chosen.api or "the embedded hub", "identifier": identifier}
    with open_api(chosen, has_user=False) as api, BosaConnector(api.url, api.credentials.api_key) as bosa:
        try:
            if is_new:
                secret = told["secret"] = bosa.create_bosa_user(identifier).secret
                if not as_json:
                    typer.echo(f"The secret of {identifier!r}. It is shown this once, so keep it:\n{secret}", err=True)
            token = bosa.authenticate_bosa_user(identifier, secret)
            kept = Login(api=chosen.api, identifier=identifier, token=token.token, expires_at=token.expires_at)
            told |= {"token": kept.token} if shown else {"file": str(logins.save(chosen, kept))}
        except (BosaError, OSError) as failure:
            return {**told, "error": _explained(failure, chosen, identifier, is_new=is_new)}
    if kept.expires_at:
        told["expires_at"] = plain(kept.expires_at)[:_LONGEST_TIME]
    if not as_json:
        until = f" until {told['expires_at']}" if kept.expires_at else ""
        text = f"Logged in at {told['api']} as {identifier!r}{until}. The token is in {told.get('file')}."
        typer.echo(kept.token if shown else text)
    if chosen.user_token and not shown:
        typer.echo("BOSA_USER_TOKEN is set, and counts in place of this login until you unset it.", err=True)
    return told


def _explained(failure: Exception, chosen: Settings, identifier: str, *, is_new: bool) -> str:
    from bosa_connectors.errors import Conflict, Unauthenticated  # noqa: PLC0415  as above

    if is_new and isinstance(failure, Conflict):
        return f"There is a user {identifier!r} already: log in with the secret, `bosa-mcp login {identifier}`."
    if is_new and isinstance(failure, Unauthenticated) and not (chosen.api_key or chosen.is_embedded):
        return "Making a user needs the client key: set BOSA_API_KEY."
    return str(failure)


def _identifier(given: str | None) -> str:
    if given:
        return given
    if not sys.stdin.isatty():
        raise typer.BadParameter("expected IDENTIFIER, who you are to the API, or --new IDENTIFIER")
    return typer.prompt("Identifier", err=True)


def _secret(identifier: str) -> str:
    """The user's secret, from the terminal or from standard input."""
    if sys.stdin.isatty():
        return typer.prompt(f"Secret of {identifier}", hide_input=True, err=True)
    secret = sys.stdin.readline().strip()
    if not secret:
        raise typer.BadParameter("expected the user's secret, sk-user-…, on standard input")
    return secret
