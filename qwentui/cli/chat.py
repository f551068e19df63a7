"""`qwentui` itself: the program in the terminal."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.chat.errors import SettingsError
from qwentui.language import _
from qwentui.store.paths import shipped
from qwentui.store.theme_choice import choose

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags


def chat(flags: Flags) -> None:
    """Run the program until the user leaves it.

    Raises:
        SettingsError: There is no terminal to run in, or a setting cannot be used.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SettingsError(_("qwentui needs a terminal."), _('For scripts there is: qwentui ask "..."'))
    if os.environ.get("TERM", "dumb") in {"", "dumb"}:
        raise SettingsError(
            _("This terminal cannot place text (TERM is dumb)."),
            _('Use another terminal, set TERM, or ask from the shell: qwentui ask "..."'),
        )
    launch = flags.launch()
    folders = (launch.paths.themes, shipped("themes"))
    choice = choose(launch.settings.screen.theme, folders, os.environ)
    launch = replace(launch, warnings=(*launch.warnings, *choice.warnings))

    from qwentui.tui.app import QwentuiApp

    app = QwentuiApp(launch, choice.theme)
    app.run(mouse=launch.settings.screen.mouse)
    sys.exit(app.return_code or 0)
