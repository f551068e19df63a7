"""Pictures of files that go along: in the transcript, folded and not, and above the composer.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_attachment_snapshots.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from pictures import png
from snapshot import assert_looks_as
from svg import picture
from textual.app import App

from qwentui.chat.attachment import ImageFile, Refusal, TextFile, composed
from qwentui.chat.image import image_of
from qwentui.store.paths import shipped
from qwentui.store.themes import load_theme
from qwentui.tui import app as program
from qwentui.tui.screens.attached import lines_of
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript
from qwentui.tui.widgets.attachment_list import AttachmentList

if TYPE_CHECKING:
    from textual.app import ComposeResult

SNAPSHOTS = Path(__file__).parent / "snapshots"

FILES = (
    TextFile("src/shop.py", 'def price(order):\n    return f"{order.total:.2f} 元"\n', removed=1),
    TextFile("笔记.md", "# 订单\n\n```sh\nmake\n```\n"),
    ImageFile("photo.png", image_of(png(640, 480))),
    Refusal("old.txt", "old.txt is no text in UTF-8, UTF-16 or GB18030, and no image."),
)


class Gallery(App[None]):
    """A question with files in the transcript, and those of a draft below, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self) -> None:
        super().__init__()
        file = load_theme("qwentui-dark", [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = file.name
        self.transcript = Transcript(Palette.from_colors(**palette_colors(file)))
        said = composed("对比 @src/shop.py 和 @笔记.md, please look at @photo.png too", FILES)
        self.transcript.load([UserItem.of(said)])
        self.files = AttachmentList()

    def compose(self) -> ComposeResult:
        yield self.transcript
        yield self.files


@pytest.mark.parametrize("width", [60, 100])
async def test_files_look_as_they_did(width: int, tmp_path: Path) -> None:
    gallery = Gallery()
    async with gallery.run_test(size=(width, 20)) as pilot:
        gallery.files.show(lines_of(FILES, None))
        gallery.transcript._fold(0, 1)
        await pilot.pause()
        drawn = picture(gallery, f"files, {width} columns")
    assert_looks_as(SNAPSHOTS / f"files-{width}.svg", drawn, tmp_path)
