"""What one reply of a backend came to: every event, the text, and the error if there was one."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from qwentui.backends.base import ChatRequest
from qwentui.backends.ollama import OllamaBackend
from qwentui.backends.openai import OpenAIBackend
from qwentui.chat.errors import BackendError
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import Draft, Finished, Phase, PhaseChanged, RequestSent, StreamEvent

if TYPE_CHECKING:
    from qwentui.backends.base import Backend

B = TypeVar("B", OllamaBackend, OpenAIBackend)


class Connect(Protocol):
    """Makes a backend of the kind for a server's URL, and closes it after the test."""

    def __call__(self, kind: type[B], url: str, *, silence: float = 10.0) -> B: ...


HELLO = ChatRequest("qwen3", (Message(Role.USER, "hello"),))


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a reader of the stream has seen."""

    events: tuple[StreamEvent, ...]
    error: BackendError | None

    @property
    def message(self) -> Message:
        draft = Draft()
        for event in self.events:
            draft.feed(event)
        return draft.message()

    @property
    def finished(self) -> Finished | None:
        return next((event for event in self.events if isinstance(event, Finished)), None)

    @property
    def replies(self) -> tuple[StreamEvent, ...]:
        """All events but those on the way to the first token, which depend on time."""
        return tuple(event for event in self.events if not isinstance(event, PhaseChanged | RequestSent))

    @property
    def phases(self) -> tuple[Phase, ...]:
        return tuple(event.phase for event in self.events if isinstance(event, PhaseChanged))


async def outcome_of(backend: Backend, request: ChatRequest = HELLO) -> Outcome:
    """Read one reply to its end, whatever that is."""
    events: list[StreamEvent] = []
    try:
        async with backend.stream(request) as stream:
            async for event in stream:
                events.append(event)  # noqa: PERF401 - what came before an error counts
    except BackendError as error:
        return Outcome(tuple(events), error)
    return Outcome(tuple(events), None)


async def nothing_left() -> None:
    """Wait until this task is the last one; whatever was leaked is found by the garbage collector."""
    gc.collect()
    async with asyncio.timeout(10):
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)
