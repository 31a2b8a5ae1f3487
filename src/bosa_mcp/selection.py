"""What a model is told of `response_fields` that match nothing in the data."""

from collections.abc import Sequence

from bosa_connectors.errors import Problem, nearest
from bosa_mcp import fit

_MOST = 20
_MOST_WANTED = 200
"""Paths that are looked at: nobody means more."""


def unmatched(argument: str, wanted: Sequence[str], data: object) -> list[Problem]:
    """A problem for each path that leads nowhere in the data, with the nearest one that leads somewhere."""
    if fit.is_bare(data):
        return []
    known = fit.paths(data) or ["nothing, for there are no fields in the data"]
    shown = ", ".join(known[:_MOST]) + (f" and {len(known) - _MOST} more" if len(known) > _MOST else "")
    return [
        Problem(
            f"{argument}.{place}",
            _says(path),
            f"one of {shown}",
            nearest(path, known) or _alike(path, known),
        )
        for place, path in enumerate(wanted[:_MOST_WANTED])
        if fit.leads_nowhere(data, path)
    ]


def told(problem: Problem) -> str:
    """The same as a note."""
    instead = f"did you mean {problem.nearest}?" if problem.nearest else f"expected {problem.expected}"
    return f"{problem.path}: {problem.message}; {instead}"


def absent(argument: str, wanted: Sequence[str], selected: object) -> list[str]:
    """A note for each name of which nothing came; a path below a name may be gone because there is nothing just now."""
    return [
        f"{argument}.{place}: {_says(path)}"
        for place, path in enumerate(wanted[:_MOST_WANTED])
        if "." not in path and fit.leads_nowhere(selected, path)
    ]


def _says(path: str) -> str:
    return f"{path[:100]!r} matches nothing in the data"


def _alike(path: str, known: Sequence[str]) -> str | None:
    """The first path that ends with the same name, be it written another way."""
    last = path.rpartition(".")[2].casefold()
    return next((each for each in known if each.rpartition(".")[2].casefold() == last), None)
