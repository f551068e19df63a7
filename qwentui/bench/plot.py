"""A bench as pictures: block characters for a terminal, SVG for a page."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from qwentui.bench.figures import figures
from qwentui.bench.run import Result, Step
from qwentui.bench.statistics import histogram
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 16, 40, 34
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_TICKS = 4
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.head{font-weight:600;fill:#111}"
    ".grid{stroke:#ddd}.line{fill:none;stroke:#2a6fb0;stroke-width:2}.dot{fill:#2a6fb0}"
    ".mark{stroke:#b0562a;stroke-dasharray:4 3}.marked{fill:#b0562a}"
)


def bars(values: Sequence[float], width: int) -> list[str]:
    """A bar for each value, the largest `width` cells long, by eighths of a cell."""
    most = max(values, default=0.0)
    if most <= 0:
        return ["" for _ in values]
    eighths = [round(max(value, 0.0) / most * width * 8) for value in values]
    return [("█" * (count // 8) + _EIGHTHS[count % 8]).rstrip() for count in eighths]


def sparkline(values: Sequence[float], bins: int) -> str:
    """How `values` are spread over their range, a block for each part of it; a space is none."""
    counts = histogram(values, bins)
    most = max(counts)
    return "".join(
        _LEVELS[max(0, -(-count * len(_LEVELS) // most) - 1)] if count else " " for count in counts
    )


def svg(result: Result, marks: Sequence[tuple[float, str]]) -> str:
    """Two charts below each other: the first token of each run in turn, and by the prompt's length.

    Args:
        result: The bench.
        marks: Seconds to draw a line at in the first one, each with what it is.
    """
    turns = [(float(run.number), run.ttft) for run in result.of(Step.WARM) if run.ttft is not None]
    lengths = [(float(at.target), at.ttft.mean) for at in figures(result).at_length if at.ttft is not None]
    charts = [
        list(_chart(_("First token of each run, seconds"), turns, marks, joined=False)),
        list(_chart(_("First token by tokens of prompt, seconds"), lengths, (), joined=True)),
    ]
    drawn = [chart for chart in charts if chart]
    parts = [
        f'<g transform="translate(0 {24 + number * _HEIGHT})">{"".join(chart)}</g>'
        for number, chart in enumerate(drawn)
    ]
    height = 24 + max(1, len(drawn)) * _HEIGHT
    title = escape(f"{result.plan.model} · {result.surroundings.version} · {result.id}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">'
        f'<title>{title}</title><style>{_STYLE}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="head" x="{_LEFT}" y="20">{title}</text>{"".join(parts)}</svg>\n'
    )


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where values lie in a chart: across from `left` to `right`, up from zero to the last of `ticks`."""

    left: float
    right: float
    ticks: tuple[float, ...]

    def across(self, x: float) -> float:
        share = (x - self.left) / (self.right - self.left) if self.right > self.left else 0.5
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def up(self, y: float) -> float:
        return _HEIGHT - _BOTTOM - y / self.ticks[-1] * (_HEIGHT - _TOP - _BOTTOM)

    def drawn(self, named: Iterable[float]) -> Iterator[str]:
        """The grid, and a number below each of `named`."""
        for tick in self.ticks:
            yield _level(self.up(tick), "grid")
            yield f'<text x="{_LEFT - 8}" y="{self.up(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
        for x in named:
            anchor = "end" if x == self.right else "middle"
            place = f'x="{self.across(x):.1f}" y="{_HEIGHT - 12}" text-anchor="{anchor}"'
            yield f"<text {place}>{x:,.0f}</text>"


def _chart(
    title: str, points: Sequence[tuple[float, float]], marks: Sequence[tuple[float, str]], *, joined: bool
) -> Iterator[str]:
    """One chart, from zero upwards; nothing without points."""
    if not points:
        return
    ends = (0.0 if joined else points[0][0], points[-1][0])
    axes = _Axes(*ends, _ticks(max(y for y in (*(y for _x, y in points), *(y for y, _name in marks)))))
    yield f'<text class="head" x="{_LEFT}" y="{_TOP - 16}">{escape(title)}</text>'
    yield from axes.drawn([x for x, _y in points] if joined else dict.fromkeys(ends))
    if joined:
        path = " ".join(f"{axes.across(x):.1f},{axes.up(y):.1f}" for x, y in points)
        yield f'<polyline class="line" points="{path}"/>'
    for x, y in points:
        radius = 3.5 if joined else 2.2
        yield f'<circle class="dot" cx="{axes.across(x):.1f}" cy="{axes.up(y):.1f}" r="{radius}"/>'
    for y, name in marks:
        yield _level(axes.up(y), "mark")
        place = f'x="{_WIDTH - _RIGHT}" y="{axes.up(y) - 4:.1f}" text-anchor="end"'
        yield f'<text class="marked" {place}>{escape(name)}</text>'


def _level(y: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'


def _ticks(most: float) -> tuple[float, ...]:
    """Round values from 0 to `most` or just above it."""
    if most <= 0:
        return (0.0, 1.0)
    power = 10.0 ** math.floor(math.log10(most / _TICKS))
    step = next(power * factor for factor in _STEPS if power * factor * _TICKS >= most)
    return tuple(step * number for number in range(math.ceil(most / step) + 1))
