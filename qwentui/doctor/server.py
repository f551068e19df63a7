"""The server: there, new enough, and of one mind with this machine about the time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.chat.errors import QwentuiError
    from qwentui.doctor.finding import Finding

_AGES = (
    (
        (0, 12, 4),
        broken,
        N_("{server}: older than all that qwentui was tried with: the vocabulary may not be told"),
    ),
    (
        (0, 12, 6),
        warning,
        N_("{server}: it does not know `truncate`: prompts that are too long are cut without a word"),
    ),
    (
        (0, 30, 0),
        warning,
        N_("{server}: before 0.30 it does not tell the capabilities of its models in its list"),
    ),
)
_SKEW = 30.0
"""Seconds by which two clocks may differ; the keep-alive countdown goes by the server's."""


def check_unreachable(error: QwentuiError, host: str) -> Finding:
    """Nothing can be asked of it."""
    remedy = error.hint or _("Start it, or name another: --host.")
    return broken(N_("server"), f"{host}: {error.message}", remedy)


def check_version(host: str, version: str, *, ollama: bool) -> Finding:
    """What it is, and what it is too old for."""
    if not ollama:
        seen = _("{host}: {version}, OpenAI-compatible").format(host=host, version=version)
        return good(N_("server"), seen)
    seen = _("Ollama {version} at {host}").format(version=version, host=host)
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers is None:
        return unknown(N_("server"), _("{server}: a version of its own").format(server=seen))
    number = tuple(map(int, numbers.groups()))
    for limit, verdict, meaning in _AGES:
        if number < limit:
            remedy = _("Update it: curl -fsSL https://ollama.com/install.sh | sh")
            return verdict(N_("server"), _(meaning).format(server=seen), remedy)
    return good(N_("server"), seen)


def check_address(host: str, *, local: bool, plain: bool, secret: bool) -> Iterator[Finding]:
    """Who else could listen on the way there.

    Args:
        host: The address as a user reads it.
        local: Whether it is this machine.
        plain: Whether the connection is not encrypted.
        secret: Whether a token or password goes along.
    """
    if secret and plain and not local:
        seen = _("A password goes to {host} in plain text.").format(host=host)
        remedy = _("Use https://, or a tunnel: ssh -L 11434:localhost:11434 SERVER.")
        yield warning(N_("address"), seen, remedy)


def check_clock(ours: float, theirs: float | None) -> Finding:
    """Both clocks, in seconds since 1970; `theirs` is the `Date` of a response."""
    if theirs is None:
        return unknown(N_("clock"), _("The server does not tell its time."))
    skew = ours - theirs
    if abs(skew) > _SKEW:
        ahead = _("This machine's clock is {seconds:.0f} s ahead of the server's.")
        behind = _("This machine's clock is {seconds:.0f} s behind the server's.")
        seen = (ahead if skew > 0 else behind).format(seconds=abs(skew))
        return warning(N_("clock"), seen, _("Let both keep time by NTP: timedatectl set-ntp true."))
    within = _("within {seconds:.0f} s of the server's")
    return good(N_("clock"), within.format(seconds=max(abs(skew), 1)))
