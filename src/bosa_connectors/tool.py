"""The actions of a connector as LangChain tools (`pip install "bosa-mcp[langchain]"`)."""

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeAlias

from bosa_connectors import retry
from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.arguments import fitting
from bosa_connectors.calls import DEFAULT_TIMEOUT, Action, Call, Credentials, Reply
from bosa_connectors.connector import BosaConnector
from bosa_connectors.effects import effect
from bosa_connectors.errors import BosaConnectorError, BosaError, InvalidArguments
from bosa_connectors.models.file import ConnectorFile
from bosa_connectors.module import BosaConnectorModule
from bosa_connectors.problems import UNKNOWN
from bosa_connectors.shapes import items

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.tools import BaseTool

Answer: TypeAlias = tuple[object, object]
"""What the model reads, and what the program finds in the message's `artifact`."""

_NAME: Final = re.compile(r"[a-zA-Z0-9_]{1,64}")
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]")
_STEM: Final = 57
"""What is left of a name's 64 characters beside a mark."""
_LANGCHAINS: Final = frozenset({"self", "config", "run_manager", "callbacks"})
"""Names that LangChain passes to a tool itself."""
_FOR_CODE: Final = re.compile(r"^(Args|Arguments|Returns|Raises):\s*$", re.MULTILINE)


class BosaConnectorToolError(BosaConnectorError):
    """The tools of a connector cannot be made."""


class BOSAConnectorToolGenerator:
    """Makes LangChain tools of the actions of a connector.

    The tools call for the user whose `token` this is, by the linked account `identifier`; a model is asked for neither.
    Where one set of tools serves many users, a call says for whom it is made in LangChain's own way:
    `tool.invoke(arguments, {"configurable": {"bosa_user_token": …, "bosa_account": …}})`.
    """

    INFO_PATH: ClassVar = BosaConnectorModule.INFO_PATH
    DEFAULT_TIMEOUT: ClassVar = DEFAULT_TIMEOUT
    EXCLUDED_ENDPOINTS: ClassVar = BosaConnectorModule.EXCLUDED_ENDPOINTS

    def __init__(
        self,
        api_base_url: str,
        api_key: str | None,
        app_name: str,
        *,
        token: str | None = None,
        identifier: str | None = None,
    ) -> None:
        self.api_base_url = api_base_url
        self.api_key = api_key
        self.app_name = app_name
        self._credentials = Credentials(user_token=token, account=identifier)
        self._blocking = BosaConnector(api_base_url, api_key)
        self._awaiting = AsyncBosaConnector(api_base_url, api_key)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.app_name} {self._blocking.api_base_url}>"

    def generate_tools(self, tool_type: Literal["langchain"] = "langchain") -> "list[BaseTool]":
        """A tool for each action, but for those that cannot do without a file, which a model cannot give.

        A tool takes the action's arguments, and answers `{"data", "meta"}`; a file is in the message's `artifact`.
        What goes wrong is told to the model in words. Raises BosaConnectorToolError where the connector's actions
        cannot be had.
        """
        if tool_type != "langchain":
            raise BosaConnectorToolError(f"There are tools of the type 'langchain' only, not {str(tool_type)[:50]!r}")
        try:
            catalogue = self._blocking.catalogue(self.app_name)
        except BosaError as failure:
            raise BosaConnectorToolError(str(failure)) from failure
        actions = [each for each in catalogue.values() if each.binary.isdisjoint(_required(each))]
        return [self._tool(name, action) for name, action in _names(actions).items()]

    def close(self) -> None:
        """Closes the connections of calls that were not awaited."""
        self._blocking.close()

    async def aclose(self) -> None:
        """Closes all connections."""
        self._blocking.close()
        await self._awaiting.aclose()

    def _tool(self, name: str, action: Action) -> "BaseTool":
        from langchain_core.runnables import RunnableConfig  # noqa: PLC0415  an extra
        from langchain_core.tools import StructuredTool, ToolException  # noqa: PLC0415  an extra

        def invoke(config: RunnableConfig, **arguments: object) -> Answer:
            call = self._call(action, arguments, config)
            try:
                try:
                    return _answer(self._blocking.send(call))
                except InvalidArguments as wrong:
                    return _answer(self._blocking.send(_meant(call, wrong)))
            except BosaError as failure:
                raise ToolException(str(failure)) from failure

        async def ainvoke(config: RunnableConfig, **arguments: object) -> Answer:
            call = self._call(action, arguments, config)
            try:
                try:
                    return _answer(await self._awaiting.send(call))
                except InvalidArguments as wrong:
                    return _answer(await self._awaiting.send(_meant(call, wrong)))
            except BosaError as failure:
                raise ToolException(str(failure)) from failure

        return StructuredTool.from_function(
            invoke,
            ainvoke,
            name=name,
            description=_description(action),
            args_schema=_schema(name, action),
            infer_schema=False,
            response_format="content_and_artifact",
            handle_tool_error=True,
        )

    def _call(self, action: Action, arguments: Mapping[str, object], config: "RunnableConfig | None") -> Call:
        said = (config or {}).get("configurable") or {}
        credentials = Credentials(
            user_token=said.get("bosa_user_token") or self._credentials.user_token,
            account=said.get("bosa_account") or self._credentials.account,
        )
        own = {_offered(name): name for name in action.properties}
        given = {own.get(name, name): value for name, value in arguments.items()}
        return Call(action, given, credentials, policy=retry.safe(effect(action)))


def _meant(call: Call, wrong: InvalidArguments) -> Call:
    """The call with numbers for texts that are numbers, and the like; unknown names stay wrong."""
    known = InvalidArguments(each for each in wrong.errors if each.message != UNKNOWN)
    mended, said = fitting(call, known)
    if not said:
        raise wrong
    return mended


def _answer(reply: Reply) -> Answer:
    if reply.error:
        raise reply.error
    if isinstance(reply.body, ConnectorFile):
        file = reply.body
        return {"file": file.filename, "content_type": file.content_type, "size": len(file.file)}, file
    return {"data": reply.data, "meta": reply.meta}, None


def _required(action: Action) -> list[str]:
    return [str(name) for name in items(action.schema.get("required"))]


def _names(actions: Iterable[Action]) -> dict[str, Action]:
    """The actions by names that every model takes; one that had to be changed ends in a mark that keeps it unique."""
    named: dict[str, Action] = {}
    for action in actions:
        full = f"{action.connector}_{action.name}"
        plain = f"{full.replace('-', '_')}_tool"
        mark = sha256(full.encode()).hexdigest()[:6]
        is_fit = _NAME.fullmatch(plain) and plain not in named
        named[plain if is_fit else f"{_NOT_IN_NAMES.sub('_', plain)[:_STEM]}_{mark}"] = action
    return named


def _offered(name: str) -> str:
    """The name of an argument in the tool: some are LangChain's own."""
    return f"{name}_" if name in _LANGCHAINS else name


def _description(action: Action) -> str:
    """What the action does, without the part that speaks to those who program it."""
    return _FOR_CODE.split(cleandoc(action.description))[0].strip() or action.name


def _schema(name: str, action: Action) -> dict[str, Any]:
    """The schema of the arguments that a model can give: all but files."""
    properties = {_offered(each): node for each, node in action.properties.items() if each not in action.binary}
    required = [_offered(each) for each in _required(action)]
    return {**action.schema, "title": name, "type": "object", "properties": properties, "required": required}
