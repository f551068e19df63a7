"""What a reply cost: the server's own counts beside what the client's clock saw."""

from __future__ import annotations

from dataclasses import dataclass


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
