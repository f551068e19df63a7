"""The colours that the program wears: tried on in a picker, kept, and taken up anew when a file is saved."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import QwentuiError, SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.paths import shipped
from qwentui.tui.theme import palette_colors, textual_theme
from qwentui.tui.transcript.palette import Palette

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.app import App
    from textual.timer import Timer

    from qwentui.launch import Launch
    from qwentui.store.settings import Settings
    from qwentui.store.settings_origin import Changed
    from qwentui.store.theme_values import ThemeFile
    from qwentui.tui.screens.showing import ShowingScreen

_LOOK = 1.0
"""Seconds between two looks at the file of a theme of the user's own."""
_KEY = "screen.theme"

Stamp = tuple[int, int, int]


class Theming:
    """Dresses the program.

    Args:
        app: The program.
        chat: Its chat, whose transcript has colours of its own.
        launch: Where the user's themes lie, and the settings.
        theme: What to begin with.
        adopt: Told of the settings when a choice was written into them; what the user is to be told.

    Attributes:
        theme: What is worn now.
    """

    def __init__(
        self,
        app: App[Any],
        chat: ShowingScreen,
        launch: Launch,
        theme: ThemeFile,
        adopt: Callable[[Settings], str],
    ) -> None:
        self.theme = theme
        self._app = app
        self._chat = chat
        self._launch = launch
        self._adopt = adopt
        self._folders = (launch.paths.themes, shipped("themes"))
        self._timer: Timer | None = None
        self._stamp = _stamp(theme.path)
        self._trouble = ""
        self._told = ""
        self._worn = 0
        self._put_on()

    def start(self) -> None:
        """Look at the theme's file from time to time."""
        self._timer = self._app.set_interval(_LOOK, self.look, pause=not self._may_change)

    @property
    def _may_change(self) -> bool:
        """Whether the theme is a file of the user's own."""
        return self.theme.path.parent == self._launch.paths.themes

    def wear(self, theme: ThemeFile) -> None:
        """Take other colours; whatever is on the screen stays where it is."""
        self.theme = theme
        self._stamp, self._trouble, self._told = _stamp(theme.path), "", ""
        if self._timer is not None:
            (self._timer.resume if self._may_change else self._timer.pause)()
        self._put_on()
        self._app.call_next(self._ink)

    def wear_wanted(self, wanted: str) -> tuple[str, ...]:
        """Take the colours that `screen.theme` names; what the user is to be told of that."""
        from qwentui.store.theme_choice import choose

        choice = choose(wanted, self._folders, os.environ)
        if choice.theme != self.theme:
            self.wear(choice.theme)
        return choice.warnings

    def _put_on(self) -> None:
        before = f"worn-{self._worn}"
        # A name of its own each time: Textual does nothing when the name stays, and a file's may be any.
        self._worn += 1
        name = f"worn-{self._worn}"
        self._app.register_theme(textual_theme(self.theme, name))
        self._app.theme = name
        self._app.unregister_theme(before)

    def _ink(self) -> None:
        self._chat.transcript.palette = Palette.from_colors(**palette_colors(self.theme))

    def look(self) -> None:
        """Take the theme up anew when its file was saved; if it is broken, say where and keep the colours.

        What is broken is told a look later, for a file may be met while it is being written.
        """
        stamp = _stamp(self.theme.path)
        if stamp is None:
            return
        if stamp == self._stamp:
            self._tell()
            return
        from qwentui.store.theme_file import read_theme

        self._stamp = stamp
        try:
            theme = read_theme(self.theme.path, shipped("themes"))
        except SettingsError as error:
            self._trouble = _("{error} The colours stay as they were.").format(error=error)
        else:
            told = self._told
            self.wear(theme)
            self._stamp, self._told = stamp, told
            self._trouble = " ".join(theme.warnings)

    def _tell(self) -> None:
        trouble, self._trouble = self._trouble, ""
        if trouble and trouble != self._told:
            self._chat.notice(trouble, "warning")
            self._told = trouble

    # Chosen by the user

    def ask(self) -> None:
        """Let the user choose, with everything in the colours at the cursor."""
        if self._app.no_color:
            self._chat.notice(_("NO_COLOR is set, so there are no colours to choose from."))
            return
        self._app.run_worker(self._ask(), group="theme", exclusive=True)

    async def use(self, name: str) -> None:
        """Wear the theme of that name, and keep it.

        Raises:
            SettingsError: There is none, or its file is broken.
        """
        from qwentui.store.themes import load_theme

        theme = await asyncio.to_thread(load_theme, name, self._folders)
        self.wear(theme)
        await self._keep(theme)

    async def _ask(self) -> None:
        from qwentui.store.themes import load_themes
        from qwentui.tui.screens.theme_picker import ThemePicker

        themes = await asyncio.to_thread(load_themes, self._folders)
        before = self.theme

        def chosen(theme: ThemeFile | None) -> None:
            if (theme or before) is not self.theme:
                self.wear(theme or before)
            if theme is not None:
                self._app.run_worker(self._keep(theme), group="theme")

        self._app.push_screen(ThemePicker(themes, before, self.wear), chosen)

    async def _keep(self, theme: ThemeFile) -> None:
        """Write the choice into the settings file, unless something else decides, which is said."""
        origin = self._launch.origin
        name = sanitize_line(theme.name, 60)
        if origin is None:
            return
        from qwentui.store.settings import value_of
        from qwentui.store.settings_origin import change, decided, in_file

        def keep() -> Changed | str:
            loaded = origin.read()
            source = loaded.sources.get(_KEY, "default")
            if not in_file(source):
                return source
            return change(origin, _KEY, theme.name, value_of(loaded.settings, _KEY))

        try:
            kept = await asyncio.to_thread(keep)
        except QwentuiError as error:
            self._chat.notice(str(error), "error")
            return
        if isinstance(kept, str):
            until = _("{theme} stays until the program ends.").format(theme=name)
            self._chat.notice(f"{decided(_KEY, kept)} {until}", "warning")
            return
        self._chat.note(_("theme: {theme}").format(theme=name))
        if told := self._adopt(kept.loaded.settings):
            self._chat.notice(told, "warning")


def _stamp(path: Path) -> Stamp | None:
    """What changes when a file is saved; None while there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - a look a second should cost one call
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
