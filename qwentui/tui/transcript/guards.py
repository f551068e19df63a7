# ruff: noqa: SLF001  # guards against faults of one pinned Textual release stand on its private parts
"""Guards against what ends or mutes a Textual 8.2.8 program: bad input bytes, a lost terminal, signals.

- The driver decodes its input strictly, in a thread whose exception ends the app: one X10 mouse report (tmux
  reattached, SSH reconnected) with a coordinate above 95 is enough. `GuardedDriver` drops such reports and
  replaces bytes that are no UTF-8.
- The parser acts on escape sequences inside of a bracketed paste, and turns those it does not know into keys:
  a pasted text could send, open the editor or quit. `GuardedDriver` leaves it none.
- The parser takes mouse coordinates for pixels from the first in-band resize report on, whatever the terminal
  was asked for. `GuardedDriver` asks for neither pixels nor in-band reports; SIGWINCH tells of a resize.
- At the end of its input (EOF or EIO: the terminal is gone) the input thread spins or ends the app with a
  traceback. `GuardedDriver` treats it as SIGHUP.
- SIGCONT without SIGTSTP before it (`kill -STOP`, then `fg`) starts a second input thread; after any
  SIGCONT only a part of the screen is painted.
- SIGTERM and SIGHUP kill the process as it stands; `install_signals` saves first and cleans up.
"""

import os
import re
import select
import signal
import termios
import threading
from codecs import getincrementaldecoder
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from textual._parser import ParseError
from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from qwentui.tui.transcript.terminal_parser import AnswerFilter, TerminalParser

