"""The link to the terminal while a reply streams: lost, interrupted, resized, suspended, noisy."""

from __future__ import annotations

import signal
import sqlite3
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from script import Reply
from scripted_server import ScriptedServer, ThreadedServer
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
F6 = "\x1b[17~"
WORDS = tuple(f"word{number} " for number in range(40))
TEXT = "".join(WORDS).strip()
MODES = {1049, 1000, 1002, 1003, 1006, 2004}


def _environment(home: Path, url: str) -> dict[str, str]:
    folders = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {"OLLAMA_HOST": url, **folders}


def _replies(home: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(home / "data" / "qwentui" / "sessions.db")) as connection:
        query = "SELECT content, finish_reason FROM messages WHERE role = 'assistant' ORDER BY id"
        return connection.execute(query).fetchall()


def _text(terminal: Terminal) -> str:
    return " ".join(terminal.screen_text().split())


@contextmanager
def _streaming(home: Path) -> Iterator[tuple[Terminal, ThreadedServer]]:
    """The program with half of a reply on the screen; the rest comes when the server is released."""
    script = (Reply(WORDS, holds=(20,)), Reply(WORDS))
    with (
        ScriptedServer(*script).in_thread() as server,
        Terminal(QWENTUI, env=_environment(home, server.url)) as terminal,
    ):
        terminal.wait_for("qwen3 @ 127")
        terminal.send("go\r")
        terminal.wait_for("word19")
        yield terminal, server


def _finished(terminal: Terminal) -> None:
    terminal.wait_until(lambda: "· stop" in _text(terminal), what="the footer")
    assert TEXT in _text(terminal)


def test_a_hang_up_keeps_the_reply_and_the_next_program_finishes_it(tmp_path: Path) -> None:
    with _streaming(tmp_path) as (terminal, server):
        terminal.hang_up()
        assert terminal.wait_exit() == 128 + signal.SIGHUP
        assert _replies(tmp_path) == [("".join(WORDS[:20]), "interrupted")]
        argv = [*QWENTUI, "--continue"]
        with Terminal(argv, env=_environment(tmp_path, server.url)) as again:
            again.wait_for("F6 lets it go on")
            again.wait_for("qwen3 @ 127")
            again.send(F6)
            _finished(again)
            again.send("\x11")
            again.wait_exit()
        assert _replies(tmp_path) == [("".join(WORDS), "stop")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_restores_the_terminal_and_keeps_the_reply(tmp_path: Path, number: signal.Signals) -> None:
    with _streaming(tmp_path) as (terminal, _):
        terminal.signal(number)
        terminal.wait_exit()
        assert not terminal.modes & MODES
        assert terminal.termios() == terminal.settings
        assert b"Traceback" not in terminal.raw
        ((content, reason),) = _replies(tmp_path)
        assert content == "".join(WORDS[:20])
        assert reason in {"interrupted", "cancelled"}


def test_a_storm_of_resizes_loses_nothing(tmp_path: Path) -> None:
    with _streaming(tmp_path) as (terminal, server):
        for step in range(60):
            terminal.resize(60 + step * 7 % 80, 12 + step * 5 % 30)
        terminal.resize(120, 36)
        server.release()
        _finished(terminal)
        assert b"Traceback" not in terminal.raw


def test_a_reply_that_went_on_while_the_program_was_stopped_is_whole(tmp_path: Path) -> None:
    with _streaming(tmp_path) as (terminal, server):
        terminal.send("\x1a")
        terminal.wait_until(terminal.stopped)
        server.release()
        server.until(lambda s: s.last("/api/chat").finished)
        terminal.signal(signal.SIGCONT)
        _finished(terminal)
        assert terminal.modes >= {1049, 2004}


NOISE = (
    b"\x1b[M \xe0 0",  # an X10 mouse report, as a tmux that was attached again sends it
    b"\xff\xfe\x80\xc3(",
    b"\x1b[<35;10;10M\x1b[<0;400;3m",
    b"\x1b[",
    b"\x1b]11;rgb:0000/0000/0000\x1b\\",
)


def test_noise_on_the_line_does_not_end_it(tmp_path: Path) -> None:
    with _streaming(tmp_path) as (terminal, server):
        for noise in NOISE:
            terminal.send(noise)
        server.release()
        _finished(terminal)
        assert terminal.process.poll() is None
        assert "rgb" not in terminal.screen_text()
        terminal.send("\x11")
        assert terminal.wait_exit() == 0
        assert b"Traceback" not in terminal.raw
