"""Why a reply was far slower than usual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.language import N_, _

if TYPE_CHECKING:
    from qwentui.chat.usage import Usage

_ENOUGH = 5  # replies before anything counts as usual
_FACTOR = 2.0
_LEAST = 1.0  # seconds; nobody notices less
_MOST_OF = 0.5

_UNEXPLAINED = N_("The first token took {ttft:.1f} s, where {usual:.1f} s are usual.")
_LOADED = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual:"
    " the model had to be loaded ({load:.1f} s)."
)
_LOADED_AGAIN = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual:"
    " the model was loaded again; another client may ask for another num_ctx."
)
_FAR_AWAY = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual: the way to the server took most of it."
)
_SPILLED = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual:"
    " {spilled:.0%} of the model runs on the CPU."
)
_QUEUED = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual:"
    " it waited for its turn; another client may hold the GPU."
)
_EVALUATED = N_(
    "The first token took {ttft:.1f} s, where {usual:.1f} s are usual:"
    " the prompt was evaluated anew, and not taken from the cache."
)


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
    load = 0.0 if usage.parts is None else usage.parts.load or 0.0
    sentence = _sentence(usage, p50, around)
    return _(sentence).format(ttft=usage.ttft, usual=p50, load=load, spilled=around.spilled or 0.0)


def _sentence(usage: Usage, p50: float, around: Circumstances) -> str:
    """The one that names the first cause to explain most of what the wait was longer than usual."""
    parts, excess = usage.parts, (usage.ttft or 0.0) - p50
    if parts is None:
        return _UNEXPLAINED
    most = _MOST_OF * excess
    causes = (
        ((parts.load or 0.0) > most, _LOADED_AGAIN if around.was_loaded else _LOADED),
        ((parts.connect or 0.0) > most, _FAR_AWAY),
        (bool(around.spilled), _SPILLED),
        (parts.rest > most, _QUEUED),
        ((parts.prompt_eval or 0.0) > most, _EVALUATED),
    )
    return next((sentence for holds, sentence in causes if holds), _UNEXPLAINED)
