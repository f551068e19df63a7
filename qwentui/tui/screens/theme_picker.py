"""Choose the colours: a filter over the themes that fit, worn as the cursor moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from rich.text import Text
from textual.binding import Binding
from textual.widgets import Static
from textual.widgets.option_list import Option

from qwentui.chat.matching import fitting
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.theme_words import kind_of
from qwentui.tui.screens.filtered_list import FilteredList

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from qwentui.store.theme_values import ThemeFile
    from qwentui.store.themes import Themes


class ThemePicker(FilteredList["ThemeFile", "ThemeFile"]):
    """Gives the choice, or None when the user goes back.

    Args:
        themes: What there is.
        current: The one in use.
        wear: Shows the program in a theme.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("f10", "back", "Back", show=False, priority=True),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (20, "-tall")]  # noqa: RUF012 - Textual declares it on instances

    def __init__(self, themes: Themes, current: ThemeFile, wear: Callable[[ThemeFile], None]) -> None:
        super().__init__(_("a few letters of the name"))
        self._themes = themes
        self._worn = current
        self._wear = wear

    def below(self) -> Iterator[Static]:
        """A sample of the theme at the cursor."""
        yield Static(id="sample", markup=False)

    def hint(self) -> str:
        """What the keys do, and the first theme that is broken."""
        ways = _("enter keeps it · esc goes back")
        if not self._themes.broken:
            return ways
        # It stands in the list too, where a long list hides it.
        return f"{self._themes.broken[0].error.message} · {ways}"

    def begins_at(self) -> int:
        """At the theme in use."""
        paths = [theme.path for theme in self.shown]
        return paths.index(self._worn.path) if self._worn.path in paths else 0

    def found(self, wanted: str) -> Sequence[ThemeFile]:
        """The themes that fit by their name."""
        return tuple(fitting(wanted, ((theme, (theme.name,)) for theme in self._themes.kept)))

    def untakable(self, wanted: str) -> Iterator[Option]:
        """The broken ones, each with its reason."""
        for broken in () if wanted.strip() else self._themes.broken:
            name = sanitize_line(broken.path.stem, 60)
            yield Option(Text(f"{name}  {broken.error.message}"), disabled=True)

    def line(self, theme: ThemeFile) -> Text:
        """Its name, and what it is for."""
        return Text.assemble(sanitize_line(theme.name, 60), ("  " + kind_of(theme), "dim"))

    def point(self, theme: ThemeFile) -> None:
        """Show everything in the colours at the cursor."""
        self.query_one("#sample", Static).update(sample(theme))
        if theme is not self._worn:
            self._worn = theme
            self._wear(theme)

    def point_at_nothing(self) -> None:
        """Say so."""
        self.query_one("#sample", Static).update(_("None fits."))

    def take(self, theme: ThemeFile) -> None:
        """That is the choice."""
        self.dismiss(theme)


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
