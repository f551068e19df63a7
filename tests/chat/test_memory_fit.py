from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.memory_fit import A10, MIB, KvType, ModelShape, shape_of, weights_on_gpu

QWEN3_32B = {
    "general.architecture": "qwen3",
    "qwen3.block_count": 64,
    "qwen3.context_length": 40960,
    "qwen3.embedding_length": 5120,
    "qwen3.attention.head_count": 64,
    "qwen3.attention.head_count_kv": 8,
    "qwen3.attention.key_length": 128,
    "qwen3.attention.value_length": 128,
}
TENSORS = 19_756_174_336
EMBEDDINGS = 437_575_680


@pytest.fixture
def qwen() -> ModelShape:
    found = shape_of(QWEN3_32B, TENSORS - EMBEDDINGS)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("kv_type", "expected"), [(KvType.F16, 256 << 10), (KvType.Q8_0, 136 << 10), (KvType.Q4_0, 72 << 10)]
)
def test_a_token_of_qwen3_32b_takes_so_many_bytes(qwen: ModelShape, kv_type: KvType, expected: int) -> None:
    assert qwen.kv_bytes_per_token(kv_type) == expected


@pytest.mark.parametrize(
    ("num_ctx", "f16", "q8_0"),
    [
        (4096, 19448, 18968),
        (8192, 20472, 19512),
        (12288, 21496, 20056),
        (16384, 22520, 20600),
        (32768, 26616, 22776),
        (40960, 28664, 23864),
    ],
)
def test_weights_and_cache_of_qwen3_32b(qwen: ModelShape, num_ctx: int, f16: int, q8_0: int) -> None:
    for kv_type, expected in ((KvType.F16, f16), (KvType.Q8_0, q8_0)):
        need = qwen.need(num_ctx, kv_type)
        assert round((need.weights + need.kv_cache) / MIB) == expected


@pytest.mark.parametrize(
    ("num_ctx", "kv_type", "expected"),
    [
        (4096, KvType.F16, True),
        (8192, KvType.F16, True),
        (12288, KvType.F16, False),
        (12288, KvType.Q8_0, True),
        (16384, KvType.F16, False),
        (16384, KvType.Q8_0, True),
        (32768, KvType.Q8_0, False),
        (32768, KvType.Q4_0, True),
        (40960, KvType.F16, False),
    ],
)
def test_what_of_qwen3_32b_fits_on_an_a10(
    qwen: ModelShape, num_ctx: int, kv_type: KvType, expected: bool
) -> None:
    assert qwen.fits(A10, num_ctx, kv_type) is expected


def test_two_requests_at_a_time_take_the_cache_twice(qwen: ModelShape) -> None:
    assert qwen.need(8192, parallel=2) == qwen.need(16384)


def test_a_card_of_sixteen_gigabytes_takes_about_two_thirds_of_the_layers(qwen: ModelShape) -> None:
    assert qwen.layers_on_card(15360 * MIB, 8192) in range(42, 46)
    assert qwen.layers_on_card(A10, 8192) == 65


@given(
    st.integers(1, 200_000), st.sampled_from(KvType), st.integers(1, 4), st.none() | st.integers(256, 50_000)
)
def test_the_largest_context_fits_and_one_step_more_does_not(
    card: int, kv_type: KvType, parallel: int, trained: int | None
) -> None:
    shape = ModelShape(18424 * MIB, 64, 131072, context_length=trained)
    largest = shape.largest_num_ctx(card * MIB, kv_type, parallel)
    if largest:
        assert shape.fits(card * MIB, largest, kv_type, parallel)
    assert not shape.fits(card * MIB, largest + 256, kv_type, parallel) or (trained or 0) < largest + 256


def test_what_metadata_leave_out_has_llama_cpps_defaults() -> None:
    smollm2 = {
        "general.architecture": "llama",
        "llama.block_count": 30,
        "llama.embedding_length": 576,
        "llama.attention.head_count": 9,
        "llama.attention.head_count_kv": 3,
        "llama.vocab_size": 49152,
    }
    assert shape_of(smollm2, 1) == ModelShape(1, 30, 30 * 3 * (64 + 64), 49152)
    del smollm2["llama.attention.head_count_kv"]
    assert shape_of(smollm2, 1) == ModelShape(1, 30, 30 * 9 * (64 + 64), 49152)


def test_heads_may_differ_from_layer_to_layer() -> None:
    hybrid = {**QWEN3_32B, "qwen3.block_count": 4, "qwen3.attention.head_count_kv": [0, 2, 0, 8]}
    found = shape_of(hybrid, 1)
    assert found is not None
    assert found.kv_numbers == 10 * 256


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"general.architecture": "qwen3"},
        {"general.architecture": "qwen3", "qwen3.block_count": True},
        {"general.architecture": "qwen3", "qwen3.block_count": 64},
        {"general.architecture": "qwen3", "qwen3.block_count": 64, "qwen3.attention.head_count": "8"},
    ],
)
def test_metadata_that_tell_too_little_tell_nothing(metadata: dict[str, object]) -> None:
    assert shape_of(metadata, 1) is None


def test_embeddings_stay_on_the_cpu_unless_they_are_the_output() -> None:
    embeddings = ("token_embd.weight", "Q4_K", (5120, 151936))
    layer = ("blk.0.attn_q.weight", 12, (5120, 8192))
    size = 5120 * 8192 * 144 // 256
    assert weights_on_gpu([embeddings, layer]) == EMBEDDINGS + size
    output = ("output.weight", "f32", (4,))
    assert weights_on_gpu([embeddings, layer, output]) == size + 16
    assert weights_on_gpu([("x", "Q99", (1,))]) is None
    assert weights_on_gpu([("x", 99, (1,))]) is None
