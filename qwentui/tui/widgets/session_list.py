"""A list of chats and of what was said in them: any number of rows, of which those in view are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from qwentui.backends.choice import short_name
from qwentui.chat.message import Role
from qwentui.chat.sanitize import HOSTILE, sanitize_line
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import N_, _
from qwentui.tui.bound import bind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.style import Style
    from textual import events

    from qwentui.keyboard.keymap import Keymap
    from qwentui.store.records import SessionInfo
    from qwentui.store.search import Hit

_MARKS = 3
_NUMBER = 6
_WHEEL = 3
# From this width on: the cells of the model, the persona and the tags.
_COLUMNS = ((160, (28, 18, 30)), (110, (20, 12, 20)), (70, (16, 0, 0)), (0, (0, 0, 0)))
_AGES = ((60, "now"), (3600, "m"), (86_400, "h"), (14 * 86_400, "d"), (365 * 86_400, "w"))
_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}


@dataclass(frozen=True, slots=True)
class Row:
    """A chat, or a message in one.

    Attributes:
        key: What tells it from others when the list is read again.
        title: The chat's title.
        time: Seconds since 1970.
        info: The session; None for a chat without messages.
        hit: The message, where one was looked for.
    """

    key: str
    title: str
    time: float
    info: SessionInfo | None = None
    hit: Hit | None = None

    @property
    def session(self) -> str:
        """The id of the session, "" where there is none."""
        if self.hit is not None:
            return self.hit.session
        return "" if self.info is None else self.info.id

    def changed(self, info: SessionInfo) -> Row:
        """The same chat as it is now."""
        return replace(self, info=info, title=info.title)


def age(seconds: float) -> str:
    """How long ago something was, in at most four characters."""
    unit = next((unit for limit, unit in _AGES if seconds < limit), "y")
    return _("now") if unit == "now" else f"{int(seconds // _UNITS[unit])}{unit}"


def right(text: str, width: int) -> str:
    """`text` at the right end of `width` cells."""
    return " " * (width - cell_len(text)) + text


def fit(text: str, width: int) -> str:
    """`text` in exactly `width` cells, with an ellipsis where it is cut."""
    if cell_len(text) > width > 0:
        text = set_cell_size(text, width - 1).rstrip() + "…"
    return set_cell_size(text, width)


_HEADINGS = (
    N_("title"),
    N_("rounds"),
    N_("age"),
    N_("model"),
    N_("persona"),
    N_("tags"),
)


class SessionList(Widget, can_focus=True):
    """Shows rows under a heading; one of them is the cursor's.

    Args:
        marks: Gives what is to be said of a chat now, in two cells.
        now: Seconds since 1970.
        keymap: The keys in effect.

    Attributes:
        rows: All rows.
        cursor: The place of the cursor's row.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "session-list--title",
        "session-list--dim",
        "session-list--mark",
        "session-list--match",
        "session-list--cursor",
    }

    class Opened(Message, namespace="session_list"):
        """The user wants the row at the cursor."""

    class Moved(Message, namespace="session_list"):
        """The cursor is at another row."""

    def __init__(
        self, marks: Callable[[Row], str], now: Callable[[], float], keymap: Keymap = DEFAULT
    ) -> None:
        super().__init__()
        bind(self, keymap, "sessions")
        self._marks = marks
        self._now = now
        self._top = 0
        self.rows: list[Row] = []
        self.cursor = 0

    @property
    def current(self) -> Row | None:
        """The row at the cursor."""
        return self.rows[self.cursor] if self.rows else None

    def show(self, rows: Sequence[Row], *, keep: str | None = None) -> None:
        """Show `rows`; the cursor stays on the one whose key is `keep`, else it goes to the first."""
        self.rows = list(rows)
        self.cursor = self._top = 0
        self.action_move_to(next((place for place, row in enumerate(rows) if row.key == keep), 0))

    def extend(self, rows: Sequence[Row]) -> None:
        """Add rows at the end."""
        self.rows.extend(rows)
        self.action_move(0)

    def take_out(self, place: int) -> None:
        """Take a row away."""
        del self.rows[place]
        self.action_move(0)

    def put_back(self, place: int, row: Row) -> None:
        """Put a row at `place`, and the cursor on it."""
        self.rows.insert(place, row)
        self.action_move_to(min(place, len(self.rows) - 1))

    def action_move(self, step: int) -> None:
        """Move the cursor by so many rows."""
        self.action_move_to(min(max(self.cursor + step, 0), max(len(self.rows) - 1, 0)))

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by so many pages."""
        self.action_move(pages * max(self._height - 1, 1))

    def action_move_to(self, place: int) -> None:
        """Put the cursor on the row at `place`; -1 is the last."""
        self.cursor = max(len(self.rows) - 1, 0) if place < 0 else place
        self._top = min(max(self._top, self.cursor - self._height + 1), self.cursor)
        self.post_message(self.Moved())
        self.refresh()

    def action_open(self) -> None:
        """Ask for the row at the cursor."""
        if self.rows:
            self.post_message(self.Opened())

    def on_resize(self) -> None:
        """Keep the cursor in view."""
        self.action_move(0)

    def on_click(self, event: events.Click) -> None:
        """Go to a row; a click on the cursor's row opens it."""
        place = self._top + event.y - 1
        if event.y < 1 or place >= len(self.rows):
            return
        if place == self.cursor and self.has_focus:
            self.action_open()
        else:
            self.action_move_to(place)

    def on_mouse_scroll_down(self) -> None:
        """Move the rows, and the cursor with them where it would leave the view."""
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """As for down."""
        self._scroll(-_WHEEL)

    def _scroll(self, step: int) -> None:
        self._top = min(max(self._top + step, 0), max(len(self.rows) - self._height, 0))
        self.action_move_to(min(max(self.cursor, self._top), self._top + self._height - 1))

    @property
    def _height(self) -> int:
        return max(self.size.height - 1, 1)

    def render_line(self, y: int) -> Strip:
        """The heading, or a row."""
        width = self.size.width
        place = self._top + y - 1
        if y == 0:
            segments = self._columns(("", *map(_, _HEADINGS)), width)
        elif place < len(self.rows):
            row = self.rows[place]
            segments = self._hit(row, row.hit, width) if row.hit is not None else self._chat(row, width)
        else:
            segments = []
        strip = Strip(segments).adjust_cell_length(width, self.rich_style)
        if y > 0 and place == self.cursor and self.rows:
            cursor = self.get_component_rich_style("session-list--cursor", partial=True)
            strip = Strip(Segment.apply_style(strip, post_style=cursor), width)
        return strip

    def _chat(self, row: Row, width: int) -> list[Segment]:
        info, old = row.info, age(self._now() - row.time)
        title = sanitize_line(row.title) or _("(no title)")
        if info is None:
            return self._columns((self._marks(row), title, "", old, "", "", ""), width, plain=True)
        rest = (short_name(info.model), info.persona, " ".join(f"#{tag}" for tag in info.tags))
        model, persona, tags = map(sanitize_line, rest)
        cells = (self._marks(row), title, str(info.rounds), old, model, persona, tags)
        return self._columns(cells, width, plain=True)

    def _columns(self, cells: Sequence[str], width: int, *, plain: bool = False) -> list[Segment]:
        marks, title, rounds, old, *rest = cells
        dim, mark = self._style("dim"), self._style("mark")
        wide = next(widths for least, widths in _COLUMNS if width >= least)
        shown = [(text, size) for text, size in zip(rest, wide, strict=True) if size]
        left = width - _MARKS - 2 * (_NUMBER + 1) - sum(size + 2 for _, size in shown) - 1
        segments = [
            Segment(fit(marks, _MARKS), mark),
            Segment(fit(title, max(left, 1)), self._style("title") if plain else dim),
            Segment(f" {right(rounds, _NUMBER)} {right(old, _NUMBER)}", dim),
        ]
        return segments + [Segment("  " + fit(text, size), dim) for text, size in shown]

    def _hit(self, row: Row, hit: Hit, width: int) -> list[Segment]:
        """A sentence with its matches, and the chat in which it was said."""
        dim, plain, match = self._style("dim"), self._style("title"), self._style("match")
        title_cells = min(width // 4, 40)
        left = max(width - _MARKS - 2 - title_cells - _NUMBER - 2, 1)
        segments = [Segment(" " * _MARKS + ("› " if hit.role is Role.USER else "  "), dim)]
        snippet = HOSTILE.sub("\ufffd", hit.snippet)
        start = _start(hit, left)
        at = start
        pieces = [Segment("…", dim)] if start else []
        for first, last in hit.matches:
            if first >= at:
                pieces += [Segment(snippet[at:first], plain), Segment(snippet[first:last], match)]
                at = last
        pieces.append(Segment(snippet[at:], plain))
        segments += Strip(pieces).adjust_cell_length(left, plain)
        old = age(self._now() - row.time)
        return [
            *segments,
            Segment("  " + fit(sanitize_line(row.title), title_cells) + f"{old:>{_NUMBER}}", dim),
        ]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"session-list--{name}")


def _start(hit: Hit, width: int) -> int:
    """Where in the snippet a line of `width` cells begins, so that the first match is in it."""
    if not hit.matches:
        return 0
    first, last = hit.matches[0]
    if cell_len(hit.snippet[:last]) < width:
        return 0
    start = first
    while start > 0 and cell_len(hit.snippet[start - 1 : first]) < width // 3:
        start -= 1
    return start
