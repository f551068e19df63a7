"""One conversation with one model: send, retry, stop, save. The terminal program and the shell share it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from qwentui.backends.base import ChatRequest
from qwentui.backends.choice import short_name
from qwentui.chat.conversation import Conversation
from qwentui.chat.errors import BackendError, CannotContinue, CannotSee, QwentuiError, StoreError
from qwentui.chat.message import Message, Role
from qwentui.chat.sampling import Sampling, Think
from qwentui.chat.stream import FinishReason, StreamEvent
from qwentui.counting.counter import PromptCounter, sendable
from qwentui.course import Course, ReplyInProgress, taken_up
from qwentui.language import _
from qwentui.recording import AskedWith, Recorder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.backends.retry import RetryPolicy
    from qwentui.planning import Plan, Planner
    from qwentui.store.usage_log import UsageLog


Replying = AbstractAsyncContextManager[AsyncIterator[StreamEvent]]
"""A reply that begins when the block is entered; leaving it ends the reply and keeps what came."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """What goes with every request of a session; see `ChatRequest` for the units.

    `num_predict` is the most tokens of a reply; a prompt that leaves less room than that gets less. `persona`
    is the name of the one that the model is, "" for none; it is recorded, not sent.
    """

    think: Think = None
    sampling: Sampling = Sampling()
    num_predict: int = 4096
    keep_alive: str | None = None
    persona: str = ""

    def request(
        self, model: ModelDetails, plan: Plan, num_ctx: int, *, continuing: bool, received: int
    ) -> ChatRequest:
        """The request of a plan.

        Args:
            model: Who is asked.
            plan: What is sent.
            num_ctx: The context in tokens.
            continuing: Whether the last message is a partial reply: then the model must not think, for it
                would do so in the middle of its answer, or the server refuses.
            received: The tokens of the reply that have come before.
        """
        think = False if continuing else self.think
        # A reply that grew over the context would make the server drop half of it without a word.
        room = min(self.num_predict - received, num_ctx - plan.count.tokens)
        return ChatRequest(
            model=model.name,
            messages=plan.messages,
            think=think if model.can_think else None,
            sampling=self.sampling,
            num_ctx=num_ctx,
            num_predict=max(1, room),
            keep_alive=self.keep_alive,
        )


@dataclass(frozen=True, slots=True)
class ModelChanged:
    """The model's name means another model than before: someone has made it anew.

    `stale` is whether the server still holds the old one in memory, with the template of that time.
    """

    model: ModelDetails
    stale: bool


class ChatSession:
    """Owns a conversation and asks `backend` for its replies, one at a time.

    Args:
        backend: Where the model is.
        model: The model and what it can do.
        options: What goes with every request.
        policy: What may be tried again before the first token; another may be put in its place.
        planner: Keeps the prompts inside the context.
        conversation: What was said before.
        recorder: Keeps what is said on disk; None keeps it in memory only.
        log: Told of each exchange when it has ended.

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
        log: UsageLog | None = None,
    ) -> None:
        self.backend = backend
        self.model = model
        self.options = options
        self.planner = planner
        planner.fit_model(model.context_length)
        self.conversation = conversation
        self.recorder = recorder
        self.log = log
        self.busy = False
        self.policy = policy
        self._left_out: tuple[int, ...] = ()

    def fresh(self) -> ChatSession:
        """A session like this one in which nothing has been said."""
        conversation = Conversation(system=self.conversation.system)
        return ChatSession(
            self.backend,
            self.model,
            self.options,
            policy=self.policy,
            planner=self.planner.fresh(),
            conversation=conversation,
            recorder=None if self.recorder is None else self.recorder.fresh(),
            log=self.log,
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

    async def follow_model(self) -> ModelChanged | None:
        """Look whether the model was made anew under its name, and go on with the new one.

        The next request uses it in any case; what changes here is how prompts are counted.

        Raises:
            BackendError: The server did not tell.
        """
        name, known = self.model.name, self.model.digest
        digest = next((model.digest for model in await self.backend.models() if model.name == name), "")
        if not known or not digest or digest == known:
            return None
        details = await self.backend.details(name)
        stale = any(model.name == name and model.digest == known for model in await self.backend.loaded())
        self.use(self.backend, details)
        return ModelChanged(details, stale)

    def preview(self, draft: str | Message) -> Plan:
        """The request that would go out if `draft` were sent now; without one, the talk as it stands."""
        return self.planner.plan(_visible(_asked(self.conversation, draft), self.model), think=self.thinks)

    async def plan(self, draft: str | Message) -> Plan:
        """As `preview`, with the server's own count where it counts prompts."""
        return await self._verified(
            self.preview(draft), _visible(_asked(self.conversation, draft), self.model)
        )

    async def _verified(self, plan: Plan, conversation: Conversation) -> Plan:
        return await self.planner.verified(plan, conversation, think=self.thinks, count=self._ask_count)

    async def _ask_count(self, plan: Plan) -> int | None:
        try:
            return await self.backend.count_prompt(self._request(plan))
        except BackendError:
            # The request itself will meet the same trouble, and has the means to retry and to tell.
            return None

    def reply(self, said: str | Message) -> Replying:
        """Say something and receive the reply's events, sanitized, ending with `Finished`.

        However the block is left, the connection is closed and what came is the conversation's last reply,
        with its `finish_reason`. The same holds for `revise` and `regenerate`.

        Raises:
            PromptTooLong: The text does not fit; nothing was sent, and nothing is kept of it.
            CannotSee: There is an image, and the model cannot see; the same holds.
            StoreError: The text cannot be kept, not even in memory.
            BackendError: The reply could not be had, or broke off.
        """
        question = _question(said)
        talk = self.conversation.asked(question)
        system = talk.system
        return self._replying(talk, lambda recorder, with_: recorder.asked(question, with_, system=system))

    def revise(self, turn: int, said: str | Message) -> Replying:
        """Say `said` in place of what the user said in turn number `turn`; that branch stays in the store."""
        question = _question(said)
        talk = self.conversation.until(turn).asked(question)
        return self._replying(talk, lambda recorder, with_: recorder.asked(question, with_, beside=turn))

    def regenerate(self, turn: int) -> Replying:
        """Ask again for the reply of turn number `turn`; the old one stays in the store."""
        talk = self.conversation.reopened(turn)
        return self._replying(talk, lambda recorder, with_: recorder.asked_again(turn, with_))

    @asynccontextmanager
    async def go_on(self, *, content: str | None = None) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Have the last reply go on where it ended; the events bring what is new.

        A reply of which only thinking had come begins again, behind that.

        Args:
            content: The reply as the user has changed it; None goes on with what is there.

        Raises:
            CannotContinue: There is no reply, it is whole, or the model would begin a new answer. Nothing
                has changed.
            QwentuiError: As for `reply`.
        """
        before = self.conversation.turns[-1].reply if self.conversation.turns else None
        if before is None or (before.finish_reason is FinishReason.STOP and content is None):
            raise _nothing_unfinished()
        edited = None if content is None else replace(before.message, content=sendable(content))
        draft = taken_up(edited or before.message)
        running = ReplyInProgress(self.recorder, draft, before=before.usage, removed=before.removed)
        running.part_begins(f"continued: {before.finish_reason}" if edited is None else "edited by the user")
        talk = self.conversation.reopened(len(self.conversation.turns) - 1)
        record = partial(Recorder.going_on, edited=edited)
        async with self._replying(talk, record, running) as events:
            yield events

    @asynccontextmanager
    async def _replying(
        self,
        conversation: Conversation,
        record: Callable[[Recorder, AskedWith], Awaitable[None]],
        running: ReplyInProgress | None = None,
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """Have the last turn of `conversation` answered.

        Args:
            conversation: Ends with a question.
            record: Puts on disk what is asked.
            running: What has come of the reply before, None for a new one.
        """
        check_images(conversation.turns[-1].user, self.model)
        running, persona = running or ReplyInProgress(self.recorder), self.options.persona
        visible = _visible(conversation, self.model)
        course = self._course(visible, running)
        plan = await course.plan()
        if not running.draft.message().content:
            plan = await self._verified(plan, visible)
            plan.check()
        self.conversation = conversation
        reason = FinishReason.INTERRUPTED
        self.busy = True
        try:
            if self.recorder is not None:
                request = self._request(plan)
                await record(self.recorder, AskedWith.of(request, self.model.digest, persona))
            async with aclosing(course.events(plan)) as events:
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
            self._left_out = course.told
            reply = running.reply(reason, self.model.name)
            self.conversation = self.conversation.answered(reply)
            if self.log is not None:
                self.log.add(course.exchange(reply, persona))
            if self.recorder is not None:
                await self.recorder.answered(reply, running.parts())

    def _course(self, conversation: Conversation, running: ReplyInProgress) -> Course:
        return Course(
            self.backend,
            self.planner,
            self.policy,
            conversation,
            running,
            request=self._request,
            think=self.thinks,
            told=self._left_out,
        )

    async def show_version(self, message: int) -> None:
        """Show the branch of `message`, one of the `versions` that the recorder knows of a turn.

        Raises:
            StoreError: There is no store, or the message is gone.
        """
        self.conversation = await _kept(self.recorder).show(message)

    async def delete(self, turn: int, *, reply_only: bool = False) -> tuple[int, ...]:
        """Take turn number `turn` out of the talk, or its reply alone. Returns what `restore` takes.

        Raises:
            StoreError: There is no store, or the messages are gone.
        """
        self.conversation, hidden = await _kept(self.recorder).delete(turn, reply_only=reply_only)
        return hidden

    async def restore(self, messages: tuple[int, ...]) -> None:
        """Undo `delete`.

        Raises:
            StoreError: There is no store, or the messages are gone.
        """
        self.conversation = await _kept(self.recorder).restore(messages)

    def _request(self, plan: Plan, continuing: bool = False, received: int = 0) -> ChatRequest:
        return self.options.request(self.model, plan, self.num_ctx, continuing=continuing, received=received)


def _kept(recorder: Recorder | None) -> Recorder:
    if recorder is None:
        raise StoreError(_("This chat is not kept anywhere, so it has one branch only."))
    return recorder


def _asked(conversation: Conversation, draft: str | Message) -> Conversation:
    return conversation.asked(_question(draft)) if draft else conversation


def _question(said: str | Message) -> Message:
    """What the user says, as it survives the way to a model."""
    message = Message(Role.USER, said) if isinstance(said, str) else said
    content = sendable(message.content)
    # Where characters fell out, the parts would name others.
    return message if content == message.content else replace(message, content=content, parts=())


def check_images(question: Message, model: ModelDetails) -> None:
    """Make sure that `model` can see, if there is something to see.

    Raises:
        CannotSee: It cannot.
    """
    if question.images and not model.can_see:
        raise CannotSee(
            _("{model} cannot see images.").format(model=short_name(model.name)),
            _("Choose a model that can, such as qwen2.5vl, or take the image out."),
        )


def _visible(conversation: Conversation, model: ModelDetails) -> Conversation:
    """`conversation` as `model` can have it: images sent to another one are nothing to one that is blind."""
    return conversation if model.can_see else conversation.without_images()


def _nothing_unfinished() -> CannotContinue:
    return CannotContinue(_("There is no unfinished reply to go on with."), _("F5 asks for another one."))
