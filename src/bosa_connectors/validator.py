"""The validator: a quick look first, which most arguments pass, and jsonschema for those that do not.

Real schemas are mostly unions of a type and null, references, and objects told apart by a constant. jsonschema makes
a validator for each branch and resolves each reference at every check. This module alone uses jsonschema.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations, islice
from typing import Any, Final, Protocol, Self, TypeAlias, cast

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import UnknownType, ValidationError
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]  untyped there
from referencing import Registry
from referencing.exceptions import Unresolvable

from bosa_connectors.form import StandIn
from bosa_connectors.shapes import KINDS, is_array, is_number, is_object, items, members

Node: TypeAlias = Mapping[str, object]
"""One schema inside a schema."""
_Errors: TypeAlias = Iterator[ValidationError]
Check: TypeAlias = Callable[[object], list[ValidationError]]
"""What is wrong with a value; a ValueError says why the schema cannot be followed."""


class Link(str):
    """A reference that knows where it leads."""

    __slots__ = ("target",)

    target: Node

    @classmethod
    def to(cls, target: Node, reference: str) -> Self:
        """A link with the text of this reference."""
        link = cls(reference)
        link.target = target
        return link


class _Checker(Protocol):
    def is_type(self, instance: object, kind: str, /) -> bool: ...
    def descend(
        self, instance: object, schema: object, *, path: int | None = None, schema_path: int | None = None
    ) -> _Errors: ...


_Keyword: TypeAlias = Callable[[_Checker, Any, object, Node], _Errors]
_Glance: TypeAlias = Callable[[_Checker, Any, object, Node], bool]
"""Whether a keyword certainly allows a value."""
_CLOSELY: Final = cast("Mapping[str, _Keyword]", Draft202012Validator.VALIDATORS)


def _reference(checker: _Checker, reference: str, instance: object, schema: Node) -> _Errors:
    if isinstance(reference, Link):
        return checker.descend(instance, reference.target)
    return _CLOSELY["$ref"](checker, reference, instance, schema)


def _properties(checker: _Checker, properties: Node, instance: object, schema: Node) -> _Errors:
    given = [name for name in properties if name in instance] if is_object(instance) else []
    rest = {name: properties[name] for name in given if not _fits(checker, members(instance)[name], properties[name])}
    if rest:
        yield from _CLOSELY["properties"](checker, rest, instance, schema)


def _items(checker: _Checker, node: object, instance: object, schema: Node) -> _Errors:
    if "prefixItems" in schema:
        yield from _CLOSELY["items"](checker, node, instance, schema)
        return
    for index, each in enumerate(items(instance)):
        if not _fits(checker, each, node):
            yield from checker.descend(each, node, path=index)


def _any_of(checker: _Checker, branches: list[object], instance: object, schema: Node) -> _Errors:
    if not _is_any(checker, branches, instance, schema):
        yield from _in_each(checker, branches, instance)


def _in_each(checker: _Checker, branches: list[object], instance: object) -> _Errors:
    """What is wrong with a value in each alternative; nothing where it fits one."""
    context: list[ValidationError] = []
    for index, branch in enumerate(branches):
        errors = list(islice(checker.descend(instance, branch, schema_path=index), _MOST))
        if not errors:
            return
        context += errors
    yield ValidationError("none fits", context=context)


def _one_of(checker: _Checker, branches: list[object], instance: object, _: Node) -> _Errors:
    possible = [branch for branch in branches if not _is_another(instance, branch)]
    fitting = [branch for branch in possible if not any(True for _ in checker.descend(instance, branch))]
    if not fitting:
        yield from _in_each(checker, branches, instance)
    elif len(fitting) > 1:
        yield from _several(list(map(_linked, fitting)), instance)


def _several(branches: list[Node], instance: object) -> _Errors:
    """What decides between alternatives that all allow a value: to name a constant, or to leave something out.

    Where nothing does, the value could not be sent at all, and nobody minds but the standard: generators write `oneOf`
    for any union, and formats are not looked at here.
    """
    known = [_constants(branch) for branch in branches]
    name = next(
        (name for name in known[0] if all(name in each for each in known) and name not in members(instance)), None
    )
    if name is not None:
        values = {"enum": [each[name] for each in known]}
        yield ValidationError(
            "not named", validator="required", validator_value=[name], schema={"properties": {name: values}}
        )
    needed = [set(map(str, items(branch.get("required")))) for branch in branches]
    if name is None and any(one - other and other - one for one, other in combinations(needed, 2)):
        yield ValidationError("several fit", validator_value=branches)


def _names(checker: _Checker, node: object, instance: object, schema: Node) -> _Errors:
    listed = members(node).get("enum")
    if not is_array(listed):
        yield from _CLOSELY["propertyNames"](checker, node, instance, schema)
    elif members(instance).keys() - set(map(str, listed)):
        yield ValidationError("unknown names")


def _unique(_: _Checker, said: object, instance: object, __: Node) -> _Errors:
    if said and is_array(instance) and len({_hashable(each) for each in instance}) < len(instance):
        yield ValidationError("not unique")


def _hashable(value: object) -> object:
    """A value that is equal to another exactly where JSON says so; jsonschema compares each with each."""
    if is_object(value):
        return frozenset((name, _hashable(each)) for name, each in value.items())
    if is_array(value):
        return tuple(_hashable(each) for each in value)
    return (bool, value) if isinstance(value, bool) else value


def _fits(checker: _Checker, instance: object, node: object) -> bool:
    """Whether a schema certainly allows this; False also where only a closer look tells."""
    if not is_object(node):
        return node is True
    for key, said in node.items():
        if glance := _GLANCES.get(key):
            if not glance(checker, said, instance, node):
                return False
        elif key in _CLOSELY:
            return False
    return True


def _is_of(checker: _Checker, kind: object, instance: object, node: Node) -> bool:
    if is_array(kind):
        return any(_is_of(checker, each, instance, node) for each in kind)
    return kind in KINDS.get(type(instance), ()) or checker.is_type(instance, str(kind))


def _leads_to(checker: _Checker, reference: object, instance: object, _: Node) -> bool:
    # one step: definitions that are nothing but each other have no end
    if not isinstance(reference, Link) or not reference.target.keys().isdisjoint({"$ref", "anyOf"}):
        return False
    return _fits(checker, instance, reference.target)


def _is_any(checker: _Checker, branches: object, instance: object, _: Node) -> bool:
    return any(_fits(checker, instance, branch) for branch in items(branches))


def _holds(checker: _Checker, each_fits: object, instance: object, node: Node) -> bool:
    return "prefixItems" not in node and all(_fits(checker, each, each_fits) for each in items(instance))


def _has(checker: _Checker, properties: Node, instance: object, _: Node) -> bool:
    return is_object(instance) and all(
        name not in instance or _fits(checker, instance[name], below) for name, below in properties.items()
    )


def _has_besides(checker: _Checker, other: object, instance: object, node: Node) -> bool:
    known = members(node.get("properties"))
    return is_object(instance) and all(
        name in known or _fits(checker, value, other) for name, value in instance.items()
    )


_GLANCES: Final[Mapping[str, _Glance]] = {
    "type": _is_of,
    "$ref": _leads_to,
    "anyOf": _is_any,
    "items": _holds,
    "properties": _has,
    "additionalProperties": _has_besides,
    "required": lambda _, names, value, __: is_object(value) and all(name in value for name in names),
    "enum": lambda _, texts, value, __: isinstance(value, str) and value in texts,
    "const": lambda _, text, value, __: isinstance(value, str) and value == text,
    "minLength": lambda _, least, value, __: isinstance(value, str) and len(value) >= least,
    "maxLength": lambda _, most, value, __: isinstance(value, str) and len(value) <= most,
    "minItems": lambda _, least, value, __: is_array(value) and len(value) >= least,
    "maxItems": lambda _, most, value, __: is_array(value) and len(value) <= most,
    "minimum": lambda _, least, value, __: is_number(value) and value >= least,
    "maximum": lambda _, most, value, __: is_number(value) and value <= most,
    "format": lambda _, name, __, ___: name != "binary",  # no other one is checked
}


def _is_another(instance: object, node: object) -> bool:
    """Whether a text in this object is certainly not the constant by which the branch is known."""
    known = _constants(_linked(node))
    return any(isinstance(value, str) and known.get(name, value) != value for name, value in members(instance).items())


def _linked(node: object) -> Node:
    reference = members(node).get("$ref")
    return reference.target if isinstance(reference, Link) else members(node)


def _constants(node: Node) -> dict[str, str]:
    """The texts by which a branch is known, each with its name."""
    said = {name: members(each).get("const") for name, each in members(node.get("properties")).items()}
    return {name: constant for name, constant in said.items() if isinstance(constant, str)}


_MOST: Final = 1_000
"""Errors that are told: nobody reads more, and each takes time."""
_KEYWORDS: Final = {
    "$ref": _reference,
    "properties": _properties,
    "items": _items,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "propertyNames": _names,
    "uniqueItems": _unique,
}
Validator: Final = cast("type[Draft202012Validator]", extend(Draft202012Validator, _KEYWORDS))
"""JSON Schema 2020-12 in full."""
_FILES: Final = FormatChecker(formats=())


@_FILES.checks("binary")
def _is_file(value: object) -> bool:
    return isinstance(value, StandIn) or not isinstance(value, str)


def compiled(schema: Node, *, takes_files: bool) -> Check:
    """The check of values against a schema."""
    # an empty registry: the default one would fetch a remote reference
    validator = Validator(schema, registry=Registry(), format_checker=_FILES if takes_files else None)
    checker, errors = cast("_Checker", validator), cast("Callable[[object], _Errors]", validator.iter_errors)

    def check(value: object) -> list[ValidationError]:
        try:
            return [] if _fits(checker, value, schema) else list(islice(errors(value), _MOST))
        except (Unresolvable, UnknownType) as odd:
            raise ValueError(str(odd)) from odd

    return check
