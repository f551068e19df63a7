"""The last filter before the terminal: no text becomes a control sequence or an invisible character.

Text is filtered at ingest already; Markdown decodes entities after that (``&#x202e;``), and joiners that were
cut off from their neighbours there have them here, so whatever is laid out passes here once more.
"""

from __future__ import annotations

from qwentui.chat.sanitize import sanitize_whole

_SEPARATORS = str.maketrans("\u2028\u2029", "  ")


def clean(text: str) -> tuple[str, int]:
    """Filters ``text``, in which tabs and newlines stay.

    Returns:
        The text that may be drawn, and how many characters were taken out or made visible. A line or
        paragraph separator becomes a space and is not counted: it is no attempt at anything.
    """
    if text.isascii() and text.isprintable():
        return text, 0
    if "\u2028" in text or "\u2029" in text:
        text = text.translate(_SEPARATORS)
    return sanitize_whole(text)
