from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from qwentui.chat.conversation import Reply
from qwentui.chat.errors import StoreError
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.usage_log import Exchange, UsageLog, client_of, load_salt, log_path, record_of

if TYPE_CHECKING:
    from pathlib import Path

SERVER = ServerUsage(prompt_eval_count=12, eval_count=50, eval_duration=0.96, load_duration=0.004)
REPLY = Reply(
    Message(Role.ASSISTANT, "春天来了"), FinishReason.STOP, "qwen3:32b", Usage(1.62, 9.5, server=SERVER)
)
EXCHANGE = Exchange("写春天\n的散文", REPLY, trimmed=True, retries=2)


def written(path: Path, *exchanges: Exchange, **options: Any) -> list[dict[str, Any]]:
    log = UsageLog(path, path.with_name("salt"), {}, **options)
    for exchange in exchanges:
        log.add(exchange)
    log.close()
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_an_exchange_is_one_line_with_all_but_its_text(tmp_path: Path) -> None:
    (record,) = written(tmp_path / "logs" / "chat.log", EXCHANGE)
    assert datetime.fromisoformat(record.pop("time")).tzinfo is not None
    assert record == {
        "client": "local",
        "model": "qwen3:32b",
        "persona": "",
        "prompt_length": 7,
        "response_length": 4,
        "prompt_tokens": 12,
        "tokens": 50,
        "duration": 9500,
        "ttft": 1620,
        "load_duration": 4,
        "prompt_eval_duration": None,
        "eval_duration": 960,
        "trimmed": True,
        "retries": 2,
        "finish_reason": "stop",
    }
    assert stat.S_IMODE((tmp_path / "logs" / "chat.log").stat().st_mode) == 0o600


def test_the_text_is_in_it_only_when_it_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "chat.log"
    (record,) = written(path, EXCHANGE, with_text=True)
    assert (record["prompt"], record["response"]) == ("写春天\n的散文", "春天来了")
    if shutil.which("jq"):
        query = ["jq", "select(.duration > 8000) | .prompt", str(path)]
        found = subprocess.run(query, capture_output=True, check=True).stdout.decode()
        assert json.loads(found) == "写春天\n的散文"


def test_a_client_is_the_same_one_here_and_nobody_elsewhere(tmp_path: Path) -> None:
    ours = {"SSH_CONNECTION": "192.0.2.7 51234 192.0.2.1 22"}
    salt = load_salt(tmp_path / "state" / "salt")
    assert load_salt(tmp_path / "state" / "salt") == salt
    assert client_of(ours, salt) == client_of({"SSH_CONNECTION": "192.0.2.7 9 192.0.2.1 22"}, salt)
    assert client_of(ours, salt) != client_of(ours, b"another machine")
    assert client_of(ours, salt) != client_of({"SSH_CONNECTION": "192.0.2.8 1 1 1"}, salt)
    assert "192" not in client_of(ours, salt)


def test_a_large_file_moves_aside_and_a_few_stay(tmp_path: Path) -> None:
    path = tmp_path / "chat.log"
    line = len(json.dumps(record_of(EXCHANGE, "local", with_text=False, now=datetime.now(UTC))))
    written(path, *[EXCHANGE] * 10, max_bytes=2 * line, keep=2)
    files = sorted(found.name for found in tmp_path.glob("chat.log*"))
    assert files == ["chat.log", "chat.log.1", "chat.log.2"]
    for name in files:
        for text in (tmp_path / name).read_text("utf-8").splitlines():
            assert json.loads(text)["tokens"] == 50


def test_none_stays_where_none_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "chat.log"
    assert len(written(path, *[EXCHANGE] * 3, max_bytes=1, keep=0)) == 1
    assert [found.name for found in tmp_path.glob("chat.log*")] == ["chat.log"]


def _write_many(path: Path) -> None:
    written(path, *[EXCHANGE] * 200)


def test_two_programs_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "chat.log"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write_many, args=(path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 400
    assert all(json.loads(line)["retries"] == 2 for line in lines)


def test_a_disk_that_refuses_is_told_of_once_and_costs_nothing_else() -> None:
    told: list[str] = []
    from pathlib import Path

    # procfs takes no files, whoever asks.
    log = UsageLog(Path("/proc/chat.log"), Path("/proc/salt"), os.environ, warn=told.append)
    log.add(EXCHANGE)
    log.add(EXCHANGE)
    log.close()
    assert len(told) == 1
    assert told[0].startswith("The usage log /proc/chat.log cannot be written: ")


def test_a_folder_is_no_log(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        log_path(str(tmp_path))
