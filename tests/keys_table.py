"""Writes the table of keys into the README: python tests/keys_table.py."""

from __future__ import annotations

from pathlib import Path

from qwentui.keyboard.keymap import DEFAULT

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->"
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


def with_table(text: str) -> str:
    """`text` with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
