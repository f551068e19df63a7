"""What a terminal must be told so that one screen becomes another: cells in, control sequences out.

A screen is a list of `Row`s, top first. A row holds one string a cell (a base character with its marks; a
wide character is followed by "") and one SGR parameter string a cell ("1;38;2;255;0;0"; "" is the terminal's
default). The control functions are those of ECMA-48 (CUP, CHA, CUF, CUB, CUD, ECH, EL, DL, IL, SGR) and
DECSTBM, which every terminal since the VT220 knows. Autowrap (DECAWM) must be off, as Textual sets it.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from operator import ne
from typing import NamedTuple

from rich.cells import get_character_cell_size, split_graphemes

# Scripts and symbols on whose width terminals agree; a row with anything else is written whole and anchored.
_UNCERTAIN = re.compile(
    "[^ -~\u00a0-\u00ac\u00ae-\u02ff\u0370-\u0482\u048a-\u052f\u1e00-\u1eff"
    "\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u21ff\u2200-\u22ff\u2500-\u25fc\u2800-\u28ff\u2e80-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u33ff"
    "\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff01-\uff60\uffe0-\uffe6"
    "\U00020000-\U0003fffd]"
)
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
# Bold, dim and italic do not show on a blank; underline, reverse, strike and their like do.
_BLANK_ATTRIBUTES = frozenset({"1", "2", "3"})
# SGR attributes and what ends them; 22 ends both bold and dim.
_OFF = {"1": "22", "2": "22", "3": "23", "4": "24", "5": "25", "7": "27", "9": "29"}
# Unchanged cells that are cheaper to write again than to step over.
_GAP = 3
# Blanks that are cheaper to erase by ECH (and a step) than to write.
_ERASE = 12
# A hardware scroll is looked for where this many rows differ, and must save this many cells.
_SCROLL_ROWS = 3
_SCROLL_GAIN = 40


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One line of cells; `chars` and `styles` have the same length and never change once the row is shown."""

    chars: list[str]
    styles: list[str]

    @classmethod
    def blank(cls, width: int) -> "Row":
        """A line as the terminal's erase leaves it with default colours."""
        return cls([" "] * width, [""] * width)

    def copy(self) -> "Row":
        """A line to be changed."""
        return Row(self.chars.copy(), self.styles.copy())

    def same(self, other: "Row") -> bool:
        """Whether both lines look alike in every cell."""
        return self is other or (self.chars == other.chars and self.styles == other.styles)


@lru_cache(maxsize=4096)
def cells(text: str) -> tuple[str, tuple[str, ...]]:
    """Cut `text` into cells by the widths that Textual lays out with.

    Control characters (C0, DEL, C1) are dropped: this is the last place before the terminal.

    Returns:
        The marks before the first base character, which belong to the cell before; and the cells.
    """
    text = _CONTROLS.sub("", text)
    if "\u200d" in text or "\ufe0f" in text:
        spans = [(text[start:end], width) for start, end, width in split_graphemes(text)[0]]
    else:
        spans = [(character, get_character_cell_size(character)) for character in text]
    marks, found = "", list[str]()
    for cluster, width in spans:
        if width:
            found += [cluster] + [""] * (width - 1)
        elif found:
            found[-1 if found[-1] else -2] += cluster
        else:
            marks += cluster
    return marks, tuple(found)


class _Look(NamedTuple):
    """An SGR parameter string, taken apart."""

    attributes: frozenset[str]
    foreground: str
    background: str


@lru_cache(maxsize=4096)
def _look(style: str) -> _Look:
    attributes, colours = set[str](), {"3": "", "4": ""}
    codes = iter(style.split(";")) if style else iter(())
    for code in codes:
        if code in {"38", "48"}:
            kind = next(codes, "")
            taken = [next(codes, "") for _ in range(3 if kind == "2" else 1)]
            colours[code[0]] = ";".join((code, kind, *taken))
        elif len(code) > 1 and code[:-1] in {"3", "4", "9", "10"}:
            colours["3" if code[:-1] in {"3", "9"} else "4"] = "" if code in {"39", "49"} else code
        else:
            attributes.add(code)
    return _Look(frozenset(attributes), colours["3"], colours["4"])


@lru_cache(maxsize=4096)
def transition(before: str, after: str) -> str:
    """The shortest SGR sequence that leads from one style to another; "" where they are the same."""
    if before == after:
        return ""
    old, new = _look(before), _look(after)
    if new == _Look(frozenset(), "", ""):
        return "\x1b[m"
    codes, kept = _switched_off(old.attributes, new.attributes)
    if codes == ["0"]:
        old = _look("")
    codes += sorted(new.attributes - kept)
    if old.foreground != new.foreground:
        codes.append(new.foreground or "39")
    if old.background != new.background:
        codes.append(new.background or "49")
    return f"\x1b[{';'.join(codes)}m" if codes else ""


