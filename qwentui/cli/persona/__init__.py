"""`qwentui persona`: the experts that one model can be, a file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.cli.late_commands import LateCommands

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags

_COMMANDS = {
    "list": "reading",
    "show": "reading",
    "new": "writing",
    "edit": "writing",
    "rm": "writing",
    "add": "adding",
    "import": "adding",
}
"""The commands, and the modules that hold them."""


@speaking.group("persona", cls=LateCommands, package=__name__, modules=_COMMANDS)
@click.pass_obj
def command(flags: Flags) -> None:
    """List, write and remove personas: system prompts with a name, taken by --persona and F9."""
    speaking.speak_as_set(flags)
