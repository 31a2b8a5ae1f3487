"""What an action answered, and the pages next to it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING, Any, Final, Self

from bosa_connectors import lazy, listed, paging
from bosa_connectors.calls import Call, Reply
from bosa_connectors.errors import ApiError
from bosa_connectors.paging import next_arguments, prev_arguments
from bosa_connectors.shapes import is_array, members
from bosa_connectors.walks import Step, Way

if TYPE_CHECKING:
    from asyncio import Task


class Response:
    """What an action answered, as far as nothing more has to be asked for."""

    def __init__(self, step: Step, reply: Reply) -> None:
        self._step = step
        self._reply = reply

    def __repr__(self) -> str:
        action = self._step.call.action
        return f"<{type(self).__name__} {self.get_status()} of {action.connector}.{action.name}>"

    def get_data(self) -> Any:  # noqa: ANN401  JSON, or a ConnectorFile
        """The data; a file as a ConnectorFile; of a reply that is an error, the body as the API sent it."""
        return self._reply.body if self._reply.error else self._reply.data

    def get_meta(self) -> dict[str, Any]:
        """What the API says about the page; empty where it says nothing."""
        return dict(members(self._reply.meta))

    def get_status(self) -> int:
        """The HTTP status."""
        return self._reply.status

    @property
    def ok(self) -> bool:
        """Whether the API did as it was asked."""
        return self._reply.error is None

    @property
    def error(self) -> ApiError | None:
        """What the API said about its failure; None where all went well."""
        return self._reply.error

    @property
    def request_id(self) -> str | None:
        """The API's own name for this request, where it gives one: whoever runs it can look there."""
        error = self._reply.error
        return error.failure.request_id if error else self._reply.headers.get("x-request-id")

    def raise_for_status(self) -> Self:
        """The response itself; raises its error, where it is one."""
        if self._reply.error:
            raise self._reply.error
        return self

    def is_list(self) -> bool:
        """Whether the data are a list."""
        return is_array(self._reply.data)

    def has_next(self) -> bool:
        """Whether the API says that there is a page after this one."""
        return paging.has_next(self._step.call.action, self._step.call.arguments, self._reply)

    def has_prev(self) -> bool:
        """Whether the API says that there is a page before this one; many only lead forward."""
        return paging.has_prev(self._reply)

    def _onward(self, way: Way) -> Step | None:
        return self._step.onward(way, self._reply)


class ActionResponse(Response):
    """What an action answered: its data, and the pages before and after."""

    def __init__(self, send: Callable[[Call], Reply], call: Call, reply: Reply, step: Step | None = None) -> None:
        super().__init__(step or Step(call), reply)
        self._send = send

    def next_page(self) -> "ActionResponse":
        """The page after this one; this one where it is the last.

        Raises the error that the page is, or that this one is, and PagingError where there is no way to it.
        """
        return self._turn(next_arguments) or self

    def prev_page(self) -> "ActionResponse":
        """The page before this one; this one where it is the first, or where the API only leads forward.

        Raises as `next_page` does.
        """
        return self._turn(prev_arguments) or self

    def get_all_items(self) -> list[dict[str, Any]]:
        """`{"data": …, "meta": …}` of this page and of each after it; raises as `next_page` does."""
        return [{"data": page.get_data(), "meta": page.get_meta()} for page in self.iter_pages()]

    def iter_items(self) -> Generator[Any]:
        """The items of this page and of all after it, each page asked for when it is due; raises as `next_page` does.

        Where a page is an object, its items are the only list in it (of several, the only one of objects); data
        without one are one item, and null is none.
        """
        action, name = self._step.call.action, None
        with closing(self.iter_pages()) as pages:
            for page in pages:
                name = name or listed.list_in(action, page.get_data())
                yield from listed.items_of(action, page.get_data(), name)

    def iter_pages(self) -> "Generator[ActionResponse]":
        """The pages from this one on, each asked for when it is due; raises as `next_page` does."""
        page, following = None, self.raise_for_status()
        while following is not page:
            page = following
            yield page
            following = page.next_page()

    def _turn(self, way: Way) -> "ActionResponse | None":
        step = self._onward(way)
        if step is None:
            return None
        return ActionResponse(self._send, step.call, self._send(step.call), step).raise_for_status()


class AsyncActionResponse(Response):
    """What an action answered: its data, and the pages before and after, awaited."""

    def __init__(
        self, send: Callable[[Call], Awaitable[Reply]], call: Call, reply: Reply, step: Step | None = None
    ) -> None:
        super().__init__(step or Step(call), reply)
        self._send = send

    async def next_page(self) -> "AsyncActionResponse":
        """The page after this one; this one where it is the last.

        Raises the error that the page is, or that this one is, and PagingError where there is no way to it.
        """
        return await self._turn(next_arguments) or self

    async def prev_page(self) -> "AsyncActionResponse":
        """The page before this one; this one where it is the first, or where the API only leads forward.

        Raises as `next_page` does.
        """
        return await self._turn(prev_arguments) or self

    async def get_all_items(self) -> list[dict[str, Any]]:
        """`{"data": …, "meta": …}` of this page and of each after it; raises as `next_page` does."""
        return [{"data": page.get_data(), "meta": page.get_meta()} async for page in self.iter_pages()]

    async def iter_items(self) -> AsyncGenerator[Any]:
        """The items of this page and of all after it, as `ActionResponse.iter_items` gives them.

        The next page is fetched while the caller works; leaving the loop gives it up.
        """
        action, name = self._step.call.action, None
        async with aclosing(self.iter_pages()) as pages:
            async for page in pages:
                name = name or listed.list_in(action, page.get_data())
                for item in listed.items_of(action, page.get_data(), name):
                    yield item

    async def iter_pages(self) -> "AsyncGenerator[AsyncActionResponse]":
        """The pages from this one on; raises as `next_page` does, each error when its page is due.

        The next page is fetched while the caller works; leaving the loop gives it up.
        """
        from asyncio import create_task  # noqa: PLC0415  the blocking shell has no use for it

        page, following = None, self.raise_for_status()
        while following is not page:
            page = following
            ahead = create_task(page.next_page())
            ahead.add_done_callback(_heard)
            try:
                yield page
                following = await ahead
            finally:
                await _give_up(ahead)

    async def _turn(self, way: Way) -> "AsyncActionResponse | None":
        step = self._onward(way)
        if step is None:
            return None
        return AsyncActionResponse(self._send, step.call, await self._send(step.call), step).raise_for_status()


def _heard(ahead: "Task[Any]") -> None:
    """Takes the error of a page that was fetched ahead and is never asked for: asyncio would complain of it."""
    _ = ahead.cancelled() or ahead.exception()


async def _give_up(ahead: "Task[Any]") -> None:
    from asyncio import wait  # noqa: PLC0415  the blocking shell has no use for it

    if not ahead.done():
        ahead.cancel()
        await wait([ahead])


_ELSEWHERE: Final = {
    "ActionResponseData": "models.action",
    "InitialExecutorRequest": "models.action",
    "ConnectorFile": "models.file",
}
"""Where older programs import it from here."""


def __getattr__(name: str) -> Any:  # noqa: ANN401  whatever has the name
    return lazy.found(__name__, _ELSEWHERE, name)
