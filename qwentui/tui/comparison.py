"""One prompt to two personas: their chats answer it one after the other, while nothing else runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.language import _
from qwentui.tui import phrases
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply
    from qwentui.chat.message import Message
    from qwentui.tui.desk import Desk
    from qwentui.tui.live import LiveChat


@dataclass(frozen=True, slots=True)
class Wish:
    """How the two are to be asked.

    Attributes:
        first: The place on the screen, 0 or 1, of the one that is asked first.
        with_rounds: Whether what was said before the prompt goes along.
    """

    first: int = 0
    with_rounds: bool = False


@dataclass(slots=True, eq=False)
class Side:
    """One of the two.

    Attributes:
        letter: What it is called for short.
        name: Who the model is there.
        chat: Where it answers; what goes along is said there already.
        before: How many rounds that is.
        asked: Whether it was asked.
    """

    letter: str
    name: str
    chat: LiveChat
    before: int = 0
    asked: bool = False

    @property
    def reply(self) -> Reply | None:
        """What came of its answer; None until that has ended, and where it could not be asked."""
        session = self.chat.session
        if session is None or self.chat.busy or len(session.conversation.turns) <= self.before:
            return None
        return session.conversation.turns[self.before].reply


class Comparison:
    """Asks the two sides, by `wish`.

    A side is asked when the desk is idle, so that neither the other side nor another chat shares the GPU with
    it. When the user stops one, the other is held, for who stops wants to look; after a reply that broke off
    the other is asked all the same.

    Args:
        desk: Where the chats are.
        message: What is asked, with the files that go along.
        sides: The two, as they stand on the screen.
        wish: How they are to be asked.
        rounds: How many rounds could go along.

    Attributes:
        held: Whether the user wants the next one not to be asked yet.
    """

    def __init__(
        self, desk: Desk, message: Message, sides: tuple[Side, Side], wish: Wish, rounds: int
    ) -> None:
        self.message = message
        self.sides = sides
        self.wish = wish
        self.rounds = rounds
        self.held = False
        self._desk = desk

    @property
    def order(self) -> tuple[Side, Side]:
        """The two as they are asked."""
        one, other = self.sides
        return (other, one) if self.wish.first else (one, other)

    @property
    def running(self) -> Side | None:
        """The one that answers now."""
        return next((side for side in self.sides if side.chat.busy), None)

    @property
    def next(self) -> Side | None:
        """The one that is to be asked next."""
        return next((side for side in self.order if not side.asked), None)

    def has(self, chat: LiveChat) -> bool:
        """Whether a chat is one of the two."""
        return any(side.chat is chat for side in self.sides)

    def look(self) -> None:
        """Ask who is next, if its time has come."""
        side = self.next
        session = side.chat.session if side is not None else None
        if side is None or session is None or self.held or not self._desk.idle:
            return
        side.asked = True
        side.chat.places.append(side.chat.sheet.append(UserItem.of(self.message)))
        self._desk.begin(side.chat, session.reply(self.message), self.message.content)

    def stop(self) -> bool:
        """Stop the one that answers, and hold the other; whether one did."""
        side = self.running
        if side is not None:
            self.held = True
            self._desk.stop(side.chat)
        return side is not None

    def go_on(self) -> None:
        """Ask the one that was held."""
        self.held = False
        self.look()

    def state(self, side: Side) -> str:
        """What is to say about a side now."""
        reply = side.reply
        if side.chat.busy:
            return _("answers")
        if reply is not None:
            return phrases.end(reply.finish_reason)
        if side.asked:
            return _("was not asked")
        if self.held:
            return _("held: n asks it")
        first, _second = self.order
        if side is first:
            return _("waits for another chat's reply")
        return _("waits for {other}").format(other=first.letter)
