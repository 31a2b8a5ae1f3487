"""What a schema says of several arguments together: in keywords that model APIs take at a root, else in sentences."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from bosa_connectors.references import BRANCHING, UNIONS
from bosa_connectors.shapes import is_array, is_object, items, members
from bosa_connectors.wording import describe

ALTERNATIVES: Final = (*BRANCHING, "then", "else", "dependentSchemas")
"""Keywords below which a root may know further arguments."""
_FURTHER: Final = frozenset(ALTERNATIVES)
_ALONE: Final = frozenset({"type", "properties", "required", "description"})
"""Keywords of a root that says nothing more of its arguments together."""


def parts(root: Mapping[str, object], keys: Iterable[str] = ("allOf",)) -> Iterator[Mapping[str, object]]:
    """The schema, and all that it is put together from below these keywords, which no model API takes at a root."""
    yield root
    if _FURTHER.isdisjoint(root):  # nearly always
        return
    for key in keys:
        value = root.get(key)
        below = members(value).values() if key == "dependentSchemas" else [*items(value), value]
        for each in below:
            if is_object(each):
                yield from parts(each, keys)


def root_keywords(
    root: Mapping[str, object], required: Collection[str], ours: Mapping[str, object], called: Callable[[str], str]
) -> dict[str, object]:
    """What stands beside the arguments, but for what would rule out arguments of ours; in sentences, as `called`."""
    if root.keys() <= _ALONE:  # nearly always
        return {"description": root["description"]} if root.get("description") else {}
    kept = {"additionalProperties": root["additionalProperties"]} if "additionalProperties" in root else {}
    if depending := _depending(root):
        kept["dependentRequired"] = depending
    patterns = members(root.get("patternProperties"))
    apart = [pattern for pattern in patterns if any(_does_match(pattern, name) for name in ours)]
    if told := {pattern: each for pattern, each in patterns.items() if pattern not in apart}:
        kept["patternProperties"] = told
    said = dict.fromkeys(str(part["description"]) for part in parts(root, ALTERNATIVES) if "description" in part)
    said |= dict.fromkeys(f"Further arguments that match {each}: {describe(patterns[each])}." for each in apart)
    for part in parts(root):
        said |= dict.fromkeys(_together(part, required, called))
    return kept | ({"description": " ".join(said)} if said else {})


def _does_match(pattern: str, name: str) -> bool:
    try:
        return bool(re.search(pattern, name))
    except re.error:  # one that another language reads
        return True


def _depending(root: Mapping[str, object]) -> dict[str, list[object]]:
    """The names that have to be given where another one is."""
    depending: dict[str, list[object]] = {}
    for part in parts(root):
        found = {
            **members(part.get("dependentRequired")),
            **{name: members(each).get("required") for name, each in members(part.get("dependentSchemas")).items()},
        }
        for name, needed in found.items():
            if is_array(needed):
                depending[name] = list(dict.fromkeys([*depending.get(name, []), *needed]))
    return depending


def _together(part: Mapping[str, object], required: Collection[str], called: Callable[[str], str]) -> Iterator[str]:
    """In a sentence each, what no model API takes at a root, and what would count our arguments in."""
    for key in UNIONS:
        needed = [_names(branch, required, called) for branch in items(part.get(key))]
        if any(needed) and len(set(needed)) > 1:
            yield f"Give {', or '.join(dict.fromkeys(each or 'none of these' for each in needed))}."
    if apart := _names(part.get("not"), (), called):
        yield f"Not together: {apart}."
    then, otherwise = (_names(part.get(key), required, called) for key in ("then", "else"))
    if (then or otherwise) and (when := _condition(members(part.get("if")), called)):
        yield f"Where {when}, give {then or 'none of these'}{f', else {otherwise}' if otherwise else ''}."
    if "minProperties" in part:
        yield f"At least {part['minProperties']} of the arguments."
    if "maxProperties" in part:
        yield f"At most {part['maxProperties']} of the arguments."
    if "propertyNames" in part:
        yield f"Names of arguments: {describe(part['propertyNames'])}."


def _names(schema: object, known: Collection[str], called: Callable[[str], str]) -> str:
    """What a schema requires, beside what is known to be required."""
    return " and ".join(called(str(name)) for name in items(members(schema).get("required")) if name not in known)


def _condition(schema: Mapping[str, object], called: Callable[[str], str]) -> str:
    said = members(schema.get("properties"))
    given = [f"{called(name)} is given" for name in map(str, items(schema.get("required"))) if name not in said]
    return " and ".join([*(f"{called(name)} is {describe(each)}" for name, each in said.items()), *given])
