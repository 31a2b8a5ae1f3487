"""`bosa-mcp connect`."""

import json
import sys
import webbrowser
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final

import anyio
import typer

from bosa_mcp.cli.failures import CommandFailed, for_people
from bosa_mcp.cli.linked import FLAGS, knowing, open_linking
from bosa_mcp.cli.options import Json, settled
from bosa_mcp.invisible import plain
from bosa_mcp.settings import Settings

if TYPE_CHECKING:
    from bosa_mcp.linking import Landing, Linking, Ways, Wrong
    from bosa_mcp.tickets import Ticket

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp connect github
  bosa-mcp connect sql
  echo '{"file": "sales.db"}' | bosa-mcp connect sql --json
  bosa-mcp connect github --replace --no-browser

Where the service itself asks you, its page opens in a browser, and this command waits for you. Where a configuration is
asked for, you write it here, secrets without being shown; without a terminal it is read from standard input, as JSON.
"""
_LOOK: Final = 1.0
"""Seconds between two looks whether something is linked."""
_LINGER: Final = 5.0
"""Seconds for the browser to come to our page."""
_LAST: Final = 0.3
"""Seconds for it to get the page."""


@settled(*FLAGS)
def connect(
    chosen: Settings,
    connector: Annotated[str, typer.Argument(help="The connector's name.", metavar="CONNECTOR", show_default=False)],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Link an account anew that is linked already.")] = False,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    as_json: Json = False,
) -> None:
    """Link an account to a connector."""
    ways = anyio.run(_ways, chosen, connector)
    is_terminal = sys.stdin.isatty()
    if ways.config is not None and not (ways.by_consent and is_terminal and _wants_service()):
        landing = _configured(chosen, connector, ways.config, is_terminal=is_terminal, replace=replace)
    else:
        landing = anyio.run(_agreed, chosen, connector, replace, browser)
    said = {"connector": connector, "account": landing.account or None}
    typer.echo(json.dumps(said, ensure_ascii=False) if as_json else plain(landing.message))


def _wants_service() -> bool:
    return typer.confirm("Sign in at the service itself, rather than write a configuration?", default=True, err=True)


async def _ways(chosen: Settings, connector: str) -> "Ways":
    async with open_linking(chosen) as (linking, caller, tools):
        from bosa_mcp import built_in  # noqa: PLC0415  it takes a while to import
        from bosa_mcp.accounts import token  # noqa: PLC0415  likewise

        token(caller)
        built_in.check_there(connector, await knowing(tools, connector))
        return await linking.ways(connector)


def _configured(
    chosen: Settings, connector: str, schema: Mapping[str, object], *, is_terminal: bool, replace: bool
) -> "Landing":
    """What came of a configuration, which is asked for until it is right, or read."""
    from bosa_mcp.cli import prompts  # noqa: PLC0415  it takes a while to import
    from bosa_mcp.linking import Wrong  # noqa: PLC0415  likewise
    from bosa_mcp.questions import configuration, questions  # noqa: PLC0415  likewise

    asked = questions(schema)
    given = prompts.answers(asked) if is_terminal else {}
    config = configuration(asked, given) if is_terminal else _object(sys.stdin.read())
    while isinstance(linked := anyio.run(_linked, chosen, connector, schema, config, replace), Wrong):
        if not is_terminal:
            said = _said(linked)
            is_told = "--replace" in said or not linked.is_duplicate
            raise CommandFailed(said if is_told else f"{said} Or use --replace.")
        typer.echo(_said(linked), err=True)
        if linked.is_duplicate and not replace and typer.confirm("Replace it?", err=True):
            replace = True
            continue
        given |= prompts.answers([each for each in asked if each.name in linked.by_question] or asked)
        config = configuration(asked, given)
    return linked


def _said(wrong: "Wrong") -> str:
    said = (f"{name or 'configuration'}: {text}" for name, text in wrong.by_question.items())
    return plain(for_people("; ".join([*wrong.others, *said])))


def _object(text: str) -> dict[str, Any]:
    from bosa_connectors.shapes import is_object  # noqa: PLC0415  as above

    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not is_object(value):
        raise typer.BadParameter("expected the configuration on standard input, an object in JSON")
    return dict(value)


async def _linked(
    chosen: Settings,
    connector: str,
    schema: Mapping[str, object],
    config: Mapping[str, object],
    replace: bool,  # noqa: FBT001  as anyio hands it over
) -> "Landing | Wrong":
    async with open_linking(chosen) as (linking, caller, _):
        return await linking.configure(caller, connector, schema, config, replaces=replace)


async def _agreed(chosen: Settings, connector: str, replace: bool, browser: bool) -> "Landing":  # noqa: FBT001  as above
    """What came of it that the person has agreed at the service."""
    async with open_linking(chosen) as (linking, caller, _):
        ticket = await linking.link(caller, connector, replaces=replace)
        url = ticket.url if ticket.purpose.schema is None else await linking.consent(ticket)
        typer.echo(f"Open this page to link an account of {connector}:\n{plain(url)}", err=True)
        if browser and sys.stderr.isatty():
            webbrowser.open(url)
        return await awaited(linking, ticket)


async def awaited(linking: "Linking", ticket: "Ticket") -> "Landing":
    """What came of it, once the person is back on our page, or has forgotten to come."""
    from bosa_mcp.linking import Landing  # noqa: PLC0415  as above

    with _countdown() as show:
        while (left := linking.tickets.left(ticket)) > 0 and ticket.state != "used":
            show(left)
            if await _is_linked(linking, ticket):
                with anyio.move_on_after(_LINGER):
                    await linking.tickets.over()
                break
            await anyio.sleep(_LOOK)
    await anyio.sleep(_LAST)
    if ticket.state != "used" and await _is_linked(linking, ticket):  # else nobody has come back
        await linking.landed(ticket, {})
    if not ticket.is_linked:
        raise CommandFailed(ticket.outcome or "Nobody agreed within ten minutes: nothing was linked.")
    return Landing(is_linked=True, message=ticket.outcome or "", account=ticket.account)


async def _is_linked(linking: "Linking", ticket: "Ticket") -> bool:
    from bosa_connectors.errors import BosaError  # noqa: PLC0415  as above

    try:
        return (await linking.look(ticket)).is_linked
    except BosaError:
        return False


@contextmanager
def _countdown() -> Generator[Callable[[float], None]]:
    """Shows how long a person still has, where one looks."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415  only what prints needs it

    with Console(stderr=True).status("Waiting for you") as status:
        yield lambda left: status.update(f"Waiting for you, {int(left) // 60}:{int(left) % 60:02} left")
