"""What is folded in one item, and the lines that stand for what is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

from qwentui.language import _, ngettext

LONG_BLOCK = 40
"""Code blocks of more rows than this can fold."""

SHOWN_ROWS = 8
"""Rows of a folded code block that stay in sight."""


@dataclass(slots=True)
class Folds:
    """The reader's choice for one message.

    Attributes:
        thinking_open: Whether the thinking is unfolded.
        blocks: Which code blocks of a reply, or files of a question, are folded, by their place, from 0.
    """

    thinking_open: bool = False
    blocks: set[int] = field(default_factory=set)

    def toggle_all(self, count: int) -> None:
        """Unfold all of `count` blocks; fold them if they are."""
        self.blocks = set() if self.blocks else set(range(count))


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
        told = _("thinking {seconds} s …")
        return f"{sign} {told.format(seconds=int(duration or 0))}"
    if duration is None:
        told = _("thought") if tokens is None else _("thought {tokens:,} tokens")
    elif tokens is None:
        told = _("thought {seconds:.1f} s")
    else:
        told = _("thought {seconds:.1f} s, {tokens:,} tokens")
    return f"{sign} {told.format(seconds=duration, tokens=tokens)}"


def hidden_line(rows: int) -> str:
    """The line in place of the hidden `rows` of a code block."""
    told = ngettext("{count:,} more row", "{count:,} more rows", rows)
    return f"▸ {told.format(count=rows)}"
