"""From a connector's functions to actions: what is listed, and what runs."""

import inspect
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import to_jsonable_python

from bosa_connectors import fields
from bosa_hub.envelope import invalid_arguments, success
from bosa_hub.errors import Invalid
from bosa_hub.filters import ResponseFilters, may_hold_list
from bosa_hub.naming import check_names, snake_keys
from bosa_hub.plugin import EFFECT_MARK, Connector, Context, Effect, Page, Result
from bosa_hub.schema import Schema, form_lists, reply_schema, request_schema
from bosa_hub.transfer import OutputFile

_FIELDS, _FILTERS = _ADDED = "response_fields", "response_filters"
_NO_DATA: tuple[object, ...] = (type(None), OutputFile)
_NOT_TOLD: tuple[object, ...] = (object, OutputFile)
_Model = TypeVar("_Model", bound=BaseModel)
_ResponseFields = Annotated[
    list[str] | None, Field(description="Return only these fields of the data, as dotted paths; null returns all.")
]


class Strict(BaseModel):
    """What stands before a model of somebody's own: an unknown name is an error."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Action:
    """One action of a connector."""

    connector: str
    name: str
    effect: Effect
    docstring: str
    own: type[BaseModel] | None
    """The model that the function takes."""
    request: type[BaseModel] | None
    """That input, `response_fields` and `response_filters`; None where the action takes nothing."""
    returns: object
    """The type of `data`; `object` where it is not known."""
    function: Callable[..., Awaitable[object]]
    parameters: frozenset[str]
    lists: frozenset[str] | None
    """The fields that its form may repeat; None where it takes JSON."""

    async def run(self, arguments: Mapping[str, object], context: Context) -> dict[str, object] | OutputFile:
        """The envelope with what the action says to these arguments, or the file that it answers with.

        Raises:
            HubError: The arguments do not fit, or the action refuses.

        """
        request = validate(self.request or Strict, arguments)
        available = {"request": self._own(arguments), "context": context}
        returned = await self.function(**{name: available[name] for name in self.parameters})
        if isinstance(returned, OutputFile):
            return returned
        result = _result(returned)
        data = self._kept(snake_keys(to_jsonable_python(result.data, by_alias=False)), request)
        return success(fields.select(data, getattr(request, _FIELDS, None)), result.meta)

    def _own(self, arguments: Mapping[str, object]) -> BaseModel | None:
        if self.own is None:
            return None
        return validate(self.own, {name: arguments[name] for name in arguments if name not in _ADDED})

    def _kept(self, data: object, request: BaseModel) -> object:
        conditions = cast("list[BaseModel]", getattr(request, _FILTERS, None) or [])
        try:
            return fields.keep(data, [condition.model_dump() for condition in conditions])
        except fields.FilterMismatch as mismatch:
            done = "" if self.effect == "read" else " The action itself was carried out: do not repeat it."
            problem = {"type": "filter_mismatch", "loc": ["body", _FILTERS], "msg": str(mismatch), "input": None}
            raise Invalid(f"{mismatch}{done}", [problem]) from mismatch


def actions(connectors: Iterable[Connector]) -> dict[str, dict[str, Action]]:
    """Every action, by connector and name.

    Raises:
        ValueError: Two connectors have one name, or a name cannot be used.
        TypeError: An action cannot be told to the published clients.

    """
    found: dict[str, dict[str, Action]] = {}
    for connector in connectors:
        if connector.name in found:
            raise ValueError(f"Two connectors are named {connector.name!r}: give one of them another `name`.")
        found[connector.name] = {action.name: action for action in _actions(connector)}
        check_names(connector.name, found[connector.name])
    return found


def listing_item(action: Action) -> Schema:
    """The action as the listing shows it.

    Raises:
        TypeError: It cannot be told to the published clients.

    """
    with _noted(f"{action.connector}.{action.name}"):
        return _listing_item(action)


def _listing_item(action: Action) -> Schema:
    schema = request_schema(action.request) if action.request else None
    return {
        "method": "POST",
        "plugin_path": f"/{action.name}",
        "path": f"/connectors/{action.connector}/{action.name}",
        "docstring": action.docstring,
        "parameters": {"request": {"name": "request", "required": True, "schema": schema}} if schema else {},
        **({"request_body": schema} if schema else {}),  # null would cost the published tool generators the connector
        "response": {"type": "any"}
        if action.returns in _NOT_TOLD
        else reply_schema(action.returns, f"{action.name}_reply"),
        "x-bosa-effect": action.effect,
    }


def validate(model: type[_Model], arguments: Mapping[str, object], *, echo: bool = True) -> _Model:
    """The arguments as the model.

    Raises:
        Invalid: They do not fit; wrong values are sent back where `echo` allows.

    """
    try:
        return model.model_validate(arguments, by_alias=False, by_name=True)  # by the names that are listed
    except ValidationError as failed:
        raise invalid_arguments(failed, model, echo=echo) from None


def _actions(connector: Connector) -> Iterable[Action]:
    for owner in reversed(type(connector).__mro__):
        for name, member in vars(owner).items():
            effect = getattr(member, EFFECT_MARK, None)
            if effect is not None:
                with _noted(f"{connector.name}.{name}"):
                    yield _action(connector, name, effect)


def _action(connector: Connector, name: str, effect: Effect) -> Action:
    function = cast("Callable[..., Awaitable[object]]", getattr(connector, name))
    hints = get_type_hints(function)
    returns = _data_type(hints.pop("return", object))
    _check(function, hints.get("request"), f"{connector.name}.{name}")
    own = hints.get("request")
    request = _wire_model(own, name, _added(returns))
    return Action(
        connector=connector.name,
        name=name,
        effect=effect,
        docstring=inspect.getdoc(function) or "",
        own=own,
        request=request,
        returns=returns,
        function=function,
        parameters=frozenset(inspect.signature(function).parameters),
        lists=form_lists(request_schema(request)) if request else None,
    )


@contextmanager
def _noted(action: str) -> Generator[None]:
    """What fails here says which action it is about."""
    try:
        yield
    except Exception as error:
        error.add_note(f"It is about the action {action}.")
        raise


def _check(function: Callable[..., Awaitable[object]], model: object, where: str) -> None:
    parameters = set(inspect.signature(function).parameters)
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{where} is no `async def`: an action is one.")
    if unknown := parameters - {"request", "context"}:
        raise TypeError(f"{where} takes {sorted(unknown)}: an action takes `request` and `context`.")
    if "request" in parameters and not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"{where} does not say what `request` is: annotate it with a pydantic model.")
    if model and (taken := {*_ADDED} & cast("type[BaseModel]", model).model_fields.keys()):
        raise TypeError(f"{where} has {sorted(taken)} in its model: the hub adds these itself.")


def _wire_model(own: type[BaseModel] | None, name: str, added: dict[str, Any]) -> type[BaseModel] | None:
    if own is None and not added:
        return None
    bases = (Strict, own) if own else (Strict,)
    title, said = (own.__name__, own.__doc__) if own else (f"{name}_request", None)
    return create_model(title, __base__=bases, __doc__=said, **added)


def _added(returns: object) -> dict[str, Any]:
    """What the hub itself takes beside the action's input."""
    if returns in _NO_DATA:
        return {}
    filters = {_FILTERS: (ResponseFilters, None)} if may_hold_list(returns) else {}
    return {_FIELDS: (_ResponseFields, None)} | filters


def _data_type(hint: object) -> object:
    if hint is Any or hint is Page or hint is Result or _may_be_more_than_data(hint):
        return object
    if get_origin(hint) is Page:
        return list[get_args(hint)[0]]
    return get_args(hint)[0] if get_origin(hint) is Result else hint


def _may_be_more_than_data(hint: object) -> bool:
    """A union, one branch of which is told by no schema."""
    ways = get_args(hint) if get_origin(hint) in {Union, UnionType} else ()
    return any((get_origin(way) or way) in {Page, Result, OutputFile} for way in ways)


def _result(returned: object) -> Result[object]:
    if isinstance(returned, Page):
        page = cast("Page[object]", returned)
        return Result(list(page.items), page.meta)
    return cast("Result[object]", returned) if isinstance(returned, Result) else Result(returned)
