"""`qwentui compare` as a shell runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cli.shell import asking, talking_to
from script import Fault, Reply, failure
from scripted_server import ScriptedServer, ThreadedServer
from terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

FIRST = Reply(content=("一二三四五六七八九十" * 6, "\n\n\tcode [b]"), prompt_eval_count=40)
SECOND = Reply(content=("short", " \x1b[31mone"), thinking=("hm",), prompt_eval_count=9)
BOTH = ("--persona", "shop", "--persona", "none")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / ".config" / "qwentui" / "personas"
    folder.mkdir(parents=True)
    (folder / "shop.toml").write_text(
        'name = "电商客服"\nsystem = "你是客服。"\nnum_ctx = 4096\nmodel = "llama"\n', encoding="utf-8"
    )
    return tmp_path


def _compare(
    home: Path, server: str, *arguments: str, piped: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    return asking(home, server, "compare", *arguments, piped=piped)


def _asked(server: ThreadedServer) -> list[dict[str, Any]]:
    return [request.json for request in server.requests if request.path == "/api/chat"]


def test_both_answers_stand_below_each_other_over_their_figures(home: Path) -> None:
    with ScriptedServer(FIRST, SECOND).in_thread() as server:
        run = _compare(home, server.url, *BOTH, "which", "one?", piped=b"more\n")
        one, other = _asked(server)
    assert run.returncode == 0
    assert one["messages"] == [
        {"role": "system", "content": "你是客服。"},
        {"role": "user", "content": "which one?\n\nmore"},
    ]
    assert other["messages"] == [{"role": "user", "content": "which one?\n\nmore"}]
    assert (one["options"], one["model"]) == (other["options"], other["model"])
    assert one["options"]["num_ctx"] == 8192
    text = run.stdout.decode()
    assert text.startswith("A  电商客服\n\n一二三四五六七八九十")
    assert "\n\nB  no persona\n\nshort ␛[31mone\n\n" in text
    figures = [line.split("\t") for line in text.splitlines() if "\t" in line and "code" not in line]
    assert figures[0] == ["tokens", "2", "3", "+1"]
    assert figures[4] == ["prompt tokens", "40", "9", "-31"]
    assert figures[-1] == ["ended by", "stop", "stop", ""]
    assert run.stderr.decode().splitlines() == [
        "qwentui: 电商客服 wants 4,096 tokens of context; 8,192 stay, or the model would reload.",
        "qwentui: 电商客服 wants the model llama; qwen3 answers.",
    ]


def test_both_get_the_same_file(home: Path) -> None:
    (home / "notes.md").write_text("# Notes\n")
    with ScriptedServer(FIRST, SECOND).in_thread() as server:
        run = _compare(home, server.url, "--file", str(home / "notes.md"), *BOTH, "which?")
        one, other = (asked["messages"][-1]["content"] for asked in _asked(server))
    assert run.returncode == 0, run.stderr
    assert one == other
    assert "# Notes" in one


def test_json_is_a_record_an_answer(home: Path) -> None:
    with ScriptedServer(FIRST, SECOND).in_thread() as server:
        run = _compare(home, server.url, "--json", *BOTH, "which?")
    one, other = map(json.loads, run.stdout.splitlines())
    assert (one["persona"], other["persona"]) == ("电商客服", "")
    assert (other["content"], other["thinking"], other["finish_reason"]) == ("short ␛[31mone", "hm", "stop")
    assert one["prompt_eval_count"] == 40


def test_a_broken_answer_is_shown_the_other_is_asked_and_the_exit_code_tells(home: Path) -> None:
    broken = Reply(content=("half", "more"), fault=Fault.CUT, fault_at=1)
    with ScriptedServer(broken, failure(400, "no more of that"), SECOND).in_thread() as server:
        run = _compare(home, server.url, "--json", *BOTH, "which?")
    one, other = map(json.loads, run.stdout.splitlines())
    assert run.returncode == 1
    assert (one["content"], one["finish_reason"]) == ("half", "error")
    assert "no more of that" in one["error"]
    assert other["finish_reason"] == "stop"
    assert b"no more of that" in run.stderr
    assert b"Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--persona", "shop", "hi"), "takes two personas"),
        (("--persona", "shop", "--persona", "zzz", "hi"), "no persona 'zzz'"),
        (BOTH, "nothing to ask"),
        ((*BOTH, "--model", "gemma", "hi"), "has no model 'gemma'"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(home: Path, arguments: tuple[str, ...], sentence: str) -> None:
    with ScriptedServer().in_thread() as server:
        run = _compare(home, server.url, *arguments)
        assert _asked(server) == []
    assert (run.returncode, run.stdout) == (2, b"")
    assert sentence in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


def test_ctrl_c_shows_what_came_and_asks_nobody_else(home: Path) -> None:
    with ScriptedServer(Reply(content=("one ", "two"), holds=(1,))).in_thread() as server:
        run = subprocess.Popen(
            [sys.executable, "-m", "qwentui", "compare", *BOTH, "hello"],
            env=talking_to(home, server.url),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert run.stdout is not None
        head = run.stdout.read(len("A  电商客服\n\none ".encode()))
        run.send_signal(signal.SIGINT)
        rest, stderr = run.communicate(timeout=30)
        assert len(_asked(server)) == 1
    assert run.returncode == 130
    assert b"Traceback" not in stderr
    assert (head + rest).decode().startswith("A  电商客服\n\none \ntokens\t")
    assert "ended by\tstopped by you\t-\t" in rest.decode()


def test_the_first_may_stand_before_the_command(home: Path) -> None:
    with ScriptedServer(SECOND).in_thread() as server:
        run = subprocess.run(
            [sys.executable, "-m", "qwentui", "--persona", "shop", "compare", "--persona", "None", "hi"],
            env=talking_to(home, server.url),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=60,
        )
        assert [len(request["messages"]) for request in _asked(server)] == [2, 1]
    assert run.returncode == 0


@pytest.mark.parametrize("cols", [100, 99])
def test_a_wide_terminal_has_the_answers_side_by_side(home: Path, cols: int) -> None:
    with ScriptedServer(FIRST, SECOND).in_thread() as server:
        environment = {"OLLAMA_HOST": server.url, "XDG_CONFIG_HOME": str(home / ".config")}
        argv = [sys.executable, "-m", "qwentui", "compare", *BOTH, "which?"]
        with Terminal(argv, env=environment, cols=cols, rows=40) as terminal:
            assert terminal.wait_exit() == 0
            terminal.wait_for("ended by")
            lines = terminal.screen_text().splitlines()
    beside = [line for line in lines if "│" in line]
    if cols == 100:
        assert beside[0].split("│")[0].strip() == "A  电商客服"
        assert {line.index("│") for line in map(_by_cells, beside)} == {49}
        assert beside[2].rstrip().endswith("│ short ␛[31mone")
        assert any("    code [b]" in line for line in beside)
    else:
        assert beside == []
    assert any(line.split() == ["tokens", "2", "3", "+1"] for line in lines)


def _by_cells(line: str) -> str:
    """A line with two characters for each that takes two cells."""
    return "".join(character if character < "\u2e80" else "##" for character in line)
