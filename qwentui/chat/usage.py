"""What a reply cost: the server's own counts beside what the client's clock saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar


@dataclass(frozen=True, slots=True)
class ServerUsage:
    """Counts and durations of the server's final record; durations are seconds, absent fields are None.

    Source: Ollama's final `/api/chat` record (nanoseconds there), OpenAI's `usage` object and
    llama-server's `timings` object. `prompt_eval_count` holds cached tokens too, `prompt_eval_duration`
    only the evaluated ones: the two make no rate. `eval_count` includes thinking.
    """

    prompt_eval_count: int | None = None
    prompt_eval_duration: float | None = None
    eval_count: int | None = None
    eval_duration: float | None = None
    load_duration: float | None = None
    total_duration: float | None = None

    @property
    def tokens_per_second(self) -> float | None:
        """`eval_count / eval_duration`, or None when either is unknown or zero."""
        if not self.eval_count or not self.eval_duration:
            return None
        return self.eval_count / self.eval_duration

    def joined(self, later: ServerUsage) -> ServerUsage:
        """The cost of a reply that came in two parts.

        Evaluation and loading add up. `prompt_eval_count` stays the first part's where that is known, for
        the prompt of the later one holds the first part itself.
        """
        return ServerUsage(
            _first(self.prompt_eval_count, later.prompt_eval_count),
            _sum(self.prompt_eval_duration, later.prompt_eval_duration),
            _sum(self.eval_count, later.eval_count),
            _sum(self.eval_duration, later.eval_duration),
            _sum(self.load_duration, later.load_duration),
            _sum(self.total_duration, later.total_duration),
        )


@dataclass(frozen=True, slots=True)
class Usage:
    """One reply's cost, seconds by the client's monotonic clock beside the server's record.

    `ttft` runs from the moment that the user sent the message to the first token, thinking or text, and is
    None when none came; `thinking_duration` from the first thinking token to the first one of the answer.
    """

    ttft: float | None = None
    elapsed: float = 0.0
    thinking_duration: float | None = None
    server: ServerUsage = ServerUsage()

    def joined(self, later: Usage) -> Usage:
        """The cost of a reply that went on later: times add up, its first token stays the first."""
        return Usage(
            _first(self.ttft, later.ttft),
            self.elapsed + later.elapsed,
            _sum(self.thinking_duration, later.thinking_duration),
            self.server.joined(later.server),
        )


Number = TypeVar("Number", int, float)


def _first(one: Number | None, other: Number | None) -> Number | None:
    return other if one is None else one


def _sum(one: Number | None, other: Number | None) -> Number | None:
    return one + other if one is not None and other is not None else _first(one, other)
