"""What the gauges have shown of late, for who wants to see how it came."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwentui.chat.usage import Usage

MOMENTS = 300
"""Looks that are kept, one a second: five minutes."""
_REPLIES = 50


@dataclass(frozen=True, slots=True)
class Moment:
    """The gauges at one second: bytes, tokens a second, tokens; None is not known."""

    vram: float | None = None
    speed: float | None = None
    context: float | None = None


@dataclass(frozen=True, slots=True)
class PastReply:
    """A reply that has ended: its model, what it cost, and how it ended in a word or two."""

    model: str
    usage: Usage
    end: str


@dataclass(slots=True)
class History:
    """The last minutes, and the last replies, oldest first."""

    moments: deque[Moment] = field(default_factory=lambda: deque(maxlen=MOMENTS))
    replies: deque[PastReply] = field(default_factory=lambda: deque(maxlen=_REPLIES))
