"""The catalogue: every action as one flat list to search, as the current generation of clients asks for it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bosa_hub.actions import Action
from bosa_hub.envelope import invalid_arguments
from bosa_hub.errors import NotFound
from bosa_hub.middleware import to_response
from bosa_hub.plugin import Connector, about

_SOURCE = "bosa_hub"
_Text = Annotated[str, Field(max_length=200)]


@dataclass(frozen=True, slots=True)
class Tool:
    """An action as the catalogue shows it."""

    name: str
    description: str
    connector: str
    categories: Sequence[str]
    source: str = _SOURCE


class _Wanted(BaseModel):
    q: _Text = ""
    connector: _Text = ""
    category: _Text = ""
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0, le=1_000_000)


def tools(connectors: Iterable[Connector], actions: Mapping[str, Mapping[str, Action]]) -> list[Tool]:
    """Every action of these connectors; its category is what it does to the world."""
    return [
        Tool(
            name=f"{connector.name}_{action.name.replace('-', '_')}_tool",
            description=" ".join(filter(None, [about(connector), action.docstring])),
            connector=connector.name,
            categories=(action.effect,),
        )
        for connector in connectors
        for action in actions[connector.name].values()
    ]


def search(found: Iterable[Tool], query: Mapping[str, str]) -> dict[str, object]:
    """One page of those tools in which every word of `q` occurs, as `{"items", "meta": {"total", "limit", "offset"}}`.

    Raises:
        Invalid: A parameter is out of bounds.

    """
    wanted = _wanted(query)
    fitting = [asdict(tool) for tool in found if _fits(tool, wanted)]
    meta = {"total": len(fitting), "limit": wanted.limit, "offset": wanted.offset}
    return {"items": fitting[wanted.offset : wanted.offset + wanted.limit], "meta": meta}


def _wanted(query: Mapping[str, str]) -> _Wanted:
    try:
        return _Wanted.model_validate(dict(query))
    except ValidationError as failed:
        raise invalid_arguments(failed, _Wanted, echo=True, where="query") from None


def _fits(tool: Tool, wanted: _Wanted) -> bool:
    text = f"{tool.name} {tool.description}".casefold()
    return (
        wanted.connector in {"", tool.connector}
        and wanted.category in {"", *tool.categories}
        and all(word in text for word in wanted.q.casefold().split())
    )


@dataclass(frozen=True, slots=True)
class Catalog:
    """The endpoints of the catalogue. The hub itself has no MCP servers and no skills to list."""

    tools: Sequence[Tool]
    user_of: Callable[[Request], Awaitable[object]]

    def routes(self) -> Iterable[Route]:
        """Where they are."""
        yield Route("/catalog/tools", self.list_tools, methods=["GET"])
        yield Route("/catalog/mcp", self.list_nothing, methods=["GET"])
        yield Route("/catalog/skills", self.list_nothing, methods=["GET"])
        yield Route("/api/skills", self.list_skills, methods=["GET"])
        yield Route("/api/skills/{skill}", self.show_skill, methods=["GET"])

    async def list_tools(self, request: Request) -> Response:
        """Tools that fit the query."""
        return to_response(search(self.tools, request.query_params))

    async def list_nothing(self, request: Request) -> Response:
        """An empty page."""
        return to_response(search((), request.query_params))

    async def list_skills(self, request: Request) -> Response:
        """An empty page, for a user."""
        await self.user_of(request)
        return await self.list_nothing(request)

    async def show_skill(self, request: Request) -> Response:
        """Nothing: there are no skills."""
        await self.user_of(request)
        raise NotFound(f"There is no skill {request.path_params['skill'][:200]!r}. This hub keeps none.")
