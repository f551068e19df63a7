"""The prompts that wait to be sent, above the composer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 3
_LONGEST = 200


class WaitingList(Static):
    """A line for each prompt that waits, and one with the keys for them; nothing when none waits."""

    def __init__(self) -> None:
        super().__init__("", markup=False)
        self.display = False

    def show(self, prompts: Sequence[tuple[int, str]]) -> None:
        """Show the prompts of one chat.

        Args:
            prompts: Each with its place in the queue of all chats, 0 where it is held; in order.
        """
        self.display = bool(prompts)
        if not prompts:
            return
        text = Text()
        shown = prompts if len(prompts) <= _SHOWN else prompts[: _SHOWN - 1]
        for place, prompt in shown:
            text.append(f" {place or '‖'} {sanitize_line(prompt, _LONGEST)}\n")
        held = sum(not place for place, _ in prompts)
        hint = _hint(len(prompts), held)
        if len(shown) < len(prompts):
            more = _("+{count} more").format(count=len(prompts) - len(shown))
            hint = f"{more} · {hint}"
        text.append(f"   {hint}")
        self.update(text)


def _hint(count: int, held: int) -> str:
    takes = _("up takes it back") if count == 1 else _("up takes the last back")
    if held:
        sends = ngettext("held: enter sends it", "held: enter sends these {count}", held)
        return f"{sends.format(count=held)} · {takes}"
    return _("waits for its turn") + f" · {takes}"
