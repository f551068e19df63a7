"""Files that a prompt names: shown before it is sent, in what the server gets, in the transcript, on disk."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from pictures import png
from script import Model, Plain, Reply
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.store.prompt_history import load_prompts
from qwentui.store.settings import Context
from qwentui.tui.transcript.items import Attached, UserItem

if TYPE_CHECKING:
    from pathlib import Path

OK = Reply(content=("ok",))
SEEING = Model(name="qwen2.5vl:7b", capabilities=("completion", "vision"))
NOTES = "buy milk\nand bread\n"
BLOCK = f"```markdown notes.md\n{NOTES}```"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with some files."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "notes.md").write_text(NOTES)
    (folder / "photo.png").write_bytes(png(640, 480))
    return folder


def _files(walk: Walk) -> str:
    files = walk.app.chat.attachment_list
    return str(files.render()) if files.display else ""


def _sent(server: ScriptedServer) -> list[dict[str, object]]:
    return server.last("/api/chat").json["messages"]


@pytest.mark.usefixtures("folder")
async def test_a_file_goes_along_and_the_text_stays_as_it_was_typed(tmp_path: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("what is in @notes.md?")
        await walk.answered()
        content = f"what is in @notes.md?\n\n{BLOCK}"
        assert _sent(server) == [{"role": "user", "content": content}]
        files = (Attached("notes.md · 2 lines", 23, len(content)),)
        assert walk.items[0] == UserItem(content, said=21, files=files)
        await walk.until(lambda: "▸ notes.md · 2 lines" in walk.shown)
        assert "buy milk" not in walk.shown
        await walk.pilot.press("ctrl+r")
        await walk.until(lambda: "▾ notes.md · 2 lines" in walk.shown and "buy milk" in walk.shown)
        await walk.pilot.press("ctrl+r")
        await walk.until(lambda: "buy milk" not in walk.shown)
        prompts = walk.app.launch.paths.prompt_history
        await walk.until(lambda: load_prompts(prompts) == ["what is in @notes.md?"])


async def test_it_is_listed_and_counted_before_it_is_sent(tmp_path: Path, folder: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press(*"see", "space", "@", *"notes.md")
        await walk.until(lambda: "notes.md · 2 lines · ~" in _files(walk))
        session = walk.app.chat.session
        with_file = session.preview(f"see @notes.md\n\n{BLOCK}").count
        gauge = walk.app.chat.gauges
        await walk.until(lambda: f"CTX {with_file} " in gauge.render_line(0).text)
        (folder / "notes.md").write_text(NOTES * 50)
        await walk.pilot.press("space")
        await walk.until(lambda: "notes.md · 100 lines" in _files(walk))
        await walk.pilot.press("ctrl+c")
        await walk.until(lambda: not _files(walk))


async def test_what_is_sent_is_what_the_file_holds_then(tmp_path: Path, folder: Path) -> None:
    script = Reply(content=("one", "two"), holds=(1,))
    async with ScriptedServer(script, OK) as server, walking(tmp_path, server.url, parallel=1) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.until(lambda: server.holding == 1)
        await walk.say("and @notes.md")
        await walk.until(lambda: "and @notes.md" in walk.above)
        (folder / "notes.md").write_text("changed\n")
        server.release()
        await walk.until(lambda: server.count("/api/chat") == 2)
        assert _sent(server)[-1]["content"] == "and @notes.md\n\n```markdown notes.md\nchanged\n```"


async def test_a_file_that_goes_while_the_prompt_waits_brings_it_back(tmp_path: Path, folder: Path) -> None:
    script = Reply(content=("one", "two"), holds=(1,))
    async with ScriptedServer(script, OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("first")
        await walk.until(lambda: server.holding == 1)
        await walk.say("and @notes.md")
        await walk.until(lambda: "and @notes.md" in walk.above)
        (folder / "notes.md").unlink()
        server.release()
        await walk.until(lambda: walk.app.chat.composer.text == "and @notes.md")
        assert any("There is no file notes.md" in notice for notice in walk.notices)
        assert server.count("/api/chat") == 1


@pytest.mark.parametrize("text", ["me@example.org", "@dataclass is a decorator", "ask @alice", "an @ alone"])
@pytest.mark.usefixtures("folder")
async def test_other_words_with_an_at_are_text(tmp_path: Path, text: str) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say(text)
        await walk.answered()
        assert _sent(server) == [{"role": "user", "content": text}]
        assert not walk.notices


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "see @notse.md",
            "There is no file notse.md; notes.md comes closest. Enter sends the text as it is.",
        ),
        ("see @data.bin", "data.bin is no text"),
        ("see @.", ". is a folder with 3 files; name one of them, such as @./data.bin"),
    ],
)
async def test_what_cannot_go_is_told_once(tmp_path: Path, folder: Path, text: str, sentence: str) -> None:
    (folder / "data.bin").write_bytes(b"\x00\x01")
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say(text)
        await walk.until(lambda: any(sentence in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == text
        assert server.count("/api/chat") == 0
        await walk.pilot.press("enter")
        await walk.answered()
        assert _sent(server) == [{"role": "user", "content": text}]


@pytest.mark.usefixtures("folder")
async def test_many_files_that_are_not_there_are_told_in_a_few_sentences(tmp_path: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say(" ".join(f"@types/{name}" for name in "abcde"))
        await walk.until(lambda: any("2 more files cannot go along." in notice for notice in walk.notices))
        assert len(walk.notices) == 4


async def test_control_tokens_in_a_file_are_told_with_its_name(tmp_path: Path, folder: Path) -> None:
    (folder / "notes.md").write_text("<|im_end|>\n")
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see @notes.md")
        await walk.until(lambda: any("notes.md holds <|im_end|>" in notice for notice in walk.notices))
        await walk.pilot.press("enter")
        await walk.answered()
        assert "<|im_end|>" in _sent(server)[-1]["content"]


async def test_files_that_do_not_fit_are_told_before_anything_is_sent(tmp_path: Path, folder: Path) -> None:
    (folder / "notes.md").write_text(NOTES * 200)
    small = Context(budget=200, reply_room=100)
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url, context=small) as walk:
        await walk.connected()
        await walk.say("see @notes.md")
        await walk.until(lambda: any("200 fit" in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == "see @notes.md"
        assert server.count("/api/chat") == 0


async def test_an_edited_message_names_its_files_again(tmp_path: Path, folder: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see @notes.md")
        await walk.answered()
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.until(lambda: walk.app.chat.editing)
        assert walk.app.chat.composer.text == "see @notes.md"
        (folder / "notes.md").write_text("changed\n")
        await walk.pilot.press("!", "enter")
        await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
        [message] = _sent(server)
        assert message["content"] == "see @notes.md!\n\n```markdown notes.md\nchanged\n```"
        assert [file.line for file in walk.items[0].files] == ["notes.md · 1 line"]


async def test_an_edited_message_keeps_a_file_that_is_gone(tmp_path: Path, folder: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see @notes.md")
        await walk.answered()
        (folder / "notes.md").unlink()
        await walk.pilot.press("tab", "K", "K", "e")
        await walk.until(lambda: walk.app.chat.editing)
        await walk.pilot.press("!", "enter")
        await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
        [message] = _sent(server)
        assert message["content"] == f"see @notes.md!\n\n{BLOCK}"


async def test_files_are_on_disk_and_come_back_with_the_chat(tmp_path: Path, folder: Path) -> None:
    models = (SEEING,)
    async with ScriptedServer(OK, models=models) as server:
        async with walking(tmp_path, server.url) as walk:
            await walk.connected()
            await walk.say("see @notes.md and @photo.png")
            await walk.answered()
            shown = walk.items[0]
        (folder / "photo.png").unlink()
        async with walking(tmp_path, server.url, resume="") as walk:
            await walk.until(lambda: walk.items[:1] == [shown])
            await walk.connected()
            await walk.say("again")
            await walk.until(lambda: server.count("/api/chat") == 2)
            first = _sent(server)[0]
            assert first["content"] == f"see @notes.md and @photo.png\n\n{BLOCK}"
            assert base64.b64decode(first["images"][0]) == png(640, 480)


@pytest.mark.usefixtures("folder")
async def test_a_model_that_sees_gets_images(tmp_path: Path) -> None:
    async with ScriptedServer(OK, models=(SEEING,)) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("@", *"photo.png")
        await walk.until(lambda: "photo.png · 640×480 · sent as an image" in _files(walk))
        await walk.until(lambda: "CTX ~" in walk.app.chat.gauges.render_line(0).text)
        await walk.pilot.press("enter")
        await walk.answered()
        [message] = _sent(server)
        assert message["content"] == "@photo.png"
        assert base64.b64decode(message["images"][0]) == png(640, 480)
        assert walk.items[0] == UserItem("@photo.png", "1 image")


@pytest.mark.usefixtures("folder")
async def test_a_model_that_cannot_see_gets_nothing(tmp_path: Path) -> None:
    async with ScriptedServer(OK) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see @photo.png")
        await walk.until(lambda: any("qwen3 cannot see images." in notice for notice in walk.notices))
        await walk.pilot.press("enter")
        await walk.until(lambda: len(walk.notices) == 2)
        assert walk.app.chat.composer.text == "see @photo.png"
        assert "photo.png · 640×480 · qwen3 cannot see images" in _files(walk)
        assert server.count("/api/chat") == 0


@pytest.mark.usefixtures("folder")
async def test_an_openai_server_gets_images_as_parts(tmp_path: Path) -> None:
    at = {
        "/api/version": Plain(404, b"", "text/plain"),
        "/": Plain(404, b"", "text/plain"),
        "/apply-template": Plain(200, b'{"prompt": "rendered"}'),
        "/tokenize": Plain(200, b'{"tokens": [1, 2, 3]}'),
    }
    async with ScriptedServer(OK, at=at) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see @photo.png")
        await walk.answered()
        [message] = server.last("/v1/chat/completions").json["messages"]
        url = f"data:image/png;base64,{base64.b64encode(png(640, 480)).decode()}"
        assert message["content"] == [
            {"type": "text", "text": "see @photo.png"},
            {"type": "image_url", "image_url": {"url": url}},
        ]
        # No image goes out to be counted.
        counted = [request.body for request in server.requests if request.path == "/apply-template"]
        assert not any(b"image_url" in body for body in counted)
