"""The popup over the composer, with completions of its own: what it takes, and that it is never in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual import events
from textual.app import App, ComposeResult

from qwentui.tui.widgets.completion import Candidate, Offer
from qwentui.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("alpha", "alphabet", "beta ", "gamma\x1b[31m")


class _Names:
    """Completes what stands behind a colon, up to a space; `late` names come when they are asked for again."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self.names = names
        self.asked = 0

    def candidates(self, lines: Sequence[str], cursor: tuple[int, int]) -> Offer | None:
        self.asked += 1
        row, column = cursor
        start = lines[row].rfind(":", 0, column) + 1
        word = lines[row][start:column]
        fitting = tuple(Candidate(name, f"the letter {name}") for name in self.names if name.startswith(word))
        return Offer(start, column, fitting) if start and " " not in word and fitting else None


class _App(App[None]):
    def __init__(self, *completions: _Names) -> None:
        super().__init__()
        self.composer = Composer(lambda: [":alp"])
        self.composer.completions += completions
        self.sent: list[str] = []
        self.read = 0

    def compose(self) -> ComposeResult:
        yield self.composer.popup
        yield self.composer

    def on_composer_submitted(self, message: Composer.Submitted) -> None:
        self.sent.append(message.text)

    def on_composer_read_wanted(self) -> None:
        self.read += 1

    @property
    def open(self) -> bool:
        return self.composer.popup.display

    @property
    def chosen(self) -> str | None:
        popup = self.composer.popup
        return None if popup.chosen is None else popup.offer.candidates[popup.chosen].text


def burst(app: _App, text: str) -> None:
    """Keys that come all at once, as a slow link delivers them; names of keys stand in braces."""
    for part in text.replace("{", "\0{").replace("}", "}\0").split("\0"):
        for key in [part[1:-1]] if part.startswith("{") else part:
            app.post_message(events.Key(key, key if len(key) == 1 else None))


async def test_it_opens_while_a_word_is_typed_and_tab_takes_what_is_chosen() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        burst(app, "x :al")
        await pilot.pause()
        assert (app.open, app.chosen) == (True, "alpha")
        await pilot.press("down", "tab")
        assert app.composer.text == "x :alphabet"
        assert not app.open
        assert (app.sent, app.read) == ([], 0)


async def test_enter_takes_first_and_sends_what_is_written_out() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        burst(app, ":b{enter}")
        await pilot.pause()
        assert (app.composer.text, app.sent) == (":beta ", [])
        burst(app, "{enter}:alpha{enter}:ga")
        await pilot.pause()
        assert app.sent == [":beta ", ":alpha"]
        assert app.composer.text == ":ga"


async def test_where_nothing_is_written_yet_nothing_is_chosen_and_enter_sends() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        burst(app, ":")
        await pilot.pause()
        assert (app.open, app.chosen) == (True, None)
        await pilot.press("enter")
        assert app.sent == [":"]
        assert not app.open
        burst(app, ":{up}")
        await pilot.pause()
        assert app.chosen == NAMES[-1]
        await pilot.press("down")
        assert app.chosen == NAMES[0]
        burst(app, "{tab}")
        await pilot.pause()
        assert app.composer.text == ":alpha"


async def test_escape_closes_it_until_another_word_begins() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        burst(app, ":a{escape}l")
        await pilot.pause()
        assert not app.open
        burst(app, "{enter}")
        await pilot.pause()
        assert app.sent == [":al"]
        burst(app, "see :a")
        await pilot.pause()
        assert app.open


async def test_it_follows_the_cursor_and_goes_with_the_word() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        await pilot.press("colon", "a", "l", "left", "left")
        assert (app.open, app.chosen) == (True, None)
        await pilot.press("left")
        assert not app.open
        await pilot.press("end", "z")
        assert not app.open
        await pilot.press("backspace")
        assert app.open
        await pilot.press("shift+left")
        assert not app.open


async def test_history_paste_and_the_keys_of_an_empty_composer_go_by_it() -> None:
    app = _App(_Names())
    async with app.run_test() as pilot:
        await pilot.press("up")
        assert (app.composer.text, app.open) == (":alp", False)
        await pilot.press("down")
        assert app.composer.text == ""
        await pilot.press("tab")
        assert app.read == 1
        app.post_message(events.Paste(":alp"))
        await pilot.pause()
        assert (app.composer.text, app.open) == (":alp", False)
        await pilot.press("enter")
        assert app.sent == [":alp"]
        app.composer.give_back(":alp")
        assert not app.open


async def test_candidates_that_come_late_are_shown_where_they_are_still_wanted() -> None:
    names = _Names(())
    app = _App(names)
    async with app.run_test() as pilot:
        await pilot.press("colon", "b")
        assert not app.open
        names.names = NAMES
        app.composer.look_again()
        assert app.chosen == "beta "
        await pilot.press("escape")
        app.composer.look_again()
        assert not app.open
        app.composer.text = ":b"
        app.composer.move_cursor((0, 2))
        app.composer.look_again()
        assert not app.open


async def test_the_first_completion_that_has_an_offer_is_heard() -> None:
    silent, loud, unheard = _Names(()), _Names(), _Names()
    app = _App(silent, loud, unheard)
    async with app.run_test() as pilot:
        await pilot.press("colon", "b")
        assert app.chosen == "beta "
        assert silent.asked
        assert not unheard.asked


@pytest.mark.parametrize("width", [10, 40])
async def test_what_is_shown_is_safe_and_fits(width: int) -> None:
    app = _App(_Names((*NAMES, "订单发货后多久能收到")))
    async with app.run_test(size=(width, 20)) as pilot:
        await pilot.press("colon")
        popup = app.composer.popup
        rows = [popup.render_line(y) for y in range(popup.size.height)]
        assert len(rows) == 5
        assert {row.cell_length for row in rows} == {width}
        assert not any("\x1b" in row.text for row in rows)


async def test_a_long_list_scrolls_with_the_choice_and_leaves_half_of_a_low_terminal() -> None:
    app = _App(_Names(tuple(f"name{n}" for n in range(30))))
    async with app.run_test(size=(40, 10)) as pilot:
        await pilot.press("colon", "n")
        popup = app.composer.popup
        assert popup.size.height == 5
        await pilot.press(*["down"] * 7)
        shown = [popup.render_line(y).text for y in range(5)]
        assert "name3" in shown[0]
        assert "name7" in shown[4]
        await pilot.press("enter")
        assert app.composer.text == ":name7"


async def test_a_click_takes_a_candidate() -> None:
    app = _App(_Names())
    async with app.run_test(size=(40, 12)) as pilot:
        await pilot.press("colon", "a")
        await pilot.click(app.composer.popup, offset=(5, 1))
        assert app.composer.text == ":alphabet"
        assert app.focused is app.composer
