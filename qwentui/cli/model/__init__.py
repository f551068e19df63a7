"""`qwentui model`: what an Ollama server holds, seen and changed; one file for each kind of work."""

from __future__ import annotations

from qwentui.cli import speaking
from qwentui.cli.late_commands import LateCommands

_COMMANDS = {
    "list": "listing",
    "ps": "listing",
    "show": "shown",
    "pull": "transfer",
    "create": "create",
    "copy": "holdings",
    "rm": "holdings",
    "load": "memory",
    "unload": "memory",
}
"""The commands, and the modules that hold them."""


@speaking.group("model", cls=LateCommands, package=__name__, modules=_COMMANDS)
def command() -> None:
    """List, get, make, load and remove the models of an Ollama server."""
