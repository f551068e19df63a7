# ruff: noqa: SLF001  # the stage stands between two private parts of one pinned Textual release
"""The output stage: what the compositor paints, cut down to what the terminal does not show yet.

Textual 8.2.8 sends every dirty region again, cell for cell, in three writes, through a queue that blocks the
event loop when the terminal is slow. With the stage installed, `App._display` only notes the new cells. A
beat of at most 30 frames a second (none to wait for right after a keypress) compares them with what the
terminal shows and writes the difference, at once, inside mode 2026 where the terminal has it. A frame is
written only when the one before has left the process: a slow terminal skips frames and gets the last one.

The terminal's content is unknown after it was entered, resumed or resized, or after anyone else wrote what
may have drawn; then one whole screen is painted. Inline, headless and web apps keep Textual's own output.
"""

import asyncio
import os
import re
import select
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, Final

from rich.color import ColorSystem
from rich.console import RenderableType
from textual import events
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.geometry import Region
from textual.message import Message
from textual.screen import Screen
from textual.strip import Strip

from qwentui.tui.transcript.guards import GuardedDriver, open_terminal
from qwentui.tui.transcript.screen_diff import Painter, Row, cells, paint

FRAME: Final = 1 / 30
"""Seconds between two frames while nobody types."""

# After a keypress or a turn of the wheel, frames go out as fast as Textual makes them, for this many seconds.
_HASTE: Final = 0.1
# Seconds that a terminal has to take what is left when the app ends or is suspended.
_LAST_WORDS: Final = 3.0
# Seconds after which an unknown screen is painted whole, if no frame (as after a resize) does it sooner.
_HEAL: Final = 0.15
_SYNC: Final = ("\x1b[?2026h", "\x1b[?2026l")
# What draws nothing: BEL, OSC and DCS strings, modes (but not the alternate screen's), queries, kitty keys.
_HARMLESS: Final = re.compile(
    r"(?:\x07|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP(?:[^\x1b]|\x1b[^\\])*\x1b\\"
    r"|\x1b\[\?(?!(?:47|1047|1049)[hl])\d+[hl]|\x1b\[\?\d+\$p|\x1b\[[56]n|\x1b\[[<>=?]\d*u)*"
)


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the environment leaves the stage on; `QWENTUI_OUTPUT=plain` turns it off."""
    return environ.get("QWENTUI_OUTPUT", "") != "plain"


def install(app: App[Any], *, enabled: bool = True) -> "OutputStage | None":
    """Put the guarded driver and, where `enabled`, the output stage under an app that does not run yet.

    An app whose driver was chosen otherwise (`TEXTUAL_DRIVER`, the web, a test) keeps it, and its own output.
    """
    if app.driver_class is not LinuxDriver:
        return None
    app.driver_class = StagedDriver if enabled else GuardedDriver
    return OutputStage(app) if enabled else None


def stage_of(app: App[Any]) -> "OutputStage | None":
    """The stage under an app; None where it has none."""
    stage = getattr(vars(app).get("_display"), "__self__", None)
    return stage if isinstance(stage, OutputStage) else None


class Outlet:
    """Writes to a terminal without ever blocking the event loop."""

    def __init__(self, fileno: int, encoding: str, on_drained: Callable[[], None]) -> None:
        self._fileno = fileno
        self._encoding = encoding
        self._on_drained = on_drained
        self._left = b""
        self._loop = asyncio.get_running_loop()

    @property
    def busy(self) -> bool:
        """Whether the terminal has not taken everything yet."""
        return bool(self._left)

    def write(self, text: str) -> None:
        """Write now what the terminal takes, and the rest when it can."""
        waiting = self.busy
        self._left += text.encode(self._encoding, "replace")
        if not waiting:
            self._push()
            if self._left:
                self._loop.add_writer(self._fileno, self._drain)

    def _push(self) -> None:
        try:
            while self._left:
                self._left = self._left[os.write(self._fileno, self._left) :]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # the terminal is gone; its end of input tells the driver
            self._left = b""

    def _drain(self) -> None:
        self._push()
        if not self._left:
            self._loop.remove_writer(self._fileno)
            self._on_drained()

    def close(self) -> None:
        """Give the terminal a last while to take what is left, then close."""
        self._loop.remove_writer(self._fileno)
        deadline = time.monotonic() + _LAST_WORDS
        while self._left and (rest := deadline - time.monotonic()) > 0:
            if select.select([], [self._fileno], [], rest)[1]:
                self._push()
        os.close(self._fileno)


class StagedDriver(GuardedDriver):
    """The guarded driver with an outlet of its own in place of Textual's queue and thread."""

    outlet: Outlet | None = None
    """None while the terminal is not in application mode, or where it cannot be opened a second time."""
    on_lost: Callable[[], None] | None = None
    """Called when the terminal's content is no longer known; in a signal handler too."""
    on_drained: Callable[[], None] | None = None
    """Called when a slow terminal has taken everything."""
    last_input: float = 0.0
    """`time.monotonic()` of the last key or mouse event."""
    shared: bool = True
    """Whether Textual's own writer is in use, because the terminal cannot be opened a second time."""

    def start_application_mode(self) -> None:
        """Enter application mode."""
        if self._file is not None and self.outlet is None:
            with suppress(OSError):
                fileno = open_terminal(self._file.fileno())
                self.outlet = Outlet(fileno, self._file.encoding, lambda: self._tell(self.on_drained))
        self.shared = self.outlet is None
        super().start_application_mode()
        if self.outlet is not None and self._writer_thread is not None:
            self._writer_thread.stop()
            self._writer_thread = None
        self._watch_size()
        self._tell(self.on_lost)

    def _watch_size(self) -> None:
        on_resize = signal.getsignal(signal.SIGWINCH)

        def resized(number: int, frame: FrameType | None) -> None:
            self._tell(self.on_lost)
            if callable(on_resize):
                on_resize(number, frame)

        signal.signal(signal.SIGWINCH, resized)

    def write(self, data: str) -> None:
        """Write what is not a frame: modes, OSC 52, the bell; what may have drawn makes the screen unknown.

        What is written while another program has the terminal is dropped.
        """
        if threading.current_thread() is not threading.main_thread():
            self._loop.call_soon_threadsafe(self.write, data)
        elif self.outlet is not None:
            self.outlet.write(data)
            if not _HARMLESS.fullmatch(data):
                self._tell(self.on_lost)
        elif self.shared:
            super().write(data)

    def close(self) -> None:
        """Let the terminal take what is left and close it."""
        if self.outlet is not None:
            self.outlet.close()
            self.outlet = None
        super().close()

    def process_message(self, message: Message) -> None:
        """Note when the user last did something."""
        if isinstance(message, events.InputEvent):
            self.last_input = time.monotonic()
        super().process_message(message)

    @staticmethod
    def _tell(listener: Callable[[], None] | None) -> None:
        if listener is not None:
            listener()


