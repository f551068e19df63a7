"""The composer in a real terminal: where an input method puts its window, and long pastes."""

from __future__ import annotations

import sys

import pytest
from script import Reply
from scripted_server import ScriptedServer
from terminal import Terminal

QWENTUI = [sys.executable, "-m", "qwentui"]
SENTENCE = "同城一般一天内送达,跨省一般二到四天,以物流页为准。"


def test_the_cursor_of_the_terminal_is_where_the_next_character_comes() -> None:
    """Input methods show what is being composed at the hardware cursor, which a reply must not take along."""
    script = Reply(content=("第一句。", "第二句。", "第三句。"), holds=(1, 2))
    with (
        ScriptedServer(script).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as term,
    ):
        term.wait_for("qwen3 @ 127")
        row = term.screen.lines - 3
        term.wait_until(lambda: term.cursor() == (3, row))
        term.send("你好")
        term.wait_until(lambda: term.cursor() == (7, row))
        term.send("\r")
        term.wait_for("第一句")
        term.wait_until(lambda: term.cursor() == (3, row))
        term.send("订单a")
        term.wait_until(lambda: term.cursor() == (8, row))
        server.release()
        term.wait_for("第二句")
        term.wait_until(lambda: term.cursor() == (8, row))
        server.release()
        term.wait_for("stop")
        term.wait_until(lambda: term.cursor() == (8, row))


def test_100_kb_of_chinese_are_pasted_whole() -> None:
    text = SENTENCE * (100_000 // 3 // len(SENTENCE))
    with ScriptedServer(Reply(content=("收到",))).in_thread() as server:
        environment = {
            "OLLAMA_HOST": server.url,
            "QWENTUI_MODEL_NUM_CTX": "131072",
            "QWENTUI_CONTEXT_BUDGET": "130000",
        }
        with Terminal(QWENTUI, env=environment) as term:
            term.wait_for("qwen3 @ 127")
            term.send(f"\x1b[200~{text}末\x1b[201~")
            term.wait_for("末")
            term.send("尾\r")
            term.wait_for("收到")
        asked = next(request for request in server.requests if request.path == "/api/chat")
        assert asked.json["messages"][-1]["content"] == f"{text}末尾"


@pytest.mark.parametrize(
    ("key", "seen"),
    [("\x1b[18~", "l  load it now"), ("\x1bOQ", "Gauges, the last"), ("\x10", "The next request")],
)
def test_what_is_typed_right_behind_the_key_that_closes_a_panel_is_not_lost(key: str, seen: str) -> None:
    """Over a slow link they come in one burst."""
    with (
        ScriptedServer(Reply(content=("ok",))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as term,
    ):
        term.wait_for("qwen3 @ 127")
        term.send(key)
        term.wait_for(seen)
        term.send(f"{key}jklq 订单")
        term.wait_for("› jklq 订单")


def test_a_burst_in_the_transcript_and_in_the_list_of_chats_acts_in_its_order() -> None:
    """`i` goes back to the composer, and what is typed behind it is text, not e for edit and o for a pager."""
    with (
        ScriptedServer(Reply(content=("answered",))).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url}) as term,
    ):
        term.wait_for("qwen3 @ 127")
        term.send("question\r")
        term.wait_for("stop")
        term.send("\t")
        term.wait_for("i write")
        term.send("jkihello ")
        term.wait_for("› hello")
        term.send("\x13")
        term.wait_for("Enter opens")
        term.send("jkqthere dup")
        term.wait_for("› hello there dup")
