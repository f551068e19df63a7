from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from cli.shell import QWENTUI, environment, qwentui
from terminal import Terminal

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from pathlib import Path


def answered(data: Path, model: str, *times: float) -> None:
    with closing(Database.open(data / "qwentui" / "sessions.db")) as database:
        store = SessionStore(database)
        session = store.create()
        for ttft in times:
            reply = store.messages.begin_reply(store.messages.ask(session, "q"), model=model)
            usage = Usage(ttft, 3 * ttft, server=ServerUsage(eval_count=50, eval_duration=1.0))
            store.messages.finish_reply(
                reply, Reply(Message(Role.ASSISTANT, "a"), FinishReason.STOP, model, usage)
            )


def test_each_model_has_a_line(tmp_path: Path) -> None:
    answered(tmp_path, "qwen3:32b", 1.0, 2.0, 3.0)
    answered(tmp_path, "模型", 0.5)
    run = qwentui(tmp_path, "stats")
    first, second = run.stdout.decode().splitlines()
    assert first.split("\t")[:6] == ["qwen3:32b", "3", "150", "2.00", "2.00", "2.90"]
    assert second.startswith("模型\t1\t50\t0.50")
    assert (run.returncode, run.stderr) == (0, b"")


def test_records_are_for_other_programs(tmp_path: Path) -> None:
    answered(tmp_path, "m", 1.0)
    (line,) = qwentui(tmp_path, "stats", "--json").stdout.splitlines()
    record = json.loads(line)
    assert (record["model"], record["ttft"]["p95"], record["tokens_per_second"]["p50"]) == ("m", 1.0, 50.0)
    assert "day" not in record
    (line,) = qwentui(tmp_path, "stats", "--json", "--by-day").stdout.splitlines()
    assert len(json.loads(line)["day"]) == 10


def test_a_terminal_gets_columns(tmp_path: Path) -> None:
    answered(tmp_path, "模型", 1.0)
    answered(tmp_path, "qwen3:32b", 12.0)
    with Terminal([*QWENTUI, "stats", "--by-day"], env=environment(tmp_path)) as terminal:
        terminal.wait_exit()
        heading, *rows = [line.rstrip() for line in terminal.screen_text().splitlines() if line.strip()]
    assert heading.startswith("DAY         MODEL      REPLIES")
    assert len(rows) == 2


def test_nothing_timed_is_said(tmp_path: Path) -> None:
    run = qwentui(tmp_path, "stats")
    assert (run.stdout, run.stderr) == (b"", b"qwentui: No reply has been timed yet.\n")
