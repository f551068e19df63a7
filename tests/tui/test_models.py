from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from model_server import ModelServer, layer, ndjson
from script import Model, Plain, Reply, failure
from textual.widgets import Input, OptionList, Static
from walk import Walk, walking

from qwentui.tui.screens.models import ModelsScreen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PULL = [ndjson({"status": "pulling manifest"}, layer(40, 100), layer(100, 100), {"status": "success"})]
TWO = (Model(), Model(name="llama3.2:3b", digest="c2" * 32, size=2_019_393_189))


QWEN3_32B = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 64,
    "qwen3.context_length": 40960,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.attention.value_length": 128,
}


class Models:
    """A user at the models screen."""

    def __init__(self, walk: Walk) -> None:
        self.walk = walk

    @property
    def said(self) -> str:
        return str(self.walk.app.screen.query_one("#progress", Static).content)

    @property
    def lines(self) -> list[str]:
        options = self.walk.app.screen.query_one(OptionList)
        return [str(options.get_option_at_index(index).prompt) for index in range(options.option_count)]

    async def press(self, *keys: str) -> None:
        await self.walk.pilot.press(*keys)

    async def told(self, text: str) -> None:
        await self.walk.until(lambda: text in self.said)


@asynccontextmanager
async def at_models(tmp_path: Path, server: ModelServer) -> AsyncIterator[Models]:
    async with walking(tmp_path, server.url) as walk:
        await walk.connected()
        await walk.pilot.press("ctrl+o")
        await walk.until(lambda: isinstance(walk.app.screen, ModelsScreen))
        yield Models(walk)


async def test_a_model_is_loaded_and_unloaded(tmp_path: Path) -> None:
    async with ModelServer(models=TWO) as server, at_models(tmp_path, server) as at:
        assert "loaded" not in at.lines[1]
        await at.press("j", "l")
        await at.told("llama3.2:3b is loaded, wholly on the GPU.")
        await at.walk.until(lambda: "loaded" in at.lines[1])
        assert server.last("/api/generate").json["options"] == {"num_ctx": 8192}
        await at.press("u")
        await at.told("leaves the memory")
        await at.walk.until(lambda: "loaded" not in at.lines[1])


async def test_a_model_is_shown(tmp_path: Path) -> None:
    qwen = Model(model_info=QWEN3_32B)
    async with ModelServer(models=(qwen,)) as server, at_models(tmp_path, server) as at:
        await at.press("s")
        await at.told("template: Jinja · can: completion, tools, thinking")
        assert "No num_ctx is set" in at.said
        assert "tokens of context (the KV cache 2.0)" in at.said


async def test_a_model_is_pulled(tmp_path: Path) -> None:
    async with ModelServer(models=TWO, pulls=PULL) as server, at_models(tmp_path, server) as at:
        await at.press("p")
        at.walk.app.screen.query_one(Input).value = "qwq:32b"
        await at.press("enter")
        await at.told("qwq:32b is on 127.0.0.1")
        await at.walk.until(lambda: len(at.lines) == 3)
        assert not at.walk.app.screen.query_one(Input).display


async def test_a_pull_is_stopped_and_nothing_else_begins_meanwhile(tmp_path: Path) -> None:
    server = ModelServer(models=TWO, pulls=[Reply(holds=(0,))])
    async with server, at_models(tmp_path, server) as at:
        await at.press("p")
        at.walk.app.screen.query_one(Input).value = "qwq:32b"
        await at.press("enter")
        await at.walk.until(lambda: server.count("/api/pull") == 1)
        for key in ("l", "d", "enter"):
            await at.press(key)
            await at.told("pulling qwq:32b: esc stops it.")
        assert isinstance(at.walk.app.screen, ModelsScreen)
        await at.press("escape")
        await at.told("Stopped; what has come stays on the server, and pulling qwq:32b again goes on.")
        await at.walk.until(lambda: server.last("/api/pull").hung_up)
        await at.press("escape")
        await at.walk.until(lambda: not isinstance(at.walk.app.screen, ModelsScreen))


async def test_a_model_is_removed_only_by_a_yes(tmp_path: Path) -> None:
    async with ModelServer(models=TWO) as server, at_models(tmp_path, server) as at:
        await at.press("y")
        await at.press("j", "d")
        await at.told("Remove llama3.2:3b (2.0 GB) from the server's disk?")
        await at.press("escape")
        await at.walk.until(lambda: at.said == "")
        await at.press("d")
        await at.told("Remove llama3.2:3b")
        await at.press("k")
        await at.walk.until(lambda: at.said == "")
        await at.press("y")
        assert len(server.models) == 2
        await at.press("j", "d", "y")
        await at.told("llama3.2:3b is removed.")
        await at.walk.until(lambda: len(at.lines) == 1)
        assert [model.name for model in server.models] == ["qwen3:latest"]


async def test_what_the_server_refuses_is_said_in_the_screen(tmp_path: Path) -> None:
    at_paths = {
        "/api/generate": failure(500, "llama-server reported out-of-memory during startup: cudaMalloc")
    }
    at_paths["/api/delete"] = Plain(403)
    async with ModelServer(models=TWO, at=at_paths) as server, at_models(tmp_path, server) as at:
        await at.press("l")
        await at.told("The model does not fit into memory")
        await at.press("d", "y")
        await at.told("denies access")
        await at.press("p", "escape", "escape")
        await at.walk.until(lambda: not isinstance(at.walk.app.screen, ModelsScreen))
