"""The server: there, new enough, and of one mind with this machine about the time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwentui.doctor.finding import broken, good, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.chat.errors import QwentuiError
    from qwentui.doctor.finding import Finding

_AGES = (
    ((0, 12, 4), broken, "older than all that qwentui was tried with: the vocabulary may not be told"),
    ((0, 12, 6), warning, "it does not know `truncate`: prompts that are too long are cut without a word"),
    ((0, 30, 0), warning, "before 0.30 it does not tell the capabilities of its models in its list"),
)
_SKEW = 30.0
"""Seconds by which two clocks may differ; the keep-alive countdown goes by the server's."""


def check_unreachable(error: QwentuiError, host: str) -> Finding:
    """Nothing can be asked of it."""
    return broken("server", f"{host}: {error.message}", error.hint or "Start it, or name another: --host.")


def check_version(host: str, version: str, *, ollama: bool) -> Finding:
    """What it is, and what it is too old for."""
    if not ollama:
        return good("server", f"{host}: {version}, OpenAI-compatible")
    seen = f"Ollama {version} at {host}"
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if numbers is None:
        return unknown("server", f"{seen}: a version of its own")
    number = tuple(map(int, numbers.groups()))
    for limit, verdict, meaning in _AGES:
        if number < limit:
            return verdict(
                "server", f"{seen}: {meaning}", "Update it: curl -fsSL https://ollama.com/install.sh | sh"
            )
    return good("server", seen)


def check_address(host: str, *, local: bool, plain: bool, secret: bool) -> Iterator[Finding]:
    """Who else could listen on the way there.

    Args:
        host: The address as a user reads it.
        local: Whether it is this machine.
        plain: Whether the connection is not encrypted.
        secret: Whether a token or password goes along.
    """
    if secret and plain and not local:
        remedy = "Use https://, or a tunnel: ssh -L 11434:localhost:11434 SERVER."
        yield warning("address", f"A password goes to {host} in plain text.", remedy)


def check_clock(ours: float, theirs: float | None) -> Finding:
    """Both clocks, in seconds since 1970; `theirs` is the `Date` of a response."""
    if theirs is None:
        return unknown("clock", "The server does not tell its time.")
    skew = ours - theirs
    if abs(skew) > _SKEW:
        way = "ahead of" if skew > 0 else "behind"
        remedy = "Let both keep time by NTP: timedatectl set-ntp true."
        return warning("clock", f"This machine's clock is {abs(skew):.0f} s {way} the server's.", remedy)
    return good("clock", f"within {max(abs(skew), 1):.0f} s of the server's")
