"""What ends or mutes a terminal program from outside: bad bytes, signals, a lost terminal, job control."""

import re
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui.transcript.scroller_terminal import WHOLE, Scroller

from qwentui.tui.transcript.guards import InputDecoder, PasteFilter

# Alternate screen, mouse, focus reports, bracketed paste, in-band resize, synchronized output.
MODES = {1049, 1000, 1003, 1015, 1006, 1016, 1004, 2004, 2048, 2026}


@pytest.fixture(params=[False, True], ids=["staged", "plain"])
def scroller(request: pytest.FixtureRequest) -> Iterator[Scroller]:
    with Scroller(plain=request.param) as terminal:
        terminal.mark()
        yield terminal


@pytest.mark.parametrize(
    "noise", [b"\x1b[M \xe0 0", b"\xff\xfe\x80", b"\x1b[M\xff\xff\xff\x1b[M !!", b"\xe4\xb8"], ids=repr
)
def test_bytes_that_are_no_text_do_not_end_the_app(scroller: Scroller, noise: bytes) -> None:
    scroller.send(noise)
    scroller.mark()
    scroller.send("alive")
    scroller.wait_for("alive")


@given(st.binary(max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_the_decoder_never_fails_and_reads_cut_anywhere_give_the_same_text(
    data: bytes, cuts: list[int]
) -> None:
    whole, pieces = InputDecoder(), InputDecoder()
    points = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    cut = "".join(pieces.decode(data[a:b]) for a, b in pairwise(points))
    assert cut == whole.decode(data)


@given(st.text(max_size=8), st.binary(min_size=3, max_size=3), st.text(max_size=8), st.integers(0, 30))
def test_an_x10_report_is_made_harmless_and_the_text_around_it_kept(
    before: str, xy: bytes, after: str, cut: int
) -> None:
    before, after = before.replace("\x1b", ""), after.replace("\x1b", "")
    data = before.encode() + b"\x1b[M" + xy + after.encode()
    decoder = InputDecoder()
    assert decoder.decode(data[:cut]) + decoder.decode(data[cut:]) == f"{before}\x1b[M!!!{after}"


@given(
    st.lists(
        st.sampled_from(["\x1b[200~", "\x1b[201~", "\x1b", "[20", "\x1b[2", "0", "1~", "a", "\x07"]),
        max_size=20,
    ),
    st.lists(st.integers(0, 60), max_size=8),
)
def test_within_a_paste_no_escape_reaches_the_parser_and_reads_cut_anywhere_give_the_same(
    parts: list[str], cuts: list[int]
) -> None:
    text = "".join(parts) + "\x1b[201~"
    points = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole, pieces = PasteFilter(), PasteFilter()
    filtered = whole.filter(text)
    assert "".join(pieces.filter(text[a:b]) for a, b in pairwise(points)) == filtered
    for pasted in re.findall("\x1b\\[200~(.*?)\x1b\\[201~", filtered, re.DOTALL):
        assert "\x1b" not in pasted
    assert filtered.replace("\u241b", "\x1b") == text


def test_a_paste_is_text_and_no_keys(scroller: Scroller) -> None:
    scroller.send("\x1b[200~one\x1b[31mtwo\x1b]0;three\x1b[A\x1b\x1b[201~four")
    scroller.wait_for("one␛[31mtwo␛]0;three␛[A␛four")


def test_mouse_coordinates_stay_cells_after_an_in_band_resize_report(scroller: Scroller) -> None:
    assert not scroller.modes & {1016, 2048}
    scroller.send("abcdefghij")
    scroller.wait_for("abcdefghij")
    row = next(y for y, text in enumerate(scroller.screen.display) if "abcdefghij" in text)
    column = scroller.screen.display[row].index("e")
    scroller.send("\x1b[48;24;80;480;800t")  # ten pixels a column, twenty a row
    scroller.mark()
    scroller.send(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m")
    scroller.mark()
    scroller.send("X")
    scroller.wait_for("abcdXefghij")


def test_leaving_restores_the_terminal(scroller: Scroller) -> None:
    scroller.send("\x11")
    assert scroller.wait_exit() == 0
    assert_restored(scroller)


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_sigterm_saves_restores_the_terminal_and_exits_with_143(scroller: Scroller, *, busy: bool) -> None:
    if busy:
        with scroller.side() as said:
            scroller.press("spin")
            assert said() == "spinning"
    scroller.signal(signal.SIGTERM)
    assert scroller.wait_exit() == 143
    assert_restored(scroller)
    assert (scroller.home / "saved").read_text(encoding="utf-8") == "saved"


def test_sigterm_ends_the_app_although_the_terminal_takes_nothing() -> None:
    with Scroller() as terminal:
        terminal.mark()
        with terminal.side() as said:
            terminal.press("pages")
            assert said() == "still alive"
        terminal.signal(signal.SIGTERM)
        assert terminal.process.wait(20) == 143
        terminal.wait_exit()
        assert_restored(terminal)


@pytest.mark.parametrize("args", [(), ("nohup",)], ids=["default", "nohup"])
def test_a_lost_terminal_saves_and_exits_with_129(args: tuple[str, ...]) -> None:
    with Scroller(args=args) as terminal:
        terminal.mark()
        terminal.hang_up()
        assert terminal.process.wait(20) == 129
        assert (terminal.home / "saved").read_text(encoding="utf-8") == "saved"


def test_the_end_of_input_without_a_signal_is_a_lost_terminal_too() -> None:
    with Scroller(
        under=("setsid", "--wait")
    ) as terminal:  # a session without a controlling terminal gets no SIGHUP
        terminal.mark()
        with terminal.side("saved") as said:
            terminal.hang_up()
            assert said() == "saved"


def test_ctrl_z_gives_the_terminal_back_and_fg_paints_one_whole_screen(scroller: Scroller) -> None:
    before = scroller.cells()
    for _ in range(2):
        scroller.press("suspend")
        scroller.wait_until(scroller.stopped)
        scroller.pump(0.1)
        assert_restored(scroller)
        start = len(scroller.raw)
        scroller.signal(signal.SIGCONT)
        scroller.mark()
        assert scroller.modes >= {1049, 1000, 2004}
        assert scroller.cells() == before
        assert scroller.raw.count(WHOLE, start) <= 1
    scroller.send("alive")
    scroller.wait_for("alive")


def test_another_program_gets_a_clean_terminal_and_gives_it_back(scroller: Scroller) -> None:
    before = scroller.cells()
    scroller.press("pager")
    scroller.wait_for("PAGER")
    assert_restored(scroller)
    scroller.send("\r")
    scroller.wait_until(lambda: 1049 in scroller.modes)
    scroller.mark()
    assert scroller.cells() == before


def test_going_on_after_sigstop_leaves_one_reader_of_the_input(scroller: Scroller) -> None:
    before = scroller.cells()
    scroller.signal(signal.SIGSTOP)
    scroller.wait_until(scroller.stopped)
    scroller.signal(signal.SIGCONT)
    scroller.mark()
    assert scroller.cells() == before
    threads = [
        (task / "comm").read_text(encoding="utf-8").strip()
        for task in Path(f"/proc/{scroller.process.pid}/task").iterdir()
    ]
    assert len(threads) <= 3
    scroller.send("alive")
    scroller.wait_for("alive")


def assert_restored(terminal: Scroller) -> None:
    assert not terminal.modes & MODES
    assert {7, 25} <= terminal.modes
    assert terminal.raw.count(b"\x1b[<u") == terminal.raw.count(b"\x1b[>25u")
    assert terminal.termios() == terminal.settings
