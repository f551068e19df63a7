"""Completion of a command line, asked for by real shells."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scripted_server import ScriptedServer
from terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


BIN = str(Path(sys.executable).parent)
PERSONA = 'name = "{name}"\ndescription = "{about}"\nsystem = "You are."\n'


class Shell:
    """A user's home, and shells that complete in it."""

    def __init__(self, home: Path, host: str = "127.0.0.1:1") -> None:
        self.config = home / "config" / "qwentui"
        self.config.mkdir(parents=True)
        self.environ = {
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "OLLAMA_HOST": host,
            **{f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")},
        }

    def completed(self, line: str) -> list[str]:
        """What bash offers at the end of `line`."""
        code = (
            'eval "$(qwentui completion bash)"; COMP_LINE=$1; COMP_POINT=${#COMP_LINE}; '
            '_qwentui_completion qwentui; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        run = subprocess.run(
            ["bash", "--norc", "-c", code, "bash", line],
            env=self.environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert not run.stderr
        return run.stdout.split("\n")[:-1]

    def persona(self, name: str, about: str = "") -> None:
        folder = self.config / "personas"
        folder.mkdir(exist_ok=True)
        (folder / f"{len(list(folder.iterdir()))}.toml").write_text(PERSONA.format(name=name, about=about))


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    return Shell(tmp_path)


def test_commands_and_options_are_completed(shell: Shell) -> None:
    assert shell.completed("qwentui compl") == ["completion"]
    assert shell.completed("qwentui --pro") == ["--profile"]
    assert shell.completed("qwentui completion ") == ["bash", "zsh", "fish"]


def test_personas_are_completed_with_what_a_shell_would_split_quoted(shell: Shell) -> None:
    shell.persona("电商客服专家")
    shell.persona("code review")
    for line in ("qwentui --persona ", "qwentui ask --persona ", "qwentui persona show "):
        assert sorted(shell.completed(line)) == ["code\\ review", "电商客服专家"]
    assert shell.completed("qwentui persona new ") == [""]


def test_settings_and_their_values_are_completed(shell: Shell) -> None:
    (shell.config / "config.toml").write_text('[profile.a10.server]\nhost = "a10"\n')
    assert shell.completed("qwentui config set screen.mo") == ["screen.mouse"]
    assert shell.completed("qwentui config unset keys.hist") == ["keys.history"]
    assert shell.completed("qwentui config set screen.mouse ") == ["true", "false"]
    assert shell.completed("qwentui config set model.think o") == ["on", "off"]
    assert "qwentui-dark" in shell.completed("qwentui config set screen.theme ")
    assert shell.completed("qwentui --profile ") == ["a10"]
    assert shell.completed("qwentui config set profile.a10.screen.foo") == ["profile.a10.screen.footer"]


async def test_models_come_from_the_server_and_a_colon_is_no_border(tmp_path: Path) -> None:
    async with ScriptedServer() as server:
        shell = Shell(tmp_path, server.url)

        async def completed(line: str) -> list[str]:
            # A machine with more to do than this may need several tries within the half second.
            for _ in range(20):
                found = await asyncio.to_thread(shell.completed, line)
                if found != [""]:
                    return found
            raise AssertionError(line)

        [name] = await completed("qwentui --model q")
        family, _, tag = name.partition(":")
        # From the last colon on: what bash replaces begins there.
        assert await completed(f"qwentui -m {family}:") == [tag]
        assert await completed("qwentui model show ") == [name]


def test_a_server_that_says_nothing_is_not_waited_for_and_no_error_shows(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        shell = Shell(tmp_path, f"127.0.0.1:{silent.getsockname()[1]}")
        assert shell.completed("qwentui --model ") == [""]


def test_what_is_broken_completes_nothing_and_says_nothing(shell: Shell) -> None:
    (shell.config / "config.toml").write_text("[screen\n")
    assert shell.completed("qwentui --profile ") == [""]
    assert shell.completed("qwentui --model ") == [""]
    assert shell.completed("qwentui --session ") == [""]


@pytest.mark.parametrize(
    ("program", "script"),
    [
        (["bash", "--norc", "-i"], 'eval "$(qwentui completion bash)"'),
        (["zsh", "-f", "-i"], 'autoload -U compinit; compinit -u; eval "$(qwentui completion zsh)"'),
        (["fish", "--no-config", "-i"], "qwentui completion fish | source"),
    ],
    ids=["bash", "zsh", "fish"],
)
def test_tab_in_a_real_shell_completes_a_setting(program: list[str], script: str) -> None:
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    path = f"{BIN}:{os.environ['PATH']}"
    with Terminal(program, env={"PATH": path}, cols=100, rows=24) as terminal:
        terminal.send(f"{script}; echo re''ady\r")
        terminal.wait_for("ready")
        terminal.send("qwentui config set screen.foo\t")
        terminal.wait_for("screen.footer")
