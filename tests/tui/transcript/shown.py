"""An app with nothing but a transcript, and what it shows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import App

from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from textual.app import ComposeResult
    from textual.message import Message
    from textual.pilot import Pilot

    from qwentui.tui.transcript.items import Item

PALETTE = Palette.from_colors()
_DEADLINE = 20.0


class Shown(App[None]):
    """Shows a transcript of some items and keeps the messages it posts."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__()
        self.transcript = Transcript(PALETTE)
        self.transcript.load(items)
        self.heard: list[Message] = []

    def compose(self) -> ComposeResult:
        yield self.transcript

    def on_mount(self) -> None:
        self.transcript.focus()

    def on_transcript_follow_changed(self, message: Transcript.FollowChanged) -> None:
        self.heard.append(message)

    def on_transcript_copied(self, message: Transcript.Copied) -> None:
        self.heard.append(message)

    def on_transcript_pager_requested(self, message: Transcript.PagerRequested) -> None:
        self.heard.append(message)

    def on_transcript_search_changed(self, message: Transcript.SearchChanged) -> None:
        self.heard.append(message)

    def lines(self) -> list[str]:
        """The screen as text, a line a row."""
        return [strip.text.rstrip() for strip in self.screen._compositor.render_strips()]

    def text(self) -> str:
        """The screen as one text."""
        return "\n".join(self.lines())

    def rows(self, index: int) -> list[str]:
        """All rows of an item, laid out to the end."""
        body = self.transcript._document.finish(index)
        lines = (body.line(row) for row in range(body.height))
        return [(line.gutter.text + "".join(part.text for part in line.row)).rstrip() for line in lines]


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Let the app go on until something is true."""
    deadline = monotonic() + _DEADLINE
    while not condition():
        assert monotonic() < deadline, "the condition never came true"
        await pilot.pause()


async def drawn(pilot: Pilot[None]) -> None:
    """Let the app go on until nothing is left to lay out and to draw."""
    assert isinstance(pilot.app, Shown)
    transcript = pilot.app.transcript
    await until(
        pilot,
        lambda: (
            not (
                transcript._beat._dirty.is_set()
                or transcript._document.busy
                or transcript._loading
                or transcript._changed
            )
        ),
    )
    await pilot.pause()


@asynccontextmanager
async def shown(
    *items: Item, size: tuple[int, int] = (60, 16)
) -> AsyncIterator[tuple[Shown, Transcript, Pilot[None]]]:
    """Run the app in a terminal of `size`."""
    app = Shown(items)
    async with app.run_test(size=size) as pilot:
        await drawn(pilot)
        yield app, app.transcript, pilot
