"""Two answers to one prompt beside each other, as they come, and how far they are apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from qwentui.backends.choice import short_name
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import _, ngettext
from qwentui.tui import phrases
from qwentui.tui.comparison import Side, Wish
from qwentui.tui.screens.compare_column import CompareColumn
from qwentui.tui.screens.reading import ReadingScreen
from qwentui.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from textual.app import ComposeResult
    from textual.timer import Timer

    from qwentui.keyboard.keymap import Keymap
    from qwentui.tui.comparison import Comparison
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.view import Transcript

_TICK = 0.25
"""Seconds between two looks at the clock while a reply runs."""
_BESIDE = 100
"""Columns from which two answers stand beside each other."""


class CompareScreen(Screen["Side | None"]):
    """Gives the side with which the user goes on, None for neither.

    Args:
        palette: The transcripts' colours.
        fps: Frames a second while text streams.
        ready: Says whether the terminal keeps up.
        begin: Makes a comparison; the one before is left.
    """

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (_BESIDE, "-beside")]  # noqa: RUF012 - Textual declares it on instances

    # In a low terminal every line belongs to the answers, below which the figures stand once more.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012 - Textual declares it on instances

    def __init__(
        self,
        palette: Palette,
        fps: int,
        ready: Callable[[], bool],
        begin: Callable[[Wish], Comparison],
        keymap: Keymap = DEFAULT,
    ) -> None:
        super().__init__()
        self.title_bar = TitleBar()
        self.columns = (CompareColumn(palette, fps, keymap), CompareColumn(palette, fps, keymap))
        for column in self.columns:
            column.transcript.ready = ready
        self.columns[1].add_class("-last")
        self.comparison: Comparison | None = None
        self._begin = begin
        self._apart = Static(id="apart", markup=False)
        self._ways = Static(id="ways", markup=False)
        self._shown = 0
        self._moved = False
        self._ticker: Timer | None = None
        self._said = ""

    def compose(self) -> ComposeResult:
        """From top to bottom: where we are, the two sides, how far they are apart, the keys."""
        yield self.title_bar
        with Horizontal(id="sides"):
            yield from self.columns
        yield self._apart
        yield self._ways

    def on_mount(self) -> None:
        """Ask."""
        self._ticker = self.set_interval(_TICK, self._tick, pause=True)
        self._show_side(0)
        self._run(Wish())

    def on_resize(self) -> None:
        """Show as many keys as there is room for."""
        self.call_after_refresh(self.show_state)

    def _run(self, wish: Wish) -> None:
        """Ask both by `wish`; what was asked before leaves the screen."""
        from qwentui.chat.attachment import said

        self._leave_sheets()
        self._moved = False
        comparison = self.comparison = self._begin(wish)
        for column, side in zip(self.columns, comparison.sides, strict=True):
            side.chat.sheet.show(column.transcript)
        session = comparison.sides[0].chat.session
        if session is not None:
            self.title_bar.show(model=short_name(session.model.name), host=session.backend.host)
        self.title_bar.show(title=said(comparison.message))
        comparison.look()
        self.show_state()

    def _leave_sheets(self) -> None:
        for side in self.comparison.sides if self.comparison is not None else ():
            side.chat.sheet.leave()

    # What is true now

    def show_state(self) -> None:
        """Show who answers, who waits, and what is known of both."""
        comparison = self.comparison
        if comparison is None or not self.is_attached:
            return
        running = comparison.running
        if self._ticker is not None:
            (self._ticker.pause if running is None else self._ticker.resume)()
        if running is not None and not self._moved:
            self._show_side(comparison.sides.index(running))
        one, other = comparison.sides
        for column, side, beside in zip(self.columns, (one, other), (other, one), strict=True):
            hidden = self.has_class("-narrow")
            of_other = f"{beside.letter}: {comparison.state(beside)}" if hidden else ""
            column.show(side, comparison.state(side), of_other)
        self._show_apart(one, other)
        self._show_ways(comparison)

    def _show_apart(self, one: Side, other: Side) -> None:
        before, after = one.reply, other.reply
        self._apart.display = before is not None and after is not None
        if before is not None and after is not None:
            text = _("{second} against {first}: {difference}").format(
                first=one.letter, second=other.letter, difference=phrases.difference(before, after)
            )
            told = phrases.unequal({one.letter: before, other.letter: after})
            self._apart.update("\n".join([text, " ".join(told)] if told else [text]))

    def _show_ways(self, comparison: Comparison) -> None:
        line = f" {self._said}" if self._said else ""
        for way in (*self._ways_of(comparison),):
            longer = f"{line} · {way}" if line else f" {way}"
            if cell_len(longer) > self.size.width:
                break
            line = longer
        self._ways.update(line)

    def _ways_of(self, comparison: Comparison) -> Iterator[str]:
        running = comparison.running
        if running is not None:
            yield _("esc stops {letter}").format(letter=running.letter)
        else:
            yield _("esc back")
        if comparison.held and comparison.next is not None:
            yield _("n asks {letter}").format(letter=comparison.next.letter)
        yield _("enter takes {letter}").format(letter=comparison.sides[self._shown].letter)
        yield _("tab other side")
        if running is None:
            yield _("r again")
            yield _("x other order")
            if comparison.wish.with_rounds:
                yield _("h without the rounds before")
            elif comparison.rounds:
                count = comparison.rounds
                rounds = ngettext("h with the round before", "h with {count} rounds before", count)
                yield rounds.format(count=count)
        yield _("y copies")

    def _tick(self) -> None:
        running = self.comparison.running if self.comparison is not None else None
        if running is not None and running.chat.run is not None:
            running.chat.run.tick()

    # What the user does

    def action_other(self) -> None:
        """Give the keys to the other side, and show it where there is room for one."""
        self._moved = True
        self._show_side(1 - self._shown)
        self._say("")

    def action_take(self) -> None:
        """Go on with the side that has the keys."""
        side = self.comparison.sides[self._shown] if self.comparison is not None else None
        if side is not None and (side.chat.busy or side.reply is not None):
            self._leave(side)
        else:
            self._refuse(_("there is no answer yet"))

    def action_again(self) -> None:
        """Ask both again."""
        self._run_again(lambda wish: wish)

    def action_swap(self) -> None:
        """Ask both again, the other one first."""
        self._run_again(lambda wish: replace(wish, first=1 - wish.first))

    def action_rounds(self) -> None:
        """Ask both again, with or without what was said before."""
        if self.comparison is not None and not self.comparison.rounds:
            self._refuse(_("nothing was said in this chat before the prompt"))
        else:
            self._run_again(lambda wish: replace(wish, with_rounds=not wish.with_rounds))

    def _run_again(self, changed: Callable[[Wish], Wish]) -> None:
        if self.comparison is None or self.comparison.running is not None:
            self._refuse(_("a reply runs: esc stops it first"))
        else:
            self._said = ""
            self._run(changed(self.comparison.wish))

    def action_go_on(self) -> None:
        """Ask the one that was held."""
        if self.comparison is not None and self.comparison.held:
            self.comparison.go_on()
            self.show_state()

    def action_leave(self) -> None:
        """Stop the one that runs and keep what came; where none does, go back."""
        if self.comparison is None or not self.comparison.stop():
            self._leave(None)

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        """Have it copied."""
        self.post_message(ReadingScreen.CopyWanted(message.text, message.what))
        self._say(phrases.copied(message.what))

    def on_transcript_pager_requested(self, message: Transcript.PagerRequested) -> None:
        """Have it shown in the user's pager."""
        self.post_message(ReadingScreen.PagerWanted(message.text))

    def on_descendant_focus(self) -> None:
        """A side was clicked."""
        for place, column in enumerate(self.columns):
            if column.transcript.has_focus and place != self._shown:
                self._moved = True
                self._show_side(place)
                self._say("")

    def _show_side(self, place: int) -> None:
        """Give the keys to a side."""
        self._shown = place
        for number, column in enumerate(self.columns):
            column.set_class(number == place, "-shown")
        self.set_focus(self.columns[place].transcript)

    def _say(self, text: str) -> None:
        self._said = text
        self.show_state()

    def _refuse(self, why: str) -> None:
        self._say(why)
        self.app.bell()

    def _leave(self, side: Side | None) -> None:
        self._leave_sheets()
        self.dismiss(side)
