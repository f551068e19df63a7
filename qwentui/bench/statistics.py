"""Many runs as a few numbers, and two sets of runs told apart.

The comparison is Hodges and Lehmann's (1963): the middle of all ratios between a run of today and one of
before, with the interval that belongs to the test of Mann and Whitney, by its normal approximation. It asks
nothing of the distribution but that both have the same shape, and one slow run moves it little. Where runs
were made under several conditions, only runs of one condition are set against each other, and all these pairs
count alike. It takes the runs of a bench as independent of each other: a
machine that was busy throughout one bench looks like one that is slower.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from statistics import NormalDist, fmean, median
from typing import TYPE_CHECKING

from qwentui.chat.percentile import percentile
from qwentui.language import N_

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIDENCE = 0.99
"""How sure a comparison is that its interval holds the true ratio."""

_JUMP = 1.5


@dataclass(frozen=True, slots=True)
class Summary:
    """A set of measurements; percentiles are interpolated between runs (see `chat.percentile`)."""

    count: int
    mean: float
    p50: float
    p95: float
    least: float
    most: float


def summary(values: Sequence[float]) -> Summary | None:
    """The summary of `values`, None of none."""
    if not values:
        return None
    p95 = percentile(values, 0.95)
    return Summary(len(values), fmean(values), median(values), p95, min(values), max(values))


class Verdict(StrEnum):
    """What a comparison can say."""

    SAME = N_("within the noise")
    CHANGED = N_("changed")
    UNKNOWN = N_("too few runs to tell")


@dataclass(frozen=True, slots=True)
class Change:
    """Today's value is `ratio` times that of before, and with `CONFIDENCE` between `low` and `high` times.

    The bounds are None where there are too few runs to give them.
    """

    ratio: float
    low: float | None = None
    high: float | None = None

    @property
    def verdict(self) -> Verdict:
        """Whether the ratio is told apart from 1."""
        if self.low is None or self.high is None:
            return Verdict.UNKNOWN
        return Verdict.SAME if self.low <= 1.0 <= self.high else Verdict.CHANGED


def compare(conditions: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Change | None:
    """How values changed from before to today; None where no condition has both.

    Args:
        conditions: For each condition the values of before and those of today, all above 0.
    """
    shifts = sorted(
        math.log(after) - math.log(before) for old, new in conditions for before in old for after in new
    )
    if not shifts:
        return None
    variance = sum(len(old) * len(new) * (len(old) + len(new) + 1) / 12 for old, new in conditions)
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    # The interval runs from the k-th of the sorted ratios to the k-th from the end.
    k = math.floor(len(shifts) / 2 - z * math.sqrt(variance))
    ratio = math.exp(median(shifts))
    if k < 1:
        return Change(ratio)
    return Change(ratio, math.exp(shifts[k - 1]), math.exp(shifts[-k]))


def jump(points: Sequence[tuple[float, float]]) -> int | None:
    """Where a curve gets steep: the place of the first point that is reached much more steeply than the last.

    Args:
        points: Prompt tokens and seconds; each has more tokens than the one before it.

    Returns:
        The place in `points`, 2 at least, of the end of the first stretch that costs half as much again a
        token as the one before it; None where there is none.
    """
    slopes = [(after - before) / (to - start) for (start, before), (to, after) in pairwise(points)]
    for place, (before, after) in enumerate(pairwise(slopes)):
        if before > 0 and after > _JUMP * before:
            return place + 2
    return None


def histogram(values: Sequence[float], bins: int) -> list[int]:
    """How many of `values` lie in each of `bins` equal parts of their range."""
    if not values:
        return [0] * bins
    least, most = min(values), max(values)
    edges = [least + (most - least) * number / bins for number in range(1, bins)]
    counts = [0] * bins
    for value in values:
        counts[bisect_left(edges, value)] += 1
    return counts
