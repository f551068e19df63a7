"""A transcript over an input, driven by keys, for pty tests of the way that its rows take to the terminal.

Keys: f1 streams twelve tokens, f2 forty in small steps, f3 opens or closes a dialog, f4 shows or hides a side list,
f5 says a notice, f6 ends the reply or opens one, f7 shows or hides a badge that lies over the transcript. ctrl+t
writes the mark that `apps/scroller.py` writes, as soon as the terminal has been sent everything.

`QWENTUI_OUTPUT=plain` runs it without the output stage.
"""

import asyncio
import os
import random
import sys
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from qwentui.tui.transcript import output
from qwentui.tui.transcript.items import NoticeItem, ReplyItem, UserItem
from qwentui.tui.transcript.palette import Palette
from qwentui.tui.transcript.view import Transcript

TOKENS = [
    *[
        "the",
        "model",
        "answers",
        "订单",
        "发货",
        "**bold**",
        "`code`",
        "naïve",
        "한국어",
        "e\u0301",
        "😀",
        "—",
        "1,204",
    ],
    *[
        "\n\n",
        "\n\n## Heading\n\n",
        "\n- item",
        "\n> quoted",
        "\n\n```python\ndef f(x):\n  return x\n```\n\n",
    ],
    "\n\n|a|b|\n|-|-|\n|1|2|\n\n",
]


class Dialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("f3", "dismiss", "close")]
    DEFAULT_CSS = (
        "Dialog { align: center middle; } Dialog Static { width: 30; height: 5; border: round red; }"
    )

    def compose(self) -> ComposeResult:
        yield Static("a dialog 对话框 over the text")


class Talker(App[None]):
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layers: below above; }
    #badge { layer: above; width: 9; height: 3; offset: 20 2; display: none; background: blue; }
    OptionList { width: 20; display: none; }
    .-listed OptionList { display: block; }
    .-badged #badge { display: block; }
    Transcript { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        ("f1", "feed", ""),
        ("f2", "stream", ""),
        ("f3", "dialog", ""),
        ("f4", "toggle_class('App', '-listed')", ""),
        ("f5", "notice", ""),
        ("f6", "turn", ""),
        ("f7", "toggle_class('App', '-badged')", ""),
        ("pageup", "to('page_up')", ""),
        ("pagedown", "to('page_down')", ""),
        ("ctrl+up", "to('scroll_up')", ""),
        ("ctrl+down", "to('scroll_down')", ""),
        ("ctrl+end", "to('scroll_end')", ""),
    ]

    def __init__(self, seed: int) -> None:
        super().__init__(ansi_color=False)
        self.animation_level = "none"
        self.random = random.Random(seed)
        self.transcript = Transcript(Palette.from_colors())
        self.said: list[str] = []
        self.left = 0
        self.marks = 0
        self.stage = output.install(self, enabled=output.wanted(os.environ))

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield OptionList(*[f"会话 {n}" for n in range(60)])
            yield self.transcript
        yield Input(id="composer")
        yield Static("badge", id="badge")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.query_one(Input).cursor_blink = False
        self.transcript.load([UserItem("订单发货后多久能收到?"), ReplyItem("In **three** days.\n\n" * 30)])
        self.transcript.open_reply("qwen3")

    async def on_event(self, event: Any) -> None:
        if getattr(event, "key", "") == "ctrl+t":
            self.run_worker(self.mark())
            return
        await super().on_event(event)

    async def mark(self) -> None:
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0.02)
            screen = self.screen
            waiting = (
                self.left
                or self.transcript._beat._dirty.is_set()
                or self.transcript._document.busy
                or screen._dirty_widgets
                or screen._layout_required
                or screen._repaint_required
                or screen._scroll_required
                or screen._callbacks
                or self._resize_event is not None
                or (self.stage is not None and self.stage.pending)
            )
            quiet = 0 if waiting else quiet + 1
        self.marks += 1
        assert self._driver is not None
        self._driver.write(f"\x1b]7770;{self.marks};{self.size.width};{self.size.height};0\x07")

    def action_feed(self) -> None:
        for _ in range(12):
            self.say()

    def say(self) -> None:
        if not self.said and self.transcript._document.live is None:
            return
        token = self.random.choice(TOKENS)
        self.said.append(token if token.startswith("\n") else token + " ")
        self.transcript.feed_text(self.said[-1])

    def action_stream(self) -> None:
        self.left += 40
        self.run_worker(self.trickle())

    async def trickle(self) -> None:
        for _ in range(40):
            self.say()
            self.left -= 1
            await asyncio.sleep(0.01)

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_notice(self) -> None:
        self.transcript.append(NoticeItem("something was trimmed 上下文"))

    def action_turn(self) -> None:
        if self.left:
            return
        if self.transcript._document.live is None:
            self.transcript.open_reply("qwen3")
        else:
            self.transcript.close_reply(ReplyItem("".join(self.said), footer="218 tok"))
        self.said.clear()

    def action_to(self, way: str) -> None:
        if way == "scroll_end":
            self.transcript.scroll_end()
        else:
            getattr(self.transcript, f"action_{way}")()


if __name__ == "__main__":
    Talker(int(sys.argv[1])).run()
