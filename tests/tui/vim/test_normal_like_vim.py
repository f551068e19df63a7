"""The composer's normal mode beside vim itself, where vim is installed: the same keys, the same text and cursor."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.tui.vim.motions import line_start, resting
from qwentui.tui.vim.normal import Normal

VIM = shutil.which("vim")
pytestmark = pytest.mark.skipif(VIM is None, reason="vim is not installed")

TEXTS = st.text("ab1_.,( 你好，\n", max_size=24)
MOTIONS = ("h", "l", "w", "b", "e", "W", "B", "E", "0", "^", "$", "G", "gg", "fa", "Fa", "ta", "T ", "f好")
COUNTS = st.sampled_from(("", "", "", "2", "3"))
COMMANDS = st.one_of(
    st.tuples(COUNTS, st.sampled_from(MOTIONS)).map("".join),
    st.tuples(COUNTS, st.sampled_from("dcy"), st.sampled_from((*MOTIONS, "j", "k"))).map("".join),
    st.tuples(COUNTS, st.sampled_from(("dd", "yy", "cc", "x", "X", "D", "C", "s", "S", "rz", "p", "P"))).map(
        "".join
    ),
    st.sampled_from(("i", "a", "I", "A", "o", "O")),
)

OBEYING = """
set encoding=utf-8
let results = []
for case in readfile('cases')
  let [lines, row, column, commands] = json_decode(case)
  silent! %d
  for register in ['"', '-', '0', '1']
    call setreg(register, '')
  endfor
  call setline(1, lines)
  call cursor(row, 1)
  if column > 0
    exe 'normal! ' . column . 'l'
  endif
  for command in commands
    silent! exe 'normal! ' . command
  endfor
  call add(results, json_encode([getline(1, '$'), line('.'), charcol('.')]))
endfor
call writefile(results, 'results')
qa!
"""


class Case(NamedTuple):
    """What both are given: a text, the index of the cursor in it, and commands."""

    text: str
    at: int
    commands: list[str]


def _is_agreed_on(case: Case) -> bool:
    """All but two peculiarities of vim.

    An operator over several words back gives up where that leads to an empty first line; and `k` goes to the end of
    the line above, if the cursor was sent to a line's end before.
    """
    sent_to_end = False
    for place, command in enumerate(case.commands):
        over_words_back = command[0] in "23" and command[1] in "dcy" and command[-1] in "bB"
        if over_words_back and (place or case.text.startswith("\n")):
            return False
        if sent_to_end and command[-1] == "k":
            return False
        sent_to_end = sent_to_end or command[-1] in "$CD"
    return True


CASES = st.builds(
    lambda text, place, commands: Case(text, resting(text, min(place, len(text))), commands),
    TEXTS,
    st.integers(0, 30),
    st.lists(COMMANDS, min_size=1, max_size=3),
).filter(_is_agreed_on)


def by_vim(cases: list[Case]) -> list[tuple[str, int]]:
    """The texts and the cursors after one vim has obeyed for each."""
    with tempfile.TemporaryDirectory() as folder:
        asked = (
            json.dumps(
                [
                    text.split("\n"),
                    text.count("\n", 0, at) + 1,
                    at - line_start(text, at),
                    commands,
                ]
            )
            for text, at, commands in cases
        )
        Path(folder, "cases").write_text("\n".join(asked), encoding="utf-8")
        Path(folder, "obey.vim").write_text(OBEYING, encoding="utf-8")
        subprocess.run(
            [VIM or "", "-u", "NONE", "-i", "NONE", "-N", "-n", "-es", "-S", "obey.vim"],
            check=False,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={"LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "HOME": folder},
        )
        told = Path(folder, "results").read_text(encoding="utf-8").splitlines()
    results = []
    for lines, row, column in map(json.loads, told):
        results.append(("\n".join(lines), sum(len(line) + 1 for line in lines[: row - 1]) + column - 1))
    return results


def by_us(case: Case) -> tuple[str, int] | None:
    """The same by the normal mode here; Escape follows what begins to insert.

    None where a command meets an empty text: to vim, that is sometimes an empty line and sometimes none at all.
    """
    normal = Normal()
    text, at, commands = case
    for command in commands:
        if not text:
            return None
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


@settings(max_examples=300, deadline=None)
@given(st.lists(CASES, min_size=1, max_size=60))
def test_the_same_keys_do_the_same(cases: list[Case]) -> None:
    for case, theirs in zip(cases, by_vim(cases), strict=True):
        ours = by_us(case)
        assert ours is None or (case, ours) == (case, theirs)
