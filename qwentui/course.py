"""The course of one reply: tried again before its first token, taken up where it broke, ended once.

A failure before any text means asking again. A reply that broke off after text goes back as the last message,
and the model goes on with it, if its template leaves the turn open. Where only thinking had come, the reply
begins again behind it. A server that is gone is waited for.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qwentui.chat.conversation import Conversation, Reply
from qwentui.chat.errors import (
    BackendError,
    CannotContinue,
    ConnectFailed,
    ContextExceeded,
    ReplyBroken,
    ServerFailed,
)
from qwentui.chat.joining import Seam, sent_back
from qwentui.chat.message import Message, Part, Role
from qwentui.chat.sanitize import sanitize
from qwentui.chat.stream import (
    AwaitingServer,
    Draft,
    Finished,
    FinishReason,
    Miscounted,
    Restoring,
    Retrying,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    Trimmed,
)
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.language import _
from qwentui.store.usage_log import Exchange
from qwentui.telemetry.meter import Meter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator

    from qwentui.backends.base import Backend, ChatRequest
    from qwentui.backends.retry import RetryPolicy
    from qwentui.counting.count import Count
    from qwentui.planning import Plan, Planner
    from qwentui.recording import Recorder

_BETWEEN_THOUGHTS = "\n\n"


def taken_up(message: Message) -> Draft:
    """A draft that goes on with a partial reply; where only thinking had come, new thinking follows it."""
    draft = Draft.of(message)
    if message.thinking and not sent_back(message.content):
        draft.feed(ThinkingDelta(_BETWEEN_THOUGHTS))
    return draft


@dataclass(slots=True)
class ReplyInProgress:
    """What has come of a reply, and where its parts meet.

    `before` is what an earlier course of the same reply had cost.
    """

    recorder: Recorder | None
    draft: Draft = field(default_factory=Draft)
    meter: Meter = field(default_factory=lambda: Meter(time.monotonic))
    before: Usage = Usage()
    removed: int = 0
    borders: list[tuple[int, str]] = field(default_factory=list)

    def take(self, event: StreamEvent) -> StreamEvent:
        """Sanitize, fold and time one event."""
        match event:
            case TextDelta(text) | ThinkingDelta(text):
                clean = sanitize(text)
                if clean.text is not text:
                    self.removed += clean.removed
                    event = type(event)(clean.text)
        self.draft.feed(event)
        self.meter.feed(event)
        if self.recorder is not None:
            self.recorder.heard(event)
        return event

    def part_begins(self, why: str) -> None:
        """What comes from here on is another part, for the reason `why`."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.borders.append((len(self.draft.message().content), f"{moment} {why}"))

    def reply(self, reason: FinishReason, model: str) -> Reply:
        """What came, ended for `reason`."""
        usage = self.before.joined(self.meter.usage())
        return Reply(self.draft.message(), reason, model, usage, self.removed)

    def parts(self) -> tuple[Part, ...]:
        """Where the content came from, when it came in more than one part."""
        if not self.borders:
            return ()
        length = len(self.draft.message().content)
        starts = [0, *(start for start, _ in self.borders)]
        ends = [*starts[1:], length]
        sources = ["asked", *(why for _, why in self.borders)]
        return tuple(Part(*part) for part in zip(sources, starts, ends, strict=True))


