"""The terminal: what it says of itself, and what it answers when it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import good, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwentui.doctor.finding import Finding

_SMALL = (60, 15)
_SLOW_TRIP = 0.15  # seconds; a key's echo is felt from about there
_SLOW_RATE = 20_000  # bytes a second
_LONG_ESCAPE = 100  # milliseconds for which tmux may hold Escape back


@dataclass(frozen=True, slots=True)
class Answers:
    """What a terminal answered; None where it did not.

    `synchronized` is whether it knows mode 2026 (DECRQM), `clipboard` whether its attributes (DA1) name OSC
    52, `wide` how many columns a Chinese character took, `combined` how many an accented letter,
    `round_trip` the seconds of a question and its answer, `rate` the bytes a second that it takes.
    """

    synchronized: bool | None = None
    clipboard: bool | None = None
    wide: int | None = None
    combined: int | None = None
    round_trip: float | None = None
    rate: float | None = None


def check_environment(environ: Mapping[str, str], columns: int, lines: int) -> Iterator[Finding]:
    """What the environment tells: kind, colours, encoding, size."""
    term = environ.get("TERM", "")
    if term in ("", "dumb"):
        remedy = "Connect with `ssh -t`, or set TERM to what the terminal is, as xterm-256color."
        yield warning("terminal", f"TERM is {term or 'not set'}", remedy)
    else:
        yield good("terminal", sanitize_line(f"{term}, {columns}x{lines}"))
    yield _check_colours(environ, term)
    names = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in names if name), "")
    if re.search(r"utf-?8", locale, re.IGNORECASE) or not locale:
        yield good("encoding", sanitize_line(locale) or "UTF-8 is assumed")
    else:
        remedy = "Set LANG to a UTF-8 locale, as C.UTF-8."
        yield warning("encoding", f"{sanitize_line(locale)} is not UTF-8", remedy)
    if (columns, lines) < _SMALL or lines < _SMALL[1]:
        yield warning("size", f"{columns}x{lines}", "60 columns and 15 lines are the least for comfort.")


def _check_colours(environ: Mapping[str, str], term: str) -> Finding:
    if environ.get("NO_COLOR"):
        return good("colours", "none, as NO_COLOR wants")
    if environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return good("colours", "16 million")
    if "256color" in term or "direct" in term:
        remedy = "If the terminal knows more: export COLORTERM=truecolor (for ssh: SendEnv COLORTERM)."
        return warning("colours", "256; the themes have more", remedy)
    return warning("colours", "16", 'Use screen.theme = "terminal-16", or a TERM that tells of more.')


def check_answers(answers: Answers) -> Iterator[Finding]:
    """What the terminal itself says."""
    match answers.synchronized:
        case True:
            yield good("synchronized output", "known (mode 2026): frames come whole")
        case False:
            remedy = "Nothing is wrong; a newer terminal, or tmux 3.4, would tear less."
            yield unknown("synchronized output", "not known to the terminal", remedy)
        case None:
            yield unknown("synchronized output", "the terminal gave no answer")
    if answers.clipboard:
        yield good("clipboard", "OSC 52 is taken")
    else:
        remedy = 'If copying does nothing, set screen.clipboard = "file" (or "tmux").'
        yield unknown("clipboard", "the terminal does not tell whether it takes OSC 52", remedy)
    if (answers.wide, answers.combined) == (None, None):
        yield unknown("widths", "the terminal gave no answer")
    elif (answers.wide, answers.combined) == (2, 1):
        yield good("widths", "Chinese takes two columns, an accent none")
    else:
        seen = f"a Chinese character takes {answers.wide} columns, an accented letter {answers.combined}"
        yield warning("widths", seen, "Text will be out of place: check the terminal's Unicode settings.")
    yield from _check_link(answers.round_trip, answers.rate)


def _check_link(round_trip: float | None, rate: float | None) -> Iterator[Finding]:
    if round_trip is None:
        return
    seen = f"{round_trip * 1000:.0f} ms there and back"
    if rate is not None:
        seen += f", {rate / 1000:,.0f} kB/s"
    if round_trip > _SLOW_TRIP:
        yield warning("link", seen, "Keys echo late; `ssh -C`, or mosh, may help.")
    elif rate is not None and rate < _SLOW_RATE:
        yield warning("link", seen, "Text comes slowly; set screen.fps = 10, and try `ssh -C`.")
    else:
        yield good("link", seen)


def check_tmux(options: Mapping[str, str]) -> Iterator[Finding]:
    """The options of tmux that decide how a program in it looks; empty where they could not be read."""
    if not options:
        yield unknown("tmux", "its options could not be read")
        return
    wrong = []
    if options.get("set-clipboard") not in ("on", "external"):
        wrong.append("`set -g set-clipboard on` lets copies reach your own clipboard")
    if not re.search(r"256color|direct", options.get("default-terminal", "")):
        wrong.append("`set -g default-terminal tmux-256color` brings the colours")
    escape = options.get("escape-time", "")
    if escape.isdecimal() and int(escape) > _LONG_ESCAPE:
        wrong.append(f"`set -g escape-time 20`: Escape comes {escape} ms late")
    if wrong:
        yield warning("tmux", f"{len(wrong)} of its options could be better", "; ".join(wrong) + ".")
    else:
        yield good("tmux", "clipboard, colours and Escape are as they should be")
