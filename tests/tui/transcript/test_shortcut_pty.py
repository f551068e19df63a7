"""The transcript's own way to the terminal shows what Textual's compositor would show, cell by cell."""

import random
import sys
from pathlib import Path

import pytest
from terminal import Terminal
from tui.transcript.scroller_terminal import MARK

APP = Path(__file__).parent / "apps" / "talker.py"
KEYS = {
    "feed": "\x1bOP",
    "stream": "\x1bOQ",
    "dialog": "\x1bOR",
    "list": "\x1bOS",
    "notice": "\x1b[15~",
    "turn": "\x1b[17~",
    "badge": "\x1b[18~",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "up": "\x1b[1;5A",
    "down": "\x1b[1;5B",
    "end": "\x1b[1;5F",
}
STEPS = (*KEYS, "feed", "feed", "stream", "stream", "end", "type", "resize")


class Talker(Terminal):
    """A terminal that runs the app; `plain` without the output stage."""

    def __init__(self, seed: int, *, plain: bool = False) -> None:
        env = {"QWENTUI_OUTPUT": "plain"} if plain else {}
        super().__init__([sys.executable, str(APP), str(seed)], env=env, cols=70, rows=20)

    def mark(self) -> tuple[int, int]:
        """Wait until the app has sent everything; its columns and rows."""
        start = len(self.raw)
        self.send("\x14")
        match = self.wait_until(lambda: MARK.search(self.raw, start), what="the mark")
        return int(match[2]), int(match[3])

    def fit(self, cols: int, rows: int) -> None:
        """Resize the window and wait until the app has painted for the new size."""
        self.resize(cols, rows)
        self.wait_until(lambda: self.mark() == (cols, rows), what="the new size")


def step(terminal: Talker, name: str, size: tuple[int, int]) -> None:
    if name == "resize":
        terminal.fit(*size)
    elif name == "type":
        terminal.send("字a é")
    else:
        terminal.send(KEYS[name])
    terminal.mark()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_laid_past_the_compositor_are_the_compositors_rows(seed: int) -> None:
    dice, story, dialog = random.Random(seed), list[str](), False
    with Talker(seed) as staged, Talker(seed, plain=True) as plain:
        for terminal in (staged, plain):
            terminal.wait_until(
                lambda terminal=terminal: "In three" in terminal.screen_text(), what="the chat"
            )
            terminal.mark()
        for _ in range(30):
            name = "dialog" if dialog and dice.random() < 0.5 else dice.choice(STEPS)
            name = "stream" if dialog and name == "type" else name
            size = dice.randrange(40, 130), dice.randrange(10, 40)
            story.append(name)
            dialog ^= name == "dialog"
            for terminal in (staged, plain):
                step(terminal, name, size)
            assert staged.screen_text() == plain.screen_text(), story
            assert staged.cells() == plain.cells(), story
            assert staged.cursor() == plain.cursor(), story
        assert len(staged.raw) < len(plain.raw)
