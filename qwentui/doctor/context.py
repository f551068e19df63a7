"""Context and memory: do the numbers agree, and does the model fit on the card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.memory_fit import MARGIN, MIB, KvType
from qwentui.doctor.finding import broken, good, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.chat.context import TrimPolicy
    from qwentui.chat.memory_fit import ModelShape
    from qwentui.doctor.finding import Finding

_TIERS = ((47, 262_144), (23, 32_768))
_SMALLEST_TIER = 4096


def automatic_num_ctx(vram: int) -> int:
    """The context that Ollama chooses when nobody asks for one, by the bytes of all cards together.

    Source: `server/routes.go`, `Serve`: tiers of 47 and 23 GiB. A "24 GB" A10 reports 22.2 GiB to CUDA.
    """
    return next((tokens for gib, tokens in _TIERS if vram >= gib << 30), _SMALLEST_TIER)


def check_numbers(policy: TrimPolicy) -> Finding:
    """Whether budget, context and room for the reply agree."""
    seen = f"budget {policy.budget:,}, num_ctx {policy.num_ctx:,}, {policy.reply_room:,} kept for the reply"
    if policy.contradiction:
        remedy = "Change context.budget, context.reply_room or model.num_ctx in the settings."
        return warning("budget", policy.contradiction, remedy)
    return good("budget", seen)


def check_num_ctx(
    asked: int, *, modelfile: int | None, loaded: int | None, trained: int | None, vram: int | None
) -> Iterator[Finding]:
    """What is asked for beside what others would get; all in tokens, `vram` in bytes, None for not known."""
    if trained is not None and asked > trained:
        remedy = f"Set model.num_ctx to {trained} at most."
        yield warning("num_ctx", f"{asked:,} is more than the {trained:,} it was trained for", remedy)
    elif loaded is not None and loaded != asked:
        remedy = (
            "Another client asks for another num_ctx; each change loads the whole model again. Agree on one."
        )
        yield warning("num_ctx", f"loaded with {loaded:,}, qwentui asks for {asked:,}", remedy)
    else:
        yield good("num_ctx", f"{asked:,} asked for" + (", and loaded" if loaded == asked else ""))
    others = modelfile if modelfile is not None else vram and automatic_num_ctx(vram)
    if others and others != asked:
        source = "its Modelfile says" if modelfile is not None else "the server chooses by this card's memory"
        remedy = (
            f"Put `PARAMETER num_ctx {asked}` into the Modelfile, so that other clients do not reload it."
        )
        yield warning("other clients", f"Who asks for no num_ctx gets the {others:,} that {source}", remedy)


def check_fit(shape: ModelShape | None, card: int | None, num_ctx: int, parallel: int) -> Iterator[Finding]:
    """Whether all of the model goes onto a card of `card` bytes."""
    if shape is None:
        yield unknown("fit", "The server does not tell the model's shape.")
        return
    need = shape.need(num_ctx, parallel=parallel)
    sum_ = (
        f"weights {need.weights / MIB:,.0f} + KV cache {need.kv_cache / MIB:,.0f} + buffers"
        f" {(need.compute + need.cuda) / MIB:,.0f} = {need.total / MIB:,.0f} MiB"
    )
    if card is None:
        yield unknown("fit", f"{sum_}; the card is not known", "Tell its memory: --vram 24.")
        return
    largest = {kv: shape.largest_num_ctx(card, kv, parallel) for kv in KvType}
    table = ", ".join(f"{kv} {tokens:,}" for kv, tokens in largest.items())
    at = f"num_ctx {num_ctx:,}" + (f" x {parallel}" if parallel > 1 else "")
    if shape.fits(card, num_ctx, parallel=parallel):
        spare = (card - need.total) / MIB
        yield good(
            "fit", f"{at}: {sum_} of {card / MIB:,.0f}, {spare:,.0f} MiB spare; largest num_ctx: {table}"
        )
        return
    layers = shape.layers_on_card(card, num_ctx, parallel=parallel)
    seen = (
        f"{at}: {sum_}, and {MARGIN / MIB:,.0f} are kept free, of {card / MIB:,.0f}: about {layers} of"
        f" {shape.block_count + 1} layers go to the card; largest num_ctx: {table}"
    )
    quantized = next((kv for kv in (KvType.Q8_0, KvType.Q4_0) if largest[kv] >= num_ctx), None)
    if quantized is not None:
        remedy = (
            f"Start the server with OLLAMA_KV_CACHE_TYPE={quantized} (and flash attention), or ask for less."
        )
        yield warning("fit", seen, remedy)
    elif largest[KvType.Q4_0] > 0:
        yield warning("fit", seen, f"Ask for a num_ctx of {largest[KvType.F16] or largest[KvType.Q4_0]:,}.")
    else:
        yield broken("fit", seen, "Take a smaller model, or a smaller quantization.")
