"""Does a model fit on a card: weights, KV cache and buffers in bytes, from its metadata alone.

What llama.cpp puts on the GPU, when all layers are there (`llama-model.cpp`, `llama-kv-cache.cpp`):

* the weights, without the table of embeddings, which is looked up on the CPU, unless it is the output too;
* the KV cache: for every token of context and every layer, `head_count_kv` heads of `key_length` and of
  `value_length` numbers. (Not `embedding_length / head_count`: Qwen3-32B has 128, not 80.)
* a compute buffer, the greatest part of which are the logits of one batch;
* what CUDA itself needs.

What does not fit beside a margin stays on the CPU, silently: the answers come, but slowly.

A model whose layers look at a window only (`attention.sliding_window`) takes less cache than is said here.
"""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.tensor_types import tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MIB = 1 << 20

MARGIN = 1024 * MIB
"""What llama.cpp leaves free when it decides which layers go to the GPU (`--fit-target`)."""

CUDA_CONTEXT = 300 * MIB
"""An estimate: what a CUDA process holds before the first tensor."""

A10 = 22731 * MIB
"""What an A10, sold as 24 GB, reports to CUDA."""

_BATCH = 512  # tokens that are evaluated in one go (`num_batch`)
_VOCABULARY = 151936  # taken where the metadata tell none: Qwen3's, among the largest
_LOGIT = 4  # bytes
_PAD = 256  # llama.cpp rounds a context up to a multiple of so many tokens


class KvType(StrEnum):
    """The numbers in the KV cache (`OLLAMA_KV_CACHE_TYPE`)."""

    F16 = "f16"
    Q8_0 = "q8_0"
    Q4_0 = "q4_0"

    def bytes_of(self, numbers: int) -> int:
        """The bytes that so many numbers take."""
        return tensor_bytes(self.value, (numbers,)) or 0


class Need(NamedTuple):
    """What a model takes on a card when all of it is there, in bytes."""

    weights: int
    kv_cache: int
    compute: int
    cuda: int = CUDA_CONTEXT

    @property
    def total(self) -> int:
        """All of it; the margin is not in it."""
        return sum(self)


@dataclass(frozen=True, slots=True)
class ModelShape:
    """As much of a model as decides about memory.

    Attributes:
        weights: Bytes of the tensors that go to the GPU.
        block_count: Its layers.
        kv_numbers: Numbers that the KV cache holds for one token, over all layers.
        vocabulary: Its tokens.
        context_length: Tokens of context that it was trained for, None when not told.
    """

    weights: int
    block_count: int
    kv_numbers: int
    vocabulary: int = _VOCABULARY
    context_length: int | None = None

    def kv_bytes_per_token(self, kv_type: KvType = KvType.F16) -> int:
        """Bytes of KV cache for one token of context."""
        return kv_type.bytes_of(self.kv_numbers)

    def need(self, num_ctx: int, kv_type: KvType = KvType.F16, parallel: int = 1) -> Need:
        """What it takes with a context of `num_ctx` tokens for each of `parallel` requests at a time.

        Args:
            num_ctx: Tokens.
            kv_type: The numbers in the cache.
            parallel: `OLLAMA_NUM_PARALLEL`; the cache is that many times as large.
        """
        padded = -(-num_ctx // _PAD) * _PAD
        cache = padded * parallel * self.kv_bytes_per_token(kv_type)
        return Need(self.weights, cache, _BATCH * self.vocabulary * _LOGIT)

    def fits(self, card: int, num_ctx: int, kv_type: KvType = KvType.F16, parallel: int = 1) -> bool:
        """Whether all of it goes onto a card of `card` bytes, beside the margin."""
        return self.need(num_ctx, kv_type, parallel).total + MARGIN <= card

    def layers_on_card(self, card: int, num_ctx: int, kv_type: KvType = KvType.F16, parallel: int = 1) -> int:
        """About how many of its `block_count + 1` layers go onto the card; the output counts as one."""
        need = self.need(num_ctx, kv_type, parallel)
        layers = self.block_count + 1
        room = card - MARGIN - need.compute - need.cuda
        return max(0, min(layers, room * layers // max(need.weights + need.kv_cache, 1)))

    def largest_num_ctx(self, card: int, kv_type: KvType = KvType.F16, parallel: int = 1) -> int:
        """The longest context in tokens with which all of it fits, a multiple of 256; 0 when none does."""
        bare = self.need(0, kv_type, parallel).total + MARGIN
        tokens = max(0, card - bare) // max(self.kv_bytes_per_token(kv_type) * parallel, 1)
        if self.context_length is not None:
            tokens = min(tokens, self.context_length)
        return tokens // _PAD * _PAD


def shape_of(metadata: Mapping[str, object], weights: int) -> ModelShape | None:
    """The shape that a GGUF's metadata, or the `model_info` of `/api/show`, tell; None when they do not.

    Args:
        metadata: The flat keys, as `qwen3.attention.head_count_kv`.
        weights: Bytes of the tensors that go to the GPU; see `weights_on_gpu`.
    """
    architecture = metadata.get("general.architecture")

    def value(key: str) -> object:
        return metadata.get(f"{architecture}.{key}")

    blocks, heads = _count(value("block_count")), _count(value("attention.head_count"))
    if not blocks:
        return None
    wide = _count(value("embedding_length"))
    usual = wide // heads if wide and heads else None
    kv_heads = _kv_heads(value("attention.head_count_kv"), heads, blocks)
    key = _count(value("attention.key_length")) or usual
    length = _count(value("attention.value_length")) or usual
    if kv_heads is None or not key or not length:
        return None
    return ModelShape(
        weights,
        blocks,
        kv_heads * (key + length),
        _vocabulary(metadata, value("vocab_size")),
        _count(value("context_length")),
    )


def weights_on_gpu(tensors: Iterable[tuple[str, int | str, Sequence[int]]]) -> int | None:
    """Bytes of a model's tensors without the embeddings that stay on the CPU; None for an unknown type.

    Args:
        tensors: Name, type and shape of each, as in a GGUF file or in the `tensors` of `/api/show`.
    """
    total, embeddings, tied = 0, 0, True
    for name, kind, shape in tensors:
        size = tensor_bytes(kind, shape)
        if size is None:
            return None
        total += size
        if name == "token_embd.weight":
            embeddings = size
        tied = tied and name != "output.weight"
    return total if tied else total - embeddings


def _kv_heads(value: object, heads: int | None, blocks: int) -> int | None:
    """The heads of the cache over all layers; a list has one number for each layer."""
    if isinstance(value, list | tuple) and value:
        counts = [_count(count) or 0 for count in value]
        return sum(counts)
    each = _count(value) or heads
    return each * blocks if each else None


def _vocabulary(metadata: Mapping[str, object], size: object) -> int:
    """The tokens: told as a number, else counted where the list is there."""
    tokens = metadata.get("tokenizer.ggml.tokens")
    listed = len(tokens) if isinstance(tokens, Sized) and not isinstance(tokens, str) else 0
    return _count(size) or listed or _VOCABULARY


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
