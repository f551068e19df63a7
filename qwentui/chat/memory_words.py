"""What a model takes on a GPU, in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.memory_fit import KvType

if TYPE_CHECKING:
    from qwentui.chat.memory_fit import ModelShape

_GIB = 1 << 30


def memory_line(shape: ModelShape, num_ctx: int, card: int, card_name: str) -> str:
    """What it takes with `num_ctx` tokens of context, and whether that fits.

    Args:
        shape: The model.
        num_ctx: Tokens.
        card: Bytes that the GPU has.
        card_name: How the sentence calls the GPU: "An A10".
    """
    need = shape.need(num_ctx)
    text = (
        f"about {need.total / _GIB:.1f} GiB with {num_ctx:,} tokens of context"
        f" (the KV cache {need.kv_cache / _GIB:.1f})"
    )
    name = f"{card_name} ({card / _GIB:.1f} GiB)"
    if shape.fits(card, num_ctx):
        return f"{text}. {name} holds all of it, with up to {shape.largest_num_ctx(card):,} tokens."
    layers = shape.layers_on_card(card, num_ctx)
    text = f"{text}. {name} holds {layers} of {shape.block_count + 1} layers of it, and it will be slow"
    if shape.fits(card, num_ctx, KvType.Q8_0):
        return f"{text}; with OLLAMA_KV_CACHE_TYPE=q8_0 on the server all of it."
    largest = shape.largest_num_ctx(card)
    return f"{text}; all of it fits with {largest:,} tokens." if largest else f"{text}."
