"""Which tools are wanted: by connector, by name, by what they do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bosa_connectors.calls import Action
from bosa_connectors.effects import effect
from bosa_connectors.errors import nearest


@dataclass(frozen=True, slots=True)
class Filter:
    """What a person chose; empty for everything."""

    connectors: frozenset[str] = frozenset()
    include: tuple[str, ...] = ()
    """Globs over tool names: only these."""
    exclude: tuple[str, ...] = ()
    """Globs over tool names: none of these, even where `include` names them."""
    read_only: bool = False

    def wants(self, connector: str) -> bool:
        """Whether a connector's actions are asked for at all."""
        return not self.connectors or connector in self.connectors

    def against(self, name: str, action: Action) -> str | None:
        """The setting that leaves a tool out, if one does."""
        if _matches(self.exclude, name):
            return "BOSA_EXCLUDE"
        if self.include and not _matches(self.include, name):
            return "BOSA_INCLUDE"
        return None if self.allows(action) else "BOSA_READ_ONLY"

    def allows(self, action: Action) -> bool:
        """Whether an action may be carried out."""
        return not self.read_only or effect(action) == "read"

    def idle(self, names: Iterable[str], connectors: Iterable[str]) -> Iterator[tuple[str, str, str | None]]:
        """Each setting, and what is written in it, that matches nothing there is, with what was perhaps meant."""
        known = {"BOSA_CONNECTORS": list(connectors), "BOSA_INCLUDE": list(names)}
        known["BOSA_EXCLUDE"] = known["BOSA_INCLUDE"]
        for connector in sorted(self.connectors - set(known["BOSA_CONNECTORS"])):
            yield "BOSA_CONNECTORS", connector, nearest(connector, known["BOSA_CONNECTORS"])
        for setting, patterns in (("BOSA_INCLUDE", self.include), ("BOSA_EXCLUDE", self.exclude)):
            for pattern in patterns:
                if not any(fnmatchcase(name, pattern) for name in known[setting]):
                    yield setting, pattern, nearest(pattern.replace("*", ""), known[setting])


def _matches(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
