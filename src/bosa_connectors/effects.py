"""What an action does to the world: read, create, update, delete or send.

Every action is a POST, so that its words and its schema have to tell. Whatever is in doubt is taken to write: to take a
question for a deed costs a repetition, to take a deed for a question does it twice.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final
from weakref import WeakKeyDictionary

from bosa_connectors.calls import Action, Effect

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_A-Za-z]+")


def _table(kinds: Mapping[Effect, str]) -> dict[str, Effect]:
    return {verb: effect for effect, verbs in kinds.items() for verb in verbs.split()}


_VERBS: Final = _table(
    {
        "delete": (
            "delete remove revoke purge destroy erase clear unlink disconnect uninstall discard wipe unregister"
            " deregister unsubscribe terminate detach truncate"
        ),
        "send": "send publish notify dispatch broadcast submit deliver announce",
        "create": "create add insert append upsert provision enqueue",
        "update": (
            "write replace modify edit put rename enable disable cancel approve reject assign unassign save apply"
            " accept decline reopen activate deactivate suspend restore revert rollback toggle increment decrement"
            " reorder subscribe attach execute invoke perform migrate configure overwrite unarchive mute unmute unlock"
        ),
    }
)
"""Deeds wherever they stand in a name."""
_VERBS_OR_NOUNS: Final = _table(
    {
        "delete": "trash pop drop prune",
        "send": "reply forward post tweet share invite message trigger",
        "create": "upload copy duplicate import new fork comment clone register install generate",
        "update": (
            "update set run merge archive change sync refresh reset star pin transfer process move store lock grant"
            " mark start stop restart reboot rebuild reindex launch deploy pause resume"
        ),
    }
)
"""Deeds at the beginning; after a verb that reads they are what is read: `get_post`, `read_import_status`."""
_DEEDS: Final[dict[str, Effect]] = {**_VERBS_OR_NOUNS, **_VERBS}
_CAUTION: Final[tuple[Effect, ...]] = ("delete", "send", "create", "update")
_QUESTIONS: Final = frozenset({"get", "find", "fetch", "retrieve", "lookup", "describe"})
_QUESTIONS_OR_NOUNS: Final = frozenset(
    {"browse", "calculate", "compare", "count", "diff", "download", "estimate", "explain", "export", "has", "inspect"}
    | {"is", "list", "look", "preview", "query", "read", "search", "show", "summarise", "summarize", "total", "view"}
    | {"userinfo", "whoami"}
)
_READS: Final = _QUESTIONS | _QUESTIONS_OR_NOUNS
_ASKED: Final = _READS | {"check"}
"""What a description that asks begins with."""
_TURNING: Final = frozenset({"in", "out", "off"})
"""What makes `check` a deed."""
_FACTS: Final = frozenset(
    {"availability", "balance", "count", "detail", "details", "existence", "health", "history", "info", "information"}
    | {"list", "metadata", "permissions", "quota", "search", "statistics", "stats", "status", "summary", "usage"}
)
"""What a name that begins with a noun may end with, where it only asks: `thread_details`."""
_BEGINNINGS: Final = frozenset({"start", "stop", "restart", "reboot", "rebuild", "reindex", "refresh", "sync"})
"""What a name may end with whose first word is a noun after all: `search_index_rebuild`."""
_FORMATS: Final = frozenset({"csv", "docx", "html", "json", "markdown", "md", "pdf", "text", "txt", "xlsx", "xml"})
_SAY_WHAT_IS_DONE: Final = frozenset(
    {"command", "dry_run", "graphql", "http_method", "mutation", "script", "sql", "statement", "statements"}
)
"""Arguments; whatever the action is called, it does what they say."""
_FOUND: Final[WeakKeyDictionary[Action, Effect]] = WeakKeyDictionary()


def effect(action: Action) -> Effect:
    """What the action does: as its listing states, else as its words and its schema say."""
    return action.stated_effect or _FOUND.get(action) or _FOUND.setdefault(action, _said(action))


def _said(action: Action) -> Effect:
    """As its words and its schema say."""
    name = _words(action.name)
    words = _without_nouns(name, set(_words(action.connector)))
    said = _words(action.description.strip().partition("\n")[0].partition(". ")[0])
    deeds = {_VERBS[word] for word in (*words, *_verb(words)) if word in _VERBS} | _joined(words) | _made(said)
    for deed in _CAUTION:
        if deed in deeds:
            return deed
    asks = _asks(words, action.properties) or (len(name) > 1 and _is_said_to_ask(words, said))
    if asks and not _SAY_WHAT_IS_DONE & action.properties.keys():
        return "read"
    return _DEEDS.get(words[0], "update") if words else "update"


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _verb(words: Sequence[str]) -> Iterable[str]:
    """The verb that the words begin with, without the ending of a third person."""
    first = words[0] if words else ""
    ends = (first, first.removesuffix("s"), first.removesuffix("es"))
    return [next((verb for verb in ends if verb in _DEEDS or verb in _ASKED), first)]


def _without_nouns(words: Sequence[str], connector: set[str]) -> Sequence[str]:
    """The words from the first that may be a verb: not the connector's own name, not a plural."""
    while len(words) > 1 and not {words[0], *_verb(words)} & (_READS | _VERBS.keys()):
        is_plural = _is_plural(words[0])
        if not is_plural and (words[0] not in connector or words[0] in _DEEDS):
            break
        words = words[1:]
    return words


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith("ss")


