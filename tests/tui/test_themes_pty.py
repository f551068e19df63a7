"""Colours in a real terminal: none under NO_COLOR, sixteen where there are no more, and a file that is saved."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

QWENTUI = [sys.executable, "-m", "qwentui"]
SGR = re.compile(rb"\x1b\[([\d;:]*)m")
ANSWER = Reply(
    content=(
        "# Heading\n\nProse with `code` and a [link](https://example.com).\n\n",
        "```python\ndef total(n: int) -> str:  # comment\n    return '1'\n```\n\nThe end.\n",
    )
)


def colours(raw: bytes) -> set[int]:
    """The SGR parameters that choose or reset a colour; the rest of an extended colour is passed over."""
    return {code for match in SGR.finditer(raw) for code in _codes(match[1]) if _is_colour(code)}


def _codes(parameters: bytes) -> Iterator[int]:
    codes = iter([int(code or 0) for code in parameters.replace(b":", b";").split(b";")])
    for code in codes:
        yield code
        if code in (38, 48):
            for _skipped in range(3 if next(codes, 0) == 2 else 1):
                next(codes, 0)


def _is_colour(code: int) -> bool:
    return 30 <= code <= 49 or 90 <= code <= 107


def _reversed(terminal: Terminal) -> str:
    return "".join(cell.data for row in terminal.cells() for cell in row if cell.reverse)


def test_what_counts_as_a_colour() -> None:
    assert colours(b"\x1b[m\x1b[1;2;3;4;7;22;27m\x1b[0m") == set()
    assert colours(b"\x1b[1;38;2;30;31;32;48;5;33m\x1b[97m\x1b[39;49m") == {38, 48, 97, 39, 49}


@pytest.mark.parametrize("output", ["", "plain"])
def test_no_color_writes_no_colour_and_everything_is_still_marked(output: str) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        env = {"OLLAMA_HOST": server.url, "NO_COLOR": "1", "QWENTUI_OUTPUT": output}
        with Terminal(QWENTUI, env=env) as terminal:
            terminal.wait_for("CTX")
            terminal.send("hello\r")
            terminal.wait_for("The end.")
            terminal.wait_for("· stop")
            terminal.send("draft word")
            terminal.wait_for("draft word")
            terminal.send("\x1b[1;2D" * 4)
            terminal.wait_until(lambda: "word" in _reversed(terminal), what="the selection, reversed")
            terminal.send("\x06")
            terminal.wait_for("/ search")
            terminal.send("Heading\r")
            terminal.wait_until(lambda: "Heading" in _reversed(terminal), what="the match, reversed")
            terminal.send("\x1b")
            terminal.wait_until(lambda: "Heading" not in _reversed(terminal), what="the search closed")
            terminal.send("\x1b[21~")
            terminal.wait_for("there are no colours to choose from")
            terminal.send("\x13")
            terminal.wait_until(lambda: "hello" in _reversed(terminal), what="the cursor in the list")
            terminal.send("q")
            terminal.wait_for("The end.")
            terminal.send("\x11")
            assert terminal.wait_exit() == 0
            assert colours(bytes(terminal.raw)) == set()
            assert b"\x1b[1" in terminal.raw


@pytest.mark.parametrize("arguments", [["doctor"], ["ask", "hello"], ["theme", "list"]], ids=lambda a: a[0])
def test_no_color_holds_for_the_commands_too(arguments: list[str]) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        env = {"OLLAMA_HOST": server.url, "NO_COLOR": "1"}
        with Terminal([*QWENTUI, *arguments], env=env) as terminal:
            terminal.wait_exit()
            assert terminal.screen_text().strip()
            assert colours(bytes(terminal.raw)) == set()


def test_no_color_that_is_empty_takes_nothing_away() -> None:
    with (
        ScriptedServer().in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, "NO_COLOR": ""}) as terminal,
    ):
        terminal.wait_for("CTX")
        # The colour of qwentui-dark's accent, and not a shade of grey.
        assert b"38;2;138;180;216" in terminal.raw


@pytest.mark.parametrize("term", ["linux", "xterm-16color", "vt220"])
def test_a_terminal_of_16_colours_gets_its_own(term: str) -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        env = {"OLLAMA_HOST": server.url, "TERM": term, "COLORTERM": ""}
        with Terminal(QWENTUI, env=env) as terminal:
            terminal.wait_for("CTX")
            terminal.send("hello\r")
            terminal.wait_for("· stop")
            assert {38, 48} & colours(bytes(terminal.raw)) == set()
            name = next(cell for cell in terminal.cells()[0] if cell.data == "q")
            assert (name.fg, name.bg, name.bold) == ("cyan", "default", True)


def test_a_light_background_gets_the_light_theme() -> None:
    with ScriptedServer(ANSWER).in_thread() as server:
        env = {"OLLAMA_HOST": server.url, "COLORFGBG": "0;15"}
        with Terminal(QWENTUI, env=env) as terminal:
            terminal.wait_for("CTX")
            row = terminal.cells()[10]
            assert {cell.bg for cell in row} == {"fbfaf7"}


def test_a_broken_theme_is_told_about_and_one_that_is_saved_is_taken_up() -> None:
    with ScriptedServer().in_thread() as server, Terminal(["true"]) as probe:
        folder = probe.home / "config" / "qwentui" / "themes"
        folder.mkdir(parents=True)
        path = folder / "mine.toml"
        path.write_text('[colors]\nprimary = "#40c0ff"\nbackground = "blue"\n')
        env = {
            "OLLAMA_HOST": server.url,
            "XDG_CONFIG_HOME": str(probe.home / "config"),
            "QWENTUI_SCREEN_THEME": "mine",
        }
        with Terminal(QWENTUI, env=env) as terminal:
            terminal.wait_for("colors.background")
            terminal.wait_for('Did you mean "ansi_blue"?')
            terminal.send("\x11")
            assert terminal.wait_exit() == 0
        path.write_text('[colors]\nprimary = "#40c0ff"\nbackground = "#102030"\n')
        with Terminal(QWENTUI, env=env) as terminal:
            terminal.wait_for("CTX")
            assert {cell.bg for cell in terminal.cells()[10]} == {"102030"}
            path.write_text('[colors]\nprimary = "#40c0ff"\nbackground = "#302010"\n')
            terminal.wait_until(lambda: {cell.bg for cell in terminal.cells()[10]} == {"302010"})
