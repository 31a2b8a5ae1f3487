"""`response_filters` as a request states them: which items of the data come back."""

from typing import Annotated, Literal, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from bosa_connectors.shapes import is_object, items, members

_Path = Annotated[str, Field(max_length=200)]
_Text = Annotated[str, Field(max_length=1000)]
_Date = Annotated[str, Field(max_length=50, description="ISO 8601, inclusive; UTC where it names no zone.")]
_Bound = Annotated[float, Field(description="Inclusive.")]


class _Filter(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field_name: _Path = Field(description="Dotted path of the field in each item.")
    root: _Path | None = Field(default=None, description="Dotted path of the list to filter; null for the data.")


class StringFilter(_Filter):
    """The text is this."""

    type: Literal["string"]
    value: _Text
    ignore_case: bool | None = True


class StringListFilter(_Filter):
    """The text is one of these."""

    type: Literal["string_list"]
    values: list[_Text] = Field(default=[], max_length=1000)
    ignore_case: bool | None = True


class NumberFilter(_Filter):
    """The number is this."""

    type: Literal["number"]
    value: float


class NumberListFilter(_Filter):
    """The number is one of these."""

    type: Literal["number_list"]
    values: list[float] = Field(default=[], max_length=1000)


class NumberRangeFilter(_Filter):
    """The number lies between these."""

    type: Literal["number_range"]
    from_value: _Bound | None = None
    to_value: _Bound | None = None


class DateRangeFilter(_Filter):
    """The date lies between these."""

    type: Literal["date_range"]
    from_date: _Date | None = None
    to_date: _Date | None = None


_AnyFilter: TypeAlias = Annotated[
    StringFilter | StringListFilter | NumberFilter | NumberListFilter | NumberRangeFilter | DateRangeFilter,
    Field(discriminator="type"),
]
ResponseFilters: TypeAlias = Annotated[
    list[_AnyFilter] | None,
    Field(max_length=20, description="Return only the items for which all of these hold; null returns all."),
]


_TELLING = {"type", "$ref", "anyOf", "oneOf", "const", "enum"}
_SCALARS = {"string", "integer", "number", "boolean", "null"}


def may_hold_list(hint: object) -> bool:
    """Whether data of this type is, or may hold, a list that can be filtered: of objects, or of nobody knows what."""
    adapter = TypeAdapter[object](cast("type[object]", hint))
    return hint is object or _has_list(adapter.json_schema(mode="serialization"))


def _has_list(node: object) -> bool:
    schema = members(node)
    if schema.get("type") == "array":
        return members(schema.get("items")).get("type") not in _SCALARS
    if schema.get("additionalProperties") is True or not _TELLING & schema.keys():
        return True
    named = [*members(schema.get("properties")).values(), *members(schema.get("$defs")).values()]
    others = [schema[key] for key in ("additionalProperties",) if is_object(schema.get(key))]
    return any(map(_has_list, [*named, *others, *items(schema.get("anyOf")), *items(schema.get("oneOf"))]))
