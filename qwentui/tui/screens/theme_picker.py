"""Choose the colours: a filter over the themes that fit, worn as the cursor moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwentui.chat.persona import fitting
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.theme_words import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from qwentui.store.theme_values import ThemeFile
    from qwentui.store.themes import Themes


class ThemePicker(ModalScreen["ThemeFile | None"]):
    """Gives the choice, or None when the user goes back.

    Args:
        themes: What there is.
        current: The one in use.
        wear: Shows the program in a theme.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape,f10", "back", "Back", show=False, priority=True),
        Binding("down", "down", "Down", show=False, priority=True),
        Binding("up", "up", "Up", show=False, priority=True),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - Textual declares it on instances

    def __init__(self, themes: Themes, current: ThemeFile, wear: Callable[[ThemeFile], None]) -> None:
        super().__init__()
        self._themes = themes
        self._worn = current
        self._wear = wear
        self._shown: list[ThemeFile] = []

    def compose(self) -> ComposeResult:
        """The filter over the list over a sample."""
        line = Input(placeholder=_("a few letters of the name"), compact=True)
        line.cursor_blink = False
        with Vertical(id="panel"):
            yield line
            yield OptionList(markup=False, compact=True)
            yield Static(id="sample", markup=False)
            yield Static(self._trouble(), id="hint", markup=False)

    def _trouble(self) -> str:
        ways = _("enter keeps it · esc goes back")
        if not self._themes.broken:
            return ways
        # It stands in the list too, where a long list hides it.
        return f"{self._themes.broken[0].error.message} · {ways}"

    def on_mount(self) -> None:
        """Begin at the theme in use."""
        self._fill("")
        paths = [theme.path for theme in self._shown]
        if self._worn.path in paths:
            self.query_one(OptionList).highlighted = paths.index(self._worn.path)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what fits."""
        event.stop()
        self._fill(event.value)

    def _fill(self, wanted: str) -> None:
        self._shown = list(fitting(wanted, ((theme, (theme.name,)) for theme in self._themes.kept)))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(Option(self._line(theme)) for theme in self._shown)
        if not wanted.strip():
            for broken in self._themes.broken:
                name = sanitize_line(broken.path.stem, 60)
                options.add_option(Option(Text(f"{name}  {broken.error.message}"), disabled=True))
        options.highlighted = 0 if self._shown else None
        if not self._shown:
            self.query_one("#sample", Static).update(_("None fits."))

    def _line(self, theme: ThemeFile) -> Text:
        return Text.assemble(sanitize_line(theme.name, 60), ("  " + kind_of(theme), "dim"))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show everything in the colours at the cursor."""
        event.stop()
        if event.option_index >= len(self._shown):
            return
        theme = self._shown[event.option_index]
        self.query_one("#sample", Static).update(sample(theme))
        if theme is not self._worn:
            self._worn = theme
            self._wear(theme)

    def action_back(self) -> None:
        """Go back to what was."""
        self.dismiss(None)

    def action_down(self) -> None:
        """Move down."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Move up."""
        self.query_one(OptionList).action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the one at the cursor."""
        event.stop()
        self._take(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Keep the one that was clicked."""
        event.stop()
        self._take(event.option_index)

    def _take(self, index: int | None) -> None:
        if index is not None and index < len(self._shown):
            self.dismiss(self._shown[index])


def sample(theme: ThemeFile) -> Text:
    """Three lines with the colours of text, code and gauges."""

    def ink(color: str) -> Style:
        return Style(color=color.removeprefix("ansi_"))

    colors, code, gauges = theme.colors, theme.code, theme.gauges
    return Text.assemble(
        (_("Heading"), ink(colors.primary) + Style(bold=True)),
        " ",
        (_("text"), ink(colors.foreground)),
        " ",
        (_("code"), ink(colors.accent)),
        " ",
        (_("dim"), ink(colors.dim)),
        "\n",
        ("def ", ink(code.keyword)),
        ("total", ink(code.function)),
        ("(n): ", ink(code.operator)),
        ("return ", ink(code.keyword)),
        ('"n"', ink(code.string)),
        (" * ", ink(code.operator)),
        ("2", ink(code.number)),
        ("  # n", ink(code.comment)),
        "\n",
        ("CTX ", ink(gauges.label)),
        ("5,412", ink(gauges.value)),
        (" ▕", ink(gauges.label)),
        ("████▌", ink(gauges.bar) + Style(bgcolor=gauges.empty.removeprefix("ansi_"))),
        ("▏ ", ink(gauges.label)),
        ("! 80 %", ink(gauges.warning)),
        " ",
        ("! 4.1k", ink(gauges.critical)),
    )
