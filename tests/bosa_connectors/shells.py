"""Both shells under one face, so that each behaviour is told once and shown for the two of them."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Any, Literal, TypeAlias, cast

from anyio import to_thread

from bosa_connectors import AsyncBosaConnector, BosaConnector
from bosa_connectors.download import Download, StreamedReply

Shell: TypeAlias = Literal["awaiting", "blocking"]
SHELLS: tuple[Shell, ...] = ("awaiting", "blocking")


@asynccontextmanager
async def connecting(
    shell: Shell,
    url: str,
    api_key: str | None = "client-key",
    kinds: tuple[type[AsyncBosaConnector], type[BosaConnector]] = (AsyncBosaConnector, BosaConnector),
    **more: Any,  # noqa: ANN401  keywords of the constructor
) -> AsyncGenerator[AsyncBosaConnector]:
    """A connector object of this shell; the blocking one has its methods awaited, each in a thread."""
    awaiting, blocking = kinds
    if shell == "awaiting":
        async with awaiting(url, api_key, **more) as connector:
            yield connector
    else:
        with blocking(url, api_key, **more) as connector:
            yield cast("AsyncBosaConnector", Awaited(connector))


class Awaited:
    """A blocking object whose methods are awaited; what they give is awaited in its turn."""

    def __init__(self, blocking: object) -> None:
        self.blocking = blocking

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever it has
        found = getattr(self.blocking, name)
        if name == "stream":
            return partial(_streamed, found)
        if isinstance(found, Download):
            return Awaited(found)
        if type(self.blocking).__name__ in _CHAINS and name not in _CALLING:
            return partial(_linked, found)
        if name.startswith("iter_"):
            return lambda: _iterated(found())
        if type(self.blocking).__name__ in _STAYING and name not in _WAITING:
            return found
        return _awaited(found) if callable(found) else found


def _linked(method: Callable[..., object], *args: object) -> Awaited:
    return Awaited(method(*args))


def _awaited(method: Callable[..., object]) -> Callable[..., Awaitable[object]]:
    async def call(*args: object, **kwargs: object) -> object:
        result = await to_thread.run_sync(partial(method, *args, **kwargs), abandon_on_cancel=True)
        return Awaited(result) if type(result).__name__ in _STAYING else result

    return call


_CHAINS = frozenset({"ConnectorActions", "ActionExecutor"})
"""Results whose methods give another link of a chain, but for those that call."""
_CALLING = frozenset({"execute", "run"})
_STAYING = frozenset({"ActionResponse", "BosaConnectorModule", *_CHAINS})
"""Results whose own methods wait for the API."""
_WAITING = frozenset({"next_page", "prev_page", "get_all_items", *_CALLING})
"""Those methods; the others say what is known."""


@asynccontextmanager
async def _streamed(stream: Callable[..., AbstractContextManager[Any]], *args: object) -> AsyncGenerator[Any]:
    opened = stream(*args)
    reply = await to_thread.run_sync(opened.__enter__)
    try:
        yield Awaited(reply) if isinstance(reply, StreamedReply) else reply
    finally:
        await to_thread.run_sync(opened.__exit__, None, None, None)


async def _iterated(iterator: Iterator[object]) -> AsyncIterator[object]:
    nothing = object()
    while (item := await to_thread.run_sync(next, iterator, nothing)) is not nothing:
        yield Awaited(item) if type(item).__name__ in _STAYING else item
