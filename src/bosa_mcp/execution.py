"""One tool call carried out: within its budget, again where that is safe, and page after page where that is wanted."""

import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

import anyio
from anyio import from_thread

from bosa_connectors import effects, fields, retry
from bosa_connectors.aio import AsyncBosaConnector
from bosa_connectors.calls import Call, Pause, Reply
from bosa_connectors.download import AsyncStreamedReply
from bosa_connectors.errors import BosaError, InvalidArguments, InvalidSchema, PagingError
from bosa_connectors.paging import next_arguments
from bosa_connectors.walks import Step
from bosa_mcp import arguments, fit, pages, results, selection, transfer
from bosa_mcp.access import Caller
from bosa_mcp.arguments import Asked
from bosa_mcp.circuits import Circuits, is_down
from bosa_mcp.pages import Pages
from bosa_mcp.results import Answer, Refusal
from bosa_mcp.store import Kept, Store
from bosa_mcp.tally import Tally
from bosa_mcp.tools import Offer
from bosa_mcp.transfer import BrokenOff, Moved

AT_ONCE: Final = 16
"""Calls of one user to one connector at the same time, so that no user's hanging calls hold up another."""
IN_ALL: Final = 32
"""Calls of one user to all connectors at the same time: a third of the connections that there are."""
TRANSFERS: Final = 3
"""How often a file that is only read is asked for, where it breaks off on its way."""
_SHARE: Final = 7 / 8
"""Of a result, for pages that are put together: notes may follow them."""
_NOTE: Final = 300

Report: TypeAlias = Callable[[str | Moved], Coroutine[None, None, None]]
"""Told, in a sentence, how far a call has come."""


@dataclass(frozen=True, slots=True)
class Execution:
    """Carries calls out, for any number of callers."""

    connector: AsyncBosaConnector
    store: Store
    """Where the files go that actions answer with."""
    call_budget: float
    """Seconds for the waits and first bytes of one call."""
    result_bytes: int
    """Pages are put together up to so many bytes."""
    circuits: Circuits = field(default_factory=Circuits)
    gates: "WeakValueDictionary[tuple[str, ...], anyio.Semaphore]" = field(default_factory=WeakValueDictionary)

    async def run(self, offer: Offer, asked: Asked, caller: Caller, report: Report, tally: Tally) -> Answer:
        """What the call comes to. Raises BosaError, and Refusal where the API is not asked at all."""
        return await _Running(self, offer, asked, caller, report, tally, time.monotonic() + self.call_budget).answer()

    @asynccontextmanager
    async def place(self, connector: str, user: str, ends: float) -> AsyncGenerator[None]:
        """Held while a call of a user to a connector is under way. Raises Refusal where none is free before `ends`."""
        async with AsyncExitStack() as held:
            with anyio.move_on_after(ends - time.monotonic()):
                await held.enter_async_context(self._gate(AT_ONCE, user, connector))
                await held.enter_async_context(self._gate(IN_ALL, user))
            if time.monotonic() >= ends:
                raise Refusal(
                    "rate_limited",
                    "Nothing was sent: the other calls that are under way took all the time that this one had.",
                    "Wait for them before you call this tool again.",
                )
            yield

    def _gate(self, places: int, *key: str) -> anyio.Semaphore:
        """So many calls there may be at once; forgotten once there are none."""
        known = self.gates.get(key)
        return known or self.gates.setdefault(key, anyio.Semaphore(places, fast_acquire=True))


