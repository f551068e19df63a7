"""A conversation as a value: turns of a user's message and its reply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwentui.chat.message import Message, Role
from qwentui.chat.usage import Usage

if TYPE_CHECKING:
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
    """A round: what the user said, and the reply if one has come."""

    user: Message
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A system prompt and the turns so far; every change gives a new value and leaves the old one whole."""

    system: str = ""
    turns: tuple[Turn, ...] = ()

    def asked(self, text: str) -> Conversation:
        """With a new turn that begins with `text`."""
        return replace(self, turns=(*self.turns, Turn(Message(Role.USER, text))))

    def answered(self, reply: Reply) -> Conversation:
        """With `reply` as the answer of the last turn, in place of the one that it may have.

        Raises:
            IndexError: There is no turn to answer.
        """
        return replace(self, turns=(*self.turns[:-1], replace(self.turns[-1], reply=reply)))

    def until(self, turn: int) -> Conversation:
        """The first `turn` turns: what an edited message or a regenerated reply stands on."""
        return replace(self, turns=self.turns[:turn])

    def messages(self) -> tuple[Message, ...]:
        """The messages in the order in which a server takes them; empty replies are left out."""
        messages = [Message(Role.SYSTEM, self.system)] if self.system else []
        for turn in self.turns:
            messages.append(turn.user)
            if turn.reply is not None and turn.reply.message.content:
                messages.append(turn.reply.message)
        return tuple(messages)
