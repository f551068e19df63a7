"""Pictures of a talk under the picker of themes, in each theme that comes along.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_theme_snapshots.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from snapshot import assert_looks_as
from svg import picture
from textual.app import App
from tui.transcript.shown import until

from qwentui.store.paths import shipped
from qwentui.store.themes import Themes, load_themes
from qwentui.tui import app as program
from qwentui.tui.screens.theme_picker import ThemePicker
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript
from qwentui.tui.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.store.theme_values import ThemeFile

SNAPSHOTS = Path(__file__).parent / "snapshots"
THEMES = load_themes([shipped("themes")]).kept
TALK = (
    UserItem("How do I add them up?"),
    ReplyItem(
        "## Like *this*\n\nWith `sum`, see the [manual](https://docs.python.org).\n\n"
        "```python\ndef total(prices: list[float]) -> float:\n    return sum(prices)  # all of them\n```\n",
        footer="31 tok · stop",
        model="qwen3",
    ),
    NoticeItem("Something that matters.", "warning"),
    NoticeItem("Something that failed.", "error"),
)


class Gallery(App[None]):
    """A talk under its title, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self, theme: ThemeFile) -> None:
        super().__init__()
        self.register_theme(textual_theme(theme))
        self.theme = theme.name
        self.title_bar = TitleBar()
        self.transcript = Transcript(Palette.from_colors(**palette_colors(theme)))
        self.transcript.load(TALK)

    def compose(self) -> ComposeResult:
        yield self.title_bar
        yield self.transcript


def same(_theme: ThemeFile) -> None:
    """Wear nothing else: the cursor stays where it is."""


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
async def test_a_talk_under_the_picker_looks_as_it_did(theme: ThemeFile, tmp_path: Path) -> None:
    gallery = Gallery(theme)
    async with gallery.run_test(size=(96, 24)) as pilot:
        transcript = gallery.transcript
        gallery.title_bar.show(model="qwen3", host="a10", title="Sums")
        await until(pilot, lambda: not (transcript._document.busy or transcript._loading))
        await gallery.push_screen(ThemePicker(Themes(THEMES), theme, same))
        await pilot.pause()
        await pilot.pause()
        drawn = picture(gallery, theme.name)
    assert_looks_as(SNAPSHOTS / f"themes-{theme.name}.svg", drawn, tmp_path)
