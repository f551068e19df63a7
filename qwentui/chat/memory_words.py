"""What a model takes on a GPU, in two sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.memory_fit import KvType
from qwentui.language import _

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
    takes = _(
        "about {total:.1f} GiB with {num_ctx:,} tokens of context (the KV cache {kv_cache:.1f})."
    ).format(total=need.total / _GIB, num_ctx=num_ctx, kv_cache=need.kv_cache / _GIB)
    largest = shape.largest_num_ctx(card)
    if shape.fits(card, num_ctx):
        fits = _("{card} ({gib:.1f} GiB) holds all of it, with up to {largest:,} tokens.")
    elif shape.fits(card, num_ctx, KvType.Q8_0):
        fits = _(
            "{card} ({gib:.1f} GiB) holds {held} of {layers} layers of it, and it will be slow;"
            " with OLLAMA_KV_CACHE_TYPE=q8_0 on the server all of it."
        )
    elif largest:
        fits = _(
            "{card} ({gib:.1f} GiB) holds {held} of {layers} layers of it, and it will be slow;"
            " all of it fits with {largest:,} tokens."
        )
    else:
        fits = _("{card} ({gib:.1f} GiB) holds {held} of {layers} layers of it, and it will be slow.")
    fits = fits.format(
        card=card_name,
        gib=card / _GIB,
        held=shape.layers_on_card(card, num_ctx),
        layers=shape.block_count + 1,
        largest=largest,
    )
    return f"{takes} {fits}"
