"""A program in a real pseudo-terminal, with pyte as the screen that a user would see.

The terminal answers the queries that Textual and common programs send (DA1, DSR, DECRQM for the modes 2026 and
2048, the kitty keyboard query, OSC 10 and 11), keeps every byte, and knows which private modes are on. Nothing here
waits by the clock alone: each wait names its condition and has a deadline.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyte
from wcwidth import wcwidth

# Job control needs a controlling terminal: a session leader gets the first one that it opens.
SPAWN = ("sh", "-c", 'tty=$1; shift; exec "$@" <>"$tty" >&0 2>&0', "sh")
QUERY = re.compile(rb"\x1b\[(?:c|[56]n|\?(\d+)\$p|\?u)|\x1b\](1[01]);\?(?:\x07|\x1b\\)")
MODE = re.compile(r"\x1b\[\?([\d;]+)([hl])")
# What pyte 0.8.2 would print as text or choke on.
UNKNOWN = re.compile(
    r"\x1b\[[<=>][0-9;]*[A-Za-z]|\x1b\[[0-9;?]*\$[a-z]|\x1b\[\?[0-9;]*[a-gi-km-z]|\x1b[P^_X].*?\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)",
    re.DOTALL,
)
UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]P^_X][^\x07\x1b]*\x1b?|)\Z")


class Terminal:
    """One program in one pty; a context manager that always kills the program and what it started.

    `env` is laid over a clean environment: UTF-8, true colour, and HOME and XDG_* in an empty folder of its own.
    `settings` keeps the line settings (termios) from before the program started. `decrqm` maps private modes to the state that DECRPM reports for them (0: not known, 1: set, 2: reset).
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cols: int = 120,
        rows: int = 36,
        decrqm: Mapping[int, int] | None = None,
    ) -> None:
        self.raw = bytearray()
        self.modes: set[int] = set()
        self.screen = pyte.Screen(cols, rows)
        self.decrqm = {2026: 2, 2048: 0} | dict(decrqm or {})
        self._stream = pyte.Stream(self.screen)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._held = ""
        self._answered = 0
        self._home = tempfile.TemporaryDirectory(prefix="qwentui-home-")
        self._master, self._slave = pty.openpty()
        self._winsize(cols, rows)
        self.settings = self.termios()
        os.set_blocking(self._master, False)
        self.process = subprocess.Popen(
            [*SPAWN, os.ttyname(self._slave), *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=self._environment(env or {}),
            cwd=self.home,
        )

    @property
    def home(self) -> Path:
        """The empty folder that the program sees as its home."""
        return Path(self._home.name)

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        folders = {
            f"XDG_{name.upper()}_HOME": str(self.home / name) for name in ("config", "data", "state", "cache")
        }
        return {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            **folders,
            **extra,
        }

    def _winsize(self, cols: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def pump(self, timeout: float = 0.0) -> bytes:
        """Take in what the program wrote, waiting at most `timeout` seconds for the first byte; b"" is nothing."""
        if not select.select([self._master] if self._master >= 0 else [], [], [], max(timeout, 0.0))[0]:
            return b""
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:
            return b""
        self.raw += data
        self._show(self._held + self._decode(data))
        self._answer()
        return data

    def _show(self, text: str) -> None:
        unfinished = UNFINISHED.search(text)
        end = unfinished.start() if unfinished else len(text)
        self._held = text[end:]
        for match in MODE.finditer(text, 0, end):
            modes = {int(mode) for mode in match[1].split(";") if mode}
            self.modes = self.modes | modes if match[2] == "h" else self.modes - modes
        plain = UNKNOWN.sub("", text[:end])
        if not plain.isascii():  # pyte drops the rest of a run at a joiner or a variation selector
            plain = "".join(c for c in plain if c < " " or wcwidth(c) > 0 or unicodedata.combining(c))
        self._stream.feed(plain)

    def _answer(self) -> None:
        for match in QUERY.finditer(self.raw, self._answered):
            self._answered = match.end()
            query = match[0]
            if query in {b"\x1b[c", b"\x1b[5n"}:
                self.send("\x1b[?62;22c" if query == b"\x1b[c" else "\x1b[0n")
            elif query == b"\x1b[6n":
                self.send(f"\x1b[{self.screen.cursor.y + 1};{self.screen.cursor.x + 1}R")
            elif match[1]:
                mode = int(match[1])
                self.send(f"\x1b[?{mode};{self.decrqm.get(mode, 0)}$y")
            elif match[2]:
                colour = "ffff/ffff/ffff" if match[2] == b"10" else "0000/0000/0000"
                self.send(f"\x1b]{match[2].decode()};rgb:{colour}\x1b\\")

    def send(self, keys: str | bytes) -> None:
        """Type: write to the program's terminal as a keyboard (or the terminal itself) would."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            select.select([], [self._master], [], 10)
            data = data[os.write(self._master, data) :]

    def wait_until(
        self, condition: Callable[[], Any], timeout: float = 20.0, what: str = "the condition"
    ) -> Any:
        """Pump until `condition()` is truthy and return its value; AssertionError with the screen after `timeout` s."""
        deadline = time.monotonic() + timeout
        while True:
            if value := condition():
                return value
            if time.monotonic() > deadline:
                raise AssertionError(f"never saw {what}; screen:\n{self.screen_text()}")
            if (
                not self.pump(0.05)
                and self.process.poll() is not None
                and not self.pump()
                and not condition()
            ):
                raise AssertionError(
                    f"the program ended ({self.process.returncode}) before {what}; screen:\n{self.screen_text()}"
                )

    def wait_for(self, pattern: str | re.Pattern[str], timeout: float = 20.0) -> re.Match[str]:
        """Wait until the screen matches `pattern` (a plain str is searched as it is) and return the match."""
        compiled = re.compile(re.escape(pattern)) if isinstance(pattern, str) else pattern
        found: re.Match[str] = self.wait_until(
            lambda: compiled.search(self.screen_text()), timeout, repr(compiled.pattern)
        )
        return found

    def wait_for_bytes(self, needle: bytes, start: int = 0, timeout: float = 20.0) -> int:
        """Wait until `needle` is in `raw` at or after `start` and return the offset behind it."""
        self.wait_until(lambda: needle in self.raw[start:], timeout, repr(needle))
        return self.raw.index(needle, start) + len(needle)

    def wait_exit(self, timeout: float = 20.0) -> int:
        """Pump until the program has ended and return its exit status (-n: killed by signal n)."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still running; screen:\n{self.screen_text()}")
            self.pump(0.02)
        while self.pump(0.05):
            pass
        return int(self.process.returncode)

    def screen_text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self.screen.display)

    def cells(self) -> list[list[pyte.screens.Char]]:
        """The screen as rows of cells: character, colours and attributes; a wide character's second cell is ""."""
        size = self.screen.columns
        return [[self.screen.buffer[y][x] for x in range(size)] for y in range(self.screen.lines)]

    def cursor(self) -> tuple[int, int]:
        """Column and row of the hardware cursor, from 0."""
        return min(self.screen.cursor.x, self.screen.columns - 1), self.screen.cursor.y

    def resize(self, cols: int, rows: int) -> None:
        """Change the window's size; the kernel sends SIGWINCH."""
        while self.pump():  # what is under way was written for the old size
            pass
        self.screen.resize(rows, cols)
        self._winsize(cols, rows)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself (not to its children)."""
        os.kill(self.process.pid, number)

    def stopped(self) -> bool:
        """Whether the program is stopped by job control (Linux: its state in /proc is T)."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] == "T"

    def termios(self) -> list[Any]:
        """The terminal's line settings, as `termios.tcgetattr` gives them."""
        return termios.tcgetattr(self._slave)

    def hang_up(self) -> None:
        """Take the terminal away, as a lost connection does; the kernel sends SIGHUP, and reads give EOF or EIO."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def close(self) -> None:
        """Kill the program's process group and free the terminal."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            self.process.kill()
        self.process.wait(10)
        self.hang_up()
        os.close(self._slave)
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
