"""Pictures of a comparison at two sizes, compared with those in `snapshots/`.

A picture that changed is looked at, and accepted with

    ACCEPT_SNAPSHOTS=1 python -m pytest tests/tui/test_compare_snapshots.py
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from snapshot import assert_looks_as
from svg import picture
from textual.app import App

from qwentui.backends.base import ModelDetails
from qwentui.backends.ollama import OllamaBackend
from qwentui.chat.conversation import Conversation, Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.launch import Launch
from qwentui.store.paths import Paths, shipped
from qwentui.store.settings import Settings
from qwentui.store.themes import load_theme
from qwentui.tui import app as program
from qwentui.tui.comparison import Comparison, Side, Wish
from qwentui.tui.desk import Desk
from qwentui.tui.screens.compare import CompareScreen
from qwentui.tui.screens.reply import items_of
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.items import NoticeItem
from qwentui.tui.transcript.palette import Palette

SNAPSHOTS = Path(__file__).parent / "snapshots"
SIZES = ((120, 36), (80, 24))

PROMPT = "订单发货后多久能收到?"
ANSWERS = (
    (
        "电商客服",
        "1. 同城一般 **1 天**内送达。\n2. 跨省一般 **2–4 天**,以物流页为准。",
        Usage(ttft=1.62, server=ServerUsage(412, 0.91, 46, 0.88, 0.002)),
    ),
    (
        "teacher",
        "How long it takes depends on the carrier:\n\n```\nstandard  3-5 days\nexpress   1-2 days\n```\n",
        Usage(ttft=0.52, server=ServerUsage(412, 0.06, 61, 1.19, 0.002)),
    ),
)


def side(letter: str, launch: Launch, name: str, content: str, usage: Usage) -> Side:
    """A side that has been asked, and has answered."""
    backend = OllamaBackend(launch.endpoint("a10"))
    session = launch.session(backend, ModelDetails(name="qwen3-32b-local:latest"))
    reply = Reply(Message(Role.ASSISTANT, content), FinishReason.STOP, "qwen3-32b-local", usage)
    session.conversation = Conversation().asked(PROMPT).answered(reply)
    chat = Desk(1, None).open()
    chat.seat(session)
    items, _ = items_of(session.conversation, ())
    notice = NoticeItem(f"{name} wants the model llama; qwen3-32b-local answers.", "warning")
    chat.sheet.load([notice, *items] if letter == "B" else items)
    return Side(letter, name, chat, asked=True)


class Gallery(App[None]):
    """A comparison, with the program's styles."""

    CSS_PATH: ClassVar[Path] = Path(program.__file__).with_name("qwentui.tcss")

    def __init__(self, comparison: Comparison) -> None:
        super().__init__()
        file = load_theme("qwentui-dark", [shipped("themes")])
        self.register_theme(textual_theme(file))
        self.theme = file.name
        palette = Palette.from_colors(**palette_colors(file))
        self.beside = CompareScreen(palette, 30, lambda: True, lambda _wish: comparison)

    def on_mount(self) -> None:
        self.push_screen(self.beside)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size[0]))
async def test_a_comparison_looks_as_it_did(size: tuple[int, int], tmp_path: Path) -> None:
    launch = Launch(Paths(*[tmp_path] * 4), Settings())
    sides = tuple(side(letter, launch, *rest) for letter, rest in zip("AB", ANSWERS, strict=True))
    comparison = Comparison(Desk(1, None), Message(Role.USER, PROMPT), sides, Wish(), 2)
    gallery = Gallery(comparison)
    async with gallery.run_test(size=size) as pilot:
        await pilot.pause()
        while gallery.beside.columns[0].transcript._document.busy:
            await pilot.pause(0.01)
        await pilot.pause()
        drawn = picture(gallery, f"a comparison, {size[0]} columns")
    assert_looks_as(SNAPSHOTS / f"compare-{size[0]}.svg", drawn, tmp_path)
