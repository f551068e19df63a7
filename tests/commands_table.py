"""Writes the table of commands into the README: python tests/commands_table.py."""

from __future__ import annotations

import readme_tables

from qwentui.tui.commands.table import COMMANDS


def table() -> str:
    """The commands as Markdown."""
    typed = [f"/{command.name} {command.usage}".rstrip().replace("|", "\\|") for command in COMMANDS]
    rows = [f"| `{name}` | {command.help} |" for name, command in zip(typed, COMMANDS, strict=True)]
    return "\n".join(["| command | |", "|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    readme_tables.write("commands", table())