class Course:
    """Brings one reply to its end.

    Args:
        backend: Where the model is.
        planner: Plans the requests.
        policy: What may be tried again, and how often.
        conversation: What is said, ending with the turn that is to be answered.
        running: The reply; what has come of it before is gone on with.
        request: Makes the request of a plan: given whether it continues a partial reply, and how many
            tokens of the reply have come.
        think: Whether the model thinks.
        told: The turns that the user knows not to be sent.
    """

    def __init__(
        self,
        backend: Backend,
        planner: Planner,
        policy: RetryPolicy,
        conversation: Conversation,
        running: ReplyInProgress,
        *,
        request: Callable[[Plan, bool, int], ChatRequest],
        think: bool,
        told: tuple[int, ...],
    ) -> None:
        self.told = told
        self._backend = backend
        self._planner = planner
        self._policy = policy
        self._conversation = conversation
        self._running = running
        self._request = request
        self._think = think
        self._delays = policy.delays(random.random)
        self._partial = running.draft.message().content
        self._continues = False
        self._met = False
        self._tokens = 0
        self._cost = ServerUsage()

    def exchange(self, reply: Reply, persona: str) -> Exchange:
        """What the usage log is told of the reply of a persona, "" for none, as it ended."""
        question = self._conversation.turns[-1].user.content
        return Exchange(question, reply, persona, trimmed=bool(self.told), retries=self._delays.total)

    async def plan(self) -> Plan:
        """The next request: the question's own, or the one that goes on with what has come.

        Raises:
            CannotContinue: The model would begin a new answer, or has no room to go on.
            PromptTooLong: Nothing fits.
            BackendError: The server was asked whether it continues, and did not tell.
        """
        plan = self._planner.plan(self._talk(), think=self._think and not self._continuing)
        if self._continuing and plan.fit.too_long:
            plan = self._planner.to_the_end().plan(self._talk(), think=False)
            if plan.fit.too_long:
                raise CannotContinue(
                    _("The context is full, so the reply cannot go on where it ended."),
                    _("What came is kept; asking again begins a new reply."),
                )
        plan.check()
        if self._continuing and not self._continues:
            self._continues = await self._would_continue(plan)
            if not self._continues:
                raise CannotContinue(
                    _("The model's template closes the turn, so the reply cannot go on where it ended."),
                    _("What came is kept; asking again begins a new reply."),
                )
        return plan

    async def events(self, plan: Plan) -> AsyncGenerator[StreamEvent, None]:
        """The events of the reply, from the request of `plan` to its `Finished`.

        Raises:
            QwentuiError: It could not be had, or not all of it.
        """
        shortened = False
        while True:
            try:
                async with aclosing(self._try(plan)) as events:
                    async for event in events:
                        yield event
            except ContextExceeded as error:
                # Once: what is refused again, by the server's own numbers, is refused for good.
                if shortened:
                    raise
                plan, shortened = self._shorter(plan, error), True
            except BackendError as error:
                async with aclosing(self._mend(error)) as events:
                    async for event in events:
                        yield event
                plan = await self._next_plan(error)
            else:
                return

    async def _try(self, plan: Plan) -> AsyncGenerator[StreamEvent, None]:
        if plan.left_out != self.told:
            self.told = plan.left_out
            yield Trimmed(plan.left_out)
        part = _Part(Seam(self._partial), None if self._continuing else plan.count)
        try:
            async with self._backend.stream(self._request(plan, self._continuing, self._tokens)) as events:
                async for event in events:
                    for one in self._meant(event, plan, part):
                        yield one
        except ReplyBroken:
            self._tokens += part.eval_count
            self._cost = self._cost.joined(part.usage())
            raise

    def _meant(self, event: StreamEvent, plan: Plan, part: _Part) -> Iterator[StreamEvent]:
        """What an event of the server means for the reply as a whole."""
        match event:
            case TextDelta(text):
                self._progressed(part)
                if new := part.seam.feed(text):
                    yield self._running.take(event if new is text else TextDelta(new))
            case ThinkingDelta():
                self._progressed(part)
                yield self._running.take(event)
            case Finished(usage=usage):
                miscount = self._reconciled(plan, usage)
                if miscount is not None:
                    yield miscount
                yield self._running.take(replace(event, usage=self._cost.joined(usage)))
            case _:
                yield self._running.take(event)

    def _progressed(self, part: _Part) -> None:
        part.heard()
        self._met = True
        self._delays.progressed()

    async def _mend(self, error: BackendError) -> AsyncGenerator[StreamEvent, None]:
        """Wait until it is worth while to ask again.

        Raises:
            BackendError: `error`, where that will not help any more.
        """
        broken = isinstance(error, ReplyBroken)
        self._met = self._met or broken or isinstance(error, ServerFailed)
        message = self._running.draft.message()
        self._partial = message.content
        if self._continuing and self._planner.counter.knows_template:
            await self._next_plan(error)  # what cannot go on is told at once
        delay = self._delays.after(error)
        if delay is None:
            raise error
        retry, attempts = self._delays.retry, self._policy.attempts
        if message.content or message.thinking:
            yield Restoring(retry, attempts, delay, error.message, anew=not self._continuing)
        else:
            yield Retrying(retry, attempts, delay, error.message)
        await asyncio.sleep(delay)
        if broken or (self._met and isinstance(error, ConnectFailed)):
            async with aclosing(self._await_server()) as events:
                async for event in events:
                    yield event
        if broken and not self._continuing and message.thinking:
            yield self._running.take(ThinkingDelta(_BETWEEN_THOUGHTS))
        if broken:
            self._running.part_begins(f"{'continued' if self._continuing else 'begun anew'}: {error.message}")

    async def _await_server(self) -> AsyncGenerator[StreamEvent, None]:
        """Look for the server until it answers.

        Raises:
            BackendError: It did not come back in time, or something else came.
        """
        looks = self._policy.looks(random.random)
        while True:
            try:
                await self._backend.version()
            except (ConnectFailed, ServerFailed) as error:
                look = next(looks, None)
                if look is None:
                    raise
                pause, remaining = look
                yield AwaitingServer(pause, remaining, error.message)
                await asyncio.sleep(pause)
            else:
                return

    async def _next_plan(self, error: BackendError) -> Plan:
        """The request that follows a failure.

        Raises:
            QwentuiError: There is none; the failure itself is told along.
        """
        try:
            return await self.plan()
        except CannotContinue as refusal:
            raise CannotContinue(f"{error.message} {refusal.message}", refusal.hint) from error

    async def _would_continue(self, plan: Plan) -> bool:
        if self._planner.counter.knows_template:
            return self._planner.counter.continues(plan.messages, think=False)
        return await self._backend.continues(self._request(plan, True, self._tokens)) is True

    @property
    def _continuing(self) -> bool:
        return bool(sent_back(self._partial))

    def _talk(self) -> Conversation:
        """The conversation as it is sent; a partial reply goes along as the last message."""
        if not self._continuing:
            return self._conversation
        partial = Message(Role.ASSISTANT, sent_back(self._partial))
        return self._conversation.answered(Reply(partial, FinishReason.INTERRUPTED))

    def _shorter(self, plan: Plan, error: ContextExceeded) -> Plan:
        """A shorter request, by the numbers of the server that refused `plan`."""
        planner = self._planner
        if not plan.has_images:
            planner.counter.reconcile(plan.count, error.n_prompt_tokens)
        room = (error.n_ctx or planner.policy.num_ctx) - planner.policy.reply_room
        think = self._think and not self._continuing
        shorter = planner.narrowed(room).plan(self._talk(), think=think)
        if shorter.fit.too_long or error.n_ctx is None:
            raise error
        return shorter

    def _reconciled(self, plan: Plan, usage: ServerUsage) -> Miscounted | None:
        # What images take teaches nothing about text.
        if plan.has_images:
            return None
        difference = self._planner.counter.reconcile(plan.count, usage.prompt_eval_count)
        if difference is None:
            return None
        return Miscounted(difference.predicted, difference.reported, difference.likely_cut)


class _Part:
    """One stretch of a reply: its cost as the client sees it, for a broken one is never told by the server.

    Ollama sends a record for each token.

    Args:
        seam: Where it joins what came before.
        prompt: The tokens of its prompt, None where that holds an earlier part.
    """

    def __init__(self, seam: Seam, prompt: Count | None) -> None:
        self.seam = seam
        self.eval_count = 0
        self._prompt = prompt.tokens if prompt is not None and prompt.exact else None
        self._first = self._last = 0.0

    def heard(self) -> None:
        """A token came."""
        self._last = time.monotonic()
        if not self.eval_count:
            self._first = self._last
        self.eval_count += 1

    def usage(self) -> ServerUsage:
        """The cost, as far as it is known."""
        if not self.eval_count:
            return ServerUsage()
        return ServerUsage(
            prompt_eval_count=self._prompt,
            eval_count=self.eval_count,
            eval_duration=self._last - self._first,
        )
