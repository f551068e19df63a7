from __future__ import annotations

import base64
import re
import stat
from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import StoreError
from qwentui.tui.clipboard import LONGEST, osc52, write_copy

if TYPE_CHECKING:
    from pathlib import Path


def test_text_is_wrapped_for_the_terminal() -> None:
    sequence = osc52("你好\x1b", tmux=False)
    match = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\a", sequence or "")
    assert match
    assert base64.b64decode(match[1]).decode() == "你好\x1b"


def test_tmux_hands_it_on() -> None:
    sequence = osc52("a", tmux=True) or ""
    assert sequence.startswith("\x1bPtmux;\x1b\x1b]52;c;")
    assert sequence.endswith("\a\x1b\\")


def test_what_is_too_long_is_refused_and_goes_to_a_file(tmp_path: Path) -> None:
    text = "好" * (LONGEST // 3 + 1)
    assert osc52(text, tmux=False) is None
    path = write_copy(tmp_path / "state", text)
    assert path.read_text(encoding="utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        write_copy(tmp_path / "file", "x")