@dataclass(frozen=True, slots=True)
class _Running:
    """One call under way."""

    execution: Execution
    offer: Offer
    asked: Asked
    caller: Caller
    report: Report
    tally: Tally
    ends: float
    """When the budget is used up, on the monotonic clock."""

    async def answer(self) -> Answer:
        call = Call(self.offer.action, self.asked.own, self.caller.credentials)
        try:
            got = await self._got(call)
        except InvalidArguments as wrong:
            call = replace(call, arguments=arguments.repaired(call.action, call.arguments, wrong))
            got = await self._got(call)
        if isinstance(got, Kept):
            return Answer(self.offer, pages.of(call.action, None, None), file=got)
        try:
            answer = await self._selected(call, await self._pages(call, got))
            answer.notes += results.extra_notes(got.body)
        except RecursionError as odd:
            raise results.too_deep() from odd
        return answer

    async def _pages(self, call: Call, reply: Reply) -> Answer:
        """The first page, with as many of the next ones as were asked for, fit, and come in time."""
        answer = Answer(self.offer, pages.of(call.action, reply.data, reply.meta))
        step = _onward(Step(call), reply, answer)
        if (self.asked.max_items or step) and (fitting := self._fitting(answer, reply)) < len(answer.pages.items):
            return await self._front(call, answer, fitting)
        while step and self._wants_more(answer.pages):
            await self.report(f"{len(answer.pages.items)} items so far")
            try:
                reply = await self._reply(step.call)
            except (BosaError, Refusal) as failure:
                answer.notes.append(f"The page after these items could not be had: {str(failure)[:_NOTE]}")
                break
            more = pages.joined(answer.pages, pages.of(call.action, reply.data, reply.meta))
            if more is None:
                break
            longer = replace(answer, pages=more, notes=[*answer.notes])
            beyond = _onward(step, reply, longer)
            if len(more.items) > (self.asked.max_items or 0) or not self._fits(longer):
                break
            answer, step = longer, beyond
        return answer

    def _wants_more(self, so_far: Pages) -> bool:
        wanted = self.asked.max_items
        is_short = wanted is not None and so_far.place is not None and len(so_far.items) < wanted
        return is_short and time.monotonic() < self.ends

    async def _front(self, call: Call, whole: Answer, fitting: int) -> Answer:
        """Of a page that does not fit, the items that do, where it can be asked for them: `next` leads on there."""
        arguments = pages.shorter(call.action, call.arguments, fitting, came := len(whole.pages.items))
        if arguments is None or effects.effect(call.action) != "read":
            return whole
        call = replace(call, arguments=arguments)
        try:
            reply = await self._reply(call)
        except (BosaError, Refusal):
            return whole
        answer = Answer(self.offer, pages.of(call.action, reply.data, reply.meta))
        _onward(Step(call), reply, answer)
        if not answer.following or not pages.is_front(whole.pages, answer.pages):
            return whole
        if not self.asked.max_items:
            answer.notes.append(
                f"Of {came:,} items only these fit a result, and next goes on after them: fewer fields"
                f" ({self.offer.fields_argument}) would let more fit."
            )
        return answer

    def _fitting(self, whole: Answer, reply: Reply) -> int:
        """How many items of a page fit, one at least."""
        found = whole.pages.items
        if "content-encoding" not in reply.headers and self.tally.api_bytes * 4 < self.execution.result_bytes:
            return len(found)  # what hides is written out in less than three times its bytes

        def fits(most: int) -> bool:
            return self._fits(replace(whole, pages=whole.pages.holding(found[:most])))

        return max(fit.most(len(found), fits), 1)

    def _fits(self, answer: Answer) -> bool:
        """Whether all of it will be written."""
        shown = replace(answer.pages, data=fields.select(answer.pages.data, self.asked.selecting))
        content = results.payload(replace(answer, pages=shown), self.asked)
        written = results.cleaned(content, self.caller.secrets())
        return len(written.encoded) <= self.execution.result_bytes * _SHARE

    async def _selected(self, call: Call, answer: Answer) -> Answer:
        """The answer with only the fields that are wanted; where none of them is there, the nearest are named."""
        if not self.asked.fields:
            return answer
        whole = answer.pages.data
        answer.pages = replace(answer.pages, data=fields.select(whole, self.asked.selecting))
        is_bare = fit.is_bare(answer.pages.data)
        argument, wanted = self.offer.fields_argument, self.asked.fields
        if argument in call.action.properties:  # the API selected
            if not is_bare:
                answer.notes += selection.absent(argument, wanted, answer.pages.data)
                return answer
            whole = await self._unselected(call)
        wrong = selection.unmatched(argument, wanted, whole)
        if wrong and is_bare and effects.effect(call.action) == "read":
            raise InvalidArguments(wrong)
        answer.notes += map(selection.told, wrong)
        return answer

    async def _unselected(self, call: Call) -> object:
        """The data without any selection, where asking for it again does no harm."""
        if effects.effect(call.action) != "read":
            return None
        own = {name: value for name, value in call.arguments.items() if name != self.offer.fields_argument}
        try:
            return (await self._reply(replace(call, arguments=own))).data
        except (BosaError, Refusal):
            return None

    async def _reply(self, call: Call) -> Reply:
        """The data that a call is answered with."""
        got = await self._got(call)
        if isinstance(got, Kept):
            raise Refusal("bad_reply", "The API answered with a file where it had answered with data before.")
        return got

    async def _got(self, call: Call) -> Reply | Kept:
        """The reply that is no error, or the file that it was; a lost one is asked for again where that is safe."""
        connector, circuits = call.action.connector, self.execution.circuits
        user = self.caller.identity
        self._leave_alone(connector, circuits.rest(connector, user, time.monotonic()))
        async with self.execution.place(connector, user, self.ends):
            since = time.monotonic()  # those before may all have failed meanwhile
            self._leave_alone(connector, circuits.wait(connector, user, since))
            try:
                got = await self._send(call, partial(circuits.calls_off, connector, user, since))
            except (InvalidArguments, InvalidSchema):  # nothing was sent
                self.tally.attempts -= 1
                circuits.give_back(connector, user, since)
                raise
            except BosaError as failure:
                circuits.tell(connector, user, time.monotonic(), is_down=is_down(failure))
                raise
            except BaseException:  # it was given up, and says nothing of the connector
                circuits.give_back(connector, user, since)
                raise
            circuits.tell(connector, user, time.monotonic(), is_down=False)
            return got

    def _leave_alone(self, connector: str, seconds: float) -> None:
        if seconds:
            raise Refusal(
                "unreachable",
                f"The last calls to {connector} all failed, so that it is left alone for a while.",
                retry_after_seconds=round(seconds, 1),
            )

    async def _send(self, call: Call, is_called_off: Callable[[], bool]) -> Reply | Kept:
        """Sent, and told of each wait."""

        async def again(pause: Pause) -> None:
            self.tally.attempts += 1
            await self.report(f"Attempt {pause.attempt} failed ({pause.reason}); again in {pause.seconds:.1f} s")

        def moved(how_far: Moved) -> None:
            from_thread.run(self.report, how_far)

        own = transfer.watched(call.arguments, moved) if call.action.binary else call.arguments
        policy = retry.safe(effects.effect(call.action), again, is_called_off)
        self.tally.attempts += 1
        return await self._received(replace(call, arguments=own, policy=policy))

    async def _received(self, call: Call) -> Reply | Kept:
        """The reply, or its file once it is kept; one that breaks off, and was only read, is asked for again."""
        attempt = 1
        while True:
            try:
                return await self._transferred(call)
            except BrokenOff as broken:
                if attempt == TRANSFERS or time.monotonic() > self.ends:
                    raise broken.failure from None
                await self.report(f"Attempt {attempt} failed ({broken.failure}); again at once")
            attempt += 1
            self.tally.attempts += 1

    async def _transferred(self, call: Call) -> Reply | Kept:
        left = max(self.ends - time.monotonic(), 0.001)
        async with self.execution.connector.stream(replace(call, deadline=left)) as reply:
            self.tally.saw(reply.status, reply.headers)
            if reply.error:
                raise reply.error
            self.tally.pages += 1
            if not isinstance(reply, AsyncStreamedReply):
                said = reply.headers.get("content-length", "")
                self.tally.api_bytes += int(said) if said.isdecimal() else fit.size(reply.body)
                return reply
            store, owner = self.execution.store, self.caller.identity
            kept = await transfer.keep(store, owner, call.action, reply.file, self.report)
            self.tally.api_bytes += kept.size
            return kept


def _onward(step: Step, reply: Reply, answer: Answer) -> Step | None:
    """The call for the next page, which the answer names; None, and a note, where it cannot be asked for."""
    answer.following = None
    try:
        following = step.onward(next_arguments, reply)
    except PagingError as odd:
        answer.notes.append(str(odd))
        return None
    answer.following = following.call.arguments if following else None
    return following
