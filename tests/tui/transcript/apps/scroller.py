"""A small chat-like app for pty tests: streamed text over an input, driven by keys, with marks in the byte stream.

Keys: f1 streams one token, f2 streams forty by a timer, f3 opens or closes a dialog, f4 shows or hides a side list,
f5 keeps the loop busy for a minute, f6 writes to the terminal behind the stage's back, f7 streams 4,000 tokens with
no pause, f8 scrolls up and down until the terminal has been behind for 100 steps and then says so in the file `side`;
f9 lends the terminal to a shell until enter; ctrl+z suspends. ctrl+t writes the mark
`OSC 7770 ; <n> ; <columns> ; <rows> ; <longest stall of the loop in ms> BEL` as soon as the terminal has been sent
everything.

`QWENTUI_OUTPUT=plain` runs it without the output stage.
"""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input, OptionList, Static

from qwentui.tui.transcript import guards, output

WORDS = re.findall(
    r"\S+",
    "the model answers 订单 发货 后 多久 能 收到 ? **bold** a_name = 42; # — “quoted” … naïve café 한국어 テスト "
    "é e\u0301 ← → ☃ 😀 ▎ │ supercalifragilisticexpialidocious 1,204",
)
STYLES = [
    Style(),
    Style(bold=True),
    Style(color="#ffaa00", italic=True),
    Style(color="#00aa88", bgcolor="#202020"),
    Style(underline=True),
    Style(reverse=True, color="red"),
    Style(dim=True),
]


class Stream(ScrollView, can_focus=True):
    """Lines of words; the last one grows."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.follow = True
        self.lines: list[Strip] = [Strip([])]
        for _ in range(400):
            self.feed(paint=False)

    def feed(self, *, paint: bool = True) -> None:
        line = self.lines[-1]
        if line.cell_length > 40 + self.random.randrange(200) or self.random.random() < 0.02:
            self.lines.append(Strip([]))
            line = self.lines[-1]
        style = self.random.choice(STYLES) if self.random.random() < 0.3 else STYLES[0]
        self.lines[-1] = Strip([*line, Segment(self.random.choice(WORDS) + " ", style)])
        if paint:
            self.grown()

    def grown(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.lines))
        if self.follow:
            self.scroll_end(animate=False, immediate=True)
        self.refresh()

    def on_resize(self) -> None:
        self.virtual_size = Size(self.size.width, len(self.lines))

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        strip = self.lines[y] if y < len(self.lines) else Strip([])
        return strip.crop_extend(0, self.size.width, self.rich_style).apply_style(self.rich_style)


class Dialog(ModalScreen[None]):
    BINDINGS: ClassVar[list[BindingType]] = [("f3", "dismiss", "close")]
    DEFAULT_CSS = (
        "Dialog { align: center middle; } Dialog Static { width: 40; height: 7; border: round $accent; }"
    )

    def compose(self) -> ComposeResult:
        yield Static("a dialog 对话框 over the text")


class Scroller(App[None]):
    ENABLE_COMMAND_PALETTE = False
    CSS = "OptionList { width: 24; display: none; } .-listed OptionList { display: block; } #status { height: 1; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        ("f1", "feed", ""),
        ("f2", "stream", ""),
        ("f3", "dialog", ""),
        ("f4", "toggle_class('App', '-listed')", ""),
        ("f5", "spin", ""),
        ("f6", "scribble", ""),
        ("f7", "flood", ""),
        ("f8", "page", ""),
        ("f9", "pager", ""),
        ("pageup", "scroll(-1)", ""),
        ("pagedown", "scroll(1)", ""),
        ("ctrl+up", "nudge(-1)", ""),
        ("ctrl+down", "nudge(1)", ""),
        ("ctrl+end", "end", ""),
        ("ctrl+z", "suspend_process", ""),
    ]

    def __init__(self, seed: int) -> None:
        super().__init__(ansi_color=False)
        self.animation_level = "none"
        self.stream = Stream(seed)
        self.marks = 0
        self.left = 0
        self.stall = 0.0
        self.stage = output.install(self, enabled=output.wanted(os.environ))

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield OptionList(*[f"会话 {n} session" for n in range(60)])
            yield self.stream
        yield Input(id="composer")
        yield Static(id="status")

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.query_one(Input).cursor_blink = False
        self.stream.scroll_end(animate=False, immediate=True)
        self.run_worker(self.watch_loop())

    async def watch_loop(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            self.stall = max(self.stall, time.monotonic() - before - 0.005)

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
                or screen._dirty_widgets
                or screen._layout_required
                or screen._repaint_required
                or screen._scroll_required
                or screen._callbacks
                or self._batch_count
                or self._resize_event is not None
                or (self.stage is not None and self.stage.pending)
            )
            quiet = 0 if waiting else quiet + 1
        self.marks += 1
        assert self._driver is not None
        size = f"{self.size.width};{self.size.height};{self.stall * 1000:.0f}"
        self._driver.write(f"\x1b]7770;{self.marks};{size}\x07")

    def action_feed(self) -> None:
        self.stream.feed()
        self.query_one("#status", Static).update(f"{len(self.stream.lines)} lines 行")

    async def action_stream(self) -> None:
        self.left += 40
        self.run_worker(self.trickle())

    async def trickle(self) -> None:
        for _ in range(40):
            self.action_feed()
            self.left -= 1
            await asyncio.sleep(0.003)

    async def action_flood(self) -> None:
        self.left = 4000
        self.run_worker(self.gush())

    async def gush(self) -> None:
        while self.left:
            for _ in range(20):
                self.stream.feed(paint=False)
                self.left -= 1
            self.stream.grown()
            self.query_one("#status", Static).update(f"{self.left} left")
            await asyncio.sleep(0.001)

    async def action_page(self) -> None:
        self.run_worker(self.pages())

    async def pages(self) -> None:
        late = 0
        while late < 100:
            for y in (0, self.stream.max_scroll_y):
                self.stream.scroll_to(y=y, animate=False, immediate=True)
                await asyncio.sleep(0.005)
                late += self.stage is not None and self.stage.busy
        say("still alive")

    def action_dialog(self) -> None:
        self.push_screen(Dialog())

    def action_end(self) -> None:
        self.stream.follow = True
        self.stream.scroll_end(animate=False, immediate=True)

    def action_scroll(self, pages: int) -> None:
        self.stream.follow = False
        self.stream.scroll_relative(y=pages * self.stream.size.height, animate=False, immediate=True)

    def action_nudge(self, lines: int) -> None:
        self.stream.follow = False
        self.stream.scroll_relative(y=lines, animate=False, immediate=True)

    def action_pager(self) -> None:
        with self.suspend():
            subprocess.run(["sh", "-c", "echo PAGER; read line"], check=True)

    def action_spin(self) -> None:
        end = time.monotonic() + 60
        say("spinning")
        while time.monotonic() < end:
            pass

    def action_scribble(self) -> None:
        assert self._driver is not None
        self._driver.write("\x07\x1b]52;c;aGVsbG8=\x07\x1b]0;a title\x07")
        self._driver.write("\x1b[5;5HSCRIBBLE")


def say(word: str) -> None:
    Path("side").write_text(word, encoding="utf-8")


def save() -> None:
    Path("saved").write_text("saved", encoding="utf-8")


if __name__ == "__main__":
    if "nohup" in sys.argv:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    app = Scroller(int(sys.argv[1]))
    guards.install_signals(app, save)
    app.run()