def _switched_off(old: frozenset[str], new: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """The codes that end what is not wanted any more ("0" where there is no other), and what is left on."""
    gone = old - new
    if not gone <= _OFF.keys():
        return ["0"], frozenset()
    codes = sorted({_OFF[code] for code in gone})
    return codes, frozenset(code for code in old if _OFF.get(code) not in codes)


@lru_cache(maxsize=4096)
def _erasable(style: str, background_erase: bool) -> bool:
    look = _look(style)
    return look.attributes <= _BLANK_ATTRIBUTES and (background_erase or not look.background)


class Scroll(NamedTuple):
    """Rows `top` to `bottom` (from 0, both inside) move up by `shift`; down where it is negative."""

    top: int
    bottom: int
    shift: int

    def applied(self, rows: Sequence[Row], width: int) -> list[Row]:
        """The rows after the terminal has scrolled: what comes in is blank in default colours."""
        region, fresh = list(rows[self.top : self.bottom + 1]), [Row.blank(width)] * abs(self.shift)
        region = region[self.shift :] + fresh if self.shift > 0 else fresh + region[: self.shift]
        return [*rows[: self.top], *region, *rows[self.bottom + 1 :]]


def find_scroll(old: Sequence[Row], new: Sequence[Row]) -> Scroll | None:
    """The vertical scroll, if any, after which much less is left to paint than before."""
    changed = [y for y, (a, b) in enumerate(zip(old, new, strict=True)) if not a.same(b)]
    if len(changed) < _SCROLL_ROWS:
        return None
    first, last = changed[0], changed[-1]
    left, right = _columns(old, new, changed)
    at = defaultdict[str, list[int]](list)
    for y in range(first, last + 1):
        at["".join(old[y].chars[left:right])].append(y)
    keys = {y: "".join(new[y].chars[left:right]) for y in range(first, last + 1)}
    votes = Counter(source - y for y in changed if not keys[y].isspace() for source in at.get(keys[y], ()))
    votes.pop(0, None)
    if not votes:
        return None
    shift, _ = votes.most_common(1)[0]
    matched = [y for y, key in keys.items() if y + shift in at.get(key, ())]
    scroll = Scroll(min(matched[0], matched[0] + shift), max(matched[-1], matched[-1] + shift), shift)
    region = slice(scroll.top, scroll.bottom + 1)
    moved = scroll.applied(old, len(new[0].chars))
    gain = sum(map(_cost, old[region], new[region])) - sum(map(_cost, moved[region], new[region]))
    return scroll if gain >= _SCROLL_GAIN else None


def _columns(old: Sequence[Row], new: Sequence[Row], changed: Sequence[int]) -> tuple[int, int]:
    """The columns between which the characters of the changed rows differ; all of them where none does."""
    left, right = len(new[0].chars), 0
    for y in changed:
        before, after = old[y].chars, new[y].chars
        if before == after:
            continue
        while left and before[:left] != after[:left]:
            left = next(x for x in range(left) if before[x] != after[x])
        right = max((x + 1 for x in range(right, len(after)) if before[x] != after[x]), default=right)
    return (left, right) if left < right else (0, len(new[0].chars))


def _cost(old: Row, new: Row) -> int:
    """About how many cells must be written for one row to become another; blanks and styles cost little."""
    return 0 if old.same(new) else 4 + sum(map(ne, old.chars, new.chars))


class Painter:
    """Writes one frame, and knows where it left the cursor and which style is on.

    A frame starts with the cursor anywhere and the default style. `background_erase` says that the terminal
    erases with the current background colour (BCE).
    """

    def __init__(self, height: int, *, background_erase: bool = True) -> None:
        self._out: list[str] = []
        self._height = height
        self._background_erase = background_erase
        self._x: int | None = None
        self._y: int | None = None
        self._style = ""

    def __str__(self) -> str:
        return "".join(self._out)

    def reset(self) -> None:
        """Bring a terminal in an unknown state to default colours and no scroll margins."""
        self._out.append("\x1b[m\x1b[r")

    def scroll(self, scroll: Scroll) -> None:
        """Scroll in the terminal, by DL or IL between margins: every terminal has those."""
        self.style("")
        whole = scroll.top == 0 and scroll.bottom == self._height - 1
        lines = f"\x1b[{scroll.top + 1}H\x1b[{abs(scroll.shift)}{'M' if scroll.shift > 0 else 'L'}"
        self._out.append(lines if whole else f"\x1b[{scroll.top + 1};{scroll.bottom + 1}r{lines}\x1b[r")
        self._x = self._y = None

    def style(self, style: str) -> None:
        """Switch to an SGR parameter string."""
        self._out.append(transition(self._style, style))
        self._style = style

    def move(self, x: int, y: int) -> None:
        """Move the cursor by the shortest sequence."""
        if (x, y) == (self._x, self._y):
            return
        if y == self._y:
            step = None if self._x is None else x - self._x
            if x == 0:
                move = "\r"
            elif step is None:
                move = f"\x1b[{x + 1}G"
            else:
                move = f"\x1b[{abs(step) if abs(step) > 1 else ''}{'C' if step > 0 else 'D'}"
        elif x == 0 and self._y is not None and y == self._y + 1:
            move = "\r\n"
        elif x == self._x and self._y is not None and y > self._y:
            move = f"\x1b[{y - self._y if y - self._y > 1 else ''}B"
        else:
            move = f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H"
        self._out.append(move)
        self._x, self._y = x, y

    def row(self, y: int, old: Row | None, new: Row) -> None:
        """Write what differs in one row; all of it where `old` is not known."""
        width = len(new.chars)
        anchored = _uncertain(new)
        if old is None or anchored or _uncertain(old):
            if anchored:
                self.move(0, y)
                self.style("")
                self._out.append("\x1b[K")
            self._run(y, new, 0, width, anchored)
            return
        for start, stop in _runs(old, new):
            self._run(y, new, start, stop, anchored)

    def _run(self, y: int, row: Row, start: int, stop: int, anchored: bool) -> None:
        width = len(row.chars)
        end = start
        for style, group in groupby(row.styles[start:stop]):
            x = end
            end += len([*group])
            erases = _erasable(style, self._background_erase)
            for found in _pieces(row.chars[x:end], end == width) if erases else [row.chars[x:end]]:
                self.move(x, y)
                self.style(style)
                if erases and _blanks(found) > (_GAP if x + len(found) == width else _ERASE):
                    self._out.append("\x1b[K" if x + len(found) == width else f"\x1b[{len(found)}X")
                else:
                    self._write(x, found, anchored, width)
                x += len(found)

    def _write(self, x: int, found: list[str], anchored: bool, width: int) -> None:
        sure = True
        if anchored:
            sure = self._anchored(x, found)
        else:
            self._out.append("".join(found))
        x += len(found)
        self._x = x if sure and x < width else None

    def _anchored(self, x: int, found: list[str]) -> bool:
        """Write cell by cell, and go to the right column after each one whose width terminals dispute.

        Returns:
            Whether the cursor is certain to stand behind the last cell.
        """
        sure = True
        for offset, cluster in enumerate(found):
            if cluster:
                self._out.append(cluster if sure else f"\x1b[{x + offset + 1}G{cluster}")
                sure = not _UNCERTAIN.search(cluster)
        return sure


def _blanks(found: list[str]) -> int:
    """How many cells, if all of them are blank; else 0."""
    return len(found) if found.count(" ") == len(found) else 0


def _pieces(chars: list[str], to_end: bool) -> Iterator[list[str]]:
    """Cut cells into text and blanks that are worth erasing; `to_end` says that the line ends with them."""
    if " " * (_GAP + 1) not in "".join(chars):
        yield chars
        return
    text = list[str]()
    rest = len(chars)
    for blank, group in groupby(chars, " ".__eq__):
        found = [*group]
        rest -= len(found)
        if blank and (len(found) > _ERASE or (to_end and not rest and len(found) > _GAP)):
            if text:
                yield text
            yield found
            text = []
        else:
            text += found
    if text:
        yield text


def _uncertain(row: Row) -> bool:
    text = "".join(row.chars)
    return not text.isascii() and _UNCERTAIN.search(text) is not None


def _runs(old: Row, new: Row) -> Iterator[tuple[int, int]]:
    """Where the rows differ, as (start, stop): gaps not worth a step joined, wide characters never cut."""
    chars, styles = new.chars, new.styles
    pairs = enumerate(zip(old.chars, chars, old.styles, styles, strict=True))
    differ = [x for x, (was, char, wore, style) in pairs if was != char or wore != style]
    if not differ:
        return
    start = stop = differ[0]
    mostly = len(differ) * 2 > differ[-1] - start
    for x in (differ[0], differ[-1]) if mostly else differ:
        far = x - stop > _GAP or any(style != styles[x] for style in styles[stop - 1 : x])
        if x > stop and far and not mostly:
            yield start, stop
            start = x
        stop = max(stop, x + 1)
        while start and not chars[start]:
            start -= 1
        while stop < len(chars) and not chars[stop]:
            stop += 1
    yield start, stop


def paint(painter: Painter, old: Sequence[Row] | None, new: Sequence[Row]) -> None:
    """Write what turns `old` into `new`; the whole of `new` where `old` is None or has another size."""
    if old is None or len(old) != len(new) or len(old[0].chars) != len(new[0].chars):
        painter.reset()
        for y, row in enumerate(new):
            painter.row(y, None, row)
        return
    if scroll := find_scroll(old, new):
        painter.scroll(scroll)
        old = scroll.applied(old, len(new[0].chars))
    for y, (before, after) in enumerate(zip(old, new, strict=True)):
        if not before.same(after):
            painter.row(y, before, after)
