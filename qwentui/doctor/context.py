"""Context and memory: do the numbers agree, and does the model fit on the card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.memory_fit import MARGIN, MIB, KvType
from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    if policy.contradiction:
        remedy = _("Change context.budget, context.reply_room or model.num_ctx in the settings.")
        return warning(N_("budget"), policy.contradiction, remedy)
    seen = _("budget {budget:,}, num_ctx {num_ctx:,}, {reply_room:,} kept for the reply")
    return good(
        N_("budget"),
        seen.format(budget=policy.budget, num_ctx=policy.num_ctx, reply_room=policy.reply_room),
    )


def check_num_ctx(
    asked: int, *, modelfile: int | None, loaded: int | None, trained: int | None, vram: int | None
) -> Iterator[Finding]:
    """What is asked for beside what others would get; all in tokens, `vram` in bytes, None for not known."""
    if trained is not None and asked > trained:
        seen = _("{asked:,} is more than the {trained:,} it was trained for")
        remedy = _("Set model.num_ctx to {trained} at most.").format(trained=trained)
        yield warning(N_("num_ctx"), seen.format(asked=asked, trained=trained), remedy)
    elif loaded is not None and loaded != asked:
        seen = _("loaded with {loaded:,}, qwentui asks for {asked:,}")
        remedy = _(
            "Another client asks for another num_ctx; each change loads the whole model again. Agree on one."
        )
        yield warning(N_("num_ctx"), seen.format(loaded=loaded, asked=asked), remedy)
    else:
        seen = _("{asked:,} asked for, and loaded") if loaded == asked else _("{asked:,} asked for")
        yield good(N_("num_ctx"), seen.format(asked=asked))
    others = modelfile if modelfile is not None else vram and automatic_num_ctx(vram)
    if others and others != asked:
        if modelfile is not None:
            seen = _("Who asks for no num_ctx gets the {others:,} that its Modelfile says")
        else:
            seen = _(
                "Who asks for no num_ctx gets the {others:,} that the server chooses by this card's memory"
            )
        remedy = _(
            "Put `PARAMETER num_ctx {asked}` into the Modelfile, so that other clients do not reload it."
        )
        yield warning(N_("other clients"), seen.format(others=others), remedy.format(asked=asked))


def check_fit(shape: ModelShape | None, card: int | None, num_ctx: int, parallel: int) -> Iterator[Finding]:
    """Whether all of the model goes onto a card of `card` bytes."""
    if shape is None:
        yield unknown(N_("fit"), _("The server does not tell the model's shape."))
        return
    need = shape.need(num_ctx, parallel=parallel)
    sum_ = _(
        "weights {weights:,.0f} + KV cache {kv_cache:,.0f} + buffers {buffers:,.0f} = {total:,.0f} MiB"
    ).format(
        weights=need.weights / MIB,
        kv_cache=need.kv_cache / MIB,
        buffers=(need.compute + need.cuda) / MIB,
        total=need.total / MIB,
    )
    if card is None:
        seen = _("{sum}; the card is not known").format(sum=sum_)
        yield unknown(N_("fit"), seen, _("Tell its memory: --vram 24."))
        return
    largest = {kv: shape.largest_num_ctx(card, kv, parallel) for kv in KvType}
    known = {
        "at": f"num_ctx {num_ctx:,}" + (f" x {parallel}" if parallel > 1 else ""),
        "sum": sum_,
        "card": card / MIB,
        "largest": ", ".join(f"{kv} {tokens:,}" for kv, tokens in largest.items()),
    }
    if shape.fits(card, num_ctx, parallel=parallel):
        seen = _("{at}: {sum} of {card:,.0f}, {spare:,.0f} MiB spare; largest num_ctx: {largest}")
        yield good(N_("fit"), seen.format(spare=(card - need.total) / MIB, **known))
        return
    seen = _(
        "{at}: {sum}, and {margin:,.0f} are kept free, of {card:,.0f}: about {layers} of {all_layers} layers"
        " go to the card; largest num_ctx: {largest}"
    ).format(
        margin=MARGIN / MIB,
        layers=shape.layers_on_card(card, num_ctx, parallel=parallel),
        all_layers=shape.block_count + 1,
        **known,
    )
    yield _does_not_fit(seen, largest, num_ctx)


def _does_not_fit(seen: str, largest: Mapping[KvType, int], num_ctx: int) -> Finding:
    """What helps, by the largest contexts that would fit."""
    quantized = next((kv for kv in (KvType.Q8_0, KvType.Q4_0) if largest[kv] >= num_ctx), None)
    if quantized is not None:
        remedy = _(
            "Start the server with OLLAMA_KV_CACHE_TYPE={kv} (and flash attention), or ask for less."
        ).format(kv=quantized)
        return warning(N_("fit"), seen, remedy)
    if largest[KvType.Q4_0] > 0:
        remedy = _("Ask for a num_ctx of {tokens:,}.")
        return warning(N_("fit"), seen, remedy.format(tokens=largest[KvType.F16] or largest[KvType.Q4_0]))
    return broken(N_("fit"), seen, _("Take a smaller model, or a smaller quantization."))
