"""Vocabularies from `/api/show`: what is read, what is refused, and text that hurts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from counting.reference import show

from qwentui.counting.count import Count
from qwentui.counting.vocabulary import has_known_tokenizer, read_table

if TYPE_CHECKING:
    from qwentui.counting.vocabulary import Vocabulary

PREFIX = "tokenizer.ggml."


def tiny(**changes: Any) -> dict[str, Any]:
    """A small vocabulary: some letters, two merges, a control and a user-defined token."""
    info = {
        "model": "gpt2",
        "pre": "qwen2",
        "tokens": ["a", "b", "c", "ab", "abc", "<|im_end|>", "<think>", "</s>"],
        "merges": ["a b", "ab c"],
        "token_type": [1, 1, 1, 1, 1, 3, 4, 1],
        "bos_token_id": 5,
        "eos_token_id": 5,
    } | changes
    return {"model_info": {PREFIX + key: value for key, value in info.items() if value is not ...}}


def test_bytes_and_decoded_answers_read_alike() -> None:
    table = read_table(tiny())
    assert table == read_table(json.dumps(tiny()).encode())
    assert table is not None
    assert table.words[256:] == [b"ab", b"abc"]
    assert table.control == ["<|im_end|>", "</s>"]
    assert table.literal == ["<think>"]
    assert len(table.missing) == 253
    assert (table.bos, table.eos, table.adds_bos) == ("<|im_end|>", "<|im_end|>", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "llama"},
        {"pre": "never-heard-of"},
        {"pre": ...},
        {"tokens": None, "merges": None, "token_type": None},
        {"merges": []},
        {"token_type": [1, 1]},
        {"merges": ["a b", "a c"]},
        {"merges": ["ab"]},
        {"tokens": "abc"},
        {"add_eos_token": True},
        {"tokens": ["a", "日", "a日"], "merges": ["a 日"], "token_type": [1, 1, 1]},
    ],
    ids=str,
)
def test_what_cannot_be_counted_exactly_gives_no_vocabulary(changes: dict[str, Any]) -> None:
    assert read_table(tiny(**changes)) is None


def test_answers_that_are_no_answers_give_no_vocabulary() -> None:
    assert read_table(b"<html>") is None
    assert read_table(b"\xff") is None
    assert read_table({}) is None
    assert read_table({"model_info": None}) is None


def test_an_answer_that_is_not_verbose_tells_whether_to_ask_for_more() -> None:
    arrays: dict[str, Any] = {"tokens": None, "merges": None, "token_type": None}
    assert has_known_tokenizer(tiny(**arrays))
    assert not has_known_tokenizer(tiny(**arrays, model="llama"))
    assert not has_known_tokenizer(tiny(**arrays, pre="never-heard-of"))
    assert not has_known_tokenizer({})


def test_bos_is_added_as_the_file_says_or_else_as_the_pre_tokenizer_does() -> None:
    assert [
        table.adds_bos
        for table in (
            read_table(tiny(pre="llama-bpe")),
            read_table(tiny(pre="llama-bpe", add_bos_token=False)),
            read_table(tiny(add_bos_token=True)),
        )
        if table is not None
    ] == [True, False, True]


def test_the_real_vocabularies_are_read_whole() -> None:
    qwen3, smollm2 = read_table(show("qwen3")), read_table(show("smollm2"))
    assert qwen3 is not None
    assert smollm2 is not None
    assert (len(qwen3.words), len(qwen3.missing)) == (256 + 151_387, 0)
    assert (len(smollm2.words), len(smollm2.missing)) == (256 + 48_900, 21)
    assert set(qwen3.literal) >= {"<think>", "</think>", "<tool_call>"}
    assert qwen3.adds_bos is False


def test_special_tokens_are_borders_and_bytes_that_are_missing_are_dropped(smollm2: Vocabulary) -> None:
    assert smollm2.cut("a<|im_end|>b") == ["a", "<|im_end|>", "b"]
    assert smollm2.tokens("a\x04b") == [b"a", b"b"]
    assert smollm2.count("a\x04b") == Count(2, exact=True)


def test_a_closing_strike_tag_is_a_control_token_of_qwen3(qwen3: Vocabulary) -> None:
    assert qwen3.tokens("<s>x</s>") == [b"<s", b">x", b"</s>"]


def test_text_without_end_is_counted_in_slices_and_said_to_be_about(qwen3: Vocabulary) -> None:
    count = qwen3.count(" " * 1_000_000 + "\t" * 500_000)
    assert not count.exact
    assert 7_000 < count.tokens < 60_000


def test_text_that_hurts_is_counted(qwen3: Vocabulary) -> None:
    assert qwen3.count("a" * 100_000) == Count(12_500, exact=True)
    assert qwen3.count("\ud800") == qwen3.count("\ufffd")
    assert qwen3.count("\0").tokens == 1
    assert qwen3.count("").tokens == 0
