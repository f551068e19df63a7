"""Rules of the screen diff, with pyte as the terminal that is told."""

from itertools import pairwise

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.tui.transcript.screen_diff import Painter, Row, Scroll, cells, find_scroll, paint, transition

WIDTH, HEIGHT = 24, 9
STYLES = [
    "",
    "1",
    "3;38;2;255;0;0",
    "4;48;5;17",
    "7",
    "38;2;1;2;3;48;2;4;5;6",
    "1;2;31",
    "2;38;5;9;44",
    "9",
    "48;2;9;9;9",
]
# One width for pyte and rich: no joiners, no variation selectors, no marks that compose.
TEXT = st.text(st.sampled_from("aZ9 .    \u3000─│é—“中文字가あ😀☃✅ก"), max_size=WIDTH)


def line(parts: list[tuple[str, str]]) -> Row:
    chars, styles = list[str](), list[str]()
    for text, style in parts:
        _, found = cells(text)
        if len(chars) + len(found) <= WIDTH:
            chars += found
            styles += [style] * len(found)
    rest = WIDTH - len(chars)
    return Row(chars + [" "] * rest, styles + [styles[-1] if styles else ""] * rest)


LINES = st.lists(st.tuples(TEXT, st.sampled_from(STYLES)), max_size=4).map(line)
SCREENS = st.lists(LINES, min_size=HEIGHT, max_size=HEIGHT)


class Glass:
    """A pyte screen that takes frames."""

    def __init__(self) -> None:
        self.screen = pyte.Screen(WIDTH, HEIGHT)
        self.stream = pyte.Stream(self.screen)
        self.stream.feed("\x1b[?7l")
        self.shown: list[Row] | None = None
        self.sent = 0

    def show(self, rows: list[Row]) -> None:
        painter = Painter(HEIGHT)
        paint(painter, self.shown, rows)
        painter.style("")
        painter.move(3, 4)
        self.sent = len(str(painter))
        self.stream.feed(str(painter))
        self.shown = rows

    def cells(self) -> list[list[pyte.screens.Char]]:
        return [[self.screen.buffer[y][x] for x in range(WIDTH)] for y in range(HEIGHT)]


def whole(rows: list[Row]) -> list[list[pyte.screens.Char]]:
    """The screen as a terminal shows it that is sent every cell by an absolute move."""
    glass = Glass()
    for y, row in enumerate(rows):
        for x, (char, style) in enumerate(zip(row.chars, row.styles, strict=True)):
            if char:
                glass.stream.feed(f"\x1b[{y + 1};{x + 1}H\x1b[0;{style}m{char}")
    return glass.cells()


@given(st.lists(SCREENS, min_size=1, max_size=5))
@settings(deadline=None, max_examples=80)
def test_every_frame_shows_what_was_wanted_however_the_screen_was_before(screens: list[list[Row]]) -> None:
    glass = Glass()
    for rows in screens:
        glass.show(rows)
        assert glass.cells() == whole(rows)
        assert (glass.screen.cursor.x, glass.screen.cursor.y) == (3, 4)


@given(SCREENS, st.integers(-HEIGHT, HEIGHT), st.integers(0, HEIGHT), st.integers(0, HEIGHT), SCREENS)
@settings(deadline=None, max_examples=80)
def test_scrolled_regions_end_up_as_wanted(
    rows: list[Row], shift: int, top: int, bottom: int, fresh: list[Row]
) -> None:
    region = rows[top:bottom]
    shift = max(-len(region), min(shift, len(region)))
    moved = region[shift:] + fresh[:shift] if shift >= 0 else fresh[:-shift] + region[:shift]
    glass = Glass()
    glass.show(rows)
    wanted = [*rows[:top], *moved, *rows[max(top, bottom) :]]
    glass.show(wanted)
    assert glass.cells() == whole(wanted)


@given(SCREENS)
@settings(deadline=None, max_examples=50)
def test_what_is_shown_already_costs_nothing_but_the_cursor(rows: list[Row]) -> None:
    glass = Glass()
    glass.show(rows)
    glass.show([Row(row.chars.copy(), row.styles.copy()) for row in rows])
    assert glass.sent == len("\x1b[5;4H")


@given(st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_a_transition_leaves_the_style_that_was_asked_for(before: str, after: str) -> None:
    led, told = Glass(), Glass()
    led.stream.feed(transition("", before) + transition(before, after) + "x")
    told.stream.feed(f"\x1b[0;{after}mx")
    assert led.cells() == told.cells()


def test_text_that_moves_up_is_scrolled_by_the_terminal_between_fixed_rows() -> None:
    rows = [line([("abcdefghijk"[n] * 14, STYLES[n % 3])]) for n in range(HEIGHT + 2)]
    old, new = [*rows[:HEIGHT]], [rows[0], *rows[3 : HEIGHT + 1], rows[HEIGHT - 1]]
    assert find_scroll(old, new) == Scroll(top=1, bottom=HEIGHT - 2, shift=2)
    glass = Glass()
    glass.show(old)
    everything = glass.sent
    glass.show(new)
    assert glass.cells() == whole(new)
    assert glass.sent < everything / 2


def test_a_scroll_is_found_although_a_column_beside_it_stands_still() -> None:
    side = [line([(f"item{n:02}   ", "1"), (f"{n} text to read", "")]) for n in range(HEIGHT + 1)]
    old = side[:HEIGHT]
    new = [
        Row(still.chars[:9] + moved.chars[9:], still.styles[:9] + moved.styles[9:])
        for still, moved in pairwise(side)
    ]
    glass = Glass()
    glass.show(old)
    glass.show(new)
    assert glass.cells() == whole(new)


def test_a_row_with_a_cluster_of_disputed_width_is_written_whole_and_anchored() -> None:
    family = "👨\u200d👩\u200d👧"
    before, after = line([(f"ab{family}cd", "")]), line([(f"ab{family}cX", "")])
    painter = Painter(HEIGHT)
    painter.row(0, before, after)
    assert str(painter).startswith("\x1b[1H\x1b[K")
    assert f"ab{family}\x1b[5GcX" in str(painter)


def test_a_changed_wide_character_is_never_cut() -> None:
    painter = Painter(HEIGHT)
    painter.row(0, line([("ab中文", "")]), line([("a中 文", "")]))
    assert str(painter) == "\x1b[1;2H中 "
    painter = Painter(HEIGHT)
    painter.row(0, line([("ab中文", "")]), line([("ab国文", "")]))
    assert str(painter) == "\x1b[1;3H国"


def test_control_characters_never_become_cells() -> None:
    every = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
    assert cells(f"a{every}b") == ("", ("a", "b"))
    assert cells("\x1b]52;c;eA==\x07") == ("", tuple("]52;c;eA=="))


def test_blanks_are_erased_only_where_an_erase_looks_the_same() -> None:
    def sent(style: str, *, background_erase: bool = True) -> str:
        painter = Painter(HEIGHT, background_erase=background_erase)
        painter.row(0, line([("x" * WIDTH, "")]), line([(" " * WIDTH, style)]))
        return str(painter)

    assert "\x1b[K" in sent("1;44")
    assert "\x1b[K" not in sent("4;44")
    assert "\x1b[K" not in sent("44", background_erase=False)
    assert "\x1b[K" in sent("31", background_erase=False)
