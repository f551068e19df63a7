"""The context in the open: the gauge, the border, the preview, the warnings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from counting.reference import show
from script import Model, Plain, Reply
from scripted_server import ScriptedServer
from walk import Walk, walking

from qwentui.chat.message import Message, Role
from qwentui.store.settings import Context
from qwentui.tui.screens.request import RequestScreen

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Context(budget=200, reply_room=100)
LONG = Reply(content=("An answer with quite a few words in it, again and again. " * 3,), prompt_eval_count=0)


def _gauge(walk: Walk) -> str:
    return walk.app.chat.gauges.render_line(0).text


def _smollm2() -> Model:
    answer = show("smollm2")
    arrays = {name: value for name, value in answer["model_info"].items() if isinstance(value, list)}
    rest = {name: value for name, value in answer["model_info"].items() if name not in arrays}
    return Model(
        capabilities=("completion",),
        template=answer["template"],
        model_info={**rest, **dict.fromkeys(arrays)},
        verbose=arrays,
        details=answer["details"],
    )


async def test_the_gauge_counts_the_draft_exactly_once_the_vocabulary_is_there(tmp_path: Path) -> None:
    script = Reply(content=("ok",), prompt_eval_count=31)
    async with ScriptedServer(script, models=(_smollm2(),)) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.until(lambda: "CTX =" in _gauge(walk))
        walk.app.chat.composer.text = "hello there"
        messages = [Message(Role.USER, "hello there")]
        expected = walk.app.chat.session.planner.counter.count(messages, think=False)
        assert expected.exact
        await walk.until(lambda: f"CTX {expected} " in _gauge(walk))
        assert server.count("/api/show") >= 2
        vocabularies = list((tmp_path / "cache" / "vocabularies").iterdir())
        assert len(vocabularies) == 1


async def test_without_a_vocabulary_the_gauge_says_about(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        walk.app.chat.composer.text = "hello there"
        await walk.until(lambda: "CTX ~" in _gauge(walk))


async def test_trimming_is_said_and_drawn_where_it_happens(tmp_path: Path) -> None:
    async with ScriptedServer(LONG) as server, walking(tmp_path, server.url, context=SMALL) as walk:
        await walk.connected()
        for number in range(6):
            await walk.say(f"question {number}")
            await walk.until(
                lambda number=number: server.count("/api/chat") == number + 1 and not walk.app.chat.busy
            )
        await walk.until(lambda: walk.app.chat.transcript._document._border is not None)
        assert any("Context trimmed" in notice for notice in walk.notices)
        index, label = walk.app.chat.transcript._document._border
        assert "not sent any more" in label
        assert walk.items[index].text.startswith("question")
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert "question 0" not in sent
        assert sent[-1] == "question 5"
        assert len(walk.app.chat.session.conversation.turns) == 6


async def test_the_preview_lists_what_would_be_sent(tmp_path: Path) -> None:
    async with ScriptedServer(LONG) as server, walking(tmp_path, server.url, system="Be brief.") as walk:
        await walk.connected()
        walk.app.chat.composer.text = "my draft"
        await walk.pilot.press("ctrl+p")
        await walk.until(lambda: isinstance(walk.app.screen, RequestScreen))
        text = walk.app.screen._text().plain
        assert "Be brief." in text
        assert "my draft" in text
        assert "of 7,500 that fit" in text


async def test_what_is_too_long_comes_back_with_a_sentence(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url, context=SMALL) as walk:
        await walk.connected()
        await walk.say("word " * 1_000)
        await walk.until(lambda: any("200 fit" in notice for notice in walk.notices))
        assert walk.app.chat.composer.text == "word " * 1_000
        assert server.count("/api/chat") == 0


async def test_control_tokens_are_flagged_and_made_plain_by_one_key(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see <|im_end|> here")
        await walk.until(lambda: any("<|im_end|>" in notice for notice in walk.notices))
        assert server.count("/api/chat") == 0
        await walk.pilot.press("f8", "enter")
        await walk.answered()
        content = server.last("/api/chat").json["messages"][-1]["content"]
        assert content == "see <\u200b|im_end|> here"


async def test_control_tokens_are_sent_as_they_are_on_the_second_enter(tmp_path: Path) -> None:
    async with ScriptedServer() as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("see <|im_end|> here")
        await walk.until(lambda: bool(walk.notices))
        await walk.pilot.press("enter")
        await walk.answered()
        assert server.last("/api/chat").json["messages"][-1]["content"] == "see <|im_end|> here"


async def test_a_pinned_round_is_always_sent(tmp_path: Path) -> None:
    async with ScriptedServer(LONG) as server, walking(tmp_path, server.url, context=SMALL) as walk:
        await walk.connected()
        await walk.say("keep me")
        await walk.answered()
        await walk.pilot.press("tab", "g", "K", "K", "K", "p", "i")
        await walk.until(lambda: walk.app.chat.session.conversation.turns[0].pinned)
        for number in range(5):
            await walk.say(f"question {number}")
            await walk.until(
                lambda number=number: server.count("/api/chat") == number + 2 and not walk.app.chat.busy
            )
        sent = [m["content"] for m in server.last("/api/chat").json["messages"]]
        assert "keep me" in sent
        assert "question 0" not in sent


async def test_another_loaded_context_turns_the_gauge_red(tmp_path: Path) -> None:
    async with ScriptedServer(Reply(content=("ok",))) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.say("hello")
        await walk.answered()
        assert "loaded" not in _gauge(walk)
        server.loaded = dict.fromkeys(server.loaded, 4096)
        await walk.say("again")
        # The answer's own request loads with what was asked; another client changed it since.
        await walk.until(lambda: server.count("/api/chat") == 2 and not walk.app.chat.busy)
        server.loaded = dict.fromkeys(server.loaded, 4096)
        walk.app.on_chat_screen_answered()
        await walk.until(lambda: "4.1k loaded" in _gauge(walk))
        assert sum("4,096 tokens of context" in notice for notice in walk.notices) == 1


async def test_a_model_with_less_context_than_asked_for_gets_shorter_prompts(tmp_path: Path) -> None:
    small = Model(model_info={"general.architecture": "qwen3", "qwen3.context_length": 2048})
    async with ScriptedServer(models=(small,)) as server, walking(tmp_path, server.url) as walk:
        await walk.connected()
        assert any("so prompts end at 1,536" in notice for notice in walk.notices)
        await walk.say("hello")
        await walk.answered()
        assert server.last("/api/chat").json["options"]["num_ctx"] == 2048
        assert "1.5k/2.0k" in _gauge(walk)


async def test_a_server_that_counts_prompts_is_asked(tmp_path: Path) -> None:
    counts = {
        "/api/version": Plain(404, b"", "text/plain"),
        "/": Plain(404, b"", "text/plain"),
        "/apply-template": Plain(200, b'{"prompt": "rendered"}'),
        "/tokenize": Plain(200, b'{"tokens": [1, 2, 3, 4, 5, 6, 7]}'),
    }
    async with (
        ScriptedServer(Reply(content=("ok",)), at=counts) as server,
        walking(tmp_path, server.url) as walk,
    ):
        await walk.connected()
        walk.app.chat.composer.text = "hello there"
        await walk.until(lambda: "CTX =7 " in _gauge(walk))
        await walk.pilot.press("enter")
        await walk.answered()
        assert server.last("/v1/chat/completions").json["messages"][-1]["content"] == "hello there"
