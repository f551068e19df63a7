"""What was typed into the composer, kept for the next time: a JSON string a line, oldest first."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store.paths import private_folder

if TYPE_CHECKING:
    from pathlib import Path

_READ = 1 << 20
"""Bytes of the file's end that are looked at."""


def load_prompts(path: Path) -> list[str]:
    """The newest prompts, oldest first; a line that is no JSON string is passed over, no file is empty.

    Raises:
        StoreError: The file is there and cannot be read.
    """
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _READ))
            lines = file.read().split(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        sentence = _("The prompt history {path} cannot be read: {reason}.")
        raise StoreError(sentence.format(path=path, reason=error.strerror)) from error
    prompts = []
    for line in lines:
        try:
            prompt = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(prompt, str):
            prompts.append(prompt)
    return prompts


def append_prompt(path: Path, prompt: str) -> None:
    """Add one prompt, in one write, so that several programs may share the file.

    Raises:
        StoreError: It cannot be written.
    """
    line = json.dumps(prompt).encode() + b"\n"
    try:
        private_folder(path.parent)
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            size = os.fstat(handle).st_size
            # What a crash cut short must not take this prompt with it.
            whole = not size or os.pread(handle, 1, size - 1) == b"\n"
            os.write(handle, line if whole else b"\n" + line)
        finally:
            os.close(handle)
    except OSError as error:
        sentence = _("The prompt history {path} cannot be written: {reason}.")
        raise StoreError(sentence.format(path=path, reason=error.strerror)) from error
