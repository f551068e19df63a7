"""The composer's normal mode beside vim itself, where vim is installed: the same keys, the same text and cursor."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwentui.tui.vim.motions import line_start
from qwentui.tui.vim.normal import Normal

VIM = shutil.which("vim")
pytestmark = pytest.mark.skipif(VIM is None, reason="vim is not installed")

TEXTS = st.text("ab1_.,( 你好，\n", max_size=24)
MOTIONS = ("h", "l", "w", "b", "e", "W", "B", "E", "0", "^", "$", "G", "gg", "fa", "Fa", "ta", "T ", "f好")
COUNTS = st.sampled_from(("", "", "", "2", "3"))


def _is_kept(command: str) -> bool:
    """All but `b` with a count: where there are not so many words before, vim goes as far, but takes nothing."""
    return not (command[:1].isdigit() and command[-1] in "bB")


COMMANDS = st.one_of(
    st.tuples(COUNTS, st.sampled_from(MOTIONS)).map("".join),
    st.tuples(COUNTS, st.sampled_from("dcy"), st.sampled_from((*MOTIONS, "j", "k"))).map("".join),
    st.tuples(COUNTS, st.sampled_from(("dd", "yy", "cc", "x", "X", "D", "C", "s", "S", "rz", "p", "P"))).map(
        "".join
    ),
    st.sampled_from(("i", "a", "I", "A", "o", "O")),
).filter(_is_kept)


def by_vim(text: str, at: int, commands: list[str]) -> tuple[str, int]:
    """The text and the cursor after vim has obeyed."""
    row, column = text.count("\n", 0, at), at - line_start(text, at)
    with tempfile.TemporaryDirectory() as folder:
        source, place = Path(folder, "in"), Path(folder, "at")
        source.write_text(text + "\n", encoding="utf-8")
        obey = [part for command in commands for part in ("-c", f'exe "normal! {command}"')]
        subprocess.run(
            [VIM or "", "-u", "NONE", "-i", "NONE", "-N", "-n", "-es"]
            + [
                "-c",
                "set encoding=utf-8 fileencoding=utf-8 nofixendofline",
                "-c",
                f"call cursor({row + 1}, 1)",
            ]
            + (["-c", f'exe "normal! {column}l"'] if column else [])
            + obey
            + ["-c", f'call writefile([line("."), charcol(".")], "{place}")', "-c", "wq!", str(source)],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": folder},
        )
        after = source.read_text(encoding="utf-8").removesuffix("\n")
        line, column = map(int, place.read_text().split())
    start = 0
    for _row in range(line - 1):
        start = after.index("\n", start) + 1
    return after, start + column - 1


def by_us(text: str, at: int, commands: list[str]) -> tuple[str, int]:
    """The same by the normal mode here; Escape follows what begins to insert."""
    normal = Normal()
    for command in commands:
        # Of an empty text vim remembers otherwise what was taken last.
        assume(text)
        for key in command:
            deed = normal.press(key, text, at)
            if deed is None:
                continue
            if deed.text is not None:
                text = text[: deed.start] + deed.text + text[deed.end :]
            at = deed.cursor
            if deed.also == "insert":
                at = max(line_start(text, at), at - 1)
        # In vim, too, what is not whole by the end of `:normal` is forgotten.
        normal.pending = ""
    return text, at


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, place=st.integers(0, 30), commands=st.lists(COMMANDS, min_size=1, max_size=3))
def test_the_same_keys_do_the_same(text: str, place: int, commands: list[str]) -> None:
    from qwentui.tui.vim.motions import resting

    at = resting(text, min(place, len(text)))
    assert by_us(text, at, commands) == by_vim(text, at, commands)
