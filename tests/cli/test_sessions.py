from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from cli.shell import QWENTUI, chat, qwentui
from hypothesis import given
from hypothesis import strategies as st
from terminal import Terminal

from qwentui.cli.sessions import _marked
from qwentui.tui.transcript.wrap import cells

if TYPE_CHECKING:
    from pathlib import Path

BOLD = re.compile("\x1b\\[1m(.*?)\x1b\\[0m")


def test_chats_come_in_tabs_the_pinned_then_the_newest_first(tmp_path: Path) -> None:
    old = chat(tmp_path, "why?", "so", days=2.5, title="old\x1b[31m")
    new = chat(tmp_path, "今天天气怎么样?", "晴", "明天呢?", "雨")
    pinned = chat(tmp_path, "x", "y", days=400, pinned=True)
    run = qwentui(tmp_path, "sessions")
    rows = [line.split("\t") for line in run.stdout.decode().splitlines()]
    assert (run.returncode, run.stderr) == (0, b"")
    assert rows[0][0] == pinned
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", rows[0][1])
    assert rows[1:] == [
        [new, "now", "2", "qwen3:32b", "今天天气怎么样?"],
        [old, "2 d", "1", "qwen3:32b", "old␛[31m"],
    ]


@pytest.mark.parametrize(("words", "sentence"), [((), "no chats yet"), (("天气",), "Nothing holds that")])
def test_nothing_found_is_one_sentence(tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    run = qwentui(tmp_path, "sessions", *words)
    assert (run.returncode, run.stdout) == (0, b"")
    assert sentence in run.stderr.decode()
    assert run.stderr.count(b"\n") == 1


@pytest.mark.parametrize("words", [("雨",), ("可能", "明天"), ("明天可能",)])
def test_words_of_any_length_are_found_in_their_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    chat(tmp_path, "hello", "hi")
    session = chat(tmp_path, "天气?", "今天晴朗。明天可能下雨。后天不知道。", title="Beijing")
    run = qwentui(tmp_path, "sessions", *words)
    assert run.stdout.decode() == f"{session}\tnow\tassistant\tBeijing\t…明天可能下雨。…\n"


def test_json_is_a_record_a_line(tmp_path: Path) -> None:
    chat(tmp_path, "old", "x", days=1)
    session = chat(tmp_path, "new", "x", tags=("work",))
    run = qwentui(tmp_path, "sessions", "--json", "--limit", "1")
    record = json.loads(run.stdout)
    assert run.stdout.count(b"\n") == 1
    assert b"--limit N shows more" in run.stderr
    assert (record["id"], record["title"], record["rounds"], record["tags"]) == (session, "new", 1, ["work"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*Z", record["updated_at"])


def test_json_tells_where_the_words_stand(tmp_path: Path) -> None:
    session = chat(tmp_path, "say it", "First. 天气 and The WEATHER here. Last.", title="t")
    (line,) = qwentui(tmp_path, "sessions", "--json", "weather").stdout.splitlines()
    record = json.loads(line)
    assert (record["session"], record["title"], record["role"]) == (session, "t", "assistant")
    assert [record["snippet"][start:end] for start, end in record["matches"]] == ["WEATHER"]


def _screen(data: Path, *arguments: str, cols: int) -> Terminal:
    with Terminal(
        [*QWENTUI, "sessions", *arguments], env={"XDG_DATA_HOME": str(data)}, cols=cols, rows=12
    ) as terminal:
        assert terminal.wait_exit() == 0
        return terminal


def _lines(terminal: Terminal) -> list[str]:
    return [line for row in terminal.cells() if (line := "".join(cell.data for cell in row).rstrip())]


@pytest.mark.parametrize("cols", [44, 61, 200])
def test_a_terminal_shows_columns_that_fit(tmp_path: Path, cols: int) -> None:
    chat(tmp_path, "today", "x", title="天气" * 40)
    chat(tmp_path, "b", "x", title="short", days=3, pinned=True)
    heading, first, second = _lines(_screen(tmp_path, cols=cols))
    assert heading.split() == ["ID", "AGE", "ROUNDS", "MODEL", "TITLE"]
    assert heading.index("TITLE") == first.index("* short")
    assert heading.index("TITLE") == second.index("天")
    assert second.endswith("天气" if cols == 200 else "…")
    assert cells(second) <= cols


def test_a_terminal_shows_the_words_bold_within_what_fits(tmp_path: Path) -> None:
    session = chat(tmp_path, "q", "前" * 60 + "天气" + "后" * 60, title="t")
    terminal = _screen(tmp_path, "天气", cols=40)
    head, find = _lines(terminal)
    assert head == f"{session}  now  t"
    assert re.fullmatch("  assistant: …前+天气后+…", find)
    bold = [cell.data for row in terminal.cells() for cell in row if cell.bold]
    assert "".join(bold) == "天气"


def test_a_find_in_a_title_is_one_line(tmp_path: Path) -> None:
    session = chat(tmp_path, "q", "a", title="Rust and C")
    assert _lines(_screen(tmp_path, "rust", cols=60)) == [f"{session}  now  Rust and C"]


def test_a_damaged_store_is_mended_and_listed(tmp_path: Path) -> None:
    chat(tmp_path, "still here", "x")
    store = tmp_path / "qwentui" / "sessions.db"
    whole = store.read_bytes()
    store.write_bytes(b"\0" * 100 + whole[100:])
    run = qwentui(tmp_path, "sessions")
    assert run.returncode == 0
    assert b"still here" in run.stdout
    assert b"was damaged: 2 messages in 1 chats could be read" in run.stderr
    assert qwentui(tmp_path, "sessions").stderr == b""


@given(
    text=st.text(st.sampled_from("ab 天气。é\u0301👍🏽👨\u200d👩\U0001f1e9\U0001f1ea…"), max_size=80),
    room=st.integers(4, 90),
    data=st.data(),
)
def test_a_sentence_is_cut_to_its_room_around_the_match(text: str, room: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, max(len(text) - 1, 0)))
    line = _marked(text, [(at, at + 1)] if text else [], room)
    plain = line.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert cells(plain) <= room
    assert plain.removeprefix("…").removesuffix("…") in text
    if text:
        assert BOLD.findall(line) == [text[at]]
