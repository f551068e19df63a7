from __future__ import annotations

import json
import shutil
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cli.shell import QWENTUI, chat, environment, qwentui
from terminal import Terminal

from qwentui.chat.errors import StoreError
from qwentui.cli.export import command as export
from qwentui.store import connections
from qwentui.store.leaves import PAGE_SIZE

if TYPE_CHECKING:
    from pathlib import Path


def _records(lines: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_what_is_exported_and_imported_is_exported_again_byte_for_byte(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    chat(first, "今天天气怎么样?", "晴\n\n```py\nx\n```", "and?", "雨", tags=("work",), pinned=True)
    chat(first, "hello", "hi", days=3)
    file = tmp_path / "chats.jsonl"
    file.write_bytes(qwentui(first, "export", "--all").stdout)
    run = qwentui(second, "import", file)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.decode() == f"{file}: 6 messages in 2 new chats added.\n"
    assert qwentui(second, "export").stdout == file.read_bytes()
    again = qwentui(second, "import", file)
    assert (again.returncode, again.stdout.decode()) == (
        0,
        f"{file}: nothing added, 6 messages there already.\n",
    )


def test_a_file_that_has_grown_adds_what_is_new(tmp_path: Path) -> None:
    first, second, file = tmp_path / "first", tmp_path / "second", tmp_path / "chats.jsonl"
    chat(first, "one", "1", days=1)
    qwentui(first, "export", "-o", file)
    qwentui(second, "import", file)
    chat(first, "two", "2")
    qwentui(first, "export", "-o", file)
    run = qwentui(second, "import", file)
    assert run.stdout.decode() == f"{file}: 2 messages in 1 new chat added, 2 messages there already.\n"


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
def test_jq_reads_an_export(tmp_path: Path) -> None:
    chat(tmp_path, "今天天气怎么样?", "晴", "and?", "two")
    program = 'select(.type == "message" and .role == "assistant") | [.content, .finish_reason, .model]'
    run = subprocess.run(
        ["jq", "-c", program], input=qwentui(tmp_path, "export").stdout, capture_output=True, check=True
    )
    assert run.stdout.decode() == '["晴","stop","qwen3:32b"]\n["two","stop","qwen3:32b"]\n'


def test_the_forms_for_tuning_and_for_reading(tmp_path: Path) -> None:
    session = chat(tmp_path, "q", "a", title="Title")
    assert _records(qwentui(tmp_path, "export", "--format", "openai").stdout) == [
        {"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    ]
    text = qwentui(tmp_path, "export", "--format", "markdown").stdout.decode()
    assert text.startswith("# Title\n")
    assert session in text
    assert text.endswith("## You\n\nq\n\n## qwen3:32b\n\na\n\n")


def test_chats_are_chosen_by_id_by_tag_and_by_date(tmp_path: Path) -> None:
    old = chat(tmp_path, "old", "x", days=10, tags=("work",))
    new = chat(tmp_path, "new", "x", days=1, tags=("work", "home page"))
    last = chat(tmp_path, "last", "x")

    def chosen(*arguments: str) -> list[object]:
        lines = qwentui(tmp_path, "export", *arguments).stdout
        return [record["id"] for record in _records(lines) if record["type"] == "session"]

    since = (datetime.now(UTC) - timedelta(days=5)).strftime("%Y-%m-%d")
    assert chosen() == chosen("--all") == [old, new, last]
    assert chosen(last, old, old[:9]) == [last, old]
    assert chosen("--tag", "work") == [old, new]
    assert chosen("--since", since) == [new, last]
    assert chosen("--since", since + "T00:00+01:00", "--tag", "home  page") == [new]
    assert qwentui(tmp_path, "export", "--tag", "nope").stderr == b"qwentui: There are no such chats.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nope",), "There is no session 'nope'"),
        (("--since", "yesterday"), "2026-01-31"),
        (("x", "--all"), "either IDs"),
        (("x", "--tag", "y"), "either IDs"),
        (("-o", "/dev/full"), "/dev/full cannot be written: No space left"),
        (("-o", "/dev"), "/dev cannot be written: Is a directory"),
        (("-o", "none/file"), "none/file cannot be written: No such file"),
    ],
)
def test_what_cannot_be_exported_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    chat(tmp_path, "q", "a")
    run = qwentui(tmp_path, "export", *arguments)
    assert (run.returncode, run.stdout) == (2, b"")
    assert sentence in run.stderr.decode()
    assert b"Traceback" not in run.stderr


def test_a_file_is_private_and_replaced_only_as_a_whole(tmp_path: Path) -> None:
    session = chat(tmp_path / "data", "q", "a")
    folder = tmp_path / "out"
    folder.mkdir()
    file = folder / "chats.jsonl"
    file.write_text("before")
    file.chmod(0o644)
    assert qwentui(tmp_path / "data", "export", "nope", "-o", file).returncode == 2
    assert file.read_text() == "before"
    (folder / "link").symlink_to("chats.jsonl")
    run = qwentui(tmp_path / "data", "export", session, "-o", folder / "link")
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == qwentui(tmp_path / "data", "export").stdout
    assert {path.name for path in folder.iterdir()} == {"chats.jsonl", "link"}


