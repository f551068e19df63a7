"""The user's own editor and pager."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from qwentui.chat.errors import QwentuiError
from qwentui.language import _


def edit(text: str) -> str:
    """Let the user go on with `text` in $VISUAL, $EDITOR or vi; the terminal must be free for it.

    Raises:
        QwentuiError: There is no such editor, or it failed; `text` stays what it was.
    """
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.NamedTemporaryFile("w", suffix=".md", prefix="qwentui-", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _run(command, file.name)
        return Path(file.name).read_text(encoding="utf-8", errors="replace").removesuffix("\n")


def page(text: str) -> None:
    """Show `text` in $PAGER or less; the terminal must be free for it.

    Raises:
        QwentuiError: There is no such pager, or it failed.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".md", prefix="qwentui-", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        _run(os.environ.get("PAGER") or "less", file.name)


def _run(command: str, path: str) -> None:
    try:
        # The user's own command, with the user's own rights.
        code = subprocess.run([*shlex.split(command), path], check=False).returncode  # noqa: S603
    except (OSError, ValueError) as error:
        sentence = _("{command!r} cannot be started.").format(command=command)
        raise QwentuiError(sentence, _("Set EDITOR or PAGER to a program.")) from error
    if code != 0:
        sentence = _("{command!r} ended with code {code}.").format(command=command, code=code)
        raise QwentuiError(sentence, _("Your text is as it was."))
