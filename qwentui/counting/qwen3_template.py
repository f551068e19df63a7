r"""Qwen3's two prompts, rendered without their template languages.

Each template is known by its hash; what it does is written down here anew. What it does for tools is left
out, for no tools are sent.

`render_library` is the Go template of the Ollama library's models:

- The system messages come first, joined, after one empty line more than elsewhere.
- The last user message carries the suffix `/think` or `/no_think`.
- An assistant message that ends the list stays open, so the model goes on with it.

`render_official` is the Jinja template inside the official GGUF files, twenty times as fast as by jinja2:

- Every message stands where it is.
- Assistant messages lose their thoughts, except behind the last question.

In both, a reply without thinking begins with an empty thought.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.message import Message, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

LIBRARY_SHA256 = "ae370d884f108d16e7cc8fd5259ebc5773a0afa6e078b11f4ed7e39a27e0dfc4"
"""Of the Go template of the Ollama library's qwen3 models."""

OFFICIAL_SHA256 = "87a2728cb8dc9fe424d624542f6060ec05a1d285ebbec578bb078900e33396b5"
"""Of the Jinja template in Qwen's own GGUF files of Qwen3."""

_EMPTY_THOUGHT = "<think>\n\n</think>\n\n"

_WHITE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""Go's `unicode.IsSpace`; Python's own idea of whitespace holds U+001C to U+001F too."""


def render_library(messages: Sequence[Message], *, think: bool) -> str:
    """The prompt of `messages`, which are as Ollama hands them to a template (see `collated`)."""
    system = "\n\n".join(message.content for message in messages if message.role is Role.SYSTEM)
    turns = collated(messages)
    last_user = max((i for i, turn in enumerate(turns) if turn.role is Role.USER), default=-1)
    parts = [f"<|im_start|>system\n\n{system}<|im_end|>\n"] if system else []
    for place, turn in enumerate(turns):
        last = place == len(turns) - 1
        if turn.role is Role.USER:
            suffix = "" if place != last_user else " /think" if think else " /no_think"
            parts.append(f"<|im_start|>user\n{turn.content}{suffix}<|im_end|>\n")
        elif turn.role is Role.ASSISTANT:
            parts.append(f"<|im_start|>assistant\n{turn.content}" + ("" if last else "<|im_end|>\n"))
        if last and turn.role is not Role.ASSISTANT:
            parts.append("<|im_start|>assistant\n" + ("" if think else _EMPTY_THOUGHT))
    return "".join(parts)


def render_official(messages: Sequence[Message], *, think: bool) -> str:
    """The prompt of `messages`, the last of which is not the assistant's."""
    question = max(
        (i for i, message in enumerate(messages) if _is_question(message)), default=len(messages) - 1
    )
    parts = []
    for place, message in enumerate(messages):
        content = message.content
        if message.role is Role.ASSISTANT:
            thought, content = _split(content)
            if place > question and (thought or place == len(messages) - 1):
                content = "<think>\n" + thought.strip("\n") + "\n</think>\n\n" + content.lstrip("\n")
        parts.append(f"<|im_start|>{message.role}\n{content}<|im_end|>\n")
    parts.append("<|im_start|>assistant\n" + ("" if think else _EMPTY_THOUGHT))
    return "".join(parts)


def _is_question(message: Message) -> bool:
    """Whether a user asks; what stands between `tool_response` tags is a tool's answer."""
    wrapped = message.content.startswith("<tool_response>") and message.content.endswith("</tool_response>")
    return message.role is Role.USER and not wrapped


def _split(content: str) -> tuple[str, str]:
    """The thought in `content`, and what is said after the last one."""
    if "</think>" not in content:
        return "", content
    sections = content.split("</think>")
    return sections[0].rstrip("\n").split("<think>")[-1].lstrip("\n"), sections[-1].lstrip("\n")


def collated(messages: Sequence[Message]) -> list[Message]:
    """Messages of one role that follow each other, joined by an empty line (Ollama's `template.collate`)."""
    turns: list[Message] = []
    for message in messages:
        if turns and turns[-1].role is message.role:
            turns[-1] = Message(message.role, f"{turns[-1].content}\n\n{message.content}")
        else:
            turns.append(message)
    return turns


def without_old_thoughts(messages: Sequence[Message]) -> list[Message]:
    """Assistant messages before the last user message lose a thought that they begin with.

    Ollama does this for models of the family `qwen3` (`routes.go filterThinkTags`), whatever the template.
    """
    last_user = max((i for i, message in enumerate(messages) if message.role is Role.USER), default=-1)
    return [
        Message(message.role, _answer(message.content))
        if message.role is Role.ASSISTANT and place < last_user
        else message
        for place, message in enumerate(messages)
    ]


def _answer(content: str) -> str:
    """What is left of `content` behind its thought; nothing, if the thought never ends or only begins."""
    begun = content.lstrip(_WHITE)
    if "<think>".startswith(begun):
        return ""
    if not begun.startswith("<think>"):
        return content
    return begun.partition("<think>")[2].partition("</think>")[2].lstrip(_WHITE)
