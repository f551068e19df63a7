"""Why a reply was far slower than usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwentui.chat.usage import Usage

_ENOUGH = 5  # replies before anything counts as usual
_FACTOR = 2.0
_LEAST = 1.0  # seconds; nobody notices less
_MOST_OF = 0.5


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What was known around a reply.

    Attributes:
        was_loaded: Whether the model was in memory before the request; None where nobody looked.
        spilled: The share of it on the CPU, None where not known.
    """

    was_loaded: bool | None = None
    spilled: float | None = None


def slowness(
    usage: Usage, count: int, p50: float | None, p95: float | None, around: Circumstances
) -> str | None:
    """One sentence on a first token that came far later than usual, with the likely cause; else None.

    Args:
        usage: The reply's cost.
        count: How many replies `p50` and `p95` rest on; seconds.
        p50: The usual time to the first token.
        p95: What one reply in twenty exceeds.
        around: What was known around it.
    """
    if usage.ttft is None or count < _ENOUGH or p50 is None or p95 is None:
        return None
    if usage.ttft < max(_FACTOR * p95, p50 + _LEAST):
        return None
    told = f"The first token took {usage.ttft:.1f} s, where {p50:.1f} s are usual"
    return f"{told}{_cause(usage, p50, around)}."


def _cause(usage: Usage, p50: float, around: Circumstances) -> str:
    """The first of the causes that explains most of what the wait was longer than usual."""
    parts, excess = usage.parts, (usage.ttft or 0.0) - p50
    if parts is None:
        return ""
    most = _MOST_OF * excess
    loaded = f": the model had to be loaded ({parts.load or 0.0:.1f} s)"
    if around.was_loaded:
        loaded = ": the model was loaded again; another client may ask for another num_ctx"
    causes = (
        ((parts.load or 0.0) > most, loaded),
        ((parts.connect or 0.0) > most, ": the way to the server took most of it"),
        (bool(around.spilled), f": {around.spilled or 0.0:.0%} of the model runs on the CPU"),
        (parts.rest > most, ": it waited for its turn; another client may hold the GPU"),
        ((parts.prompt_eval or 0.0) > most, ": the prompt was evaluated anew, and not taken from the cache"),
    )
    return next((sentence for holds, sentence in causes if holds), "")
