"""What is wrong with a value, in words that a person or a model can act on."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from bosa_connectors.errors import Problem, letters, nearest
from bosa_connectors.references import UNIONS
from bosa_connectors.shapes import is_object, items, members
from bosa_connectors.wording import describe, one_of, show

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

Node: TypeAlias = Mapping[str, object]
"""One schema inside a schema."""

UNKNOWN = "Unknown field"
_LACKING = "Field required"
A_FILE = "a Path, bytes, a ConnectorFile, or a file opened in binary mode"
_OF_NAMES = frozenset({"required", "additionalProperties", "propertyNames"})
_LISTED = frozenset({"$ref", "const", "enum", *UNIONS})


def told(errors: "Iterable[ValidationError]") -> list[Problem]:
    """What is wrong, in words that a person or a model can act on; nothing twice, nor in fewer words as well."""
    found = dict.fromkeys(problem for error in errors for problem in explain(error))
    ordered = sorted(found, key=lambda problem: (problem.path, problem.expected))  # what says more comes right behind
    for less, more in pairwise(ordered):
        if less.path == more.path and more.expected.startswith(f"{less.expected} "):
            del found[less]
    return list(found)


def explain(error: "ValidationError") -> Iterator[Problem]:
    """What is wrong, in words that a person or a model can act on."""
    if more := _MORE.get(str(error.validator)):
        yield from more(error)
    elif within := list(_within_union(error)):
        yield from within
    else:
        expected, shown = _expected(error), show(cast("object", error.instance))
        near = _nearest_value(cast("object", error.instance), _values(error))
        yield Problem(_path(error.absolute_path), f"Expected {expected}, got {shown}", expected, near)


def _nearest_value(given: object, values: Sequence[object]) -> str | None:
    """The one of the values that are possible that was perhaps meant."""
    if not isinstance(given, str) or len(values) > _MOST_VALUES:
        return None
    return nearest(given[:_LONG], [each for each in values if isinstance(each, str)])


def _lacking(error: "ValidationError") -> Iterator[Problem]:
    for name in map(str, items(error.validator_value)):
        if name not in members(cast("object", error.instance)):
            yield Problem(_below(error, name), _LACKING, describe(_known(error).get(name)))


def _unknown(error: "ValidationError") -> Iterator[Problem]:
    known = _known(error)
    patterns = [re.compile(pattern) for pattern in members(members(error.schema).get("patternProperties"))]
    for name in members(cast("object", error.instance)):
        if name not in known and not any(pattern.search(name) for pattern in patterns):
            yield Problem(_below(error, name), UNKNOWN, one_of(list(known)), nearest(name, known))


def _unlisted(error: "ValidationError") -> Iterator[Problem]:
    known = list(map(str, items(members(error.validator_value).get("enum"))))
    for name in members(cast("object", error.instance)):
        if name not in known:
            yield Problem(_below(error, name), UNKNOWN, one_of(known), nearest(name, known))


def _depending(error: "ValidationError") -> Iterator[Problem]:
    given = members(cast("object", error.instance))
    for name, needed in members(error.validator_value).items():
        for each in map(str, items(needed)):
            if name in given and each not in given:
                message = f"Field required where {name[:100]!r} is given"
                yield Problem(_below(error, each), message, describe(_known(error).get(each)))


def _no_file(error: "ValidationError") -> Iterator[Problem]:
    shown = show(cast("object", error.instance))
    yield Problem(_path(error.absolute_path), f"Expected a file, got {shown}: give {A_FILE}", A_FILE)


def _left_over(error: "ValidationError") -> Iterator[Problem]:
    listed = items(members(members(error.schema).get("propertyNames")).get("enum"))
    if listed and any(name not in listed for name in members(cast("object", error.instance))):  # which is told of each
        return
    yield Problem(_path(error.absolute_path), error.message[:_LONG], "no other members than those described")


_MORE: Final[Mapping[str, Callable[["ValidationError"], Iterator[Problem]]]] = {
    "required": _lacking,
    "additionalProperties": _unknown,
    "propertyNames": _unlisted,
    "dependentRequired": _depending,
    "format": _no_file,
    "unevaluatedProperties": _left_over,
}
"""Keywords of which more can be told than what was expected."""
_LONG: Final = 300
_FEW: Final = 10
"""Errors of which one alternative is told: an array may hold any number."""
_MOST_VALUES: Final = 300
"""To look for the nearest one among more takes long, and a model knows them."""


def _known(error: "ValidationError") -> Node:
    return members(members(error.schema).get("properties"))


def _below(error: "ValidationError", name: str) -> str:
    return _path((*error.absolute_path, name))


def _within_union(error: "ValidationError") -> Iterator[Problem]:
    """Where a union fails: what is wrong within the one branch that was meant, if that can be told."""
    possible = _possible(error)
    if len(possible) > 1 and (apart := _apart(possible, error)):
        values = list(dict.fromkeys(str(value) for each in apart for value in _values(each)))
        given, expected = cast("object", apart[0].instance), one_of(values)
        message = f"Expected {expected}, got {show(given)}"
        yield Problem(_path(apart[0].absolute_path), message, expected, _nearest_value(given, values))
        return
    meant = [errors for errors in possible if not any(_tells_apart(each, error) for each in errors)]
    named = [errors for errors in meant if not any(_is_of_other_names(each, error) for each in errors)]
    alike = [errors for errors in meant if any(map(_is_spelt_otherwise, errors))]
    chosen = next((each for each in (possible, meant, named, alike) if len(each) == 1), None)
    if chosen:
        for inner in chosen[0]:
            yield from explain(inner)
    elif len(meant) > 1:
        yield from _lacking_in_all(meant, error)


def _apart(branches: "list[list[ValidationError]]", union: "ValidationError") -> "list[ValidationError]":
    """What each of the branches says of the one value by which all of them can be known, and none is."""
    known = [
        {_path(each.absolute_path): each for each in errors if _values(each) and _depth(each, union) == 1}
        for errors in branches
    ]
    place = next((place for place in known[0] if all(place in each for each in known)), None)
    return [] if place is None else [each[place] for each in known]


def _values(error: "ValidationError") -> list[object]:
    """The values one of which was expected."""
    if error.validator == "const":
        return [cast("object", error.validator_value)]
    return items(error.validator_value) if error.validator == "enum" else []


def _possible(error: "ValidationError") -> "list[list[ValidationError]]":
    """What is wrong with each alternative of a union that takes values of this type."""
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or () if error.validator in UNIONS else ():
        branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    return [errors for errors in branches.values() if not any(_is_of_another_type(each, error) for each in errors)]


def _lacking_in_all(branches: "list[list[ValidationError]]", union: "ValidationError") -> Iterator[Problem]:
    """What each of the branches requires, and is not there: it may say which of them is meant."""
    lacking = [
        {
            str(name): members(members(inner.schema).get("properties")).get(str(name))
            for inner in errors
            if inner.validator == "required" and _depth(inner, union) == 0
            for name in items(inner.validator_value)
            if name not in members(cast("object", inner.instance))
        }
        for errors in branches
    ]
    for name in lacking[0]:
        if all(name in each for each in lacking):
            expected = describe({"anyOf": [each[name] for each in lacking]})
            yield Problem(_below(union, name), _LACKING, expected)


def _expected(error: "ValidationError") -> str:
    """What would be right, for a keyword that no description of the schema tells of."""
    if words := _RARE.get(str(error.validator)):
        return words(members(error.schema), error.validator_value)
    if error.validator == "oneOf" and not error.context:
        return f"exactly one of {_alternatives(error.validator_value)[:_LONG]}, not several"
    if is_object(cast("object", error.instance)) and len(possible := _possible(error)) > 1:
        return ", or ".join(dict.fromkeys(map(_lacked, possible)))[:_LONG]
    # a limit is told without the alternatives that stand beside it
    others = _LISTED - {error.validator}
    schema = {key: said for key, said in members(error.schema).items() if key not in others}
    return ("a name: " if "propertyNames" in error.absolute_schema_path else "") + describe(schema)


def _lacked(errors: "list[ValidationError]") -> str:
    """What one alternative of a union asks for that is not so."""
    said: dict[str, dict[str, None]] = {"with": {}, "without": {}, "where": {}}
    for error in sorted(errors, key=lambda error: error.validator not in _OF_NAMES)[:_FEW]:
        for problem in explain(error):
            name = problem.path[len(_path(error.parent.absolute_path)) :].lstrip(".") if error.parent else problem.path
            if not name:  # it speaks of the value as a whole
                return problem.expected
            word = {_LACKING: "with", UNKNOWN: "without"}.get(problem.message, "where")
            said[word][f"{name} is {problem.expected}" if word == "where" else name] = None
    return " ".join(["an object", *(f"{word} {' and '.join(parts)}" for word, parts in said.items() if parts)])


def _alternatives(branches: object) -> str:
    """The alternatives of a union, each with the names that it takes."""
    told: list[str] = []
    for branch in items(branches):
        known = members(getattr(members(branch).get("$ref"), "target", branch))
        names = [] if known.get("required") else list(members(known.get("properties")))
        told.append(f"{describe(known)} with {' and '.join(names)}" if names else describe(known))
    return " or ".join(dict.fromkeys(told))


def _contained(schema: Node, _: object) -> str:
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    return f"at least {least}{'' if most is None else f' and at most {most}'} of {describe(schema.get('contains'))}"


def _at_the_end(schema: Node, _: object) -> str:
    return f"an array of at most {len(items(schema.get('prefixItems')))} items"


_RARE: Final[Mapping[str, Callable[[Node, object], str]]] = {
    "not": lambda _, said: f"anything but {_alternatives([said])}" if said else "nothing: leave it out",
    "uniqueItems": lambda _, __: "items that are all different",
    "contains": _contained,
    "minContains": _contained,
    "maxContains": _contained,
    "items": _at_the_end,
    "unevaluatedItems": _at_the_end,
    "minProperties": lambda _, said: f"an object of at least {said} members",
    "maxProperties": lambda _, said: f"an object of at most {said} members",
}


def _is_of_another_type(inner: "ValidationError", union: "ValidationError") -> bool:
    is_so = inner.validator == "type" or (inner.validator in UNIONS and bool(inner.context) and not _possible(inner))
    return is_so and _depth(inner, union) == 0


def _is_of_other_names(inner: "ValidationError", union: "ValidationError") -> bool:
    return inner.validator in _OF_NAMES and _depth(inner, union) == 0


def _is_spelt_otherwise(error: "ValidationError") -> bool:
    """Whether it refuses a name that is known when it is spelt otherwise: `dateTime` for `date_time`."""
    known = set(map(letters, _known(error)))
    refused = _unknown(error) if error.validator == "additionalProperties" else ()
    return any(letters(problem.path.rpartition(".")[2]) in known for problem in refused)


def _depth(inner: "ValidationError", union: "ValidationError") -> int:
    return len(inner.absolute_path) - len(union.absolute_path)


def _tells_apart(inner: "ValidationError", union: "ValidationError") -> bool:
    """Whether this error says that the branch was not meant: a constant in it, by which branches are told apart."""
    is_constant = inner.validator == "const" or (inner.validator == "enum" and len(items(inner.validator_value)) == 1)
    return is_constant and _depth(inner, union) <= 1


def _path(parts: Iterable[str | int]) -> str:
    return ".".join(str(part) for part in parts)
