from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwentui.backends.base import LoadedModel
from qwentui.backends.placement import listed, loaded_line, place
from qwentui.chat.memory_fit import A10, MIB, ModelShape
from qwentui.chat.memory_words import memory_line
from qwentui.cli.cells import fitted
from qwentui.cli.model.listing import _until

QWEN3_32B = ModelShape(19_318_598_656, 64, 131072, context_length=40960)
T4 = 15360 * MIB


@pytest.mark.parametrize(
    ("num_ctx", "card", "sentence"),
    [
        (
            8192,
            A10,
            "about 20.6 GiB with 8,192 tokens of context (the KV cache 2.0). It (22.2 GiB) holds all of it,",
        ),
        (8192, A10, "with up to 10,496 tokens."),
        (
            16384,
            A10,
            "of 65 layers of it, and it will be slow; with OLLAMA_KV_CACHE_TYPE=q8_0 on the server all",
        ),
        (32768, A10, "it will be slow; all of it fits with 10,496 tokens."),
        (8192, T4, "It (15.0 GiB) holds 43 of 65 layers of it, and it will be slow."),
    ],
)
def test_what_a_model_takes_in_one_sentence(num_ctx: int, card: int, sentence: str) -> None:
    assert sentence in memory_line(QWEN3_32B, num_ctx, card, "It")


@given(st.text(alphabet=st.characters(min_codepoint=32, exclude_categories=["C", "M"])), st.integers(1, 60))
def test_a_line_takes_exactly_its_cells(text: str, width: int) -> None:
    assert cell_len(fitted(text, width)) == width


@pytest.mark.parametrize(
    ("size", "size_vram", "words"),
    [
        (None, 5, ""),
        (10, None, ""),
        (10, 10, "GPU"),
        (10, 12, "GPU"),
        (10, 0, "CPU"),
        (10, 7, "30 % on the CPU"),
    ],
)
def test_where_a_model_lies(size: int | None, size_vram: int | None, words: str) -> None:
    assert place(LoadedModel("x", size=size, size_vram=size_vram)) == words


def test_another_context_than_was_asked_for_is_told() -> None:
    found = LoadedModel("x", size=10, size_vram=10, context_length=2048)
    assert loaded_line("x", found, 8192).endswith("It holds 2,048 tokens, not the 8,192 that were asked for.")
    assert "left the memory" in loaded_line("x", None, 8192)


def test_names_that_share_a_file_share_a_place() -> None:
    first, other = LoadedModel("first:latest", digest="1"), LoadedModel("other:latest", digest="2")
    assert listed([first, other], "OTHER") is other
    assert listed([first, other], "third", "1") is first
    assert listed([first], "third", "3") is first
    assert listed([first, other], "third", "3") is None
    assert listed([], "third") is None


@pytest.mark.parametrize(
    ("expires_at", "text"),
    [
        ("", ""),
        ("soon", ""),
        ("2319-01-01T00:00:00Z", "forever"),
        ("2020-01-01T00:00:00.974837666Z", "in use"),
        ("2020-01-01T00:00:00", ""),
    ],
)
def test_until_when_a_model_stays(expires_at: str, text: str) -> None:
    assert _until(expires_at) == text
