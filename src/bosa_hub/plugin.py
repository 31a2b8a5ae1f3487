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
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar

from bosa_hub.naming import snake_case
from bosa_hub.private import make_folder

T = TypeVar("T")
Effect: TypeAlias = Literal["read", "create", "update", "delete", "send"]
_Function = TypeVar("_Function", bound=Callable[..., Awaitable[object]])

EFFECT_MARK = "__bosa_effect__"


class Connector:
    """Actions that belong together; named like the class in snake_case, unless `name` says otherwise."""

    name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" not in vars(cls):
            cls.name = snake_case(cls.__name__)


def action(*, effect: Effect) -> Callable[[_Function], _Function]:
    """The function marked as an action that does this to the world.

    Its parameters are any of `request`, a pydantic model whose optional fields accept null, and `context`. What it
    returns becomes `data`: a value, a `Page`, or a `Result`.
    """

    def mark(function: _Function) -> _Function:
        setattr(function, EFFECT_MARK, effect)
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, and the folder where this connector keeps what is theirs."""

    user_id: str
    folder: Path

    @property
    def root(self) -> Path:
        """The folder, made where it is missing."""
        return make_folder(self.folder)


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Page(_Place, Generic[T]):
    """One page of a list: by number (`page`, `per_page` and `total`), or by cursor (`next_cursor`, None at the end)."""

    items: Sequence[T]

    @property
    def meta(self) -> dict[str, object]:
        """Where this page stands, in the words of the contract."""
        if self.page is None:
            known = {} if self.total is None else {"total": self.total}
            return {**known, "has_next": self.next_cursor is not None, "forwards_cursor": self.next_cursor}
        if self.per_page is None or self.total is None:
            raise TypeError("A page by number needs per_page and total.")
        last = -(-self.total // self.per_page)
        return {
            "page": self.page,
            "limit": self.per_page,
            "total": self.total,
            "total_page": last,
            "has_next": self.page < last,
            "has_prev": self.page > 1,
        }
