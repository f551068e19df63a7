"""The message that a key acts on, and what a screen needs so that its talk can be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from qwentui.language import _
from qwentui.tui.screens.reading import ReadingScreen
from qwentui.tui.transcript.items import ReplyItem

if TYPE_CHECKING:
    from qwentui.session import ChatSession, Replying
    from qwentui.store.records import ShownTurn
    from qwentui.tui.attaching import Attaching
    from qwentui.tui.screens.context_watch import ContextWatch
    from qwentui.tui.transcript.items import Severity
    from qwentui.tui.widgets.composer import Composer
    from qwentui.tui.widgets.title_bar import TitleBar


class Here(NamedTuple):
    """The message that a key acts on: whose, the item that shows it, its round, and which half of that."""

    session: ChatSession
    item: int
    turn: int
    is_reply: bool


def known_turns(session: ChatSession) -> tuple[ShownTurn, ...]:
    """What the store knows about the turns on show; nothing where there is no store."""
    return () if session.recorder is None else session.recorder.turns


class ActingScreen(ReadingScreen):
    """A screen whose keys act on messages; who inherits from it has the talk.

    Attributes:
        title_bar: Where a short note stands.
        composer: Where the user writes.
        watch_context: Knows where each round stands in the transcript.
        attaching: Reads the files that a text names.
    """

    title_bar: TitleBar
    composer: Composer
    watch_context: ContextWatch
    attaching: Attaching

    @property
    def session(self) -> ChatSession | None:
        """The session on show."""
        raise NotImplementedError

    @property
    def busy(self) -> bool:
        """Whether a reply runs."""
        raise NotImplementedError

    @property
    def editing(self) -> bool:
        """Whether the composer holds a message that is being edited: not on this screen."""
        return False

    def notice(self, text: str, severity: Severity = "info") -> None:
        """Say something about the talk, in the transcript."""
        raise NotImplementedError

    def note(self, text: str) -> None:
        """Say something short about what a key did, in the title bar."""
        self.title_bar.show(note=text)

    def count_soon(self) -> None:
        """Count what would be sent now."""
        raise NotImplementedError

    def _begin(self, session: ChatSession, reply: Replying) -> None:
        """Open a reply at the end of the transcript and let it run."""
        raise NotImplementedError

    def action_quote(self) -> None:
        """Put the selection, else the message at the cursor, into the composer as a quote."""
        item = self.transcript.at_cursor
        text = self.transcript.selected.strip("\n")
        if not text.strip() and item is not None:
            text = self.transcript.text_of(item).strip("\n")
        if not text.strip():
            self._refuse(_("there is nothing to quote"))
            return
        self.transcript.unselect()
        composer = self.composer
        written = composer.text
        gap = "\n" * max(2 - (len(written) - len(written.rstrip("\n"))), 0) if written else ""
        quote = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
        composer.insert(f"{gap}{quote}\n\n", composer.document.end)
        composer.move_cursor(composer.document.end)
        self.set_focus(composer)

    def _here(self) -> Here | None:
        """The message at the cursor, else the last one; where no key may act None, and the user is told."""
        session, item = self.session, self.transcript.at_cursor
        turn = None if item is None else self.watch_context.turn_of(item)
        if session is None or item is None or turn is None or turn >= len(session.conversation.turns):
            self._refuse(_("there is no message here"))
            return None
        here = Here(session, item, turn, isinstance(self.transcript.items[item], ReplyItem))
        return here if self._may_act(here) else None

    def _may_act(self, here: Here) -> bool:
        """Whether nothing stands in the way of a key; if something does, the user is told."""
        if here.session.recorder is not None and here.turn >= len(known_turns(here.session)):
            self.notice(_("That message could not be kept in the store, so it has no branches."), "warning")
            return False
        return not self._occupied()

    def _known(self, here: Here) -> ShownTurn | None:
        """What the store knows about a round; None where there is no store."""
        return known_turns(here.session)[here.turn] if here.session.recorder is not None else None

    def _occupied(self) -> bool:
        """Whether something else goes first; the user is told."""
        if self.busy:
            self._refuse(_("a reply runs: esc stops it first"))
        elif self.editing:
            self._refuse(_("an edit is open: esc leaves it first"))
        return self.busy or self.editing

    def _refuse(self, why: str) -> None:
        self.note(why)
        self.app.bell()
