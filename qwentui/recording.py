"""Putting a talk on disk as it is said, with every branch that it has taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.chat.stream import TextDelta, ThinkingDelta
from qwentui.language import _
from qwentui.store.records import Options, ShownTurn

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.backends.base import ChatRequest
    from qwentui.chat.conversation import Conversation, Reply
    from qwentui.chat.message import Message, Part
    from qwentui.chat.stream import StreamEvent
    from qwentui.store.records import LoadedSession
    from qwentui.store.sessions import SessionStore
    from qwentui.store.writer import StoreWriter


@dataclass(frozen=True, slots=True)
class AskedWith:
    """With what a reply is asked for; `model_digest` is the manifest's, "" where the server tells none."""

    model: str
    model_digest: str = ""
    persona: str = ""
    options: Options = field(default_factory=dict)

    @classmethod
    def of(cls, request: ChatRequest, model_digest: str, persona: str = "") -> AskedWith:
        """What the store keeps about a request; `num_ctx`, `num_predict` and `think` are with the options."""
        given = {"num_ctx": request.num_ctx, "num_predict": request.num_predict, "think": request.think}
        fields = {name: value for name, value in given.items() if value is not None}
        return cls(request.model, model_digest, persona, request.sampling.options() | fields)


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a session begins that is made now.

    Attributes:
        title: What it is called, "" for what is said first.
        tags: The tags that it bears.
        after: The message of another session up to which the talk is taken over from there, None for none.
    """

    title: str = ""
    tags: tuple[str, ...] = ()
    after: int | None = None


class Recorder:
    """Writes one session; the session is made when its first message is asked.

    Turns are numbered as in the conversation that is shown.

    Args:
        writer: The open store.
        session: The id of a session that goes on, None for a new one.
        turns: What the store knows about the turns that are shown.
        beginning: How a new session begins.

    Attributes:
        session: The session's id, None before its first message.
        turns: What the store knows about each turn of the branch that is shown.
    """

    def __init__(
        self,
        writer: StoreWriter,
        session: str | None = None,
        turns: tuple[ShownTurn, ...] = (),
        beginning: Beginning | None = None,
    ) -> None:
        self._writer = writer
        self._beginning = beginning or Beginning()
        self.session = session
        self.turns = turns
        self._reply: int | None = None

    def fresh(self) -> Recorder:
        """A recorder for a new session in the same store."""
        return Recorder(self._writer)

    async def asked(
        self, said: Message, asked_with: AskedWith, *, system: str = "", beside: int | None = None
    ) -> None:
        """Keep the user's message; returns when it is on the disk.

        Args:
            said: What the user said.
            asked_with: With what its reply is asked for.
            system: The system prompt of a session that is made now.
            beside: The turn of which this is a new version; None adds one at the end.

        Raises:
            StoreError: The store is closed, or the session is gone.
        """
        revised = None if beside is None else self._question(beside)

        def job(store: SessionStore) -> tuple[str, tuple[ShownTurn, ...], ShownTurn]:
            session, before = self.session, self.turns
            if session is None:
                session = self._create(store, asked_with, system)
                # What is taken over is new in the store; a talk without it is not read again for nothing.
                before = store.load(session).turns if self._beginning.after is not None else before
            question = store.messages.ask(
                session, said.content, beside=revised, parts=said.parts, images=said.images
            )
            reply = _begin(store, question, asked_with)
            return session, before, ShownTurn(store.messages.about(question), store.messages.about(reply))

        self.session, self.turns, turn = await self._writer.write(job)
        self._opened(len(self.turns) if beside is None else beside, turn)

    async def asked_again(self, turn: int, asked_with: AskedWith) -> None:
        """Begin a new version of a turn's reply; returns when that is on the disk.

        Raises:
            StoreError: The store is closed, or the question is not in it any more.
        """
        question = self._question(turn)

        def job(store: SessionStore) -> ShownTurn:
            reply = _begin(store, question, asked_with)
            return ShownTurn(store.messages.about(question), store.messages.about(reply))

        self._opened(turn, await self._writer.write(job))

    async def going_on(self, asked_with: AskedWith, *, edited: Message | None) -> None:
        """Take up the last reply where it ended; returns when that is on the disk.

        Args:
            asked_with: With what the rest is asked for.
            edited: The reply as the user has changed it, a new version beside the old one; None goes on
                with what is there.

        Raises:
            StoreError: The store is closed, or the reply is not in it any more.
        """
        place = len(self.turns) - 1
        known = self.turns[place].reply
        if known is None:
            raise StoreError(_("The reply that was to go on is not in the store any more."))
        question = self._question(place)

        def job(store: SessionStore) -> ShownTurn:
            reply = known.id
            if edited is None:
                store.messages.resume_reply(reply)
            else:
                reply = _begin(store, question, asked_with)
                store.messages.append_reply(reply, edited.content, edited.thinking)
            return ShownTurn(store.messages.about(question), store.messages.about(reply))

        self._opened(place, await self._writer.write(job))

    def heard(self, event: StreamEvent) -> None:
        """Keep the text that an event brings, soon; never waits."""
        if self._reply is None:
            return
        match event:
            case TextDelta(text):
                self._writer.append(self._reply, content=text)
            case ThinkingDelta(text):
                self._writer.append(self._reply, thinking=text)

    async def answered(self, reply: Reply, parts: tuple[Part, ...] = ()) -> None:
        """Keep the reply as it ended; cancellation does not stop it.

        Args:
            reply: What came.
            parts: Where its content came from, when it came in more than one part.

        Raises:
            StoreError: The store is closed, or the message is gone.
        """
        number, self._reply = self._reply, None
        if number is not None:
            last = self.turns[-1]
            if last.reply is not None:
                self.turns = (*self.turns[:-1], replace(last, reply=replace(last.reply, finished=True)))
            await self._writer.write(lambda store: store.messages.finish_reply(number, reply, parts))

    async def show(self, message: int) -> Conversation:
        """Show the branch of `message`, one of the `versions` of a turn. Returns what is shown then.

        Raises:
            StoreError: The store is closed, or the message is gone.
        """
        return await self._changed(lambda store: store.messages.show(message))

    async def delete(self, turn: int, *, reply_only: bool = False) -> tuple[Conversation, tuple[int, ...]]:
        """Take a round out of sight, or its reply alone.

        Returns:
            What is shown then, and what `restore` takes.

        Raises:
            StoreError: The store is closed, or the messages are gone.
        """
        known = self.turns[turn]
        hidden: tuple[int, ...] = ()

        def job(store: SessionStore) -> None:
            nonlocal hidden
            if known.user is not None and not reply_only:
                hidden = store.messages.delete_round(known.user.id)
            elif known.reply is not None:
                hidden = store.messages.delete(known.reply.id)

        return await self._changed(job), hidden

    async def restore(self, messages: tuple[int, ...]) -> Conversation:
        """Undo `delete`. Returns what is shown then.

        Raises:
            StoreError: The store is closed, or the messages are gone.
        """
        return await self._changed(lambda store: store.messages.restore(messages))

    async def _changed(self, job: Callable[[SessionStore], None]) -> Conversation:
        session = self.session
        if session is None:
            raise StoreError(_("Nothing has been said in this chat yet."))

        def whole(store: SessionStore) -> LoadedSession:
            job(store)
            return store.load(session)

        loaded = await self._writer.write(whole)
        self.turns = loaded.turns
        return loaded.conversation

    def _create(self, store: SessionStore, asked_with: AskedWith, system: str) -> str:
        begin = self._beginning
        return store.create(
            title=begin.title,
            model=asked_with.model,
            persona=asked_with.persona,
            system=system,
            tags=begin.tags,
            after=begin.after,
        )

    def _question(self, turn: int) -> int:
        user = self.turns[turn].user
        if user is None:
            raise StoreError(_("The question of that reply was deleted."), _("Undo that first."))
        return user.id

    def _opened(self, place: int, turn: ShownTurn) -> None:
        self.turns = (*self.turns[:place], turn)
        self._reply = None if turn.reply is None else turn.reply.id


def _begin(store: SessionStore, question: int, asked_with: AskedWith) -> int:
    return store.messages.begin_reply(
        question,
        model=asked_with.model,
        model_digest=asked_with.model_digest,
        persona=asked_with.persona,
        options=asked_with.options,
    )
