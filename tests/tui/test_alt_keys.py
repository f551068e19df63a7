"""Keys with Alt, and Escape with a key right behind it, which terminals send alike."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from itertools import cycle
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal
from textual import events

from qwentui.tui.transcript.terminal_parser import AnswerFilter, TerminalParser

if TYPE_CHECKING:
    from collections.abc import Iterator

QWENTUI = [sys.executable, "-m", "qwentui"]


@contextmanager
def connected(**environment: str) -> Iterator[Terminal]:
    """The program in a terminal; its server holds the first reply in the middle."""
    with (
        ScriptedServer(Reply(content=("one", "two"), holds=(1,))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url} | environment) as term,
    ):
        term.wait_for("qwen3 @ 127")
        yield term


def keys_of(*texts: str) -> list[tuple[str, str | None]]:
    """The keys that the parser makes of texts; their end is an end of input."""
    parser = TerminalParser()
    parsed = [message for text in (*filter(None, texts), "") for message in parser.feed(text)]
    return [(message.key, message.character) for message in parsed if isinstance(message, events.Key)]


@given(
    st.characters(exclude_categories=("C", "Z"), exclude_characters="[O]\\"),
    st.text("ab 你", max_size=60),
    st.booleans(),
)
def test_whatever_follows_a_character_behind_escape_is_that_one_with_alt(
    character: str, rest: str, cut: bool
) -> None:
    keys = keys_of("\x1b", character + rest) if cut else keys_of("\x1b" + character + rest)
    assert keys[0][0].startswith("alt+")
    assert keys[0][1] == character
    assert keys[1:] == keys_of(rest)


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b\r", [("alt+enter", "\r")]),
        ("\x1b0", [("alt+0", "0")]),
        ("\x1bA", [("alt+shift+a", "A")]),
        ("\x1b$", [("alt+dollar_sign", "$")]),
        ("\x1bOt", [("alt+shift+o", "O"), ("t", "t")]),
        ("\x1bOA", [("up", None)]),
        ("\x1b[A", [("up", None)]),
        ("\x1b[1;3D", [("alt+left", None)]),
        ("\x1b[100;3u", [("alt+d", None)]),
        ("\x1b\x7f", [("ctrl+w", None)]),
        ("\x1b\t", [("shift+tab", None)]),
        ("\x1b\x13", [("alt+ctrl+s", "\x13")]),
        ("\x1b[[A", [("f1", None)]),
        ("\x1b[?62;22ca", [("a", "a")]),
        ("\x1b[5;1qa", [("a", "a")]),
        ("\x1b\\a", [("a", "a")]),
        ("\x1b", [("escape", "\x1b")]),
    ],
    ids=repr,
)
def test_what_terminals_send_is_the_key_that_was_pressed(
    sent: str, keys: list[tuple[str, str | None]]
) -> None:
    assert keys_of(sent) == keys


ANSWERS = (
    "\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
    "\x1b]4;1;rgb:0000/0000/0000\x07",
    "\x1bP>|tmux 3.3a\x1b\\",
    "\x1bP1$r0m\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
)


@given(
    st.lists(st.sampled_from((*ANSWERS, "a", "你", "\x1b[A", "\x1b", "\r")), max_size=12),
    st.lists(st.integers(5, 30), min_size=1, max_size=8),
)
def test_what_a_terminal_answers_is_not_typed_wherever_it_is_cut(
    parts: list[str], lengths: list[int]
) -> None:
    answers = AnswerFilter()
    passed = ""
    for part, length in zip(parts, cycle(lengths), strict=False):
        passed += answers.filter(part[:length]) + answers.filter(part[length:])
    assert passed == "".join(part for part in parts if part not in ANSWERS)


@pytest.mark.parametrize("key", ["\x1bOQ", "\x10", "\x13", "\x1b[20~", "\x1bOP"], ids=repr)
def test_what_is_typed_right_behind_escape_is_not_lost_in_a_panel(key: str) -> None:
    with connected() as term:
        term.wait_for("Enter send")
        before = term.screen_text()
        term.send(key)
        term.wait_until(lambda: term.screen_text() != before)
        term.send("\x1bfirst 问题")
        term.wait_for("› first 问题")


def test_escape_right_before_the_next_question_stops_the_reply() -> None:
    with connected() as term:
        term.send("question\r")
        term.wait_for("one")
        term.send("\x1bnext")
        term.wait_for("› next")
        term.wait_for("stopped")


def test_alt_and_enter_begin_a_new_line_and_alt_goes_by_words() -> None:
    with connected() as term:
        term.send("one two\x1b\rthree four")
        term.wait_for(re.compile("› one two +\n   three four"))
        term.send("\x1bb\x1bbx")
        term.wait_for("xthree four")
        term.send("\x1bfy")
        term.wait_for("xthreey four")
        term.send("\x1bf")
        term.wait_until(lambda: term.cursor()[0] == len("   xthreey four"))
        # There is no word to go over any more.
        term.send("\x1bfive")
        term.wait_for("xthreey fourfive")


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("hello world\x1b0dwA!", "› world!"),
        ("hello world\x1bbcwthere and so on, in one packet", "› hello there and so on, in one packet"),
        ("one\x1bOtwo", "› two"),
    ],
    ids=repr,
)
def test_to_vim_alt_is_escape_wherever_it_comes_from(sent: str, shown: str) -> None:
    with connected(QWENTUI_SCREEN_VIM="true") as term:
        term.send(sent)
        term.wait_for(shown)
