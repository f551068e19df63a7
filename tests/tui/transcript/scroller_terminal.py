"""The app of `apps/scroller.py` in a terminal, and how its tests wait for it."""

import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from terminal import Terminal

APP = Path(__file__).parent / "apps" / "scroller.py"
KEYS = {
    "feed": "\x1bOP",
    "stream": "\x1bOQ",
    "dialog": "\x1bOR",
    "list": "\x1bOS",
    "spin": "\x1b[15~",
    "scribble": "\x1b[17~",
    "flood": "\x1b[18~",
    "pages": "\x1b[19~",
    "pager": "\x1b[20~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "up": "\x1b[1;5A",
    "down": "\x1b[1;5B",
    "end": "\x1b[1;5F",
    "suspend": "\x1a",
}
FRAME_END = b"\x1b[?2026l"
WHOLE = b"\x1b[m\x1b[r"
MARK = re.compile(rb"\x1b\]7770;(\d+);(\d+);(\d+);(\d+)\x07")


class Scroller(Terminal):
    """A terminal that runs the app; `plain` without the output stage, `under` another program."""

    def __init__(
        self,
        *,
        plain: bool = False,
        seed: int = 1,
        args: tuple[str, ...] = (),
        under: tuple[str, ...] = (),
        cols: int = 80,
        rows: int = 24,
    ) -> None:
        env = {"QWENTUI_OUTPUT": "plain"} if plain else {}
        super().__init__([*under, sys.executable, str(APP), str(seed), *args], env=env, cols=cols, rows=rows)

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.wait_for_bytes(FRAME_END)
        except AssertionError:
            self.close()
            raise
        return self

    def press(self, *names: str) -> None:
        """Press keys by the names of `KEYS`."""
        self.send("".join(KEYS[name] for name in names))

    def mark(self) -> tuple[int, int, int]:
        """Wait until the app has sent everything; its columns, rows and longest stall of the loop in ms."""
        start = len(self.raw)
        self.send("\x14")
        match = self.wait_until(lambda: MARK.search(self.raw, start), what="the mark")
        return int(match[2]), int(match[3]), int(match[4])

    def fit(self, cols: int, rows: int) -> None:
        """Resize the window and wait until the app has painted for the new size."""
        self.resize(cols, rows)
        self.wait_until(lambda: self.mark()[:2] == (cols, rows), what="the new size")

    @contextmanager
    def side(self, name: str = "side") -> Iterator[Callable[[], str]]:
        """Hear what the app writes to a file, without reading its terminal; the call waits for the next word."""
        os.mkfifo(self.home / name)
        fifo = os.open(self.home / name, os.O_RDONLY | os.O_NONBLOCK)

        def said() -> str:
            assert select.select([fifo], [], [], 30)[0], "the app said nothing"
            return os.read(fifo, 100).decode()

        try:
            yield said
        finally:
            os.close(fifo)
