"""One conversation with one model: send, retry, stop, save. The terminal program and the shell share it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.backends.base import ChatRequest
from qwentui.chat.conversation import Conversation, Reply
from qwentui.chat.errors import BackendError, ContextExceeded, QwentuiError, StoreError
from qwentui.chat.sampling import Sampling, Think
from qwentui.chat.sanitize import sanitize
from qwentui.chat.stream import (
    Draft,
    Finished,
    FinishReason,
    Miscounted,
    Retrying,
    StreamEvent,
    TextDelta,
    ThinkingDelta,
    Trimmed,
)
from qwentui.counting.counter import PromptCounter, sendable
from qwentui.recording import AskedWith
from qwentui.telemetry.meter import Meter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.backends.retry import RetryPolicy
    from qwentui.planning import Plan, Planner
    from qwentui.recording import Recorder


Replying = AbstractAsyncContextManager[AsyncIterator[StreamEvent]]
"""A reply that begins when the block is entered; leaving it ends the reply and keeps what came."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What goes with every request of a session; see `ChatRequest` for the units.

    `num_predict` is the most tokens of a reply; a prompt that leaves less room than that gets less.
    """

    think: Think = None
    sampling: Sampling = Sampling()
    num_predict: int = 4096
    keep_alive: str | None = None


@dataclass(slots=True)
class _Running:
    """A reply in the making."""

    draft: Draft
    meter: Meter
    recorder: Recorder | None
    removed: int = 0

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

    def reply(self, reason: FinishReason, model: str) -> Reply:
        """What came, ended for `reason`."""
        return Reply(self.draft.message(), reason, model, self.meter.usage(), self.removed)


class ChatSession:
    """Owns a conversation and asks `backend` for its replies, one at a time.

    Args:
        backend: Where the model is.
        model: The model and what it can do.
        options: What goes with every request.
        policy: What may be tried again before the first token.
        planner: Keeps the prompts inside the context.
        conversation: What was said before.
        recorder: Keeps what is said on disk; None keeps it in memory only.

    Attributes:
        busy: Whether a reply runs.
    """

    def __init__(
        self,
        backend: Backend,
        model: ModelDetails,
        options: ChatOptions,
        *,
        policy: RetryPolicy,
        planner: Planner,
        conversation: Conversation,
        recorder: Recorder | None = None,
    ) -> None:
        self.backend = backend
        self.model = model
        self.options = options
        self.planner = planner
        planner.fit_model(model.context_length)
        self.conversation = conversation
        self.recorder = recorder
        self.busy = False
        self._policy = policy
        self._left_out: tuple[int, ...] = ()

    def fresh(self) -> ChatSession:
        """A session like this one in which nothing has been said."""
        conversation = Conversation(system=self.conversation.system)
        return ChatSession(
            self.backend,
            self.model,
            self.options,
            policy=self._policy,
            planner=self.planner.fresh(),
            conversation=conversation,
            recorder=None if self.recorder is None else self.recorder.fresh(),
        )

    @property
    def thinks(self) -> bool:
        """Whether the model will think: a model that can does unless it is told not to."""
        return self.model.can_think and self.options.think is not False

    @property
    def num_ctx(self) -> int:
        """The context of every request in tokens: what is asked for, and no more than the model has."""
        return self.planner.policy.num_ctx

    def use(self, backend: Backend, model: ModelDetails) -> None:
        """Go on with another model, or another server; the talk stays, its count begins anew as a guess."""
        self.backend = backend
        self.model = model
        self.planner.fit_model(model.context_length)
        self.planner.counter = PromptCounter()

    def preview(self, draft: str) -> Plan:
        """The request that would go out if `draft` were sent now; without one, the talk as it stands."""
        conversation = self.conversation.asked(sendable(draft)) if draft else self.conversation
        return self.planner.plan(conversation, think=self.thinks)

    async def plan(self, draft: str) -> Plan:
        """As `preview`, with the server's own count where it counts prompts."""
        conversation = self.conversation.asked(sendable(draft)) if draft else self.conversation
        return await self._verified(self.preview(draft), conversation)

    async def _verified(self, plan: Plan, conversation: Conversation) -> Plan:
        return await self.planner.verified(plan, conversation, think=self.thinks, count=self._ask_count)

    async def _ask_count(self, plan: Plan) -> int | None:
        try:
            return await self.backend.count_prompt(self._request(plan))
        except BackendError:
            # The request itself will meet the same trouble, and has the means to retry and to tell.
            return None

    def reply(self, text: str) -> Replying:
        """Say `text` and receive the reply's events, sanitized, ending with `Finished`.

        However the block is left, the connection is closed and what came is the conversation's last reply,
        with its `finish_reason`. The same holds for `revise` and `regenerate`.

        Raises:
            PromptTooLong: The text does not fit; nothing was sent, and nothing is kept of it.
            StoreError: The text cannot be kept, not even in memory.
            BackendError: The reply could not be had, or broke off.
        """
        talk = self.conversation.asked(sendable(text))
        system = talk.system
        return self._replying(talk, lambda recorder, with_: recorder.asked(text, with_, system=system))

    def revise(self, turn: int, text: str) -> Replying:
        """Say `text` in place of what the user said in turn number `turn`; that branch stays in the store."""
        talk = self.conversation.until(turn).asked(sendable(text))
        return self._replying(talk, lambda recorder, with_: recorder.asked(text, with_, beside=turn))

    def regenerate(self, turn: int) -> Replying:
        """Ask again for the reply of turn number `turn`; the old one stays in the store."""
        talk = self.conversation.reopened(turn)
        return self._replying(talk, lambda recorder, with_: recorder.asked_again(turn, with_))

    @asynccontextmanager
    async def _replying(
        self, conversation: Conversation, record: Callable[[Recorder, AskedWith], Awaitable[None]]
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Have the last turn of `conversation` answered; `record` puts on disk what is asked."""
        running = _Running(Draft(), Meter(time.monotonic), self.recorder)
        plan = await self._verified(self.planner.plan(conversation, think=self.thinks), conversation)
        plan.check()
        self.conversation = conversation
        reason = FinishReason.INTERRUPTED
        self.busy = True
        try:
            if self.recorder is not None:
                await record(self.recorder, self._asked_with(plan))
            async with aclosing(self._events(running, plan)) as events:
                yield events
            reason = running.draft.finished.reason if running.draft.finished else FinishReason.CANCELLED
        except asyncio.CancelledError:
            reason = FinishReason.CANCELLED
            raise
        except QwentuiError:
            reason = FinishReason.ERROR
            raise
        finally:
            self.busy = False
            reply = running.reply(reason, self.model.name)
            self.conversation = self.conversation.answered(reply)
            if self.recorder is not None:
                await self.recorder.answered(reply)

    async def show_version(self, message: int) -> None:
        """Show the branch of `message`, one of the `versions` that the recorder knows of a turn.

        Raises:
            StoreError: There is no store, or the message is gone.
        """
        self.conversation = await self._recorded().show(message)

    async def delete(self, turn: int, *, reply_only: bool = False) -> tuple[int, ...]:
        """Take turn number `turn` out of the talk, or its reply alone. Returns what `restore` takes.

        Raises:
            StoreError: There is no store, or the messages are gone.
        """
        self.conversation, hidden = await self._recorded().delete(turn, reply_only=reply_only)
        return hidden

    async def restore(self, messages: tuple[int, ...]) -> None:
        """Undo `delete`.

        Raises:
            StoreError: There is no store, or the messages are gone.
        """
        self.conversation = await self._recorded().restore(messages)

    def _recorded(self) -> Recorder:
        if self.recorder is None:
            raise StoreError("This chat is not kept anywhere, so it has one branch only.")
        return self.recorder

    def _asked_with(self, plan: Plan) -> AskedWith:
        """What the store keeps about a request; the names are those of Ollama's `options` and `think`."""
        request = self._request(plan)
        given = {"num_ctx": request.num_ctx, "num_predict": request.num_predict, "think": request.think}
        options = {name: value for name, value in given.items() if value is not None}
        return AskedWith(self.model.name, self.model.digest, options=request.sampling.options() | options)

    async def _events(self, running: _Running, plan: Plan) -> AsyncGenerator[StreamEvent, None]:
        delays = self._policy.delays(random.random)
        shortened = False
        while True:
            if plan.left_out != self._left_out:
                self._left_out = plan.left_out
                yield Trimmed(plan.left_out)
            try:
                async with aclosing(self._try(running, plan)) as events:
                    async for event in events:
                        yield event
                break
            except ContextExceeded as error:
                # Once: what is refused again, by the server's own numbers, is refused for good.
                if shortened:
                    raise
                plan, shortened = self._replanned(plan, error), True
            except BackendError as error:
                delay = delays.after(error) if running.draft.empty else None
                if delay is None:
                    raise
                yield Retrying(delays.retry, self._policy.attempts, delay, error.message)
                await asyncio.sleep(delay)

    async def _try(self, running: _Running, plan: Plan) -> AsyncGenerator[StreamEvent, None]:
        async with self.backend.stream(self._request(plan)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    miscount = self._reconciled(plan, event)
                    if miscount is not None:
                        yield miscount
                yield running.take(event)

    def _replanned(self, plan: Plan, error: ContextExceeded) -> Plan:
        """A shorter request, by the numbers of the server that refused `plan`."""
        planner = self.planner
        planner.counter.reconcile(plan.count, error.n_prompt_tokens)
        room = (error.n_ctx or self.num_ctx) - planner.policy.reply_room
        shorter = planner.narrowed(room).plan(self.conversation, think=self.thinks)
        if shorter.fit.too_long or error.n_ctx is None:
            raise error
        return shorter

    def _reconciled(self, plan: Plan, end: Finished) -> Miscounted | None:
        difference = self.planner.counter.reconcile(plan.count, end.usage.prompt_eval_count)
        if difference is None:
            return None
        return Miscounted(difference.predicted, difference.reported, difference.likely_cut)

    def _request(self, plan: Plan) -> ChatRequest:
        options = self.options
        return ChatRequest(
            model=self.model.name,
            messages=plan.messages,
            think=options.think if self.model.can_think else None,
            sampling=options.sampling,
            num_ctx=self.num_ctx,
            # A reply that grew over the context would make the server drop half of it without a word.
            num_predict=max(1, min(options.num_predict, self.num_ctx - plan.count.tokens)),
            keep_alive=options.keep_alive,
        )
