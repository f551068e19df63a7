"""Where a loaded model lies, in words: an overflow to the CPU is silent on the server, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwentui.backends.base import LoadedModel


def place(model: LoadedModel) -> str:
    """Answers "GPU", "CPU", the share on the CPU, or "" where the server does not tell."""
    if not model.size or model.size_vram is None:
        return ""
    if model.size_vram >= model.size:
        return "GPU"
    if not model.size_vram:
        return "CPU"
    return f"{round(100 * (1 - model.size_vram / model.size))} % on the CPU"


def loaded_line(shown: str, found: LoadedModel | None, num_ctx: int) -> str:
    """What became of a load, in one sentence.

    Args:
        shown: The model's name as a user reads it.
        found: What the server says of it, None for nothing.
        num_ctx: The tokens that were asked for.
    """
    if found is None:
        return f"{shown} was loaded, and has left the memory again."
    where = {"": "in memory", "GPU": "wholly on the GPU", "CPU": "on the CPU: answers will be slow"}
    lies = where.get(place(found), f"{place(found)}: answers will be slow")
    text = f"{shown} is loaded, {lies}."
    if found.context_length and found.context_length != num_ctx:
        text += f" It holds {found.context_length:,} tokens, not the {num_ctx:,} that were asked for."
    return text
