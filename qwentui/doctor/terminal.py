"""The terminal: what it says of itself, and what it answers when it is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import good, unknown, warning
from qwentui.language import N_, _
from qwentui.store.theme_choice import colors_of

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
        seen = _("TERM is {term}").format(term=term) if term else _("TERM is not set")
        remedy = _("Connect with `ssh -t`, or set TERM to what the terminal is, as xterm-256color.")
        yield warning(N_("terminal"), seen, remedy)
    else:
        yield good(N_("terminal"), sanitize_line(f"{term}, {columns}x{lines}"))
    yield _check_colours(environ)
    names = (environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in names if name), "")
    if re.search(r"utf-?8", locale, re.IGNORECASE) or not locale:
        yield good(N_("encoding"), sanitize_line(locale) or _("UTF-8 is assumed"))
    else:
        seen = _("{locale} is not UTF-8").format(locale=sanitize_line(locale))
        yield warning(N_("encoding"), seen, _("Set LANG to a UTF-8 locale, as C.UTF-8."))
    if (columns, lines) < _SMALL or lines < _SMALL[1]:
        remedy = _("60 columns and 15 lines are the least for comfort.")
        yield warning(N_("size"), f"{columns}x{lines}", remedy)


def _check_colours(environ: Mapping[str, str]) -> Finding:
    if environ.get("NO_COLOR"):
        return good(N_("colours"), _("none, as NO_COLOR wants"))
    colors = colors_of(environ)
    if colors > 256:  # noqa: PLR2004 - all of them
        return good(N_("colours"), _("16 million"))
    if colors > 16:  # noqa: PLR2004 - those beyond the terminal's own
        remedy = _("If the terminal knows more: export COLORTERM=truecolor (for ssh: SendEnv COLORTERM).")
        return warning(N_("colours"), _("256; the themes have more"), remedy)
    remedy = _("A TERM that tells of more, as xterm-256color, brings the other themes.")
    return warning(N_("colours"), "16", remedy)


def check_answers(answers: Answers) -> Iterator[Finding]:
    """What the terminal itself says."""
    match answers.synchronized:
        case True:
            yield good(N_("synchronized output"), _("known (mode 2026): frames come whole"))
        case False:
            remedy = _("Nothing is wrong; a newer terminal, or tmux 3.4, would tear less.")
            yield unknown(N_("synchronized output"), _("not known to the terminal"), remedy)
        case None:
            yield unknown(N_("synchronized output"), _("the terminal gave no answer"))
    if answers.clipboard:
        yield good(N_("clipboard"), _("OSC 52 is taken"))
    else:
        remedy = _('If copying does nothing, set screen.clipboard = "file" (or "tmux").')
        yield unknown(N_("clipboard"), _("the terminal does not tell whether it takes OSC 52"), remedy)
    if (answers.wide, answers.combined) == (None, None):
        yield unknown(N_("widths"), _("the terminal gave no answer"))
    elif (answers.wide, answers.combined) == (2, 1):
        yield good(N_("widths"), _("Chinese takes two columns, an accent none"))
    else:
        seen = _("a Chinese character takes {wide} columns, an accented letter {combined}")
        remedy = _("Text will be out of place: check the terminal's Unicode settings.")
        yield warning(N_("widths"), seen.format(wide=answers.wide, combined=answers.combined), remedy)
    yield from _check_link(answers.round_trip, answers.rate)


def _check_link(round_trip: float | None, rate: float | None) -> Iterator[Finding]:
    if round_trip is None:
        return
    seen = _("{ms:.0f} ms there and back").format(ms=round_trip * 1000)
    if rate is not None:
        seen += f", {rate / 1000:,.0f} kB/s"
    if round_trip > _SLOW_TRIP:
        yield warning(N_("link"), seen, _("Keys echo late; `ssh -C`, or mosh, may help."))
    elif rate is not None and rate < _SLOW_RATE:
        remedy = _("Text comes slowly; set screen.fps = 10, and try `ssh -C`.")
        yield warning(N_("link"), seen, remedy)
    else:
        yield good(N_("link"), seen)


def check_tmux(options: Mapping[str, str]) -> Iterator[Finding]:
    """The options of tmux that decide how a program in it looks; empty where they could not be read."""
    if not options:
        yield unknown(N_("tmux"), _("its options could not be read"))
        return
    wrong = []
    if options.get("set-clipboard") not in ("on", "external"):
        wrong.append(_("`set -g set-clipboard on` lets copies reach your own clipboard."))
    if not re.search(r"256color|direct", options.get("default-terminal", "")):
        wrong.append(_("`set -g default-terminal tmux-256color` brings the colours."))
    escape = options.get("escape-time", "")
    if escape.isdecimal() and int(escape) > _LONG_ESCAPE:
        wrong.append(_("`set -g escape-time 20`: Escape comes {ms} ms late.").format(ms=escape))
    if wrong:
        seen = _("{count} of its options could be better").format(count=len(wrong))
        yield warning(N_("tmux"), seen, " ".join(wrong))
    else:
        yield good(N_("tmux"), _("clipboard, colours and Escape are as they should be"))
