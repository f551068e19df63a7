"""Writes the table of commands into the README: python tests/commands_table.py."""

from __future__ import annotations

from pathlib import Path

from qwentui.tui.commands.table import COMMANDS

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- commands -->\n", "<!-- /commands -->"


def table() -> str:
    """The commands as Markdown."""
    typed = [f"/{command.name} {command.usage}".rstrip().replace("|", "\\|") for command in COMMANDS]
    rows = [f"| `{name}` | {command.help} |" for name, command in zip(typed, COMMANDS, strict=True)]
    return "\n".join(["| command | |", "|---|---|", *rows]) + "\n"


def with_table(text: str) -> str:
    """`text` with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