def test_a_reader_that_leaves_is_no_traceback(tmp_path: Path) -> None:
    chat(tmp_path, *["long " * 20_000] * 20)
    run = subprocess.run(
        f"{' '.join(QWENTUI)} export | head -c 5",
        shell=True,
        env=environment(tmp_path),
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (run.stdout, run.stderr) == (b'{"typ', b"")


def test_a_full_disk_behind_standard_output_is_one_sentence(tmp_path: Path) -> None:
    chat(tmp_path, "q", "a")
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path of ours
        run = qwentui(tmp_path, "export", stdout=full.fileno())
    assert run.returncode == 2
    assert run.stderr == b"qwentui: Standard output cannot be written: No space left on device.\n"


def test_progress_shows_on_a_terminal_and_goes_away(tmp_path: Path) -> None:
    chat(tmp_path, "q", "a")
    for arguments, sign in (
        (("export", "-o", "x.jsonl"), b"chat 1 of 1"),
        (("import", "x.jsonl"), b"line 3"),
    ):
        with Terminal(
            ["sh", "-c", 'cd "$0"; exec "$@"', str(tmp_path), *QWENTUI, *arguments],
            env={"XDG_DATA_HOME": str(tmp_path)},
        ) as terminal:
            assert terminal.wait_exit() == 0
            assert sign in terminal.raw
            assert sign.decode() not in terminal.screen_text()


def test_nothing_that_was_said_commands_the_terminal(tmp_path: Path) -> None:
    chat(tmp_path, "q\x1b]0;hello\x07", "a")
    with Terminal(
        [*QWENTUI, "export", "--format", "markdown"], env={"XDG_DATA_HOME": str(tmp_path)}
    ) as terminal:
        assert terminal.wait_exit() == 0
        assert "␛]0;hello␇" in terminal.screen_text()
    assert "\x1b]0;hello\x07" in qwentui(tmp_path, "export", "--format", "markdown").stdout.decode()


def test_bad_lines_are_told_by_number_and_the_rest_is_imported(tmp_path: Path) -> None:
    chat(tmp_path / "first", "one", "1")
    session, question, reply = qwentui(tmp_path / "first", "export").stdout.splitlines(keepends=True)
    file = tmp_path / "chats.jsonl"
    file.write_bytes(session + b"{\n" + question + b'{"messages": 7}\n\xff\n' + reply)
    run = qwentui(tmp_path / "second", "import", file, tmp_path / "nowhere")
    told = run.stderr.decode().splitlines()
    assert run.returncode == 1
    assert [line.removeprefix(f"{file}:").split(":")[0] for line in told[:3]] == ["2", "4", "5"]
    assert told[3:] == [f"qwentui: {tmp_path / 'nowhere'} cannot be read: No such file or directory."]
    assert run.stdout.decode() == f"{file}: 2 messages in 1 new chat added.\n"
    assert qwentui(tmp_path / "second", "export").stdout == session + question + reply


def test_other_programs_files_are_imported(tmp_path: Path) -> None:
    lines, tree = tmp_path / "tuning.jsonl", tmp_path / "conversations.json"
    lines.write_text(
        '{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}\n'
    )
    message = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["ChatGPT?"]}}
    mapping = {"root": {}, "1": {"message": message, "parent": "root"}}
    tree.write_text(json.dumps([{"id": "c", "title": "T", "current_node": "1", "mapping": mapping}]))
    run = qwentui(tmp_path, "import", lines, tree)
    assert run.returncode == 0
    assert run.stdout.decode() == (
        f"{lines}: 2 messages in 1 new chat added.\n{tree}: 1 message in 1 new chat added.\n"
    )


@pytest.mark.parametrize("arguments", [("export",), ("sessions",), ("import", __file__)])
def test_a_store_that_cannot_be_opened_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "qwentui").write_text("no folder")
    run = qwentui(tmp_path, *arguments)
    assert (run.returncode, run.stdout) == (2, b"")
    assert run.stderr.count(b"\n") == 1
    assert b"cannot be written" in run.stderr
    assert b"in memory" not in run.stderr


def _damage(data: Path) -> None:
    """Lose the way to the end of a long message that was written late."""
    store = data / "qwentui" / "sessions.db"
    pages = bytearray(store.read_bytes())
    # A page of a long text begins with the number of the next one.
    full = [at for at in range(0, len(pages), PAGE_SIZE) if _is_text(pages[at : at + PAGE_SIZE])]
    pages[full[-1] : full[-1] + 4] = b"\xff" * 4
    store.write_bytes(pages)


def _is_text(page: bytearray) -> bool:
    return page[:4] != bytes(4) and not page[4:].strip(b"tex ")


@pytest.mark.parametrize("to_file", [False, True])
def test_damage_that_shows_while_exporting_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], to_file: bool
) -> None:
    chat(tmp_path, *["text " * 2000] * 40)
    _damage(tmp_path)
    monkeypatch.setattr(connections, "CHECKED_SIZE", 0)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = tmp_path / "out.jsonl"
    if to_file:
        export.main(["-o", str(file)], standalone_mode=False)
        lines = file.read_bytes()
    else:
        with pytest.raises(StoreError, match="not complete"):
            export.main([], standalone_mode=False)
        capfd.readouterr()
        export.main([], standalone_mode=False)
        lines = capfd.readouterr().out.encode()
    assert [record["type"] for record in _records(lines)][:2] == ["session", "message"]
    assert len(list((tmp_path / "qwentui").glob("*.damaged-*"))) == 1
