"""`qwentui model`: what an Ollama server holds, seen and changed; one file for each kind of work."""

from __future__ import annotations

from importlib import import_module

import click

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


class ModelCommands(click.Group):
    """The commands, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"qwentui.cli.model.{_COMMANDS[cmd_name]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command


@click.group("model", cls=ModelCommands)
def command() -> None:
    """List, get, make, load and remove the models of an Ollama server."""
