"""Two replies to one prompt, asked one after the other: how far they are apart, and what was not the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply
    from qwentui.chat.usage import ServerUsage

_LOADED = 0.2
"""Seconds up to which `load_duration` says that the model was there: that takes some milliseconds, a load far
longer."""
_CACHED = 0.5
"""The share of the time that a prompt would have taken, below which it was not evaluated as a whole."""


@dataclass(frozen=True, slots=True)
class Apart:
    """The figures of a second reply less those of a first one; None where one of the two is not known.

    Attributes:
        tokens: The model's tokens, thinking included.
        ttft: The time to the first token, in seconds.
        rate: Tokens per second.
        characters: The length of the answer.
    """

    tokens: int | None
    ttft: float | None
    rate: float | None
    characters: int


def apart(first: Reply, second: Reply) -> Apart:
    """How far `second` is from `first`."""
    before, after = first.usage, second.usage
    return Apart(
        tokens=_less(after.server.eval_count, before.server.eval_count),
        ttft=_less(after.ttft, before.ttft),
        rate=_less(after.server.tokens_per_second, before.server.tokens_per_second),
        characters=len(second.message.content) - len(first.message.content),
    )


def was_cached(one: ServerUsage, other: ServerUsage) -> bool:
    """Whether the server had a part of the prompt of `one` in its cache, and less of that of `other`.

    `prompt_eval_count` holds cached tokens too, `prompt_eval_duration` the evaluated ones only. A prompt that
    is no shorter takes no less time, and one that is shorter at least its share of the other's, for a request
    costs something beside its tokens: what took less than half of that was not evaluated as a whole.
    """
    counts = one.prompt_eval_count, other.prompt_eval_count
    times = one.prompt_eval_duration, other.prompt_eval_duration
    if not (counts[0] and counts[1] and times[1]) or times[0] is None:
        return False
    return times[0] < _CACHED * times[1] * min(1.0, counts[0] / counts[1])


def load_wait(reply: Reply) -> float | None:
    """The seconds for which the first token of a reply waited for the model to be loaded, None for none."""
    parts = reply.usage.parts
    load = parts.load if parts is not None else None
    return load if load is not None and load > _LOADED else None


Number = TypeVar("Number", int, float)


def _less(number: Number | None, other: Number | None) -> Number | None:
    return None if number is None or other is None else number - other
