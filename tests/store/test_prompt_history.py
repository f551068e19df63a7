from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import StoreError
from qwentui.store.prompt_history import append_prompt, load_prompts

if TYPE_CHECKING:
    from pathlib import Path


def test_prompts_come_back_in_order_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "state" / "prompts.jsonl"
    assert load_prompts(path) == []
    for prompt in ("one", "two\nlines", "三\ud800"):
        append_prompt(path, prompt)
    assert load_prompts(path) == ["one", "two\nlines", "三\ud800"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_garbage_between_prompts_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(b'"one"\n\xff\x00garbage\n{"a": 1}\n"two"\n"cut off')
    assert load_prompts(path) == ["one", "two"]


def test_a_file_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be read"):
        load_prompts(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        append_prompt(tmp_path / "file" / "prompts.jsonl", "p")
