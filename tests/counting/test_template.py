"""Prompts as Ollama renders them, and templates that mean harm."""

from __future__ import annotations

import hashlib
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from counting.reference import random_conversations, show, tagged_conversations
from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.message import Message, Role
from qwentui.counting.qwen3_template import (
    LIBRARY_SHA256,
    OFFICIAL_SHA256,
    render_library,
    render_official,
    without_old_thoughts,
)
from qwentui.counting.template import (
    ChatMLTemplate,
    Jinja,
    LibraryTemplate,
    NativeTemplate,
    Preamble,
    TemplateRefusal,
    template_of,
)
from qwentui.counting.vocabulary import TokenTable, Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable

OFFICIAL_RENDERED_SHA256 = "343399d687b01653a1f60916d2f3054c9343957f4b49ad159f7213361b7411dc"
"""Of what jinja2 makes of `tagged_conversations(6, 2_000)` with the official template."""

TABLE = TokenTable(
    pre="qwen2",
    words=[bytes([byte]) for byte in range(256)],
    missing=b"",
    control=["<bos>"],
    literal=[],
    bos="<bos>",
    eos="<eos>",
    adds_bos=True,
)


@pytest.fixture(scope="module")
def bytewise() -> Vocabulary:
    """One token a byte; templates only ask for its BOS and EOS."""
    return Vocabulary(TABLE)


def user(text: str) -> Message:
    return Message(Role.USER, text)


