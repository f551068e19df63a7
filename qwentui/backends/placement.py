"""Where a loaded model lies, in words: an overflow to the CPU is silent on the server, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.backends.ollama import same_model

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def listed(loaded: Sequence[LoadedModel], name: str, digest: str = "") -> LoadedModel | None:
    """What the server says of a model that was loaded just now, None for nothing.

    Names that share a GGUF share a runner, and the server lists it under the one that came first; the only
    model in memory is the one that was meant, whatever its name.
    """
    for model in loaded:
        if (digest and model.digest == digest) or same_model(model.name, name):
            return model
    return loaded[0] if len(loaded) == 1 else None


def loaded_line(shown: str, found: LoadedModel | None, num_ctx: int) -> str:
    """What became of a load, in one sentence.

    Args:
        shown: The model's name as a user reads it.
        found: What the server says of it, None for nothing.
        num_ctx: The tokens that were asked for.
    """
    if found is None:
        return f"{shown} was loaded; it has left the memory again, or is listed under another name."
    where = {"": "in memory", "GPU": "wholly on the GPU", "CPU": "on the CPU: answers will be slow"}
    lies = where.get(place(found), f"{place(found)}: answers will be slow")
    text = f"{shown} is loaded, {lies}."
    if found.context_length and found.context_length != num_ctx:
        text += f" It holds {found.context_length:,} tokens, not the {num_ctx:,} that were asked for."
    return text
