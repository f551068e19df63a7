"""A bench's runs as the numbers of its table."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from qwentui.bench.run import Result, Run, Step
from qwentui.bench.statistics import Summary, jump, summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_JITTER = 0.01  # seconds by which the end of one reply may be seen after the beginning of the next


class AtLength(msgspec.Struct, frozen=True, kw_only=True):
    """Prompts of one length: tokens asked for, tokens evaluated on average, and how long that takes."""

    target: int
    tokens: float | None
    ttft: Summary | None
    prompt_rate: Summary | None


class AtOnce(msgspec.Struct, frozen=True, kw_only=True):
    """So many conversations at once, each figure a mean over the rounds.

    Attributes:
        target: How many.
        ttft: Until any conversation has its first token.
        last_ttft: Until the last one has.
        each: Tokens a second that one reply comes with.
        together: Tokens of all of them, a second of the whole round.
        served: How many of them the server wrote at the same time, at most; None where it is not known.
        failed: How many replies did not come to their end.
    """

    target: int
    ttft: float | None
    last_ttft: float | None
    each: float | None
    together: float | None
    served: int | None
    failed: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a result; durations are seconds, rates tokens a second.

    `jump` is the two prompt lengths, in tokens, between which a prompt token gets markedly dearer.
    """

    cold: Run | None
    ttft: Summary | None
    elapsed: Summary | None
    served_rate: Summary | None
    received_rate: Summary | None
    eval_count: Summary | None
    at_length: tuple[AtLength, ...]
    jump: tuple[int, int] | None
    at_once: tuple[AtOnce, ...]
    failed: int


def figures(result: Result) -> Figures:
    """The numbers of `result`."""
    warm = result.of(Step.WARM)
    lengths = tuple(at_length(result, target) for target in _targets(result, Step.CONTEXT))
    return Figures(
        cold=next(iter(result.of(Step.COLD)), None),
        ttft=of_runs(warm, lambda run: run.ttft),
        elapsed=of_runs(warm, lambda run: run.elapsed),
        served_rate=of_runs(warm, lambda run: run.served_rate),
        received_rate=of_runs(warm, lambda run: run.received_rate),
        eval_count=of_runs(warm, lambda run: run.eval_count),
        at_length=lengths,
        jump=_jump(lengths),
        at_once=tuple(at_once(result, target) for target in _targets(result, Step.PARALLEL)),
        failed=len(result.failed),
    )


def of_runs(runs: Iterable[Run], figure: Callable[[Run], float | None]) -> Summary | None:
    """The summary of a figure over the runs that have it."""
    return summary([value for run in runs if (value := figure(run)) is not None])


def at_length(result: Result, target: int) -> AtLength:
    """Prompt evaluation at one length."""
    runs = result.of(Step.CONTEXT, target)
    tokens = of_runs(runs, lambda run: run.prompt_eval_count)
    return AtLength(
        target=target,
        tokens=tokens.mean if tokens else None,
        ttft=of_runs(runs, lambda run: run.ttft),
        prompt_rate=of_runs(runs, lambda run: run.prompt_rate),
    )


def at_once(result: Result, target: int) -> AtOnce:
    """So many conversations at once; a round with a failed one counts only as that."""
    whole = rounds_of(result, target)
    served = [_overlapping(runs) for runs in whole]
    return AtOnce(
        target=target,
        ttft=_mean(_first_token(runs, min) for runs in whole),
        last_ttft=_mean(_first_token(runs, max) for runs in whole),
        each=_mean(run.received_rate for runs in whole for run in runs),
        together=_mean(together(runs) for runs in whole),
        served=max((count for count in served if count is not None), default=None),
        failed=sum(run.step is Step.PARALLEL and run.target == target for run in result.failed),
    )


def together(runs: tuple[Run, ...]) -> float | None:
    """Tokens of all replies of a round, a second from its beginning to its end."""
    counts = [run.eval_count for run in runs if run.eval_count is not None]
    end = max(run.started + run.elapsed for run in runs)
    return sum(counts) / end if len(counts) == len(runs) and end > 0 else None


def rounds_of(result: Result, target: int) -> list[tuple[Run, ...]]:
    """The rounds of so many conversations in which none failed."""
    runs = result.of(Step.PARALLEL, target)
    rounds = [tuple(group) for _, group in groupby(runs, lambda run: run.number)]
    return [group for group in rounds if len(group) == target]


def _first_token(runs: tuple[Run, ...], which: Callable[[list[float]], float]) -> float | None:
    moments = [run.ttft for run in runs if run.ttft is not None]
    return which(moments) if len(moments) == len(runs) else None


def _overlapping(runs: tuple[Run, ...]) -> int | None:
    """How many replies of a round came at the same time, each from its first token to its end."""
    spans = [(run.started + run.ttft, run.started + run.elapsed) for run in runs if run.ttft is not None]
    if len(spans) < len(runs):
        return None
    return max(1, *(sum(begin <= at < end - _JITTER for begin, end in spans) for at, _ in spans))


def _mean(values: Iterable[float | None]) -> float | None:
    known = summary([value for value in values if value is not None])
    return known.mean if known else None


def _jump(lengths: tuple[AtLength, ...]) -> tuple[int, int] | None:
    known = [(at.target, at.ttft.mean) for at in lengths if at.ttft is not None]
    place = jump(known)
    return None if place is None else (known[place - 1][0], known[place][0])


def _targets(result: Result, step: Step) -> list[int]:
    return sorted({run.target for run in result.runs if run.step is step})
