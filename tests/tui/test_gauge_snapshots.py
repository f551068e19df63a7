"""Pictures of the gauges at four widths in the states that matter, compared with those in `snapshots/`.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_gauge_snapshots.py
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from snapshot import assert_looks_as
from svg import picture
from textual.app import App

from qwentui.chat.context import ContextWindow
from qwentui.chat.stream import Retrying
from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme
from qwentui.telemetry.memory import Memory
from qwentui.tui import app as program
from qwentui.tui import phrases
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import NoticeItem, UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript
from qwentui.tui.widgets.gauge_forms import GIB, Readings
from qwentui.tui.widgets.gauges import Gauges

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.tui.transcript.items import Item

SNAPSHOTS = Path(__file__).parent / "snapshots"
WIDTHS = (60, 80, 120, 200)

CARD = Memory("card", round(20.9 * GIB), round(22.2 * GIB), spilled=0.0)
WINDOW = ContextWindow(used=3412, exact=True, limit=7500, num_ctx=8192)
ALL = Readings(CARD, ttft=1.62, usual_ttft=1.7, speed=52.1, unload=240.0)
OTHERWISE = replace(WINDOW, loaded=4096)
RETRY = Retrying(1, 2, 0.5, "The server is busy (503).")

STATES: dict[str, tuple[Readings, ContextWindow, Item]] = {
    "no-gpu": (replace(ALL, memory=Memory("card", word="no GPU")), WINDOW, UserItem("你好")),
    "spill": (replace(ALL, memory=replace(CARD, spilled=0.12)), WINDOW, UserItem("你好")),
    "red-context": (ALL, OTHERWISE, NoticeItem(OTHERWISE.mismatch or "", "warning")),
    "retrying": (
        replace(ALL, ttft=2.4, is_waiting=True, speed=None, is_in_use=True),
        WINDOW,
        NoticeItem(phrases.pausing(RETRY, 0.4), "warning"),
    ),
    "unloaded": (
        replace(ALL, memory=replace(CARD, used=GIB, word="not loaded", spilled=None), unload=None),
        WINDOW,
        UserItem("你好"),
    ),
}


class Gallery(App[None]):
    """The transcript and the gauges, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self, item: Item, theme: str = "qwentui-dark") -> None:
        super().__init__()
        file = load_theme(theme, [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = file.name
        self.transcript = Transcript(Palette.from_colors(**palette_colors(file)))
        self.transcript.load([item])
        self.gauges = Gauges()

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield self.gauges


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("state", STATES)
async def test_the_gauges_look_as_they_did(state: str, width: int, tmp_path: Path) -> None:
    readings, window, item = STATES[state]
    drawn = await _drawn(Gallery(item), (readings, window), width, f"{state}, {width} columns")
    assert_looks_as(SNAPSHOTS / f"gauges-{state}-{width}.svg", drawn, tmp_path)


@pytest.mark.parametrize("theme", ["qwentui-light", "terminal-16", "terminal-16-light", "terminal-mono"])
async def test_so_do_they_in_other_themes(theme: str, tmp_path: Path) -> None:
    readings = replace(ALL, memory=replace(CARD, spilled=0.12))
    gallery = Gallery(NoticeItem("Something that matters.", "warning"), theme)
    drawn = await _drawn(gallery, (readings, replace(WINDOW, used=7100)), 120, theme)
    assert_looks_as(SNAPSHOTS / f"gauges-{theme}.svg", drawn, tmp_path)


async def _drawn(gallery: Gallery, shown: tuple[Readings, ContextWindow], width: int, title: str) -> str:
    async with gallery.run_test(size=(width, 5)) as pilot:
        gallery.gauges.show(shown[0])
        gallery.gauges.show_context(shown[1])
        await pilot.pause()
        return picture(gallery, title)
