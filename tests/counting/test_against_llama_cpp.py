"""A sample of the comparison with llama.cpp itself; `tests/bench/bench_counting.py` does the whole of it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from counting.reference import (
    VERSION,
    LlamaCpp,
    random_conversations,
    show,
    tagged_conversations,
    token_bytes,
    varied_strings,
    write_model,
)
from counting.templates import TEMPLATES

from qwentui.chat.message import Message, Role
from qwentui.counting.counter import PromptCounter
from qwentui.counting.template import Jinja, NativeTemplate, TemplateRefusal
from qwentui.counting.vocabulary import Vocabulary, read_table

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("xllamacpp", reason="llama.cpp is not installed (extra: embedded)")


def with_pre_tokenizer(answer: dict[str, Any], pre: str) -> dict[str, Any]:
    """`answer` as of a model with another pre-tokenizer and no word about BOS."""
    info = answer["model_info"] | {"tokenizer.ggml.pre": pre}
    info.pop("tokenizer.ggml.add_bos_token")
    return answer | {"model_info": info}


def asked(seed: int, number: int) -> list[list[Message]]:
    """Conversations of tags that do not end with the assistant, so that a reply begins anew."""
    return [
        messages for messages in tagged_conversations(seed, number) if messages[-1].role is not Role.ASSISTANT
    ]


def vocabulary_of(answer: dict[str, Any]) -> Vocabulary:
    table = read_table(answer)
    assert table is not None
    return Vocabulary(table)


@pytest.mark.parametrize(
    ("model", "pre"),
    [
        ("qwen3", "qwen2"),
        ("smollm2", "smollm"),
        ("smollm2", "llama-bpe"),
        ("smollm2", "gpt-2"),
        ("smollm2", "qwen35"),
    ],
)
def test_tokens_are_those_of_llama_cpp(model: str, pre: str, tmp_path: Path) -> None:
    answer = with_pre_tokenizer(show(model), pre)
    table = read_table(answer)
    assert table is not None
    vocabulary = Vocabulary(table)
    stands_for = token_bytes(answer["model_info"], frozenset([*table.control, *table.literal]))
    before = [table.bos.encode()] if table.adds_bos else []
    with LlamaCpp(write_model(tmp_path / "model.gguf", answer["model_info"])) as server:
        for text in varied_strings(1, 400):
            expected = [stands_for[token] for token in server.tokenize(text)]
            assert before + vocabulary.tokens(text) == expected, text
            assert len(before) + _counted(vocabulary, text) == len(expected), text


def _counted(vocabulary: Vocabulary, text: str) -> int:
    pieces = vocabulary.cut(text)
    return len(pieces) // 2 + sum(vocabulary.count(piece).tokens for piece in pieces[::2])


@pytest.mark.parametrize("name", ["official", "last question", "thoughts"])
def test_qwen3_prompts_are_those_of_llama_cpp(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = request.getfixturevalue("official_source") if name == "official" else TEMPLATES[name]
    # Without details.family: llama-server alone does not cut old thoughts as Ollama does.
    answer = show("qwen3") | {"template": source, "details": {}}
    vocabulary = vocabulary_of(answer)
    counter = PromptCounter.of_model(answer, vocabulary, VERSION)
    jinja = Jinja(source, vocabulary)
    with LlamaCpp(write_model(tmp_path / "model.gguf", answer["model_info"], source)) as server:
        for messages, think in product([*random_conversations(2, 30), *asked(4, 60)], [True, False]):
            expected = server.apply_template(messages, think=think)
            assert jinja.render(messages, think=think) == expected
            count = counter.count(messages, think=think)
            assert count.exact
            assert count.tokens == len(server.tokenize(expected or ""))


@pytest.mark.parametrize("name", TEMPLATES)
def test_jinja_is_rendered_as_llama_cpp_renders_it(name: str, tmp_path: Path) -> None:
    answer = with_pre_tokenizer(show("smollm2"), "llama-bpe")
    native = NativeTemplate(
        Jinja(TEMPLATES[name], vocabulary := vocabulary_of(answer)).render,
        vocabulary,
        plain="think" not in TEMPLATES[name],
    )
    with LlamaCpp(write_model(tmp_path / "model.gguf", answer["model_info"], TEMPLATES[name])) as server:
        for messages in random_conversations(3, 12):
            begun = [*messages, Message(Role.ASSISTANT, "So far")]
            for turns, think in ((messages, False), (messages, True), (messages[-1:], False), (begun, False)):
                assert_alike(native, server, turns, think=think)
        for messages, think in product(asked(5, 40), [True, False]):
            assert_alike(native, server, messages, think=think)


def assert_alike(native: NativeTemplate, server: LlamaCpp, messages: list[Message], *, think: bool) -> None:
    expected = server.apply_template(messages, think=think)
    if expected is None:
        with pytest.raises(TemplateRefusal):
            native.render(messages, think=think)
    else:
        text, exact = native.render(messages, think=think)
        assert text == expected or not exact
