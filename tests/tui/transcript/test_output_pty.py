"""The output stage in a real terminal: the same screen as without it, for fewer bytes, and never a frozen loop."""

import random
from collections.abc import Iterator

import pytest
from tui.transcript.scroller_terminal import FRAME_END, WHOLE, Scroller

STEPS = ("feed", "stream", "dialog", "list", "pageup", "pagedown", "up", "down", "end")


@pytest.fixture
def scroller() -> Iterator[Scroller]:
    with Scroller() as terminal:
        terminal.mark()
        yield terminal


def assert_same(staged: Scroller, plain: Scroller, story: list[str]) -> None:
    sizes = staged.mark()[:2], plain.mark()[:2]
    assert sizes[0] == sizes[1], story
    for y, (ours, theirs) in enumerate(zip(staged.cells(), plain.cells(), strict=True)):
        for x, (our, their) in enumerate(zip(ours, theirs, strict=True)):
            assert our == their, (
                f"column {x}, row {y} after {story}\n{staged.screen_text()}\n{plain.screen_text()}"
            )
    assert staged.cursor() == plain.cursor(), story


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_screen_with_the_stage_is_the_screen_without_it_cell_by_cell(seed: int) -> None:
    dice, story, dialog = random.Random(seed), list[str](), False
    with Scroller(seed=seed) as staged, Scroller(seed=seed, plain=True) as plain:
        assert_same(staged, plain, story)
        for _ in range(20):
            step = dice.choice([*STEPS, "type", "erase", "resize", "burst"])
            if dialog:
                step = "dialog"
            size = dice.randrange(20, 130), dice.randrange(8, 44)
            # Where the view follows the end, a key's effect would depend on how far the stream has come.
            several = [
                "pageup",
                "stream",
                *dice.choices(["feed", "list", "pageup", "up"], k=5),
                dice.choice(["up", "end"]),
            ]
            story.append(f"{step} {size if step == 'resize' else several if step == 'burst' else ''}")
            for terminal in (staged, plain):
                if step == "resize":
                    terminal.fit(*size)
                elif step == "burst":
                    terminal.press(*several)
                elif step in {"type", "erase"}:
                    terminal.send("字a é" if step == "type" else "\x7f\x7f")
                else:
                    terminal.press(step)
            dialog = step == "dialog" and not dialog
            assert_same(staged, plain, story)
        assert len(staged.raw) < len(plain.raw) / 3


def test_a_frame_is_one_synchronized_write_that_ends_at_the_input(scroller: Scroller) -> None:
    start = len(scroller.raw)
    scroller.send("x")
    end = scroller.wait_for_bytes(FRAME_END, start)
    scroller.mark()
    frame = bytes(scroller.raw[start:end])
    assert frame.startswith(b"\x1b[?2026h")
    assert frame.count(b"x") == 1
    assert len(frame) < 200
    row = next(y for y, line in enumerate(scroller.screen.display) if "x" in line[:5])
    assert scroller.cursor()[1] == row


def test_scrolling_by_a_line_is_done_by_the_terminal(scroller: Scroller) -> None:
    scroller.press("pageup")
    scroller.mark()
    start = len(scroller.raw)
    scroller.press("down")
    scroller.mark()
    assert b"\x1b[1M" in scroller.raw[start:]


def test_a_terminal_that_takes_nothing_blocks_nothing_and_then_gets_the_last_state(
    scroller: Scroller,
) -> None:
    start = len(scroller.raw)
    with scroller.side() as said:
        scroller.press("pages")
        assert said() == "still alive"  # nobody has read the terminal since the key
    scroller.press("flood")
    scroller.send("slowly")
    scroller.mark()
    assert "slowly" in scroller.screen_text()
    assert "0 left" in scroller.screen_text()
    seen = scroller.cells()
    scroller.press("scribble")
    scroller.wait_for_bytes(WHOLE, start)
    scroller.mark()
    assert scroller.cells() == seen


def test_what_others_write_passes_and_a_drawing_write_is_painted_over_once(scroller: Scroller) -> None:
    start = len(scroller.raw)
    scroller.press("scribble")
    scroller.wait_for_bytes(WHOLE, start)
    scroller.mark()
    told = bytes(scroller.raw[start:])
    assert b"\x07\x1b]52;c;aGVsbG8=\x07\x1b]0;a title\x07" in told
    assert told.count(WHOLE) == 1
    assert "SCRIBBLE" not in scroller.screen_text()


def test_a_bell_or_a_copy_repaints_nothing(scroller: Scroller) -> None:
    start = len(scroller.raw)
    scroller.mark()
    scroller.mark()
    assert WHOLE not in scroller.raw[start:]
    assert FRAME_END not in scroller.raw[start:]


def test_a_window_that_shrinks_and_grows_back_at_once_is_painted_whole(scroller: Scroller) -> None:
    before = scroller.cells()
    scroller.resize(40, 10)
    scroller.resize(80, 24)
    start = len(scroller.raw)
    scroller.wait_for_bytes(WHOLE, start)
    # It may be the small window that was painted first.
    scroller.wait_until(lambda: scroller.mark()[:2] == (80, 24), what="the size")
    scroller.wait_until(lambda: scroller.cells() == before, what="the screen as it was")


def test_the_environment_turns_the_stage_off() -> None:
    with Scroller(plain=True) as terminal:
        terminal.mark()
        assert WHOLE not in terminal.raw
