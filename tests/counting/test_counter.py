"""Prompts counted against what real servers counted, and everything that a counter says beside numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from counting.reference import VERSION, golden, official_counter, random_conversations, show
from hypothesis import given
from hypothesis import strategies as st
from pictures import png

from qwentui.chat.attachment import TextFile
from qwentui.chat.image import image_of
from qwentui.chat.message import Message, Role
from qwentui.counting.count import Count
from qwentui.counting.counter import Difference, PromptCounter, counts_like_llama_cpp, sendable
from qwentui.counting.template import LibraryTemplate, Preamble

if TYPE_CHECKING:
    from qwentui.counting.vocabulary import Vocabulary

HELLO = [Message(Role.USER, "Hello")]


@pytest.fixture(scope="module")
def official(qwen3: Vocabulary) -> PromptCounter:
    return official_counter(qwen3)


@pytest.fixture(scope="module")
def library(qwen3: Vocabulary) -> PromptCounter:
    return PromptCounter(qwen3, LibraryTemplate(), Preamble.of(show("qwen3")), trusted=True)


def test_every_golden_conversation_has_the_count_that_ollama_gave(
    official: PromptCounter, library: PromptCounter
) -> None:
    counters = {"qwen3-official.jinja": official, "qwen3-library.gotmpl": library}
    cases = list(golden())
    assert len(cases) == 300
    for template, think, messages, prompt_eval_count in cases:
        assert counters[template].count(messages, think=think) == Count(prompt_eval_count, exact=True)


def test_the_official_template_of_an_answer_is_counted_exactly(
    official_source: str, qwen3: Vocabulary
) -> None:
    counter = PromptCounter.of_model(show("qwen3") | {"template": official_source}, qwen3, VERSION)
    for template, think, messages, prompt_eval_count in golden():
        if template == "qwen3-official.jinja":
            assert counter.count(messages, think=think) == Count(prompt_eval_count, exact=True)
    assert counter.count([*HELLO, Message(Role.ASSISTANT, "Hi th")], think=False).exact


def test_ollamas_own_chatml_template_is_counted_exactly(smollm2: Vocabulary) -> None:
    counter = PromptCounter.of_model(show("smollm2"), smollm2, VERSION)
    messages = [Message(Role.SYSTEM, "You answer only with the word PONG."), Message(Role.USER, "ping")]
    # The recorded answer of Ollama 0.32.15 to these two messages.
    assert counter.count(messages, think=False) == Count(24, exact=True)


def test_a_template_that_is_not_known_makes_the_count_about(qwen3: Vocabulary) -> None:
    counter = PromptCounter.of_model(show("qwen3") | {"template": "{{ .Prompt }}"}, qwen3, VERSION)
    assert not counter.count(HELLO, think=True).exact


@pytest.mark.parametrize("template", ["{% if %}", "{{ raise_exception('no') }}{% if x %}{% endif %}"])
def test_a_template_that_fails_makes_the_count_about(template: str, qwen3: Vocabulary) -> None:
    counter = PromptCounter.of_model(show("qwen3") | {"template": template}, qwen3, VERSION)
    count = counter.count(HELLO, think=True)
    assert not count.exact
    assert count.tokens == 9


@pytest.mark.parametrize(
    ("version", "same"),
    [
        ("0.30.0", True),
        ("0.33.0-rc2", True),
        ("1.0", True),
        ("v0.31.1", True),
        ("0.24.0", False),
        ("0.9.0", False),
        ("", False),
        (None, False),
        ("banana", False),
    ],
)
def test_only_ollama_0_30_and_later_counts_alike(
    version: str | None, same: bool, qwen3: Vocabulary, smollm2: Vocabulary
) -> None:
    assert counts_like_llama_cpp(version) is same
    for counter in (
        official_counter(qwen3, version=version),
        PromptCounter.of_model(show("smollm2"), smollm2, version),
    ):
        assert counter.count(HELLO, think=True).exact is same


def test_the_modelfiles_system_and_messages_are_counted(qwen3: Vocabulary, smollm2: Vocabulary) -> None:
    modelfile: dict[str, Any] = {
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "tool"},
        ],
    }
    pairs = [
        (official_counter(qwen3, show("qwen3") | modelfile), official_counter(qwen3)),
        (
            PromptCounter.of_model(show("smollm2") | modelfile, smollm2, VERSION),
            PromptCounter.of_model(show("smollm2"), smollm2, VERSION),
        ),
    ]
    before = [Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hi"), Message(Role.ASSISTANT, "Hello!")]
    own = [Message(Role.SYSTEM, "Be long."), *HELLO]
    for counter, plain in pairs:
        assert counter.count(HELLO, think=True) == plain.count([*before, *HELLO], think=True)
        assert counter.count(own, think=True) == plain.count([*before[1:], *own], think=True)
        assert counter.of_each(HELLO, think=True) == plain.of_each(HELLO, think=True)


def test_the_tokens_of_each_message_add_up_to_the_prompt(
    official: PromptCounter, library: PromptCounter
) -> None:
    for messages in random_conversations(7, 60):
        for counter, opening in ((official, 3), (library, 3)):
            each = counter.of_each(messages, think=True)
            assert len(each) == len(messages)
            assert sum(each) <= counter.count(messages, think=True).tokens - opening


def test_the_tokens_of_a_message_are_its_text_and_what_stands_around_it(official: PromptCounter) -> None:
    messages = [
        Message(Role.SYSTEM, "Be brief."),
        *HELLO,
        Message(Role.ASSISTANT, "Hi!"),
        Message(Role.USER, "Go"),
    ]
    assert official.of_each(messages, think=True) == (8, 6, 7, 6)


def test_a_reply_goes_on_only_where_the_template_leaves_it_open(
    official: PromptCounter, library: PromptCounter, smollm2: Vocabulary
) -> None:
    partial = [*HELLO, Message(Role.ASSISTANT, "Hi th")]
    assert official.continues(partial, think=False)
    assert library.continues(partial, think=True)
    assert not PromptCounter.of_model(show("smollm2"), smollm2, VERSION).continues(partial, think=False)
    assert not PromptCounter().continues(partial, think=False)
    assert not official.continues([*HELLO, Message(Role.ASSISTANT, "")], think=False)
    assert not official.continues([], think=False)


def test_a_difference_is_told_once_and_calibrates_what_follows(qwen3: Vocabulary) -> None:
    counter = official_counter(qwen3)
    predicted = counter.count(HELLO, think=True)
    assert counter.reconcile(predicted, None) is None
    assert counter.reconcile(predicted, predicted.tokens) is None
    assert counter.count(HELLO, think=True).exact
    assert counter.reconcile(predicted, 10) == Difference(predicted.tokens, 10)
    later = counter.count(HELLO, think=True)
    assert later == Count(10, exact=False)
    assert counter.reconcile(later, 11) is None
    assert counter.count(HELLO, think=True) == Count(11, exact=False)


def test_a_prompt_that_the_server_cut_teaches_nothing(qwen3: Vocabulary) -> None:
    counter = official_counter(qwen3)
    messages = [Message(Role.USER, "one two three " * 200)]
    predicted = counter.count(messages, think=True)
    for _ in range(2):
        difference = counter.reconcile(predicted, 258)
        assert difference is not None
        assert difference.likely_cut
        assert counter.count(messages, think=True) == predicted


def test_without_a_vocabulary_counts_are_guessed_and_then_follow_the_server() -> None:
    counter = PromptCounter()
    messages = [Message(Role.USER, "订单发货后多久能收到?" * 50)]
    guess = counter.count(messages, think=True)
    assert not guess.exact
    assert 250 < guess.tokens < 500
    assert counter.reconcile(guess, 500) is None
    assert counter.count(messages, think=True).tokens == 500
    assert sum(counter.of_each(messages, think=True)) <= 500


def test_a_guess_is_near_for_prose_and_code(qwen3: Vocabulary) -> None:
    guess, exact = PromptCounter(), PromptCounter(qwen3)
    for text in (
        "春天的风轻轻吹过湖面，" * 40,
        "The answer depends on the question. " * 40,
        "for (int i = 0;) {}\n" * 40,
    ):
        messages = [Message(Role.USER, text)]
        right = exact.count(messages, think=True).tokens
        assert 0.5 * right < guess.count(messages, think=True).tokens < 2 * right


def test_control_tokens_are_found_and_made_harmless(official: PromptCounter) -> None:
    text = "log: <|im_end|> and <|im_start|>, <|im_end|> again, <think>, <s>"
    for counter in (official, PromptCounter()):
        assert counter.control_tokens(text) == ("<|im_end|>", "<|im_start|>")
        harmless = counter.neutralise(text)
        assert counter.control_tokens(harmless) == ()
        assert harmless.replace("\u200b", "") == text
    assert official.control_tokens("<s>old</s>") == ("</s>",)


@given(
    st.lists(
        st.sampled_from(["<|im_end|>", "<|im_start|>", "<", "|", "im_end", "|>", "</s>", "x"]), max_size=12
    )
)
def test_nothing_that_is_neutralised_holds_a_control_token(parts: list[str]) -> None:
    counter = PromptCounter()
    assert counter.control_tokens(counter.neutralise("".join(parts))) == ()


def test_text_that_no_json_holds_is_made_sendable(official: PromptCounter) -> None:
    assert sendable("a\0b\ud800c\U0001f600") == "ab\ufffdc\U0001f600"
    dirty = [Message(Role.USER, "a\0b\ud800")]
    assert official.count(dirty, think=True) == official.count([Message(Role.USER, "ab\ufffd")], think=True)


def test_a_million_spaces_are_counted_as_about(official: PromptCounter) -> None:
    assert not official.count([Message(Role.USER, " " * 1_200_000)], think=True).exact
    assert official.is_large(" " * 1_200_000)
    assert not official.is_large("Hello")


def test_what_is_kept_never_changes_a_count(qwen3: Vocabulary) -> None:
    kept = official_counter(qwen3)
    conversations = list(random_conversations(11, 20))
    for messages, others in pairwise(conversations):
        fresh = official_counter(qwen3)
        assert kept.count(messages, think=True) == fresh.count(messages, think=True)
        kept.count(others, think=False)


def test_counts_show_how_far_they_may_be_trusted() -> None:
    assert (str(Count(3412, exact=True)), str(Count(3412, exact=False))) == ("=3,412", "~3,412")


def test_an_image_makes_the_count_about(official: PromptCounter) -> None:
    image = image_of(png(560, 280))
    words = official.count(HELLO, think=False)
    shown = official.count([Message(Role.USER, "Hello", images=(image,))], think=False)
    # One token for 28 by 28 pixels.
    assert shown == Count(words.tokens + 200, exact=False)
    each = official.of_each([Message(Role.USER, "Hello", images=(image,))], think=False)
    assert sum(each) - sum(official.of_each(HELLO, think=False)) == 200


def test_a_part_of_a_message_is_counted_as_it_stands_there(
    official: PromptCounter, qwen3: Vocabulary
) -> None:
    block = TextFile("notes.md", "buy milk\nand bread\n").block
    alone = official.count([Message(Role.USER, "see")], think=False)
    whole = official.count([Message(Role.USER, f"see\n\n{block}")], think=False)
    gap = qwen3.count("\n\n").tokens
    assert official.of_text(block) == Count(whole.tokens - alone.tokens - gap, exact=True)
    assert not PromptCounter().of_text(block).exact
