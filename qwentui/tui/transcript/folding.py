"""What is folded in one item, and the lines that stand for what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

LONG_BLOCK = 40
"""Code blocks of more rows than this can fold."""

SHOWN_ROWS = 8
"""Rows of a folded code block that stay in sight."""


@dataclass(slots=True)
class Folds:
    """The reader's choice for one reply.

    Attributes:
        thinking_open: Whether the thinking is unfolded.
        blocks: Which code blocks are folded, by their place in the reply, counted from 0.
    """

    thinking_open: bool = False
    blocks: set[int] = field(default_factory=set)


def thinking_line(duration: float | None, tokens: int | None, *, is_open: bool, live: bool) -> str:
    """The line above the thinking, or in its place.

    Args:
        duration: How long the model has thought, in seconds.
        tokens: How many tokens it thought.
        is_open: Whether the thinking stands below.
        live: Whether it still thinks: then whole seconds are enough, for each change is written out.
    """
    sign = "▾" if is_open else "▸"
    if live:
        return f"{sign} thinking {int(duration or 0)} s …"
    facts = []
    if duration is not None:
        facts.append(f"{duration:.1f} s")
    if tokens is not None:
        facts.append(f"{tokens:,} tokens")
    return f"{sign} thought {', '.join(facts)}".rstrip()


def hidden_line(rows: int) -> str:
    """The line in place of the hidden `rows` of a code block."""
    return f"▸ {rows:,} more rows"
