"""Makes docs/qwentui.svg and docs/qwentui-zh.svg, the pictures of the two READMEs: the program, talking to a server.

python tests/picture.py
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

import msgspec
from nvml_stub import NvmlStub
from script import Model, Reply
from scripted_server import ScriptedServer
from svg import picture

from qwentui import language
from qwentui.launch import Launch
from qwentui.store.paths import Paths, shipped
from qwentui.store.settings import Server, Settings
from qwentui.store.themes import load_theme
from qwentui.tui.app import QwentuiApp

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = {language.ENGLISH: "qwentui.svg", language.CHINESE: "qwentui-zh.svg"}
UNLOAD = {language.ENGLISH: "unload", language.CHINESE: "卸载"}

TALK = (
    (
        "订单发货后多久能收到？",
        Reply(
            thinking=("The customer asks about delivery times. ", "Answer by distance, briefly."),
            content=(
                "1. 同城一般 **1 天**内送达。\n",
                "2. 跨省一般 **2–4 天**，以物流页为准。\n",
            ),
            interval=0.02,
        ),
    ),
    (
        "How do I see from the shell how much of the card the model takes?",
        Reply(
            content=(
                "Ask the driver for the card, and Ollama for the model's share:\n\n",
                "```bash\n",
                "nvidia-smi --query-gpu=memory.used,memory.total --format=csv\n",
                "curl -s localhost:11434/api/ps | jq '.models[] | {name, size, size_vram}'\n",
                "```\n\n",
                "| value | meaning |\n|---|---|\n",
                "| `memory.used` | everything on the card, other processes too |\n",
                "| `size_vram` | this model's buffers on the GPU |\n\n",
                "When `size_vram < size`, the rest runs on the CPU, and slowly.\n",
            ),
            interval=0.02,
        ),
    ),
)


def gauges(app: QwentuiApp) -> str:
    """What the last line says."""
    return app.chat.gauges.render_line(0).text


async def draw(unload: str) -> str:
    """The screen after the talk, as SVG."""
    model = Model(name="qwen3-32b-local:latest")
    replies = [reply for _, reply in TALK]
    with tempfile.TemporaryDirectory() as home:
        paths = Paths(*(Path(home) / name for name in ("config", "data", "cache", "state")))
        async with ScriptedServer(*replies, models=(model,)) as server:
            settings = msgspec.structs.replace(Settings(), server=Server(host=server.url))
            app = QwentuiApp(Launch(paths, settings), load_theme("qwentui-dark", [shipped("themes")]))
            async with app.run_test(size=(120, 32)) as pilot:
                for number, (question, _) in enumerate(TALK):
                    app.chat.composer.text = question
                    await pilot.press("enter")
                    await server.until(
                        lambda s, done=number + 1: (
                            sum(r.finished for r in s.requests if "chat" in r.path) == done
                        )
                    )
                    while app.chat.busy:
                        await pilot.pause(0.01)
                app.chat.title_bar.show(host="a10")
                while "/22.2G" not in gauges(app) or unload not in gauges(app):
                    await pilot.pause(0.05)
                await pilot.pause(0.2)
                return picture(app, "qwentui")


def main() -> None:
    """Write the pictures, with an A10 in sight."""
    if "NVML_STUB" not in os.environ:
        # The loader looks for libraries where the environment of a process's start says.
        stub = NvmlStub(Path(tempfile.mkdtemp()))
        stub.say("card0.used 20900", "card0.total 22731", "card0.processes 4242:20400")
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | stub.environ)
    for spoken, name in PICTURES.items():
        language.use(spoken)
        (DOCS / name).write_text(asyncio.run(draw(UNLOAD[spoken])), encoding="utf-8")


if __name__ == "__main__":
    main()
