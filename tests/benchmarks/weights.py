"""What it costs to import something: time and memory."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .memory import RESIDENT


@dataclass(frozen=True, slots=True)
class Import:
    """A statement, for a Python that has what it imports."""

    statement: str
    python: Path


@dataclass(frozen=True, slots=True)
class Weight:
    """Medians."""

    seconds: float
    """Of the processor, more than the same Python takes to do nothing: what else goes on counts little."""
    megabytes: float
    """Of the whole process."""


def weighed(imports: Sequence[Import], rounds: int) -> list[Weight]:
    """What each costs; they take turns."""
    runs = [[(_run(each, "pass"), _run(each, each.statement)) for each in imports] for _ in range(rounds)]
    return [
        Weight(
            seconds=median(loaded[0] for _, loaded in ran) - median(bare[0] for bare, _ in ran),
            megabytes=median(loaded[1] for _, loaded in ran),
        )
        for ran in zip(*runs, strict=True)
    ]


def _run(one: Import, statement: str) -> tuple[float, float]:
    program = f"{statement}\n{RESIDENT}\nprint(resident())"
    before = os.times()
    command = [str(one.python), "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return seconds, float(done.stdout.splitlines()[-1])
