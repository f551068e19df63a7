from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult

from qwentui.tui.widgets.composer import Composer


class _App(App[None]):
    def __init__(self, history: list[str]) -> None:
        super().__init__()
        self.composer = Composer(lambda: list(history))
        self.sent: list[str] = []
        self.left = 0

    def compose(self) -> ComposeResult:
        yield self.composer

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        self.sent.append(message.text)
        self.composer.remember(message.text)

    def on_composer_leave_wanted(self) -> None:
        self.left += 1


async def test_enter_sends_and_the_newline_keys_do_not() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        await pilot.press("a", "ctrl+j", "b", "shift+enter", "c", "enter")
        assert app.sent == ["a\nb\nc"]
        assert app.composer.text == ""


async def test_nothing_but_space_is_not_sent() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        await pilot.press("space", "enter")
        assert app.sent == []


async def test_up_in_an_empty_composer_walks_the_history() -> None:
    app = _App(["old", "two\nlines"])
    async with app.run_test() as pilot:
        await pilot.press("n", "e", "w", "enter", "up")
        assert app.composer.text == "new"
        await pilot.press("up")
        assert app.composer.text == "two\nlines"
        # The cursor stands at the end; it moves within the text before the history goes on.
        await pilot.press("up", "up")
        assert app.composer.text == "old"
        await pilot.press("up")
        assert app.composer.text == "old"
        await pilot.press("down", "down", "down")
        assert app.composer.text in {"new", ""}


async def test_a_changed_prompt_is_not_walked_away_from() -> None:
    app = _App(["old"])
    async with app.run_test() as pilot:
        await pilot.press("up", "x", "up")
        assert app.composer.text == "oldx"


async def test_up_with_text_of_ones_own_stays() -> None:
    app = _App(["old"])
    async with app.run_test() as pilot:
        await pilot.press("m", "up", "down")
        assert app.composer.text == "m"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
async def test_a_paste_keeps_its_lines_and_loses_its_commands(newline: str) -> None:
    app = _App([])
    async with app.run_test() as pilot:
        app.post_message(events.Paste(f"one{newline}two\x1b]52;c;eA==\x07\u202e"))
        await pilot.pause()
        assert app.composer.text == "one\ntwo␛]52;c;eA==␇"
        assert app.sent == []


async def test_ctrl_d_leaves_only_an_empty_composer() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "left", "left", "ctrl+d")
        assert (app.composer.text, app.left) == ("b", 0)
        await pilot.press("ctrl+d", "ctrl+d")
        assert app.left == 1


async def test_undo_brings_text_back() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        await pilot.press("a", "b", "ctrl+underscore")
        assert app.composer.text != "ab"


async def test_a_burst_of_keys_is_taken_in_its_order() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        # All at once, as a slow link delivers them: each acts on what stood there at its turn.
        keys = ["a", "b", "backspace", "c", "ctrl+j", "d", "enter", "n", "e", "x", "t", "left", "!"]
        for key in keys:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        assert app.sent == ["ac\nd"]
        assert app.composer.text == "nex!t"


async def test_what_could_not_be_sent_stands_before_what_was_written_since() -> None:
    app = _App([])
    async with app.run_test() as pilot:
        await pilot.press("n")
        app.composer.give_back("old")
        assert app.composer.text == "old\nn"
        app.composer.clear()
        app.composer.give_back("old")
        assert app.composer.text == "old"