def _made(said: Sequence[str]) -> set[Effect]:
    """What is made or deleted, according to a description that begins so: `get_token`, "Creates a token"."""
    found: set[Effect] = {_VERBS[verb] for verb in _verb(said) if verb in _VERBS}
    return found & {"create", "delete"}


def _joined(words: Sequence[str]) -> set[Effect]:
    """What is done beside: in `get_or_create`, `find_by_id_and_update`, `search_then_frobnicate`."""
    joins = [place for place, word in enumerate(words[:-1]) if word in {"and", "or", "then"}]
    return {_DEEDS.get(words[place + 1], "update") for place in joins if not _goes_on_asking(words, place)}


def _goes_on_asking(words: Sequence[str], join: int) -> bool:
    """Whether another verb that reads follows, or, later than right after a verb, another thing that is read."""
    word = words[join + 1]
    if word in _READS or word in _DEEDS or join <= 1:
        return word in _READS
    return _is_plural(word) or (words[join] == "or" and "by" in words[:join])


def _asks(words: Sequence[str], arguments: Mapping[str, object]) -> bool:
    match words:
        case ["query", *more] if not more or "query" in arguments:
            asks = False  # in which language is not known, and most of them can write
        case ["list" | "view", last]:
            asks = last not in _DEEDS
        case ["export" | "download", *_]:
            asks = not _goes_elsewhere(words, arguments)
        case ["check", then, *_]:
            asks = words[-1] in _FACTS and then not in _TURNING
        case [first, *_, last] if first in _QUESTIONS_OR_NOUNS:
            asks = last not in _BEGINNINGS
        case [noun, second, *_] if noun not in _READS:  # user_get, issue_find_by_title
            asks = noun not in _DEEDS and second in _QUESTIONS
        case _:
            asks = words[0] in _READS if words else False
    return asks


def _goes_elsewhere(words: Sequence[str], arguments: Mapping[str, object]) -> bool:
    """Whether what is exported is put somewhere: `export_to_drive`, but not `export_to_pdf`."""
    targets = [word for before, word in pairwise(words) if before in {"to", "into"}]
    return not _FORMATS.issuperset(targets) or any(name.startswith(("destination", "target")) for name in arguments)


def _is_said_to_ask(words: Sequence[str], said: Sequence[str]) -> bool:
    """Whether a name that ends with what can be asked (`tweet_search`) is described as a question, and nothing else."""
    begins = words[-1] in _FACTS or words[0] == "check"
    asks = not _ASKED.isdisjoint(_verb(said)) and _TURNING.isdisjoint(said[1:2])
    return begins and asks and not any({word, *_verb([word])} & _VERBS.keys() for word in said)
