"""Counting against llama.cpp at length, and how long counting takes.

    python tests/bench/bench_counting.py [--strings N] [--conversations N] [--smollm2 PATH]

`--smollm2` is the GGUF of SmolLM2-135M-Instruct that the embedded model uses; without it, SmolLM2's own
chat template is left out, its vocabulary is not. Qwen3's own is compared where its text lies beside the
checkout. Exits with 1 when anything differs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from counting.reference import (
    VERSION,
    LlamaCpp,
    golden,
    official_counter,
    random_conversations,
    show,
    template_at_hand,
    token_bytes,
    varied_strings,
    write_model,
)
from counting.templates import TEMPLATES

from qwentui.chat.context import TrimPolicy, fit
from qwentui.chat.message import Message, Role
from qwentui.counting.counter import PromptCounter
from qwentui.counting.pretokenizers import PRE_TOKENIZERS
from qwentui.counting.template import Jinja, LibraryTemplate, NativeTemplate, Preamble
from qwentui.counting.vocabulary import Vocabulary, read_table
from qwentui.counting.vocabulary_cache import VocabularyCache

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(slots=True)
class Tally:
    """How much was compared, and how much of it differed."""

    compared: int = 0
    different: int = 0

    def add(self, name: str, compared: int, different: int, unit: str) -> None:
        """Take up one comparison and print it."""
        self.compared += compared
        self.different += different
        print(f"{name:42} {compared:7,} {unit:13} {different} different", flush=True)


def built(answer: dict[str, Any]) -> Vocabulary:
    """The vocabulary of an `/api/show` answer that has one."""
    table = read_table(answer)
    assert table is not None
    return Vocabulary(table)


def compare_golden(tally: Tally, answer: dict[str, Any], vocabulary: Vocabulary) -> None:
    """The counts that Ollama 0.32.15 gave."""
    counters = {
        "qwen3-official.jinja": official_counter(vocabulary, answer),
        "qwen3-library.gotmpl": PromptCounter(
            vocabulary, LibraryTemplate(), Preamble.of(answer), trusted=True
        ),
    }
    cases = list(golden())
    counted = [(counters[name].count(messages, think=think), right) for name, think, messages, right in cases]
    wrong = sum(count.tokens != right or not count.exact for count, right in counted)
    tally.add("Ollama 0.32.15, both templates of Qwen3", len(cases), wrong, "conversations")


def compare_tokens(tally: Tally, name: str, answer: dict[str, Any], server: LlamaCpp, number: int) -> None:
    """Token by token, for varied strings."""
    table = read_table(answer)
    assert table is not None
    vocabulary = Vocabulary(table)
    stands_for = token_bytes(answer["model_info"], frozenset([*table.control, *table.literal]))
    before = [table.bos.encode()] if table.adds_bos else []
    wrong = sum(
        before + vocabulary.tokens(text) != [stands_for[token] for token in server.tokenize(text)]
        for text in varied_strings(len(name), number)
    )
    tally.add(name, number, wrong, "strings")


def compare_prompts(counter: PromptCounter, render: Callable[..., str], server: LlamaCpp, number: int) -> int:
    """How many random conversations give another text or count of tokens."""
    wrong = 0
    for place, messages in enumerate(random_conversations(number, number)):
        think = place % 2 == 0
        expected = server.apply_template(messages, think=think) or ""
        count = counter.count(messages, think=think)
        same = render(messages, think=think) == expected and count.tokens == len(server.tokenize(expected))
        wrong += not (same and count.exact)
    return wrong


def compare_templates(tally: Tally, qwen3: dict[str, Any], number: int, folder: Path) -> None:
    """Prompts of the official template, where it is at hand, and of the templates of the tests."""
    official = template_at_hand("qwen3-official.jinja")
    if official is None:
        print("Qwen3's template is left out: its text is not part of this project", flush=True)
    vocabulary = built(qwen3)
    for name, source in {"Qwen3's": official, **TEMPLATES}.items():
        if source is None:
            continue
        # llama-server alone keeps old thoughts as a template does; Ollama cuts them before (details.family).
        counter = PromptCounter.of_model(qwen3 | {"details": {}, "template": source}, vocabulary, VERSION)
        with LlamaCpp(write_model(folder / "template.gguf", qwen3["model_info"], source)) as server:
            wrong = compare_prompts(counter, Jinja(source, vocabulary).render, server, number)
        tally.add(f"llama.cpp, template: {name}", number, wrong, "conversations")


def compare_with_llama_cpp(tally: Tally, options: argparse.Namespace, folder: Path) -> None:
    """Both vocabularies, their templates and those of the tests, and every pre-tokenizer of the table."""
    qwen3, smollm2 = show("qwen3"), show("smollm2")
    with LlamaCpp(write_model(folder / "qwen3.gguf", qwen3["model_info"])) as server:
        compare_tokens(tally, "llama.cpp, Qwen3's vocabulary", qwen3, server, options.strings)
    compare_templates(tally, qwen3, options.conversations, folder)
    with LlamaCpp(options.smollm2 or write_model(folder / "smollm2.gguf", smollm2["model_info"])) as server:
        compare_tokens(tally, "llama.cpp, SmolLM2's vocabulary", smollm2, server, options.strings)
        if options.smollm2:
            vocabulary = built(smollm2)
            source = server.ask("GET", "/props")["chat_template"]
            jinja = Jinja(source, vocabulary)
            counter = PromptCounter(
                vocabulary, NativeTemplate(jinja.render, vocabulary, plain=True), trusted=True
            )
            wrong = compare_prompts(counter, jinja.render, server, options.conversations)
            tally.add("llama.cpp, SmolLM2's template", options.conversations, wrong, "conversations")
    for pre in PRE_TOKENIZERS:
        info = smollm2["model_info"] | {"tokenizer.ggml.pre": pre}
        del info["tokenizer.ggml.add_bos_token"]
        with LlamaCpp(write_model(folder / "pre.gguf", info)) as server:
            compare_tokens(
                tally, f"llama.cpp, pre-tokenizer {pre}", {"model_info": info}, server, options.strings // 20
            )


def took(name: str, work: Callable[[], object], times: int) -> None:
    """Print the median and the longest time of `work`."""
    spans = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spans.append((time.perf_counter() - start) * 1000)
    print(f"{name:42} median {statistics.median(spans):8.3f} ms, longest {max(spans):8.3f} ms", flush=True)


def conversation(counter: PromptCounter, tokens: int) -> list[Message]:
    """Rounds of mixed text, until the prompt has about so many tokens."""
    messages = [Message(Role.SYSTEM, "Be brief.")]
    for text in varied_strings(99, 100_000):
        role = Role.USER if len(messages) % 2 else Role.ASSISTANT
        messages.append(Message(role, f"{text}\n{'那预售商品呢? The answer depends. ' * 8}"))
        if role is Role.ASSISTANT and counter.count(messages[:-1], think=True).tokens > tokens:
            return messages
    return messages


def measure_counting(counter: PromptCounter, messages: Sequence[Message], times: int) -> None:
    """A keystroke, and the same prompt with nothing kept."""
    typed = iter(range(1, 10**6))

    def one_more_character() -> None:
        counter.count([*messages, Message(Role.USER, "那" * next(typed))], think=True)

    def anew() -> None:
        counter._kept.clear()
        counter.count(messages, think=True)

    took("  one more character in the last message", one_more_character, times)
    took("  everything anew", anew, max(1, times // 10))


def measure(options: argparse.Namespace, folder: Path) -> None:
    """How long the counting takes that a user could notice."""
    answer = show("qwen3")
    table = read_table(answer)
    assert table is not None
    cache = VocabularyCache(folder)
    digest = "0" * 64
    took("reading the vocabulary from an answer", lambda: read_table(answer), 3)
    took("writing it to disk", lambda: cache.save(digest, table), 3)
    took("reading it from disk", lambda: cache.load(digest), 3)
    took("building it", lambda: Vocabulary(table), 3)
    vocabulary = Vocabulary(table)
    official = official_counter(vocabulary, answer)
    jinja = answer | {"template": TEMPLATES["thoughts"]}
    counters = {
        "official Jinja template": official,
        "library's Go template": PromptCounter(
            vocabulary, LibraryTemplate(), Preamble.of(answer), trusted=True
        ),
        "a Jinja template through jinja2": PromptCounter.of_model(jinja, vocabulary, VERSION),
    }
    for name, counter in counters.items():
        messages = conversation(counter, 8_000)
        count = counter.count([*messages, Message(Role.USER, "x")], think=True)
        print(f"{name}: {len(messages)} messages, {count} tokens")
        measure_counting(counter, messages, options.times)
    rounds = conversation(official, 60_000)

    def counted(messages: Sequence[Message]) -> int:
        return official.count(messages, think=True).tokens

    took(f"trimming {len(rounds)} messages to 7,500 tokens", lambda: fit(rounds, TrimPolicy(), counted), 20)


def main() -> int:
    """Compare and measure by the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--strings", type=int, default=20_000)
    parser.add_argument("--conversations", type=int, default=500)
    parser.add_argument("--smollm2", type=Path)
    parser.add_argument("--times", type=int, default=500)
    options = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        measure(options, Path(folder))
        answer = show("qwen3")
        compare_golden(tally, answer, built(answer))
        compare_with_llama_cpp(tally, options, Path(folder))
    print(f"{tally.compared:,} compared, {tally.different} different")
    return 1 if tally.different else 0


if __name__ == "__main__":
    sys.exit(main())
