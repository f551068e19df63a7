"""Keys and the mouse in a real terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
MOUSE = {1000, 1002, 1003, 1005, 1006, 1015}
SEVERAL = Reply(content=tuple(f"row {number}\n\n" for number in range(60)))


def configured(home: Path, text: str, url: str) -> dict[str, str]:
    (home / "qwentui").mkdir()
    (home / "qwentui" / "config.toml").write_text(text)
    return {"OLLAMA_HOST": url, "XDG_CONFIG_HOME": str(home)}


def row_of(terminal: Terminal, text: str) -> int:
    return next(number for number, row in enumerate(terminal.screen.display, 1) if text in row)


def test_keys_bound_otherwise_work_in_bursts_and_the_users_own_key_quits(tmp_path: Path) -> None:
    text = '[keys]\nquit = "Ctrl+B"\nsend = "Alt+S"\nhelp = "Alt+H"\nfold = "Ctrl+I"\nhlep = "x"\n'
    with ScriptedServer(Reply(content=("answered",))).in_thread() as server:
        environment = configured(tmp_path, text, server.url)
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            terminal.wait_for("keys.hlep is unknown; did you mean keys.help?")
            terminal.wait_for("most terminals send Tab for Ctrl+I")
            terminal.wait_for(" Alt+S send · Alt+H keys")
            terminal.send("hello\x1bsnext")
            terminal.wait_for("answered")
            terminal.wait_for("› next")
            terminal.send("\x1bh")
            terminal.wait_for("While writing")
            terminal.send("\x1bh\x11")
            terminal.wait_until(lambda: "While writing" not in terminal.screen_text())
            terminal.send("\x02")
            assert terminal.wait_exit() == 0


def test_what_is_typed_behind_the_key_that_opens_something_goes_there(tmp_path: Path) -> None:
    with (
        ScriptedServer().in_thread() as server,
        Terminal(QWENTUI, env=configured(tmp_path, "", server.url)) as terminal,
    ):
        terminal.wait_for("qwen3 @ 127")
        terminal.send("\x0cgauges")
        terminal.wait_for("The gauges in full")
        terminal.wait_until(lambda: "New chat" not in terminal.screen_text())
        terminal.send("\r")
        terminal.wait_for("the last five minutes")
        terminal.send("q")
        terminal.wait_until(lambda: "the last five minutes" not in terminal.screen_text())
        terminal.send("\x1bOP")
        terminal.wait_for("While writing")
        terminal.send("/unload")
        terminal.wait_until(lambda: "While writing" not in terminal.screen_text())
        assert "unload the model" in terminal.screen_text()
        terminal.send("\x11")
        assert terminal.wait_exit() == 0


def test_the_wheel_scrolls_and_a_click_goes_to_a_message_and_to_the_composer(tmp_path: Path) -> None:
    with ScriptedServer(SEVERAL).in_thread() as server:
        with Terminal(QWENTUI, env=configured(tmp_path, "", server.url)) as terminal:
            terminal.wait_for("qwen3 @ 127")
            assert terminal.modes & MOUSE
            terminal.send("my question\r")
            terminal.wait_for("row 59")
            terminal.send("\x1b[<64;10;10M" * 3)
            terminal.wait_until(lambda: "row 59" not in terminal.screen_text())
            row = row_of(terminal, "row 50")
            terminal.send(f"\x1b[<0;5;{row}M\x1b[<0;5;{row}m")
            terminal.wait_for("i write · J next")
            terminal.send("K")
            terminal.wait_for("›▎ my question")
            row = row_of(terminal, "CTX") - 1
            terminal.send(f"\x1b[<0;10;{row}M\x1b[<0;10;{row}m")
            terminal.wait_for("Enter send")
            terminal.send("\x11")
            terminal.wait_exit()
        assert not terminal.modes & MOUSE


def test_without_the_mouse_the_terminal_is_never_asked_for_it(tmp_path: Path) -> None:
    with ScriptedServer().in_thread() as server:
        environment = configured(tmp_path, "[screen]\nmouse = false\n", server.url)
        with Terminal(QWENTUI, env=environment) as terminal:
            terminal.wait_for("qwen3 @ 127")
            terminal.send("\x1bOP")
            terminal.wait_for("While writing")
            terminal.send("\x11")
            terminal.wait_exit()
            for mode in MOUSE:
                assert f"\x1b[?{mode}h".encode() not in bytes(terminal.raw)
