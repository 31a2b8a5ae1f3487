"""What an action does to the world: read, create, update, delete or send.

Every action is a POST, so that its name and schema have to tell. An action whose name says nothing is taken to write.
"""

import re
from typing import Final

from bosa_connectors.calls import Action, Effect

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

_VERBS: Final[tuple[tuple[Effect, str], ...]] = (
    ("delete", "delete remove revoke purge destroy drop erase clear trash unlink disconnect uninstall"),
    ("send", "send reply forward post publish tweet notify share invite dispatch trigger message"),
    ("create", "create add insert upload copy duplicate import new register append fork"),
    ("read", "get list search find read fetch query download export describe count show view lookup browse retrieve"),
)
"""In the order of caution: where a name holds verbs of several kinds, the first kind counts."""
_EFFECTS: Final[dict[str, Effect]] = {verb: effect for effect, verbs in _VERBS for verb in verbs.split()}


def effect(action: Action) -> Effect:
    """What the action does: as its listing states, else as its name says."""
    return action.stated_effect or _said(action.name)


def _said(name: str) -> Effect:
    words = [word.lower() for word in _WORD.findall(name)]
    return _EFFECTS.get(words[0], "update") if words else "update"
