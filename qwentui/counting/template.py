"""The text of a prompt, as the server will render it from the messages that it is sent.

Ollama 0.30 and later has two ways (`routes.go chatModeForModel`), told apart by the `template` of
`/api/show`: a Jinja template goes to llama-server with the messages, a Go template is filled in by Ollama.
Jinja is rendered by jinja2; of the Go templates, those known by their hash are rendered by code of our own,
and all others are taken for ChatML, which gives a count that is near but not exact.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from qwentui.chat.message import Message, Role
from qwentui.counting.qwen3_template import (
    LIBRARY_SHA256,
    OFFICIAL_SHA256,
    collated,
    render_library,
    render_official,
    without_old_thoughts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from qwentui.counting.vocabulary import Vocabulary

_CHATML_SHA256 = "e3b2721cec511e3a627ae0993753abbf5c72cdf4cfcdbc8f5c33ce15c4c4e04b"
"""Of the ChatML template that Ollama detects for a GGUF by itself (`template/chatml.gotmpl`)."""


class Prompt(NamedTuple):
    """A rendered prompt; `exact` when the server must come to the same text."""

    text: str
    exact: bool


class PromptTemplate(Protocol):
    """Makes one text of messages."""

    def render(self, messages: Sequence[Message], *, think: bool) -> Prompt:
        """The prompt for `messages`, at its end the opening of the reply.

        When the last message is the assistant's, the reply goes on from it, if the template lets it.

        Raises:
            TemplateRefusal: The template takes no such messages; the server would answer with an error.
        """
        ...


class TemplateRefusal(ValueError):
    """A template did not make a prompt of the messages: it raised an exception, or went out of bounds."""


@dataclass(frozen=True, slots=True)
class Preamble:
    """What Ollama does to the messages before any template sees them (`routes.go ChatHandler`).

    `messages` are the Modelfile's MESSAGE lines and come first. `system` is its SYSTEM, used when the
    request does not begin with a system message. `drops_old_thoughts` is true for the family `qwen3`.
    """

    system: str = ""
    messages: tuple[Message, ...] = ()
    drops_old_thoughts: bool = False

    @classmethod
    def of(cls, show: Mapping[str, object]) -> Preamble:
        """From an `/api/show` answer: its `system`, `messages` and `details.family`."""
        system, listed, details = show.get("system"), show.get("messages"), show.get("details")
        return cls(
            system=system if isinstance(system, str) else "",
            messages=tuple(_messages(listed if isinstance(listed, list) else [])),
            drops_old_thoughts=isinstance(details, dict) and details.get("family") == "qwen3",
        )

    def before(self, messages: Sequence[Message]) -> list[Message]:
        """`messages` with all of this done to them."""
        whole = [*self.messages, *messages]
        if self.system and messages and messages[0].role is not Role.SYSTEM:
            whole.insert(0, Message(Role.SYSTEM, self.system))
        return without_old_thoughts(whole) if self.drops_old_thoughts else whole


def _messages(listed: list[object]) -> list[Message]:
    roles = {str(role): role for role in Role}
    return [
        Message(roles[item["role"]], item["content"])
        for item in listed
        if isinstance(item, dict) and item.get("role") in roles and isinstance(item.get("content"), str)
    ]


def template_of(show: Mapping[str, object], vocabulary: Vocabulary) -> PromptTemplate:
    """The template of an `/api/show` answer, by its `template` text."""
    source = show.get("template")
    if not isinstance(source, str):
        return ChatMLTemplate(exact=False)
    known = hashlib.sha256(source.encode(errors="replace")).hexdigest()
    if known == OFFICIAL_SHA256:
        return NativeTemplate(render_official, vocabulary, plain=True)
    if "{%" in source:
        return NativeTemplate(Jinja(source, vocabulary).render, vocabulary, plain="think" not in source)
    if known == LIBRARY_SHA256:
        return LibraryTemplate()
    return ChatMLTemplate(exact=known == _CHATML_SHA256)


class LibraryTemplate:
    """The Go template of the Ollama library's qwen3 models."""

    def render(self, messages: Sequence[Message], *, think: bool) -> Prompt:
        """See `PromptTemplate`."""
        return Prompt(render_library(messages, think=think), exact=True)


class ChatMLTemplate:
    """Ollama's own ChatML template: every turn is closed, so no reply goes on from a partial one.

    `exact` is false where it stands in for a template that is not known.
    """

    def __init__(self, *, exact: bool) -> None:
        self._exact = exact

    def render(self, messages: Sequence[Message], *, think: bool) -> Prompt:  # noqa: ARG002 - the protocol's
        """See `PromptTemplate`."""
        turns = (f"<|im_start|>{turn.role}\n{turn.content}<|im_end|>\n" for turn in collated(messages))
        return Prompt("".join(turns) + "<|im_start|>assistant\n", self._exact)


class _Fill(Protocol):
    """Fills in a template with messages, and opens the reply."""

    def __call__(self, messages: Sequence[Message], *, think: bool) -> str: ...


class NativeTemplate:
    """A GGUF's own chat template, as llama-server applies it with `fill`.

    llama-server takes off a last assistant message, fills in the rest without thinking, and appends that
    message's text; it refuses two assistant messages at the end. A leading BOS is taken off where the
    tokenizer adds one.

    `plain` is true when such a text follows the opening of the reply at once. For templates that think,
    versions of llama-server differ in what they put between the two, or refuse.
    """

    def __init__(self, fill: _Fill, vocabulary: Vocabulary, *, plain: bool) -> None:
        self._plain = plain
        self._fill = fill
        self._bos = vocabulary.bos if vocabulary.adds_bos else ""

    def render(self, messages: Sequence[Message], *, think: bool) -> Prompt:
        """See `PromptTemplate`."""
        if not messages or messages[-1].role is not Role.ASSISTANT:
            return Prompt(self._fill(messages, think=think).removeprefix(self._bos), exact=True)
        *before, partial = messages
        if before and before[-1].role is Role.ASSISTANT:
            raise TemplateRefusal("a conversation cannot end with two messages of the assistant")
        text = self._fill(before, think=False).removeprefix(self._bos) + partial.content
        return Prompt(text, exact=self._plain and not think)


class Jinja:
    """A Jinja template with what llama.cpp offers to it; `now` is the clock for those that tell the date."""

    def __init__(
        self, source: str, vocabulary: Vocabulary, now: Callable[[], datetime] = datetime.now
    ) -> None:
        """Raises TemplateRefusal when `source` is no Jinja, or uses what is not offered."""
        from qwentui.counting.sandbox import BoundedEnvironment

        self._lock = threading.Lock()
        self._environment = BoundedEnvironment(now)
        self._constants = {
            "bos_token": vocabulary.bos,
            "eos_token": vocabulary.eos,
            "add_generation_prompt": True,
        }
        try:
            self._template = self._environment.compiled(source)
        except Exception as error:
            raise TemplateRefusal(str(error)) from error

    def render(self, messages: Sequence[Message], *, think: bool) -> str:
        """The template filled in with `messages`; raises TemplateRefusal when it does not come to an end."""
        listed = [{"role": str(message.role), "content": message.content} for message in messages]
        variables = {**self._constants, "messages": listed, "enable_thinking": think}
        try:
            with self._lock:
                return self._environment.rendered(self._template, variables)
        except Exception as error:
            raise TemplateRefusal(str(error)) from error
