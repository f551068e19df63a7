"""Asking the terminal: control sequences out, its answers in, nothing left on the screen."""

from __future__ import annotations

import os
import re
import select
import subprocess
import termios
import time
import tty
from contextlib import contextmanager
from typing import TYPE_CHECKING

from qwentui.doctor.terminal import Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 1.0  # seconds for an answer; a satellite link takes 0.7
_TRIPS = 3
_LOAD = 16_384  # bytes
_NOTHING = b"\x1b[m"  # resets what is reset: bytes that show nothing
_CURSOR = re.compile(rb"\x1b\[(\d+);(\d+)R")
_ATTRIBUTES = re.compile(rb"\x1b\[\?([\d;]*)c")
_MODE = re.compile(rb"\x1b\[\?2026;(\d)\$y")


def ask_terminal(descriptor: int) -> Answers:
    """What the terminal at `descriptor` answers; a terminal that is silent costs a second.

    Raises:
        OSError: It is none, or it is gone.
    """
    with _raw(descriptor):
        # Every terminal answers DA1, so whatever stands before it in the answer is there by then.
        first = _ask(descriptor, b"\x1b[?2026$p\x1b[c", _ATTRIBUTES)
        attributes = _ATTRIBUTES.search(first)
        if attributes is None:
            return Answers()
        mode = _MODE.search(first)
        trip = min((_trip(descriptor) or _PATIENCE for _ in range(_TRIPS)), default=None)
        answers = Answers(
            synchronized=mode is not None and mode[1] != b"0",
            clipboard=b"52" in attributes[1].split(b";"),
            wide=_width(descriptor, "中"),
            combined=_width(descriptor, "e\u0301"),
            round_trip=trip,
            rate=_rate(descriptor, trip or 0.0),
        )
        os.write(descriptor, b"\r\x1b[K")
        return answers


@contextmanager
def _raw(descriptor: int) -> Iterator[None]:
    """No echo and no lines while the block runs; keys pressed meanwhile are thrown away."""
    try:
        before = termios.tcgetattr(descriptor)
    except termios.error as error:
        raise OSError(*error.args) from error
    try:
        tty.setraw(descriptor, termios.TCSANOW)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


def _ask(descriptor: int, question: bytes, answer: re.Pattern[bytes]) -> bytes:
    """What came until `answer` was in it, or patience ended."""
    os.write(descriptor, question)
    deadline = time.monotonic() + _PATIENCE
    data = b""
    while not answer.search(data) and (rest := deadline - time.monotonic()) > 0:
        if select.select([descriptor], [], [], rest)[0]:
            piece = os.read(descriptor, 4096)
            if not piece:
                break
            data += piece
    return data


def _column(descriptor: int, before: bytes) -> int | None:
    """The cursor's column, from 0, after `before` was written."""
    found = _CURSOR.search(_ask(descriptor, before + b"\x1b[6n", _CURSOR))
    return int(found[2]) - 1 if found else None


def _width(descriptor: int, text: str) -> int | None:
    width = _column(descriptor, b"\r" + text.encode())
    os.write(descriptor, b"\r\x1b[K")
    return width


def _trip(descriptor: int) -> float | None:
    start = time.monotonic()
    return time.monotonic() - start if _column(descriptor, b"") is not None else None


def _rate(descriptor: int, trip: float) -> float | None:
    """Bytes a second that the way to the terminal takes, the way of the answer not counted."""
    start = time.monotonic()
    if _column(descriptor, _NOTHING * (_LOAD // len(_NOTHING))) is None:
        return None
    return _LOAD / max(time.monotonic() - start - trip, 1e-4)


def tmux_options() -> dict[str, str]:
    """The options of the tmux that this runs in; empty where they cannot be read."""
    names = ("set-clipboard", "default-terminal", "escape-time")
    found = {}
    for name in names:
        try:
            shown = subprocess.run(  # noqa: S603 - fixed words
                ["tmux", "show-options", "-gsv" if name != "default-terminal" else "-gv", name],  # noqa: S607 - as the user has it
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return {}
        if shown.returncode == 0:
            found[name] = shown.stdout.strip()
    return found