def assistant(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def system(text: str) -> Message:
    return Message(Role.SYSTEM, text)


def test_the_official_template_keeps_thoughts_behind_the_last_question_only() -> None:
    thought = assistant("<think>\n\nt\n</think>\n\na")
    tool = user("<tool_response>r</tool_response>")
    messages = [system("S"), user("q"), thought, user("q"), thought, assistant("b"), tool, system("T")]
    asked = (
        "<|im_start|>system\nS<|im_end|>\n"
        "<|im_start|>user\nq<|im_end|>\n"
        "<|im_start|>assistant\na<|im_end|>\n"
        "<|im_start|>user\nq<|im_end|>\n"
        "<|im_start|>assistant\n<think>\nt\n</think>\n\na<|im_end|>\n"
        "<|im_start|>assistant\nb<|im_end|>\n"
        "<|im_start|>user\n<tool_response>r</tool_response><|im_end|>\n"
        "<|im_start|>system\nT<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
    assert render_official(messages, think=True) == asked
    assert render_official(messages, think=False) == asked + "<think>\n\n</think>\n\n"


def digest(render: Callable[[list[Message], bool], str]) -> str:
    """The hash of what `render` makes of many conversations, with thinking and without."""
    prompts = hashlib.sha256()
    for messages in tagged_conversations(6, 2_000):
        for think in (True, False):
            prompts.update(render(messages, think).encode() + b"\0")
    return prompts.hexdigest()


def test_the_official_template_is_rendered_as_jinja_rendered_it() -> None:
    assert digest(lambda messages, think: render_official(messages, think=think)) == OFFICIAL_RENDERED_SHA256


def test_what_jinja_rendered_is_what_jinja_renders(official_source: str, bytewise: Vocabulary) -> None:
    jinja = Jinja(official_source, bytewise)
    assert digest(lambda messages, think: jinja.render(messages, think=think)) == OFFICIAL_RENDERED_SHA256


def test_the_official_template_is_rendered_as_jinja_renders_it(
    official_source: str, bytewise: Vocabulary
) -> None:
    assert hashlib.sha256(official_source.encode()).hexdigest() == OFFICIAL_SHA256
    jinja = Jinja(official_source, bytewise)
    for messages in random_conversations(5, 150):
        for think in (True, False):
            assert render_official(messages, think=think) == jinja.render(messages, think=think)


roles = st.sampled_from([Role.SYSTEM, Role.USER, Role.ASSISTANT])
parts = st.sampled_from(
    ["<think>", "</think>", "\n", "\n\n", " ", "a", "<tool_response>", "</tool_response>", "好"]
)
contents = st.lists(parts, max_size=6).map("".join)


@pytest.fixture(scope="module")
def official(official_source: str, bytewise: Vocabulary) -> Jinja:
    """The official template, rendered by jinja2."""
    return Jinja(official_source, bytewise)


@given(messages=st.lists(st.builds(Message, roles, contents), min_size=1, max_size=6), think=st.booleans())
def test_the_official_template_is_rendered_alike_in_any_order_of_roles(
    official: Jinja, messages: list[Message], think: bool
) -> None:
    assert render_official(messages, think=think) == official.render(messages, think=think)


def test_the_library_template_puts_the_system_first_and_marks_the_last_question() -> None:
    messages = [user("a"), user("b"), assistant("c"), system("S"), user("d"), system("T")]
    assert render_library(messages, think=False) == (
        "<|im_start|>system\n\nS\n\nT<|im_end|>\n"
        "<|im_start|>user\na\n\nb<|im_end|>\n"
        "<|im_start|>assistant\nc<|im_end|>\n"
        "<|im_start|>user\nd /no_think<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\n"
    )
    assert render_library([user("a"), assistant("b")], think=True) == (
        "<|im_start|>user\na /think<|im_end|>\n<|im_start|>assistant\nb"
    )


def test_the_library_template_is_known_by_its_hash_where_it_lies_at_hand(
    library_source: str, bytewise: Vocabulary
) -> None:
    assert hashlib.sha256(library_source.encode()).hexdigest() == LIBRARY_SHA256
    assert isinstance(template_of({"template": library_source}, bytewise), LibraryTemplate)


def test_a_template_of_a_known_hash_is_rendered_without_its_language(
    monkeypatch: pytest.MonkeyPatch, bytewise: Vocabulary
) -> None:
    official, library = "{% no Jinja", "{{ no Go"
    for name, text in (("OFFICIAL_SHA256", official), ("LIBRARY_SHA256", library)):
        monkeypatch.setattr(f"qwentui.counting.template.{name}", hashlib.sha256(text.encode()).hexdigest())
    asked = [user("a"), assistant("b")]
    assert template_of({"template": official}, bytewise).render(asked, think=False) == (
        "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\nb",
        True,
    )
    assert template_of({"template": library}, bytewise).render(asked, think=True) == (
        "<|im_start|>user\na /think<|im_end|>\n<|im_start|>assistant\nb",
        True,
    )


@pytest.mark.parametrize(
    ("content", "left"),
    [
        ("<think>x</think>y", "y"),
        (" \n<think>\nx\n</think>\n\n y ", "y "),
        ("\u3000<think>x</think>\u3000y", "y"),
        ("<think>x</think>y</think>z", "y</think>z"),
        ("<think>never ends", ""),
        ("<thi", ""),
        (" \n", ""),
        ("x<think>y</think>z", "x<think>y</think>z"),
        ("\x1c<think>x</think>y", "\x1c<think>x</think>y"),
    ],
)
def test_old_answers_lose_the_thought_that_they_begin_with(content: str, left: str) -> None:
    messages = [user("a"), assistant(content), user("b"), assistant(content)]
    assert without_old_thoughts(messages) == [user("a"), assistant(left), user("b"), assistant(content)]


def test_templates_are_told_apart_by_their_text(bytewise: Vocabulary) -> None:
    assert isinstance(
        template_of({"template": "{% for m in messages %}{% endfor %}"}, bytewise), NativeTemplate
    )
    assert isinstance(template_of(show("smollm2"), bytewise), ChatMLTemplate)
    for unknown in ({}, {"template": None}, {"template": "{{ .Prompt }}"}):
        prompt = template_of(unknown, bytewise).render([user("a")], think=True)
        assert prompt == ("<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n", False)


def test_a_preamble_is_read_from_whatever_the_server_says() -> None:
    assert Preamble.of({}) == Preamble()
    assert Preamble.of({"system": 1, "messages": "x", "details": []}) == Preamble()
    assert Preamble.of({"details": {"family": "qwen3"}}).drops_old_thoughts
    assert not Preamble.of({"details": {"family": "qwen3moe"}}).drops_old_thoughts


def test_a_leading_bos_is_left_to_the_tokenizer(bytewise: Vocabulary) -> None:
    source = "{{ bos_token }}{% for m in messages %}{{ m.content ~ eos_token }}{% endfor %}"
    assert template_of({"template": source}, bytewise).render([user("a")], think=True) == ("a<eos>", True)


def test_an_unfinished_reply_is_appended_to_the_rest(bytewise: Vocabulary) -> None:
    source = "{% for m in messages %}[{{ m.content }}]{% endfor %}>"
    template = template_of({"template": source}, bytewise)
    assert template.render([user("a"), assistant("b")], think=False) == ("[a]>b", True)
    assert template.render([user("a"), assistant("b")], think=True) == ("[a]>b", False)
    with pytest.raises(TemplateRefusal, match="two messages of the assistant"):
        template.render([user("a"), assistant("b"), assistant("c")], think=False)


def test_a_template_may_tell_the_date(bytewise: Vocabulary) -> None:
    source = "{% if true %}{{ strftime_now('%d %b %Y') }}{% endif %}"
    day = Jinja(source, bytewise, now=lambda: datetime(2026, 7, 26, tzinfo=UTC))
    assert day.render([user("a")], think=True) == "26 Jul 2026"


def test_a_template_refuses_with_its_own_words(bytewise: Vocabulary) -> None:
    jinja = Jinja("{% if true %}{{ raise_exception('roles must alternate') }}{% endif %}", bytewise)
    with pytest.raises(TemplateRefusal, match="roles must alternate"):
        jinja.render([user("a")], think=True)


HOSTILE = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a doubled string": "{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "an added string": "{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}",
    "a captured string": (
        "{% set n = namespace(s='xx') %}{% for i in range(60) %}"
        "{% set x %}{{ n.s }}{{ n.s }}{% endset %}{% set n.s = x %}{% endfor %}{{ n.s }}"
    ),
    "a multiplied string": "{{ 'x' * 9999999999 }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "a squared number": "{% set n = namespace(i=9) %}{% for i in range(99) %}{% set n.i = n.i * n.i %}{% endfor %}",
    "a wide format": "{{ '%9999999999d' % 1 }}",
    "a wide str.format": "{{ '{:>9999999999}'.format(1) }}",
    "a wide filter": "{{ 'x' | center(9999999999) }}",
    "a wide method": "{{ 'x'.ljust(9999999999) }}",
    "a replaced string": (
        "{% set n = namespace(s='aaaaaaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s.replace('a', n.s) %}{% endfor %}"
    ),
    "a replace filter": (
        "{% set n = namespace(s='aaaaaaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s | replace('a', n.s) %}{% endfor %}"
    ),
    "a joined string": (
        "{% set n = namespace(s='aaaaaaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s.join(n.s) %}{% endfor %}"
    ),
    "a join filter": (
        "{% set n = namespace(s='aaaaaaaa') %}"
        "{% for i in range(60) %}{% set n.s = n.s | list | join(n.s) %}{% endfor %}"
    ),
    "lists in lists": (
        "{% set n = namespace(a=[0], b=[0]) %}{% for i in range(60) %}"
        "{% set n.a = [n.a, n.a] %}{% set n.b = [n.b, n.b] %}{% endfor %}{{ n.a == n.b }}"
    ),
    "mappings in mappings": (
        "{% set n = namespace(a=0) %}{% for i in range(60) %}{% set n.a = {'x': n.a, 'y': n.a} %}{% endfor %}"
        "{{ n.a | tojson }}"
    ),
    "added lists": "{% set n = namespace(a=[0]) %}{% for i in range(60) %}{% set n.a = n.a + n.a %}{% endfor %}",
    "macros that call themselves": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "blocks that call themselves": "{% block b %}{{ self.b() }}{{ self.b() }}{% endblock %}",
    "much text in a loop": "{% for a in range(99999) %}" + "x" * 10_000 + "{% endfor %}",
    "a loop into itself": "{% for a in [[0]] recursive %}{{ loop(a) }}{% endfor %}",
    "Python's insides": "{% if true %}{{ ''.__class__.__mro__ }}{% endif %}",
    "a printed list": "{% if true %}{{ [messages] }}{% endif %}",
    "another file": "{% include '/etc/passwd' %}",
    "a deep expression": "{% if " + "(" * 30_000 + ")" * 30_000 + " %}{% endif %}",
    "a template without end": "{% if true %}{% endif %}" * 10_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_neither_hangs_nor_eats_memory(name: str, bytewise: Vocabulary) -> None:
    tracemalloc.start()
    with pytest.raises(TemplateRefusal):
        Jinja("{% if true %}{% endif %}" + HOSTILE[name], bytewise).render([user("a" * 100)], think=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600_000_000


def test_a_long_conversation_is_within_the_bounds(bytewise: Vocabulary) -> None:
    source = "{% for m in messages %}[{{ m.role ~ ': ' + m.content | trim }}]{% endfor %}"
    messages = [user("x" * 1_000_000), *[user("y" * 100)] * 2_000]
    assert len(Jinja(source, bytewise).render(messages, think=True)) > 1_200_000
