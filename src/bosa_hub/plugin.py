"""A connector is a class, an action is a typed async function with a docstring.

```python
class Weather(Connector):
    \"\"\"Forecasts.\"\"\"

    @action(effect="read")
    async def forecast(self, request: ForecastRequest, context: Context) -> Forecast:
        \"\"\"The forecast for a city.\"\"\"
```
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar, get_args

from pydantic import BaseModel

from bosa_hub.errors import Conflict, NotFound
from bosa_hub.naming import snake_case
from bosa_hub.oauth2 import OAuth2, Tokens
from bosa_hub.private import make_folder

if TYPE_CHECKING:
    from httpx import Auth

T = TypeVar("T")
Effect: TypeAlias = Literal["read", "create", "update", "delete", "send"]
_Function = TypeVar("_Function", bound=Callable[..., Awaitable[object]])
_Model = TypeVar("_Model", bound=BaseModel)

EFFECT_MARK = "__bosa_effect__"


class Connector:
    """Actions that belong together; named like the class in snake_case, unless `name` says otherwise."""

    name: ClassVar[str]
    configuration: ClassVar[type[BaseModel] | None] = None
    """What a user fills in to link an account; optional fields accept null, secrets are `SecretStr`."""
    oauth2: OAuth2 | None = None
    """Where a user agrees instead."""
    needs_account: ClassVar[bool] = True
    """Where accounts can be linked, no action runs without one."""

    async def account_identifier(self, configuration: Any, context: "Context") -> str:  # noqa: ANN401  the connector's own model
        """How the account is called: the `name` of the configuration or the `Tokens`, else like the connector.

        A connector that can tell whether a configuration works does so here, and raises a typed error where not.
        """
        del context
        return getattr(configuration, "name", None) or self.name

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in vars(cls):
            cls.name = snake_case(cls.__name__)


def about(connector: Connector) -> str:
    """What the connector says of itself: the docstring of its class."""
    return cleandoc(type(connector).__doc__ or "")


def action(*, effect: Effect) -> Callable[[_Function], _Function]:
    """The function marked as an action that does this to the world.

    Its parameters are any of `request`, a pydantic model whose optional fields accept null, and `context`. What it
    returns becomes `data`: a value, a `Page`, or a `Result`; an `OutputFile` is the answer itself.

    Raises:
        ValueError: There is no such effect.

    """
    if effect not in get_args(Effect):
        raise ValueError(f"There is no effect {effect!r}. Choose one of {', '.join(get_args(Effect))}.")

    def mark(function: _Function) -> _Function:
        setattr(function, EFFECT_MARK, effect)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Account:
    """An account that the user has linked, with the connector's own configuration or OAuth2 `Tokens`."""

    connector: str
    identifier: str
    credential: BaseModel = field(repr=False)
    bearer: "Auth | None" = field(default=None, repr=False)
    """What shows a service the access that the user granted."""

    @property
    def access_token(self) -> str:
        """The access token of an account that was linked by OAuth2; it lasts for a minute at least.

        Raises:
            Conflict: The account was linked in another way.

        """
        return self.configuration(Tokens).access_token.get_secret_value()

    @property
    def auth(self) -> "Auth":
        """The same for `httpx.AsyncClient(auth=…)`: renewed once where the service answers 401 all the same.

        Raises:
            Conflict: The account was linked in another way.

        """
        if self.bearer is None:
            raise self._other_kind()
        return self.bearer

    def configuration(self, model: type[_Model]) -> _Model:
        """The credential, where it is of this kind.

        Raises:
            Conflict: The account was linked in another way.

        """
        if isinstance(self.credential, model):
            return self.credential
        raise self._other_kind()

    def _other_kind(self) -> Conflict:
        message = f"Account {self.identifier!r} was linked in a way that this action cannot use. Link it in another."
        return Conflict(message, code="WRONG_ACCOUNT_KIND")


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, with which account, and the folder where this connector keeps what is theirs."""

    user_id: str
    folder: Path
    linked: Account | None = None
    """The account of this call; None where there is none and none is needed."""

    @property
    def account(self) -> Account:
        """The account of this call.

        Raises:
            NotFound: None is linked.

        """
        if self.linked is None:
            raise no_account(self.folder.name)
        return self.linked

    @property
    def root(self) -> Path:
        """The folder, made where it is missing."""
        return make_folder(self.folder)


def no_account(connector: str, identifier: str | None = None) -> NotFound:
    """What to answer where the account is missing; every generation of client knows the first words."""
    which = f"account {identifier[:200]!r}" if identifier else "account"
    hint = (
        "GET /users/me lists those there are" if identifier else f"POST /connectors/{connector}/integrations links one"
    )
    return NotFound(
        f"Integration does not exist: there is no {which} on {connector}. {hint}.",
        code="INTEGRATION_NOT_FOUND",
    )


@dataclass(frozen=True)  # with slots, `Result[int](…)` fails in Python 3.11
class Result(Generic[T]):
    """Data with a meta of the connector's own."""

    data: T
    meta: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    page: int | None = None
    per_page: int | None = None
    total: int | None = None
    next_cursor: str | None = None
    previous_cursor: str | None = None


@dataclass(frozen=True)  # likewise
class Page(_Place, Generic[T]):
    """One page of a list.

    By number: `page`, `per_page` and `total`. By cursor: `next_cursor`, None at the end; where the whole is known also
    `total` with `per_page`, where one can go back also `previous_cursor`, None at the beginning. A connector whose
    clients look for the next token in the data returns a model with `next_page_token` instead of a page.
    """

    items: Sequence[T]

    @property
    def meta(self) -> dict[str, object]:
        """Where this page stands, in the words of the contract."""
        if self.page is None:
            return self._by_cursor()
        if self.per_page is None or self.total is None:
            raise TypeError("A page by number needs per_page and total.")
        last = _pages(self.total, self.per_page)
        return {
            "page": self.page,
            "limit": self.per_page,
            "total": self.total,
            "total_page": last,
            "has_next": self.page < last,
            "has_prev": self.page > 1,
        }

    def _by_cursor(self) -> dict[str, object]:
        ahead: dict[str, object] = {"has_next": self.next_cursor is not None, "forwards_cursor": self.next_cursor}
        if self.total is None and self.previous_cursor is None:
            return ahead
        last = None if self.total is None or self.per_page is None else _pages(self.total, self.per_page)
        behind: dict[str, object] = {
            "has_prev": self.previous_cursor is not None,
            "backwards_cursor": self.previous_cursor,
        }
        return {"total": self.total, "total_page": last} | ahead | behind


def _pages(total: int, per_page: int) -> int:
    """How many pages there are; none where a page holds nothing."""
    return -(-total // per_page) if per_page > 0 else 0
