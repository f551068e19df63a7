"""What a user does to the branches of a chat: steps among versions, deletes, undoes; pins stay."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from qwentui.tui.screens.acting import known_turns
from qwentui.tui.screens.reply import turn_items
from qwentui.tui.transcript.items import MarkItem, NoticeItem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwentui.session import ChatSession
    from qwentui.store.records import ShownMessage, ShownTurn
    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.reply import LiveReply


class Branches:
    """Remembers of one chat, while the program runs, what was deleted and what is pinned, by message.

    Attributes:
        deleted: What each deletion hid that is not undone, the last one last.

    Every method that changes what is shown raises `StoreError`, and has changed nothing then.
    """

    def __init__(self) -> None:
        self.deleted: list[tuple[int, ...]] = []
        self._pinned: set[int] = set()

    def remember(self, session: ChatSession) -> None:
        """Take down which of the rounds on show are pinned: they may be about to leave it."""
        for turn, known in zip(session.conversation.turns, known_turns(session), strict=False):
            if turn.pinned:
                self._pinned.add(_name(known))
            else:
                self._pinned.discard(_name(known))

    async def show(self, session: ChatSession, message: int) -> int:
        """Show the branch of `message`. Returns what is to stay in view: that message."""
        with self._pins(session):
            await session.show_version(message)
        return message

    async def delete(self, session: ChatSession, turn: int, *, reply_only: bool) -> int | None:
        """Delete a round, or its reply alone. Returns the message that stands in its place now, if any."""
        with self._pins(session):
            hidden = await session.delete(turn, reply_only=reply_only)
        if hidden:
            self.deleted.append(hidden)
        turns = known_turns(session)
        return _name(turns[turn]) if turn < len(turns) else None

    async def restore(self, session: ChatSession) -> int | None:
        """Undo the last deletion. Returns one of the messages that came back, None where there was none."""
        if not self.deleted:
            return None
        with self._pins(session):
            await session.restore(self.deleted[-1])
        back = self.deleted.pop()
        shown = (message.id for turn in known_turns(session) for message in both(turn))
        return next((message for message in shown if message in back), None)

    @contextmanager
    def _pins(self, session: ChatSession) -> Iterator[None]:
        """Pin again, on the branch that is shown after the block, what was pinned on any."""
        self.remember(session)
        yield
        for number, known in enumerate(known_turns(session)):
            if _name(known) in self._pinned:
                session.conversation = session.conversation.pin(number, pinned=True)


def both(turn: ShownTurn) -> list[ShownMessage]:
    """The messages of a round that are not deleted."""
    return [message for message in (turn.user, turn.reply) if message is not None]


def talk_items(
    session: ChatSession,
    before: tuple[ShownTurn, ...],
    items: Sequence[Item | LiveReply],
    places: Sequence[int],
) -> tuple[list[Item], list[int]]:
    """The talk as it stands in a transcript after a change, with what was said about rounds that stayed.

    Args:
        session: Whose talk it is.
        before: The turns that were shown.
        items: What the transcript showed.
        places: The place of each turn's first item there.

    Returns:
        The items, and the place of each turn's first one.
    """
    ends = [*places[1:], len(items)]
    notices = {
        _ids(turn): _notices(items[start:end]) for turn, start, end in zip(before, places, ends, strict=False)
    }
    shown = _notices(items[: places[0]] if places else items)
    starts: list[int] = []
    turns = known_turns(session)
    for turn, known in zip(session.conversation.turns, turns, strict=True):
        starts.append(len(shown))
        shown += [*turn_items(turn, known), *notices.get(_ids(known), ())]
    return shown, starts


def _notices(items: Sequence[Item | LiveReply]) -> list[Item]:
    return [item for item in items if isinstance(item, NoticeItem | MarkItem)]


def _ids(turn: ShownTurn) -> tuple[int, ...]:
    return tuple(message.id for message in both(turn))


def _name(turn: ShownTurn) -> int:
    """The message by which a round is known: its question, while that is there."""
    return both(turn)[0].id
