"""What every backend offers, and the values that pass through it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from qwentui.chat.sampling import Sampling, Think

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from qwentui.chat.message import Message
    from qwentui.chat.stream import StreamEvent


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for a reply.

    `num_ctx` is sent whenever it is given, and always the same within a session: another value reloads the
    model. `num_predict` bounds the reply in tokens. `keep_alive` is a Go duration ("5m") or a number of
    seconds as text. Backends leave out what their protocol does not know.

    `paced` lets the pieces of a fast reply gather for a frame of the screen, which is a tenth of the work;
    who measures has each as it comes.
    """

    model: str
    messages: tuple[Message, ...]
    think: Think = None
    sampling: Sampling = Sampling()
    num_ctx: int | None = None
    num_predict: int | None = None
    keep_alive: str | None = None
    paced: bool = True


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model that the server has (`/api/tags`, `/v1/models`); `size` in bytes, None when not told."""

    name: str
    digest: str = ""
    size: int | None = None
    parameter_size: str = ""
    quantization_level: str = ""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is in memory now (`/api/ps`); sizes in bytes, `expires_at` as RFC 3339 text."""

    name: str
    digest: str = ""
    size: int | None = None
    size_vram: int | None = None
    context_length: int | None = None
    expires_at: str = ""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What one model can do (`/api/show`), and which one it is.

    `context_length` is the most that it takes there, in tokens; `digest` is the one of its manifest
    (`/api/tags`, 64 hex digits), "" where the server tells none.
    """

    name: str
    capabilities: frozenset[str] = frozenset()
    template: str = ""
    context_length: int | None = None
    digest: str = ""

    @property
    def can_think(self) -> bool:
        """Whether the `think` field may be sent."""
        return "thinking" in self.capabilities

    @property
    def can_see(self) -> bool:
        """Whether messages may have images."""
        return "vision" in self.capabilities


class Backend(Protocol):
    """A server that holds models.

    Every method raises a `BackendError` for what the server or the way to it does wrong, and nothing else
    but programming errors and cancellation.
    """

    @property
    def host(self) -> str:
        """The address as a user reads it: no scheme, no credentials."""

    async def version(self) -> str:
        """The server's version, or its name where it tells no version; the cheapest sign of life."""

    async def models(self) -> tuple[ModelSummary, ...]:
        """The models that can be chosen, in the server's order."""

    async def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory; empty also where the server does not tell."""

    async def details(self, model: str) -> ModelDetails:
        """What `model` can do."""

    async def count_prompt(self, request: ChatRequest) -> int | None:
        """The prompt tokens that the server itself counts for `request`, None where it does not count."""

    async def continues(self, request: ChatRequest) -> bool | None:
        """Whether the model would go on from the last message of `request`, an assistant's partial one.

        None where the server does not tell.
        """

    async def preload(self, model: str, num_ctx: int | None, keep_alive: str | None) -> None:
        """Load `model`, and return once it is in memory; being cancelled aborts the load.

        Args:
            model: Its name.
            num_ctx: The context size in tokens; another one than the next chat's would load it twice.
            keep_alive: How long it stays, as in `ChatRequest`; it also changes that of a loaded one.
        """

    async def unload(self, model: str) -> None:
        """Have `model` leave the memory as soon as its running requests are done."""

    def stream(self, request: ChatRequest) -> AbstractAsyncContextManager[AsyncIterator[StreamEvent]]:
        """Ask for a reply; the events end with `Finished`, or with a `BackendError`.

        Leaving the block closes the connection, which stops the model.
        """

    async def aclose(self) -> None:
        """Close every connection, and end what the backend itself has started."""
