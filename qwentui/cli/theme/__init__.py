"""`qwentui theme`: the colours, a file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.cli.late_commands import LateCommands

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags

_COMMANDS = {"list": "reading", "show": "reading", "new": "writing", "path": "reading"}
"""The commands, and the modules that hold them."""


@speaking.group("theme", cls=LateCommands, package=__name__, modules=_COMMANDS)
@click.pass_obj
def command(flags: Flags) -> None:
    """List, show and begin themes: the colours, taken by screen.theme and F10."""
    speaking.speak_as_set(flags)
