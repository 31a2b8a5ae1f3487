"""Who is told that the list of tools, or of resources, has changed: every connected client, of both eras."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import anyio
import mcp_types as types
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.subscriptions import ResourcesListChanged, ToolsListChanged
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from bosa_mcp.shutdown import Drain

if TYPE_CHECKING:
    from mcp.server.connection import Connection
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.models import InitializationOptions

Change: TypeAlias = ToolsListChanged | ResourcesListChanged
PATIENCE: Final = 5.0
"""Seconds for one client to take a notification: one that reads no more gets none, and holds up nobody."""


class TellingServer(Server[Any]):
    """A server that says at the handshake whether it tells of changes."""

    tells: bool = True
    """False where it is served without sessions: there is no connection then on which to tell."""
    tells_of_resources: bool = True
    """False where it serves several people: each has a list of their own."""
    drain: Drain
    """What is under way."""

    def create_initialization_options(
        self,
        notification_options: NotificationOptions | None = None,
        *args: Any,  # noqa: ANN401  as inherited
        **kwargs: Any,  # noqa: ANN401  likewise
    ) -> "InitializationOptions":
        """What a client that shakes hands is told of the server."""
        told = notification_options or NotificationOptions(
            tools_changed=self.tells, resources_changed=self.tells and self.tells_of_resources
        )
        return super().create_initialization_options(told, *args, **kwargs)

    def get_capabilities(
        self,
        *args: Any,  # noqa: ANN401  as inherited
        **kwargs: Any,  # noqa: ANN401  likewise
    ) -> types.ServerCapabilities:
        """What the server can do; the library takes it for granted that who listens is told of everything."""
        told = super().get_capabilities(*args, **kwargs)
        if told.resources and not self.tells_of_resources:
            told.resources = types.ResourcesCapability(subscribe=False, list_changed=False)
        return told

    def heard(self, asked: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenRequestParams:
        """What of this will be told, which is all that may be acknowledged."""
        resources = asked.notifications.resources_list_changed if self.tells_of_resources else None
        told = types.SubscriptionFilter(
            tools_list_changed=asked.notifications.tools_list_changed, resources_list_changed=resources
        )
        return asked.model_copy(update={"notifications": told})


class Changes:
    """Tells clients of changes: on their subscriptions, or on the connection where they shook hands."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._bus = InMemorySubscriptionBus()
        self._connections: set[Connection] = set()
        self._ahead: dict[Change, None] = {}
        self._woken = anyio.Event()
        self._rest = anyio.Event()
        self.listen = ListenHandler(self._bus)
        """What answers `subscriptions/listen`."""

    @property
    def connected(self) -> int:
        """How many clients that shook hands are there."""
        return len(self._connections)

    async def remember(self, ctx: "ServerRequestContext[Any, Any]", call_next: "CallNext") -> "HandlerResult":
        """Middleware that gets to know each connection of the handshake era, for as long as it lasts."""
        # the only way to a connection as such: the session of a request ends with it
        connection = ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        is_open = connection.initialize_accepted and connection.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS
        if is_open and connection not in self._connections:
            self._connections.add(connection)
            connection.exit_stack.callback(self._connections.discard, connection)
        return await call_next(ctx)

    def announce(self, change: Change) -> None:
        """Has every client told, soon; changes that come close together are told of once."""
        self._ahead[change] = None
        self._rest = anyio.Event()
        self._woken.set()

    async def told(self) -> None:
        """Returns once all that was announced has been told, or given up."""
        await self._rest.wait()

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[None]:
        """Within it, what is announced is told."""
        async with anyio.create_task_group() as telling:
            telling.start_soon(self._tell_all)
            yield
            telling.cancel_scope.cancel()

    async def _tell_all(self) -> None:
        while True:
            await self._woken.wait()
            self._woken, ahead, self._ahead = anyio.Event(), self._ahead, {}
            for change in ahead:
                await self._bus.publish(change)
                async with anyio.create_task_group() as group:
                    for connection in list(self._connections):
                        group.start_soon(self._tell, connection, change)
            if not self._ahead:
                self._rest.set()

    async def _tell(self, connection: "Connection", change: Change) -> None:
        with anyio.move_on_after(self._patience):
            if isinstance(change, ToolsListChanged):
                await connection.send_tool_list_changed()
            else:
                await connection.send_resource_list_changed()
