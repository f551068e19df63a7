"""`qwentui persona`: the experts that one model can be, a file each."""

from __future__ import annotations

from importlib import import_module

import click

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


class PersonaCommands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"qwentui.cli.persona.{_COMMANDS[cmd_name]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command


@click.group("persona", cls=PersonaCommands)
def command() -> None:
    """List, write and remove personas: system prompts with a name, taken by --persona and F9."""
