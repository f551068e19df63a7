"""Bytes and CPU that the output stage costs, against Textual's own output, in the same run.

    python tests/bench/bench_output.py [prose|code|zh ...]

Streams tokens at 50 a second into a plain wrapping widget at 120x36, in a pty, with the stage and without it, and
prints one JSON line a case: bytes to the terminal per token, frames, CPU seconds per 1,000 tokens of the app.
`slow` streams 400 tokens to a terminal that takes 20,000 bytes a second and prints how late the last one came.
"""

import asyncio
import itertools
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import ClassVar

import psutil
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Input

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from terminal import Terminal

from qwentui.tui.transcript import output

TOKENS, RATE, LINK = 400, 50, 20_000
TEXTS = {
    "prose": "A scheduler that is fair to every process has to pay for it somewhere, and most of the time it pays "
    "in latency. The queue grows, the cache goes cold, and the one request that mattered waits behind ten that "
    "did not. Measure first; then change one thing, and measure again.\n\n",
    "code": "def fetch(url: str, retries: int = 3) -> bytes:\n    for attempt in range(retries):\n        try:\n"
    '            return read(url, timeout=2.5, label="attempt %d" % attempt)\n        except OSError as error:\n'
    "            log(error, attempt)  # try again\n    raise RuntimeError(url)\n\n",
    "zh": "同城订单一般一天内送达,跨省订单需要二到四天,以物流页面显示的时间为准。预售商品以商品页的发货时间为准,如有疑问请联系客服。\n\n",
}
PIECES = re.compile(r"\s*[A-Za-z_]{1,8}|\s*[^\sA-Za-z_]|\s+")
BASE = Style.parse("#d0d0d0 on #101010")
COLOURS = [
    (re.compile(r"\s*(def|for|in|try|return|except|as|raise)$"), Style.parse("bold #c678dd on #101010")),
    (re.compile(r"\s*\d"), Style.parse("#d19a66 on #101010")),
    (re.compile(r"\s*[\"%#(){}:=>,.-]"), Style.parse("#56b6c2 on #101010")),
]


class Page(ScrollView):
    """Text that wraps by characters and grows at the end."""

    DEFAULT_CSS: ClassVar[str] = "Page { background: #101010; scrollbar-size: 1 1; }"

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self.coloured = coloured
        self.rows: list[list[Segment]] = [[]]

    def feed(self, token: str) -> None:
        style = next((s for p, s in COLOURS if p.match(token)), BASE) if self.coloured else BASE
        for part in re.findall(r"\n|[^\n]+", token):
            piece = Segment(part, style)
            if part == "\n" or Segment.get_line_length([*self.rows[-1], piece]) > 100:
                self.rows.append([])
            if part != "\n":
                self.rows[-1].append(piece)
        if len(self.rows) != self.virtual_size.height:
            self.virtual_size = Size(self.size.width, len(self.rows))
            self.scroll_end(animate=False, immediate=True)
            self.refresh()
        else:
            self.refresh(Region(0, len(self.rows) - 1 - self.scroll_offset.y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        y += self.scroll_offset.y
        row = self.rows[y] if y < len(self.rows) else []
        return Strip(row).adjust_cell_length(self.size.width, BASE)


class Typist(App[None]):
    """Streams one text at the rate, then says LAST."""

    CSS = "Input { height: 3; }"

    def __init__(self, text: str, tokens: int) -> None:
        super().__init__()
        self.tokens = [*itertools.islice(itertools.cycle(PIECES.findall(text)), tokens)]
        self.page = Page(coloured="def" in text)
        output.install(self, enabled=output.wanted(os.environ))

    def compose(self) -> ComposeResult:
        yield self.page
        yield Input()

    def on_mount(self) -> None:
        self.query_one(Input).cursor_blink = False
        self.query_one(Input).focus()

    def on_input_changed(self) -> None:
        if not self.workers:
            self.run_worker(self.stream())

    async def stream(self) -> None:
        start = time.monotonic()
        for count, token in enumerate(self.tokens):
            await asyncio.sleep(max(0.0, start + count / RATE - time.monotonic()))
            self.page.feed(token)
        self.page.feed(f"LAST{time.monotonic():.3f}")


def measure(case: str, *, plain: bool, rate: int | None = None) -> dict[str, object]:
    """Run one case; `rate` bounds what the terminal takes, in bytes a second."""
    env = {"QWENTUI_OUTPUT": "plain" if plain else ""}
    with Terminal([sys.executable, __file__, "--app", case], env=env) as terminal:
        terminal.wait_for("▔▔▔")
        terminal.wait_until(lambda: not terminal.pump(0.5))
        process, start = psutil.Process(terminal.process.pid), len(terminal.raw)
        before = process.cpu_times()
        terminal.send("x")
        if rate:
            began = time.monotonic()
            terminal.wait_until(
                lambda: throttled(terminal, start, began, rate) and b"LAST" in terminal.raw, 120
            )
        terminal.wait_for(re.compile(r"LAST[\d.]+"), 120)
        sent = float(terminal.wait_for(re.compile(r"LAST([\d.]+)"), 120)[1])
        late = time.monotonic() - sent
        after = process.cpu_times()
        told = bytes(terminal.raw[start:])
    return {
        "case": case,
        "output": "plain" if plain else "staged",
        "link_bytes_per_s": rate,
        "bytes_per_token": round(len(told) / TOKENS, 1),
        "frames": told.count(b"\x1b[?2026h"),
        "cpu_s_per_1k_tokens": round(
            (after.user + after.system - before.user - before.system) / TOKENS * 1000, 2
        ),
        "last_token_late_ms": round(late * 1000),
    }


def throttled(terminal: Terminal, start: int, began: float, rate: int) -> bool:
    """Hold back the next read until the link may carry it."""
    ahead = (len(terminal.raw) - start) / rate - (time.monotonic() - began)
    if ahead > 0:
        time.sleep(ahead)
    return True


def main() -> None:
    """Run the cases that are named, or all."""
    if sys.argv[1:2] == ["--app"]:
        Typist(TEXTS[sys.argv[2]], TOKENS).run()
        return
    for case in sys.argv[1:] or [*TEXTS, "slow"]:
        for plain in (False, True):
            slow = case == "slow"
            print(
                json.dumps(measure("prose" if slow else case, plain=plain, rate=LINK if slow else None)),
                flush=True,
            )


if __name__ == "__main__":
    main()
