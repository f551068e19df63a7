"""A conversation as a value: turns of a user's message and its reply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwentui.chat.message import Message, Role
from qwentui.chat.usage import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.chat.stream import FinishReason


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answered, as far as it came, by whom, why it ended, and what it cost.

    `removed` counts the characters that the sanitizer took out of it.
    """

    message: Message
    finish_reason: FinishReason
    model: str = ""
    usage: Usage = Usage()
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """A round: what the user said, and the reply if one has come; `pinned` keeps it in every request."""

    user: Message
    reply: Reply | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Conversation:
    """A system prompt and the turns so far; every change gives a new value and leaves the old one whole."""

    system: str = ""
    turns: tuple[Turn, ...] = ()

    def asked(self, question: str | Message) -> Conversation:
        """With a new turn that begins with `question`; a text alone has nothing attached."""
        user = Message(Role.USER, question) if isinstance(question, str) else question
        return replace(self, turns=(*self.turns, Turn(user)))

    def answered(self, reply: Reply) -> Conversation:
        """With `reply` as the answer of the last turn, in place of the one that it may have.

        Raises:
            IndexError: There is no turn to answer.
        """
        return replace(self, turns=(*self.turns[:-1], replace(self.turns[-1], reply=reply)))

    def until(self, turn: int) -> Conversation:
        """The first `turn` turns: what an edited message or a regenerated reply stands on."""
        return replace(self, turns=self.turns[:turn])

    def reopened(self, turn: int) -> Conversation:
        """The first turns up to number `turn`, whose question stands without a reply again."""
        return replace(self, turns=(*self.turns[:turn], replace(self.turns[turn], reply=None)))

    def pin(self, turn: int, *, pinned: bool) -> Conversation:
        """With turn number `turn` pinned, or not."""
        changed = replace(self.turns[turn], pinned=pinned)
        return replace(self, turns=(*self.turns[:turn], changed, *self.turns[turn + 1 :]))

    def placed(self) -> Iterator[tuple[int | None, Message]]:
        """The messages in the order in which a server takes them, each with the number of its turn.

        The system prompt has none; empty replies are left out.
        """
        if self.system:
            yield None, Message(Role.SYSTEM, self.system)
        for number, turn in enumerate(self.turns):
            # A question that was deleted leaves its reply behind.
            if turn.user.content:
                yield number, turn.user
            if turn.reply is not None and turn.reply.message.content:
                yield number, turn.reply.message

    def without_images(self) -> Conversation:
        """With the same words, for a model that cannot see."""
        if not any(turn.user.images for turn in self.turns):
            return self
        return replace(
            self, turns=tuple(replace(turn, user=replace(turn.user, images=())) for turn in self.turns)
        )

    def messages(self) -> tuple[Message, ...]:
        """The messages of `placed`, alone."""
        return tuple(message for _, message in self.placed())
