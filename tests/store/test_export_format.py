"""What docs/export-format.md says of an exported file, and the readers that it names."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.chat.usage import ServerUsage, Usage
from qwentui.store.database import Database
from qwentui.store.jsonl import Format, MessageRecord, SessionRecord, UsageRecord, exported, session_ids
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = (Path(__file__).parents[2] / "docs" / "export-format.md").read_text(encoding="utf-8")
USAGE = Usage(1.62, 5.8, 3.1, ServerUsage(312, None, 218, 4.0, 0.05, 5.2))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "chats.jsonl"
    with closing(Database.open(tmp_path / "sessions.db")) as database:
        store = SessionStore(database)
        for model in ("small", "qwen3"):
            question = store.messages.ask(store.create(model=model), "订单什么时候到?")
            begun = store.messages.begin_reply(question, model=model, options={"num_ctx": 8192})
            reply = Reply(Message(Role.ASSISTANT, "明天\n到货"), FinishReason.STOP, model, USAGE)
            store.messages.finish_reply(begun, reply)
        path.write_bytes(b"".join(exported(database, session_ids(database), Format.JSONL)))
    return path


def _blocks(language: str) -> Iterator[str]:
    for match in re.finditer(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL):
        yield match[1]


def _fields(heading: str) -> set[str]:
    """The names in the first column of the table behind `heading`."""
    rows = DOCUMENT.partition(heading)[2].partition("\n|---")[2].partition("\n\n")[0].splitlines()[1:]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_every_field_is_documented_and_no_other() -> None:
    for heading, record in (("## A session", SessionRecord), ("## A message", MessageRecord)):
        assert _fields(heading) == {"type", *record.__struct_fields__}
    assert _fields("`usage` holds") == set(UsageRecord.__struct_fields__)


def test_every_line_stands_alone_and_has_every_field(file: Path) -> None:
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [record["type"] for record in records] == ["session", "message", "message"] * 2
    for record in records:
        kind = SessionRecord if record["type"] == "session" else MessageRecord
        assert set(record) == {"type", *kind.__struct_fields__}
        msgspec.convert(record, SessionRecord | MessageRecord)


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_it_as_the_document_says(file: Path) -> None:
    (command,) = (block for block in _blocks("sh") if block.startswith("jq"))
    run = subprocess.run(["sh", "-c", command], cwd=file.parent, capture_output=True, text=True, check=True)
    assert [line.split("\t")[1:] for line in run.stdout.splitlines()] == [
        ["small", "54.5"],
        ["qwen3", "54.5"],
    ]


def test_duckdb_reads_it_as_the_document_says(file: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    (command,) = (block for block in _blocks("sh") if block.startswith("duckdb"))
    query = command.partition('"')[2].rpartition('"')[0].replace("chats.jsonl", str(file))
    assert sorted(duckdb.sql(query).fetchall()) == [("qwen3", 1, 218), ("small", 1, 218)]
