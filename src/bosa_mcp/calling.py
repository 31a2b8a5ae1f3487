"""A tool call from what was sent to its result, whatever happens in between."""

import time
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import mcp_types as types
import structlog
from anyio import to_thread
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourcesListChanged

from bosa_connectors import retry
from bosa_connectors.effects import effect
from bosa_connectors.errors import (
    ApiError,
    BosaError,
    BrokenUpload,
    InvalidArguments,
    NotConnected,
    OutcomeUnknown,
)
from bosa_connectors.shapes import members
from bosa_mcp import arguments, built_in, connected, fit, results
from bosa_mcp.elicitation import Asker, InputNeeded
from bosa_mcp.results import Refusal
from bosa_mcp.store import StoreError
from bosa_mcp.tally import OK, Tally, shapes
from bosa_mcp.tools import FIELDS, checking

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

    from bosa_mcp.access import Caller
    from bosa_mcp.arguments import Asked
    from bosa_mcp.execution import Execution, Report
    from bosa_mcp.files import Files
    from bosa_mcp.inputs import Inputs
    from bosa_mcp.linking import Linking
    from bosa_mcp.refresh import Tools
    from bosa_mcp.results import Answer, Cut, Written
    from bosa_mcp.store import Kept, Store
    from bosa_mcp.tools import Offer

_READ_ONLY_HINT: Final = "The person who runs this server has set BOSA_READ_ONLY."
_SENT: Final = 500
_LARGE: Final = 1_000_000
"""Bytes from the API, of which making a result takes so long that other calls would notice."""
_RESERVE: Final = 5.0
"""Seconds that a call gets at least, once the person has linked an account for it."""

log = structlog.get_logger("bosa_mcp")


@dataclass(frozen=True, slots=True)
class Parts:
    """What a server is made of."""

    tools: "Tools"
    execution: "Execution"
    store: "Store"
    who: "Callable[[ServerRequestContext[Any]], Caller]"
    """Who sends a request."""
    result_bytes: int
    """The size of one result."""
    inputs: "Inputs"
    """Where the files come from that calls name."""
    files: "Files"
    """How the files reach people that calls answer with."""
    linking: "Linking | None" = None
    """How users link accounts; None where they do that elsewhere."""


async def carry_out(  # noqa: PLR0913  what a call needs
    parts: Parts, name: str, sent: dict[str, Any], caller: "Caller", report: "Report", *, asker: Asker | None = None
) -> types.CallToolResult:
    """The result of a tool call, whatever happens. Raises MCPError where there is no such tool.

    Raises InputNeeded where `asker`, the way to the person behind it, has to be given an answer first.
    """
    offer = await parts.tools.offer(name)
    if offer is None:
        raise MCPError(types.INVALID_PARAMS, parts.tools.table.explain(name))
    tally = Tally()
    with _observed(offer, sent, tally):
        result = await _Calling(parts, offer, sent, caller, report, tally, asker).result()
        texts = (block.text for block in result.content if isinstance(block, types.TextContent))
        tally.result_bytes = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
        tally.kind = str(members(members(result.structured_content).get("error")).get("kind", OK))
    return result


@contextmanager
def _observed(offer: "Offer", sent: dict[str, Any], tally: Tally) -> Generator[None]:
    """Tells the log, and the span that there is, what came of a call."""
    began = time.perf_counter()
    does = effect(offer.action)
    with structlog.contextvars.bound_contextvars(request=token_hex(4)):
        try:
            yield
        finally:
            tally.trace(offer.action)
            log.info(
                "tool call",
                tool=offer.tool.name,
                connector=offer.action.connector,
                action=offer.action.name,
                effect=does,
                arguments=shapes(sent, offer.tool.input_schema["properties"]),
                **tally.told(),
                milliseconds=round(1_000 * (time.perf_counter() - began), 1),
            )


def admitted(parts: Parts, offer: "Offer", sent: dict[str, Any]) -> "Asked":
    """What a call asks for. Raises InvalidArguments, and Refusal for what this server does not do."""
    if not parts.tools.wanted.allows(offer.action):
        raise Refusal("read_only", f"{offer.tool.name} writes, and this server only reads.", _READ_ONLY_HINT)
    return arguments.split(offer, sent)


