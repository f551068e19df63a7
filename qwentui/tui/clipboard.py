"""Copying over SSH: the terminal is asked to put text on the clipboard of the machine that it runs on."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store.paths import private_folder

if TYPE_CHECKING:
    from pathlib import Path

LONGEST = 74_994
"""Bytes of text that fit into one OSC 52: xterm takes 100,000 characters of base64, others take more."""


def osc52(text: str, *, tmux: bool) -> str | None:
    """The control sequence that sets the clipboard (xterm, "Operating System Commands", 52).

    Args:
        text: What to copy.
        tmux: Wrap it so that tmux hands it to the outer terminal (`allow-passthrough on`).

    Returns:
        The sequence, or None when the text is too long for one.
    """
    data = text.encode("utf-8", errors="replace")
    if len(data) > LONGEST:
        return None
    sequence = f"\x1b]52;c;{base64.b64encode(data).decode()}\a"
    if not tmux:
        return sequence
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def write_copy(folder: Path, text: str) -> Path:
    """Put `text` into a file instead, for what is too long or a terminal that has no OSC 52.

    Raises:
        StoreError: It cannot be written.
    """
    path = folder / "copied.txt"
    try:
        private_folder(folder)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        sentence = _("The copy cannot be written to {path}: {reason}.")
        raise StoreError(sentence.format(path=path, reason=error.strerror)) from error
    return path
