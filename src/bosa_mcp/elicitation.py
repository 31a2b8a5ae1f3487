"""The person is asked to open a link, where the client can ask: by URL elicitation, in both eras."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import mcp_types as types
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

Said: TypeAlias = Literal["accept", "decline", "cancel"]
KEY: Final = "bosa_connect"
"""How the question is called in the era in which a call that needs an answer is sent again with it."""


class InputNeeded(Exception):
    """The call has to be sent again, with the answer to a question; this is what it is answered with until then."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__()
        self.result = result


@dataclass(frozen=True, slots=True)
class Asker:
    """The way to the person behind a call."""

    context: "ServerRequestContext[Any]"
    params: types.CallToolRequestParams

    @property
    def can_ask(self) -> bool:
        """Whether the client shows links, and there is a way to send one."""
        session = self.context.session
        capabilities = session.client_capabilities
        shows = bool(capabilities and capabilities.elicitation and capabilities.elicitation.url is not None)
        return shows and (not self._shakes_hands or session.can_send_request)

    async def ask(self, message: str, url: str, identifier: str) -> Said:
        """What the person says to the link; `accept` means that it was opened, and nothing more. Raises InputNeeded."""
        if self._shakes_hands:
            asked = await self.context.session.elicit_url(message, url, identifier, self.context.request_id)
            return asked.action
        answer = (self.params.input_responses or {}).get(KEY)
        if isinstance(answer, types.ElicitResult):
            return answer.action
        question = types.ElicitRequest(params=types.ElicitRequestURLParams(message=message, url=url))
        raise InputNeeded(types.InputRequiredResult(input_requests={KEY: question}))

    async def done(self, identifier: str) -> None:
        """Tells the client that the link has served its purpose, in the era that knows how."""
        if self._shakes_hands:
            await self.context.session.send_elicit_complete(identifier, self.context.request_id)

    @property
    def _shakes_hands(self) -> bool:
        return self.context.session.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS
