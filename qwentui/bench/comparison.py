"""Two results side by side: what differs around them, and which figures have changed."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

import msgspec

from qwentui.bench.figures import rounds_of, together
from qwentui.bench.run import Result, Run, Step
from qwentui.bench.statistics import Change, compare
from qwentui.language import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Pairs = Sequence[tuple[list[float], list[float]]]

_SURROUNDINGS = (
    N_("host"),
    N_("server"),
    N_("version"),
    N_("digest"),
    N_("quantization"),
    N_("driver"),
    "cuda",
    N_("card"),
    N_("client"),
)
_PLAN = (N_("model"), N_("prompt"), N_("system"), N_("think"), N_("sampling"), "num_ctx", "num_predict")


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of both results: the median of its runs, and how these have changed.

    `name` is English, and translated where it is shown. `unit` is "s" for a duration, which is better when it
    is smaller, and "" for a rate, which is worse then.
    """

    name: str
    unit: str
    before: float | None
    after: float | None
    change: Change | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two results.

    Attributes:
        before: The older one.
        after: The newer one.
        around: What differs around them: name, before, after.
        asked: What differs in what was asked; where anything does, the figures are of two different tests.
        figures: Each figure of both.
    """

    before: str
    after: str
    around: tuple[tuple[str, str, str], ...]
    asked: tuple[tuple[str, str, str], ...]
    figures: tuple[Compared, ...]


def comparison(before: Result, after: Result) -> Comparison:
    """What has changed from `before` to `after`."""

    def warm(name: str, unit: str, figure: Callable[[Run], float | None]) -> Compared:
        return _compared(name, unit, [_values(before, after, Step.WARM, None, figure)])

    return Comparison(
        before=before.id,
        after=after.id,
        around=_differences(before.surroundings, after.surroundings, _SURROUNDINGS),
        asked=_differences(before.plan, after.plan, _PLAN),
        figures=(
            warm(N_("first token"), "s", lambda run: run.ttft),
            warm(N_("whole reply"), "s", lambda run: run.elapsed),
            warm(N_("tokens/s, by the server"), "", lambda run: run.served_rate),
            warm(N_("tokens/s, as received"), "", lambda run: run.received_rate),
            _compared(N_("prompt tokens/s, all lengths"), "", _at_lengths(before, after)),
            _compared(N_("tokens/s, several at once"), "", _at_once(before, after)),
        ),
    )


def earlier(result: Result, among: Sequence[Result]) -> Result | None:
    """What `result` is to be compared with, of `among`, oldest first.

    The newest bench of the same model and host before the server, the driver or the model's file changed;
    where nothing ever changed, the one before.
    """
    past = [
        other
        for other in among
        if (other.started_at, other.id) < (result.started_at, result.id)
        and other.plan.model == result.plan.model
        and other.surroundings.host == result.surroundings.host
    ]
    changed = [other for other in past if other.surroundings != result.surroundings]
    return next(reversed(changed or past), None)


def _at_lengths(before: Result, after: Result) -> Pairs:
    return [
        _values(before, after, Step.CONTEXT, target, lambda run: run.prompt_rate)
        for target in _shared(before, after, Step.CONTEXT)
    ]


def _at_once(before: Result, after: Result) -> Pairs:
    def rates(result: Result, target: int) -> list[float]:
        return [rate for runs in rounds_of(result, target) if (rate := together(runs))]

    targets = [target for target in _shared(before, after, Step.PARALLEL) if target > 1]
    return [(rates(before, target), rates(after, target)) for target in targets]


def _shared(before: Result, after: Result, step: Step) -> list[int]:
    """The targets that both have measured."""
    return sorted({run.target for run in before.of(step)} & {run.target for run in after.of(step)})


def _values(
    before: Result, after: Result, step: Step, target: int | None, figure: Callable[[Run], float | None]
) -> tuple[list[float], list[float]]:
    old, new = ([value for run in r.of(step, target) if (value := figure(run))] for r in (before, after))
    return old, new


def _compared(name: str, unit: str, pairs: Pairs) -> Compared:
    old, new = ([value for pair in pairs for value in pair[which]] for which in (0, 1))
    return Compared(
        name=name,
        unit=unit,
        before=median(old) if old else None,
        after=median(new) if new else None,
        change=compare(pairs),
    )


def _differences(
    before: msgspec.Struct, after: msgspec.Struct, names: tuple[str, ...]
) -> tuple[tuple[str, str, str], ...]:
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    return tuple((name, str(old), str(new)) for name, old, new in pairs if old != new)
