"""`qwentui persona`: the experts that one model can be, a file each."""

from __future__ import annotations

from qwentui.cli import speaking
from qwentui.cli.late_commands import LateCommands

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
def command() -> None:
    """List, write and remove personas: system prompts with a name, taken by --persona and F9."""
