from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import QwentuiError
from qwentui.tui.editor import edit, page

if TYPE_CHECKING:
    from pathlib import Path


def _program(tmp_path: Path, body: str) -> str:
    program = tmp_path / "program with space"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return f"'{program}'"


def test_what_the_editor_leaves_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", _program(tmp_path, 'printf "second\\n" >> "$1"'))
    assert edit("first\n") == "first\nsecond"


def test_an_editor_that_writes_a_new_file_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", _program(tmp_path, 'printf new > "$1.new" && mv "$1.new" "$1"'))
    assert edit("old") == "new"


@pytest.mark.parametrize("command", ["no-such-editor-anywhere", "sh -c 'exit 3'", "'unbalanced"])
def test_an_editor_that_fails_is_one_sentence(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISUAL", command)
    monkeypatch.setenv("PAGER", command)
    with pytest.raises(QwentuiError) as caught:
        edit("text")
    assert caught.value.hint
    with pytest.raises(QwentuiError):
        page("text")