# Aborts a cut control string, ends a synchronized frame, and takes back every mode that Textual sets: kitty
# keys before the alternate screen, since terminals keep one stack a screen.
LEAVE: Final = (
    "\x18\x1b\\\x1b[?2026l\x1b[r\x1b[m\x1b[<u\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    "\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h\x1b[?1049l\x1b[?25h"
)
# Seconds: the loop's chance to end by itself; the terminal's, to take LEAVE; until the exit is forced.
_GRACE: Final = 0.25
_DRAIN: Final = 0.25
_LIMIT: Final = 3.0


class InputDecoder:
    """Bytes from a terminal to text: UTF-8, never failing, X10 mouse reports made harmless.

    An X10 report is `CSI M` and three bytes from 0x20 to 0xff (xterm's ctlseqs, "Normal tracking mode"),
    which may be no UTF-8. Its three bytes become "!!!", so that the parser still sees, and drops, a whole
    report, wherever the bytes are cut into reads.
    """

    _REPORT = re.compile(rb"(\x1b\[M).{0,3}", re.DOTALL)

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._tail = b""
        self._owed = 0

    def decode(self, data: bytes) -> str:
        """The text of the next bytes; an unfinished character waits for the rest."""
        owed = min(self._owed, len(data))
        self._owed -= owed
        seen = len(self._tail)
        data = self._tail + b"!" * owed + data[owed:]
        data = self._REPORT.sub(self._fill, data)
        self._tail = data[-2:] if not self._owed else b""
        return self._decode(data[seen:])

    def _fill(self, match: re.Match[bytes]) -> bytes:
        self._owed = 6 - len(match[0])
        return match[1] + b"!" * (len(match[0]) - 3)


class PasteFilter:
    """Makes each ESC within a bracketed paste visible, but the one that ends it, wherever the text is cut."""

    _BEGIN = "\x1b[200~"
    _END = "\x1b[201~"
    _BEGUN_END = re.compile(r"\x1b(?:\[(?:2(?:01?)?)?)?\Z")

    def __init__(self) -> None:
        self._pasting = False
        self._tail = ""

    def filter(self, text: str) -> str:
        """The next text for the parser; within a paste, what may begin its end waits for the rest."""
        done = []
        while text:
            part, text = self._pasted(text) if self._pasting else self._typed(text)
            done.append(part)
        return "".join(done)

    def _typed(self, text: str) -> tuple[str, str]:
        seen = self._tail + text
        start = seen.find(self._BEGIN)
        if start < 0:
            self._tail = seen[1 - len(self._BEGIN) :]
            return text, ""
        end = start + len(self._BEGIN) - len(self._tail)
        self._tail, self._pasting = "", True
        return text[:end], text[end:]

    def _pasted(self, text: str) -> tuple[str, str]:
        text, self._tail = self._tail + text, ""
        pasted, end, rest = text.partition(self._END)
        self._pasting = not end
        if self._pasting and (begun := self._BEGUN_END.search(pasted)) is not None:
            pasted, self._tail = pasted[: begun.start()], begun[0]
        return pasted.replace("\x1b", "\u241b") + end, rest


class GuardedDriver(LinuxDriver):
    """Textual's driver for a terminal, with the faults above guarded."""

    active: bool = False
    """Whether the terminal is in application mode (alternate screen, raw, mouse)."""

    def start_application_mode(self) -> None:
        """Enter application mode."""
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual left it unannotated
        self.active = True

    def stop_application_mode(self) -> None:
        """Leave application mode and restore the terminal."""
        self.active = False
        super().stop_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        """Stop; in application mode between two callbacks of the loop: the terminal is restored first."""
        if self.active:
            self._loop.call_soon_threadsafe(super()._sigtstp_application)
        else:
            super()._sigtstp_application()

    def _sigcont_application(self, *_: object) -> None:
        """Go on; whoever stopped the process by SIGSTOP left the terminal in application mode, or half so."""
        self._loop.call_soon_threadsafe(self._go_on)

    def _go_on(self) -> None:
        if self._auto_restart and self.active:
            self.suspend_application_mode()
        super()._sigcont_application()
        self._app.refresh(layout=True)

    def _query_in_band_window_resize(self) -> None:
        """In-band reports are not asked for: the parser would read the mouse wrongly from then on."""

    def _enable_mouse_support(self) -> None:
        if self._mouse:
            self.write("\x1b[?1016l")
        super()._enable_mouse_support()

    def run_input_thread(self) -> None:
        """Read, decode and post input until the driver is stopped or the terminal is gone."""
        parser, decoder = TerminalParser(self._debug), InputDecoder()
        pastes, answers = PasteFilter(), AnswerFilter()
        try:
            while not self.exit_event.is_set():
                if select.select([self.fileno], [], [], 0.1)[0]:
                    data = self._read()
                    if data is None:
                        self._hang_up()
                        return
                    if text := answers.filter(pastes.filter(decoder.decode(data))):
                        for message in parser.feed(text):
                            self.process_message(message)
                for message in parser.tick():
                    self.process_message(message)
        finally:
            with suppress(EOFError, ParseError):
                for _ in parser.feed(""):
                    pass

    def _read(self) -> bytes | None:
        """The next bytes; b"" where another program made the terminal non-blocking; None at its end."""
        try:
            return os.read(self.fileno, 4096) or None
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError:
            return None

    def _hang_up(self) -> None:
        if self.input_tty:
            os.kill(os.getpid(), signal.SIGHUP)

    def leave_terminal(self) -> None:
        """Give the terminal back to the shell at once, whatever is under way; for the last moment only.

        Writes through a non-blocking descriptor of its own; what a stalled terminal has not taken is lost.
        """
        if not self.active or self._file is None:
            return
        self.active = False
        with suppress(termios.error):
            if self.attrs_before is not None:
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
            termios.tcflush(self.fileno, termios.TCIFLUSH)
        with suppress(OSError, termios.error):
            fileno = open_terminal(self._file.fileno())
            if not select.select([], [fileno], [], _DRAIN)[1]:
                termios.tcflush(fileno, termios.TCOFLUSH)
            data = LEAVE.encode()
            while data and select.select([], [fileno], [], _DRAIN)[1]:
                data = data[os.write(fileno, data) :]


def open_terminal(fileno: int) -> int:
    """A new non-blocking descriptor for writing to the terminal behind `fileno`.

    A descriptor of its own, since O_NONBLOCK belongs to the open file, which the shell shares. After `su` the
    device may belong to another user; /dev/tty is open to all.

    Raises:
        OSError: `fileno` is no terminal, or there is no way to open it.
    """
    flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY
    try:
        return os.open(os.ttyname(fileno), flags)
    except PermissionError:
        return os.open("/dev/tty", flags)


def install_signals(app: App[Any], on_exit: Callable[[], None]) -> None:
    """Make SIGTERM and SIGHUP save, clean up and end the process; call it in the main thread.

    SIGTERM restores the terminal, calls `on_exit` and exits with 143; SIGHUP (the terminal is gone) calls
    `on_exit` and exits with 129 without touching the terminal. `on_exit` runs in the main thread: between two
    callbacks of the event loop where the loop is free within a quarter of a second, else in the midst of
    whatever keeps it busy. It has 3 s; an exception in it is lost, for nobody is left to read it.
    """
    begun = threading.Event()

    def finish(number: int) -> None:
        if begun.is_set():
            return
        begun.set()
        signal.setitimer(signal.ITIMER_REAL, 0)
        limit = threading.Timer(_LIMIT, os._exit, (128 + number,))
        limit.daemon = True
        limit.start()
        try:
            if number == signal.SIGTERM and isinstance(app._driver, GuardedDriver):
                app._driver.leave_terminal()
            on_exit()
        finally:
            os._exit(128 + number)

    def handle(number: int, _frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGALRM, lambda *_: finish(number))
        signal.setitimer(signal.ITIMER_REAL, _GRACE)
        if app._loop is not None:
            with suppress(RuntimeError):
                app._loop.call_soon_threadsafe(finish, number)

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGHUP, handle)
