"""What the next request will hold, message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _, ngettext

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.planning import Plan

_LINE = 52


class RequestScreen(ModalScreen[None]):
    """Lists the messages that would be sent now, each with its tokens.

    Args:
        plan: The request.
        each: The tokens of each of its messages.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "dismiss", "Close", show=False, priority=True),
        Binding("q", "dismiss", "Close", show=False),
    ]

    def __init__(self, plan: Plan, each: tuple[int, ...]) -> None:
        super().__init__()
        self._plan = plan
        self._each = each

    def compose(self) -> ComposeResult:
        """The list."""
        with VerticalScroll(id="panel"):
            yield Static(self._text(), markup=False)

    def _text(self) -> Text:
        plan = self._plan
        text = Text.assemble((_("The next request") + "\n\n", "bold"))
        if plan.left_out:
            count = len(plan.left_out)
            told = ngettext("{count} older round is not sent", "{count} older rounds are not sent", count)
            text.append(told.format(count=count) + "\n", "dim")
        for message, tokens in zip(plan.messages, self._each, strict=True):
            text.append(f"{tokens:>7,}  ")
            text.append(f"{message.role:<10}", "dim")
            text.append(f"{sanitize_line(message.content, _LINE)}\n")
        rest = plan.count.tokens - sum(self._each)
        text.append(f"{rest:>7,}  ")
        text.append(_("the opening of the reply") + "\n", "dim")
        text.append(f"{plan.count!s:>7}", "bold")
        exact, about = _("of {limit:,} that fit (exact)"), _("of {limit:,} that fit (about)")
        text.append(f"  {(exact if plan.count.exact else about).format(limit=plan.fit.limit)}\n\n")
        text.append(_("esc closes"), "dim")
        return text