class OutputStage:
    """Stands in for `App._display`: knows what the terminal shows and what it should show."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._plain = app._display
        # GNU screen, unlike tmux, erases with the default background.
        self._background_erase = not os.environ.get("TERM", "").startswith("screen")
        self._driver: StagedDriver | None = None
        self._shown: list[Row] | None = None
        self._shown_cursor: tuple[int, int] | None = None
        self._wanted: list[Row] = []
        self._cursor = (0, 0)
        self._last = 0.0
        self._beat: asyncio.TimerHandle | None = None
        self._dirty = False
        self._touched = False
        # An instance attribute hides the method; Textual looks it up anew for every frame.
        vars(app)["_display"] = self.display

    @property
    def pending(self) -> bool:
        """Whether the terminal has not got the last frame yet."""
        return self._dirty or self.busy or (self._shown is None and bool(self._wanted))

    @property
    def busy(self) -> bool:
        """Whether the terminal is behind: a frame painted now would be skipped."""
        return self._driver is not None and self._driver.outlet is not None and self._driver.outlet.busy

    def uninstall(self) -> None:
        """Give the app its own output back."""
        vars(self._app).pop("_display", None)
        if self._driver is not None:
            self._driver.on_lost = self._driver.on_drained = None

    def invalidate(self) -> None:
        """Forget what the terminal shows and paint it whole; safe in a signal handler."""
        if self._app._loop is not None:
            with suppress(RuntimeError):
                self._app._loop.call_soon_threadsafe(self._forget)

    def _forget(self) -> None:
        self._shown = None
        if self._wanted:
            self._schedule(_HEAL)

    def display(self, screen: Screen[Any], update: RenderableType | None) -> None:
        """Take the compositor's update; the signature is `App._display`'s."""
        app, driver = self._app, self._app._driver
        if not isinstance(driver, StagedDriver) or driver.shared:
            self._plain(screen, update)
            return
        if not isinstance(update, LayoutUpdate | ChopsUpdate):
            self._plain(screen, update)
            if update is not None:
                self.invalidate()
            return
        if self._driver is None:
            driver.on_lost, driver.on_drained = self.invalidate, self.flush
            self._driver = driver
        if app._running and not app._closed and not app._batch_count:
            self._take(update)
            self._request()
        app.post_display_hook()

    def shows(self, screen: Screen[Any]) -> bool:
        """Whether the stage stands in for the compositor's output of `screen`, in its present size."""
        app, wanted = self._app, self._wanted
        return (
            self._driver is not None
            and not self._driver.shared
            and app._running
            and not app._closed
            and not app._batch_count
            and app.screen is screen
            and bool(wanted)
            and (len(wanted[0].chars), len(wanted)) == screen.outer_size
        )

    def lay(self, x: int, y: int, strips: Iterable[Strip]) -> None:
        """Lay strips over the rows from `y` on, from column `x`; all that is laid now is written at once."""
        for number, strip in enumerate(strips, y):
            row = self._wanted[number] = self._wanted[number].copy()
            _put(row, x, strip, self._system)
        self._touch()

    def slide(self, region: Region, count: int) -> bool:
        """Move the rows of `region` up by `count`; False where it is not as wide as the screen."""
        if region.width != len(self._wanted[0].chars):
            return False
        self._wanted[region.y : region.bottom - count] = self._wanted[region.y + count : region.bottom]
        self._touch()
        return True

    def _touch(self) -> None:
        self._place_cursor()
        if not self._touched:
            self._touched = True
            asyncio.get_running_loop().call_soon(self.flush)  # who lays rows keeps to a beat of its own

    @property
    def _system(self) -> ColorSystem:
        return self._app.console._color_system or ColorSystem.TRUECOLOR

    def _take(self, update: LayoutUpdate | ChopsUpdate) -> None:
        if isinstance(update, LayoutUpdate):
            self._wanted = [_laid(strips, update.region.width, self._system) for strips in update.strips]
        else:
            self._chop(update, self._system)
        self._place_cursor()

    def _place_cursor(self) -> None:
        app = self._app
        cursor = app.screen.outer_size.clamp_offset(app.cursor_position)
        app._previous_cursor_position = cursor
        self._cursor = (cursor.x, cursor.y)
        self._dirty = True

    def _chop(self, update: ChopsUpdate, system: ColorSystem) -> None:
        rows = dict[int, Row]()
        for y, left, right in update.spans:
            if y >= len(self._wanted):
                continue
            if y not in rows:
                rows[y] = self._wanted[y].copy()
            for end, (x, strip) in zip(update.chop_ends[y], update.chops[y].items(), strict=False):
                if strip is not None and x < right and end > left:
                    _put(rows[y], x, strip if end <= right else strip.crop(0, right - x), system)
        for y, row in rows.items():
            self._wanted[y] = row

    def _request(self) -> None:
        """Flush at once where nothing speaks against it, else at the next beat, or when the terminal can."""
        now = time.monotonic()
        if self._driver is None or self.busy:
            return
        if now - self._driver.last_input < _HASTE or now - self._last >= FRAME:
            self.flush()
        else:
            self._schedule(self._last + FRAME - now)

    def _schedule(self, delay: float) -> None:
        loop = asyncio.get_running_loop()
        if self._beat is not None and self._beat.when() > loop.time() + delay:
            self._beat.cancel()
            self._beat = None
        if self._beat is None:
            self._beat = loop.call_later(delay, self.flush)

    def flush(self) -> None:
        """Write the difference now, unless the terminal is behind: then as soon as it has caught up."""
        self._touched = False
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        outlet = self._driver.outlet if self._driver is not None else None
        if outlet is None or outlet.busy or not self._wanted or not self._app._running:
            return
        painter = Painter(len(self._wanted), background_erase=self._background_erase)
        paint(painter, self._shown, self._wanted)
        painter.style("")
        drawn = bool(str(painter))
        if drawn or self._cursor != self._shown_cursor:
            painter.move(*self._cursor)
            start, end = _SYNC if drawn and self._app._sync_available else ("", "")
            outlet.write(f"{start}{painter}{end}")
            self._last = time.monotonic()
        self._shown, self._shown_cursor = self._wanted.copy(), self._cursor
        self._dirty = False


def _laid(strips: Iterable[Strip], width: int, system: ColorSystem) -> Row:
    """A whole line from the strips that lie side by side in it."""
    row, x = Row.blank(width), 0
    for strip in strips:
        _put(row, x, strip, system)
        x += strip.cell_length
    return row


def _put(row: Row, x: int, strip: Strip, system: ColorSystem) -> None:
    """Lay a strip's cells over a line that is being built, from column `x`; what sticks out is cut off."""
    chars, styles = list[str](), list[str]()
    for text, style, control in strip:
        if control:
            continue
        if text.isascii() and text.isprintable():
            chars += text
        else:
            marks, found = cells(text)
            if marks and chars:
                chars[-1 if chars[-1] else -2] += marks
            chars += found
        sgr = "" if style is None else style._ansi
        if sgr is None:
            sgr = Strip.render_ansi(style, system)
        styles += [sgr] * (len(chars) - len(styles))
    size = min(len(chars), len(row.chars) - x)
    row.chars[x : x + size] = chars[:size]
    row.styles[x : x + size] = styles[:size]
