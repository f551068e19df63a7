"""Where a loaded model lies, in words: an overflow to the CPU is silent on the server, and slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.backends.ollama import same_model
from qwentui.language import _

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
    return _("{percent} % on the CPU").format(percent=round(100 * (1 - model.size_vram / model.size)))


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
        sentence = _("{model} was loaded; it has left the memory again, or is listed under another name.")
        return sentence.format(model=shown)
    share = place(found)
    where = {
        "": _("{model} is loaded, in memory."),
        "GPU": _("{model} is loaded, wholly on the GPU."),
        "CPU": _("{model} is loaded, on the CPU: answers will be slow."),
    }
    sentence = where.get(share, _("{model} is loaded, {share}: answers will be slow."))
    text = sentence.format(model=shown, share=share)
    if found.context_length and found.context_length != num_ctx:
        holds = _("It holds {held:,} tokens, not the {num_ctx:,} that were asked for.")
        text += " " + holds.format(held=found.context_length, num_ctx=num_ctx)
    return text
