"""Connectors of one's own: those that a setting names, and those that installed packages bring."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import resolve_name
from traceback import extract_tb
from typing import Final, TypeAlias

from bosa_hub.actions import actions, listing_item
from bosa_hub.linking import ways_to_link
from bosa_hub.plugin import Connector

GROUP: Final = "bosa_hub.connectors"
"""The group of entry points under which packages offer connectors."""
_Source: TypeAlias = tuple[str, Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """The connectors that a hub can offer, and a sentence for each that it cannot."""

    connectors: Sequence[Connector]
    failures: Sequence[str]


def load(names: Iterable[str], given: Iterable[Connector] = (), folder: Path | None = None) -> Loaded:
    """The given connectors, those named `module:Class`, and those of installed packages.

    Modules are looked for where Python looks, and then in `folder`: last, so that nothing there can stand in for what
    is installed, and not at all where Python was told to keep to safe paths. One that fails costs no other.
    """
    names = list(names)
    if names and folder and str(folder) not in sys.path and not sys.flags.safe_path:
        sys.path.append(str(folder))
    connectors, failures = list(given), list[str]()
    for source, resolve in [*map(_named, names), *_installed()]:
        try:
            connector = _made(resolve())
            if type(connector) not in map(type, connectors):
                connectors.append(_checked(connector, connectors))
        except (Exception, SystemExit) as error:  # noqa: BLE001  somebody else's code may fail in any way
            failures.append(f"The connector {source[:200]!r} was left out: {_explained(error)}")
    return Loaded(connectors, failures)


def _named(name: str) -> _Source:
    def resolve() -> object:
        module, colon, attribute = name.partition(":")
        if not (module and colon and attribute):
            raise ValueError("write it as module:Class, for example my_module:Weather.")
        return resolve_name(name)

    return name, resolve


def _installed() -> Iterable[_Source]:
    return ((f"{entry.name} = {entry.value}", entry.load) for entry in entry_points(group=GROUP))


def _made(found: object) -> Connector:
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise TypeError("it is no class that inherits from bosa_hub.Connector.")
    return found()


def _checked(connector: Connector, others: Sequence[Connector]) -> Connector:
    """The connector, where the hub can offer it beside the others."""
    own = actions([connector])[connector.name]
    if not own:
        raise ValueError("it has no action: mark its functions with @action.")
    for action in own.values():
        listing_item(action)
    ways_to_link(connector)
    if connector.name in {other.name for other in others}:
        raise ValueError(f"there is a connector {connector.name!r} already: give this one another `name`.")
    return connector


def _explained(error: BaseException) -> str:
    if isinstance(error, ModuleNotFoundError):
        return f"{error}. Install its package, or put its folder on PYTHONPATH."
    said = " ".join(" ".join([str(error)[:1000], *getattr(error, "__notes__", [])]).split())
    if type(error) in {TypeError, ValueError}:
        return said
    at = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {said} ({Path(at.filename).name}, line {at.lineno})"
