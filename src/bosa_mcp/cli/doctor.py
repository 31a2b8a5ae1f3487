"""`bosa-mcp doctor`."""

import json as json_
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

import anyio
import typer

from bosa_mcp.cli.options import API, PLACES, Json, settled
from bosa_mcp.imports import quick
from bosa_mcp.invisible import plain
from bosa_mcp.redaction import redact
from bosa_mcp.settings import Settings, check_api, secrets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bosa_mcp.cli.findings import Finding

EXAMPLES: Final = """\
\b
Examples:
  bosa-mcp doctor
  bosa-mcp doctor --api-base-url https://api.example.com
  bosa-mcp doctor --json

Each line says ok, warn or fail, and what to do; exit code 1 where something failed.
"""
_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@settled(*API, *PLACES, level="error")
def doctor(chosen: Settings, *, json: Json = False) -> None:
    """Look whether a server with these settings would work: API, key, token, accounts, catalogue, disk."""
    check_api(chosen)
    found = anyio.run(_look, chosen, not json)
    if json:
        checks = [{name: value for name, value in asdict(each).items() if value is not None} for each in found]
        typer.echo(json_.dumps({"ok": _is_well(found), "checks": checks}, ensure_ascii=False))
    if not _is_well(found):
        raise typer.Exit(1)


def _is_well(found: "Sequence[Finding]") -> bool:
    return all(each.state != "fail" for each in found)


async def _look(chosen: Settings, show: bool) -> "list[Finding]":  # noqa: FBT001  anyio.run hands over by position
    with quick():
        from bosa_mcp.cli.checks import findings_of  # noqa: PLC0415  mcp takes most of a second to import
        from bosa_mcp.cli.findings import Finding  # noqa: PLC0415  likewise

    hidden = secrets(chosen)
    found: list[Finding] = []
    async for each in findings_of(chosen):
        remedy = each.remedy and plain(redact(each.remedy, hidden))
        clean = Finding(each.check, each.state, plain(redact(each.message, hidden)), remedy)
        found.append(clean)
        if show:
            _print(clean)
    return found


def _print(found: "Finding") -> None:
    state = typer.style(f"{found.state:<4}", fg=_COLOURS[found.state])
    typer.echo(f"{state}  {found.check:<11}  {found.message}")
    if found.remedy and found.state != "ok":
        typer.echo(f"{'':<19}→ {found.remedy}")
