"""Text by the cells that it takes in a terminal, where a Chinese character takes two."""

from __future__ import annotations


def cells(text: str) -> int:
    """Width of `text` in cells."""
    if text.isascii():
        return len(text)
    from qwentui.tui.transcript.wrap import cells as measured

    return measured(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """`text` filled up with blanks to `width` cells, those in front of it if it is to stand to the right."""
    blank = " " * (width - cells(text))
    return blank + text if right else text + blank


def fitted(text: str, width: int) -> str:
    """`text` in exactly `width` cells: cut with a mark of omission, or filled up."""
    if cells(text) <= width:
        return padded(text, width)
    kept = ""
    for letter in text:
        if cells(kept + letter) >= width:
            break
        kept += letter
    return padded(f"{kept}…", width)
