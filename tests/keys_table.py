"""Writes the table of keys into the README: python tests/keys_table.py."""

from __future__ import annotations

import readme_tables

from qwentui.keyboard.keymap import DEFAULT

WHERE = {
    "everywhere": "everywhere",
    "chat": "in the chat",
    "composer": "while writing",
    "completion": "in a list of completions",
    "transcript": "while reading",
    "sessions": "in the list of chats",
    "filter": "in its filter",
    "settings": "in the settings",
    "compare": "in a comparison",
}


def table() -> str:
    """The keys as Markdown, with the ids under which they are bound otherwise."""
    rows = [
        f"| {', '.join(DEFAULT.spoken(name))} | {key.help} | {WHERE[key.where]} | {name} |"
        for name, key in DEFAULT.keys.items()
    ]
    return "\n".join(["| key | | where | id |", "|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    readme_tables.write("keys", table())
