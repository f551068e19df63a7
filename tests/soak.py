"""Many replies, every fifth of them broken in some way, one after the other in one chat program's life."""

from __future__ import annotations

import asyncio
import gc
import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psutil
from script import Fault, Reply, failure
from scripted_server import ScriptedServer

from qwentui.backends.address import Endpoint
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.retry import RetryPolicy
from qwentui.chat.context import TrimPolicy
from qwentui.chat.conversation import Conversation
from qwentui.chat.stream import Restoring, Retrying, TextDelta
from qwentui.counting.counter import PromptCounter
from qwentui.planning import Planner
from qwentui.recording import Recorder
from qwentui.session import ChatOptions, ChatSession
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from script import Answer

_WORDS = (
    "The ",
    "fox\n",
    "```py\n",
    "    x",
    " = ",
    "1\n",
    "好",
    "的",
    "。",
    "👩\u200d💻",
    " ",
    "end. ",
    "**b**",
)
_KINDS: tuple[Fault | int, ...] = (*Fault, 500, 502, 503)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak has shown: bytes of resident memory at its quarters, tasks and sockets that were left."""

    replies: int
    wrong: tuple[int, ...]
    mended: int
    memory: tuple[int, ...]
    tasks: int
    sockets: int


def _script(chance: random.Random, number: int) -> tuple[list[Answer], str]:
    """The answers to one question, broken if its turn has come, and the text that must come of them."""
    content = tuple(chance.choices(_WORDS, k=chance.randint(3, 30)))
    whole = Reply(content, thinking=("hm", " so") if chance.random() < 0.3 else ())
    if number % 5:
        return [whole], "".join(content)
    kind = chance.choice(_KINDS)
    if isinstance(kind, Fault):
        # Silence before the headers is waited for, as loading a model is.
        first = 1 if kind is Fault.SILENCE else 0
        place = chance.randint(first, len(whole.tokens()))
        return [replace(whole, fault=kind, fault_at=place), whole], "".join(content)
    return [failure(kind, "CUDA error"), whole], "".join(content)


async def soak(path: Path, replies: int, seed: int, tell: Callable[[str], None] = lambda _: None) -> Outcome:
    """Ask `replies` questions, a new chat every tenth, and compare every text.

    Args:
        path: A store that is made.
        replies: How many.
        seed: Of the faults and the texts.
        tell: Is told how far it is.
    """
    chance = random.Random(seed)
    process = psutil.Process()
    wrong: list[int] = []
    memory: list[int] = []
    mended = 0
    async with ScriptedServer() as server:
        backend = OllamaBackend(Endpoint(server.url), silence=0.05)
        writer = StoreWriter(path)
        await writer.open()
        before = len(asyncio.all_tasks()) - len(server.connections)
        session = ChatSession(
            backend,
            await backend.details("qwen3:latest"),
            ChatOptions(),
            policy=RetryPolicy(delay=0.0, busy_delay=0.0),
            planner=Planner(TrimPolicy(), PromptCounter()),
            conversation=Conversation(),
            recorder=Recorder(writer),
        )
        for number in range(replies):
            if number % 10 == 0:
                session = session.fresh()
            server.replies, text = _script(chance, number)
            said = ""
            async with session.reply(f"question {number}") as events:
                async for event in events:
                    mended += isinstance(event, Restoring | Retrying)
                    said += event.text if isinstance(event, TextDelta) else ""
            if said != text:
                wrong.append(number)
            server.requests.clear()
            if number % (replies // 4) == replies // 4 - 1:
                gc.collect()
                memory.append(process.memory_info().rss)
                tell(f"{number + 1} replies, {mended} mended, {len(wrong)} wrong, {memory[-1] / 1e6:.1f} MB")
        await backend.aclose()
        writer.close()
        tasks = len(asyncio.all_tasks()) - len(server.connections) - before
    sockets = sum(connection.status == "ESTABLISHED" for connection in process.net_connections())
    return Outcome(replies, tuple(wrong), mended, tuple(memory), tasks, sockets)
