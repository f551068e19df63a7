"""A group of commands whose modules are imported when they are called, for every start would pay for them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from qwentui.cli.speaking import Group

if TYPE_CHECKING:
    from collections.abc import Mapping

    import click


class LateCommands(Group):
    """Commands that lie in the modules of one package, each in its module's `COMMANDS`.

    Args:
        package: The package's full name.
        modules: The names of the commands, in the order in which they are listed, and of their modules.
        options: What a click group takes.
    """

    def __init__(self, *, package: str, modules: Mapping[str, str], **options: Any) -> None:  # noqa: ANN401 - click's own
        super().__init__(**options)
        self._package = package
        self._modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names of all commands."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, imported now."""
        if cmd_name not in self._modules:
            return None
        module = import_module(f"{self._package}.{self._modules[cmd_name]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command
