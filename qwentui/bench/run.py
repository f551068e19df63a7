"""What was measured: one record a request, one result a bench. Durations are seconds, sizes bytes."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from qwentui.bench.plan import Plan  # noqa: TC001 - msgspec asks for it when it decodes


class Step(StrEnum):
    """What a request was measured for."""

    COLD = "cold"
    WARM = "warm"
    CONTEXT = "context"
    PARALLEL = "parallel"


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One request.

    `ttft` and `elapsed` are the client's, as in `Usage`; the rest is the server's, as in `ServerUsage`.

    Attributes:
        step: What it was measured for.
        number: Which run of its kind it is, from 1; in `PARALLEL` the round.
        target: The tokens asked for in `CONTEXT`, the conversations at once in `PARALLEL`.
        started: When it was sent, after the beginning of its round.
        reason: The server's `finish_reason`, "" where it never came.
        error: What went wrong, "" for nothing.
    """

    step: Step
    number: int
    target: int = 0
    started: float = 0.0
    ttft: float | None = None
    elapsed: float = 0.0
    prompt_eval_count: int | None = None
    prompt_eval_duration: float | None = None
    eval_count: int | None = None
    eval_duration: float | None = None
    load_duration: float | None = None
    reason: str = ""
    error: str = ""

    @property
    def served_rate(self) -> float | None:
        """Tokens a second as the server tells them."""
        return self.eval_count / self.eval_duration if self.eval_count and self.eval_duration else None

    @property
    def received_rate(self) -> float | None:
        """Tokens a second as they came here: those after the first one, in the time that they took."""
        if self.ttft is None or not self.eval_count or self.eval_count < 2 or self.elapsed <= self.ttft:  # noqa: PLR2004 - two make a rate
            return None
        return (self.eval_count - 1) / (self.elapsed - self.ttft)

    @property
    def prompt_rate(self) -> float | None:
        """Prompt tokens evaluated a second; true only where nothing of the prompt was cached."""
        if not self.prompt_eval_count or not self.prompt_eval_duration:
            return None
        return self.prompt_eval_count / self.prompt_eval_duration


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the figures depend on beside the plan; "" is not known.

    `server` is "Ollama" or "OpenAI-compatible", `version` its own word; `digest` is the model's manifest.
    `driver`, `cuda` and `card` are this machine's, and only where the server is on it.
    """

    host: str = ""
    server: str = ""
    version: str = ""
    digest: str = ""
    quantization: str = ""
    driver: str = ""
    cuda: str = ""
    card: str = ""
    client: str = ""


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The most memory seen; None is not known.

    `model` is the model's buffers on the GPU and `whole` its buffers everywhere (`/api/ps`); `used` of
    `total` is the card's, whoever holds it (NVML). `context_length` is what the model is loaded with.
    """

    model: int | None = None
    whole: int | None = None
    used: int | None = None
    total: int | None = None
    context_length: int | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A bench, complete or as far as it came.

    `id` names it among those that are kept; `started_at` is RFC 3339. `stopped` says in a sentence why it
    ended before its end, "" where it did not. `notes` are sentences about what could not be measured.
    """

    id: str
    started_at: str
    plan: Plan
    surroundings: Surroundings = Surroundings()
    peak: Peak = Peak()
    runs: tuple[Run, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: str = ""

    def of(self, step: Step, target: int | None = None) -> tuple[Run, ...]:
        """The runs of a step that came to their end; with `target` only those."""
        return tuple(
            run
            for run in self.runs
            if run.step is step and not run.error and (target is None or run.target == target)
        )

    @property
    def failed(self) -> tuple[Run, ...]:
        """The runs that did not come to their end."""
        return tuple(run for run in self.runs if run.error)