@dataclass(frozen=True, slots=True)
class _Calling:
    """One call of a tool that there is."""

    parts: Parts
    offer: "Offer"
    sent: dict[str, Any]
    caller: "Caller"
    report: "Report"
    tally: Tally
    asker: Asker | None

    async def result(self) -> types.CallToolResult:
        """What came of it, also where it failed."""
        try:
            return await self._once_connected()
        except InputNeeded:
            self.tally.kind = "not_connected"
            raise
        except InvalidArguments as wrong:
            content = results.failure(arguments.with_ours(self.offer, wrong))
        except BrokenUpload as broken:
            content = results.failure(broken, hint="Nothing was done: it may be called again.")
        except BosaError as failure:
            content = results.failure(failure, **self._perhaps(failure))
        except Refusal as refused:
            content = results.refusal(refused)
        except StoreError as odd:
            content = results.refusal(Refusal("internal_error", f"A file cannot be read. {odd}"))
        except Exception:
            log.exception("a tool call failed", tool=self.offer.tool.name)
            content = results.refusal(Refusal("internal_error", "The server failed to carry out this call."))
        return results.result(results.cleaned(content, self.caller.secrets()))

    def _perhaps(self, failure: BosaError) -> dict[str, str]:
        """What more to say of a call that failed: what to do about it, and of one that may have acted, what it was."""
        acts = not self.offer.is_ours and effect(self.offer.action) != "read"
        if not isinstance(failure, OutcomeUnknown) and not (acts and retry.may_have_acted(failure)):
            hint = results.HINTS.get(results.kind_of(failure), "")
            return {"hint": hint.replace(FIELDS, self.offer.fields_argument)} if FIELDS in hint else {}
        checks = " or ".join(checking(self.offer, self.parts.tools.table.offers))
        hint = results.HINTS["outcome_unknown"] + (f" {checks} can tell." if checks else "")
        if not retry.nobody_knows(failure):
            return {"hint": hint}
        said = failure.message if isinstance(failure, ApiError) else str(failure)
        sent = f"Sent to {self.offer.tool.name}: {fit.shortened(fit.compact(self.sent), _SENT)}"
        return {"kind": "outcome_unknown", "message": f"{said.rstrip('.')}. {sent}", "hint": hint}

    async def _once_connected(self) -> types.CallToolResult:
        """The result of the call; where no account is linked, of a second one after the person has linked one."""
        parts, connector = self.parts, self.offer.action.connector
        ends = time.monotonic() + parts.execution.call_budget
        try:
            return await self._called(parts.execution)
        except NotConnected as missing:
            if parts.linking is None or self.offer.is_ours:
                raise
            named = self.sent.get(self.offer.account_argument) if self.offer.account_argument else None
            caller = self.caller.acting_as(named)
            await connected.have_linked(parts.linking, connector, caller, missing, asker=self.asker, ends=ends)
        return await self._called(replace(parts.execution, call_budget=max(ends - time.monotonic(), _RESERVE)))

    async def _called(self, execution: "Execution") -> types.CallToolResult:
        parts, offer, caller = self.parts, self.offer, self.caller
        asked = admitted(parts, offer, self.sent)
        if offer is built_in.READ:
            part = await built_in.read(parts.store, asked.own, caller, parts.result_bytes * 3 // 4)
            return await _fitting(parts, lambda: part, offer, caller)
        if offer.is_ours and parts.linking:
            content = await built_in.carry_out(parts.linking, offer, asked.own, parts.tools.table, caller)
            return await _fitting(parts, lambda: content, offer, caller)
        notes: list[str] = []
        if offer.account_argument:
            caller = caller.acting_as(asked.account)
            if parts.linking:
                accounts = parts.linking.accounts
                notes = await accounts.notes(offer.action.connector, asked, offer.account_argument, caller)
        async with parts.inputs.taken(offer, asked, caller.identity) as taken:
            answer = await execution.run(offer, taken, caller, self.report, self.tally)
        answer.notes += notes
        if answer.file:
            return await _shown(parts, answer, answer.file, asked, caller)
        if answer.following:  # a file is named as it was before
            named = {name: asked.own[name] for name in offer.action.binary & answer.following.keys() & asked.own.keys()}
            answer.following = {**answer.following, **named}
        content = partial(results.payload, answer, asked)
        return await _fitting(parts, content, offer, caller, is_large=self.tally.api_bytes > _LARGE)


async def _fitting(
    parts: Parts,
    content: "Callable[[], Mapping[str, object]]",
    offer: "Offer",
    caller: "Caller",
    *,
    is_large: bool = False,
) -> types.CallToolResult:
    """The result, or as much of it as fits, with where the whole is; a large one is made while others are answered."""

    def made() -> "tuple[Written, Cut | None]":
        whole = results.cleaned(content(), caller.secrets())
        return whole, results.cut(whole, parts.result_bytes, offer.fields_argument)

    whole, short = await to_thread.run_sync(made) if is_large else made()
    if short is None:
        return results.result(whole)
    resource = await _kept(parts.store, whole, offer, caller)
    _tell_of_one_more(parts)
    reader = built_in.READ.tool.name
    is_there = reader in parts.tools.table.offers
    return results.result(results.written(results.with_omitted(short, resource, reader if is_there else None)))


async def _shown(
    parts: Parts, answer: "Answer", file: "Kept", asked: "Asked", caller: "Caller"
) -> types.CallToolResult:
    """The result that is a file: what it is, where it lies, and a glimpse of it."""
    _tell_of_one_more(parts)
    shown = await parts.files.shown(file, parts.result_bytes, caller.secrets())
    if asked.fields:
        shown.notes.append(f"{answer.offer.fields_argument} selects nothing here: the answer is a file, and whole.")
    answer.pages = replace(answer.pages, data=shown.data)
    answer.notes += shown.notes
    content = results.cleaned(results.payload(answer, asked), caller.secrets())
    return results.result(content, *shown.blocks)


def _tell_of_one_more(parts: Parts) -> None:
    """Tells of a resource more where all clients are one person: of others' lists nothing has changed."""
    if parts.files.downloads:
        parts.tools.changes.announce(ResourcesListChanged())


async def _kept(store: "Store", written: "Written", offer: "Offer", caller: "Caller") -> str | None:
    """Where the whole result is for a while; None, and a line in the log, where it could not be kept."""

    async def whole() -> AsyncIterator[bytes]:
        yield written.encoded

    try:
        kept = await store.keep(
            caller.identity, "results", whole(), name=f"{offer.tool.name}.json", mime_type="application/json"
        )
    except Exception:  # the call was carried out all the same
        log.exception("a result could not be kept", tool=offer.tool.name)
        return None
    return kept.uri
