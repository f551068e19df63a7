"""The recorded vocabularies, built once a session."""

from __future__ import annotations

import pytest
from counting.reference import show, template_at_hand

from qwentui.counting.vocabulary import Vocabulary, read_table


def _built(name: str) -> Vocabulary:
    table = read_table(show(name))
    assert table is not None
    return Vocabulary(table)


def _at_hand(name: str) -> str:
    source = template_at_hand(name)
    if source is None:
        pytest.skip("the template's text is not part of this project")
    return source


@pytest.fixture(scope="session")
def official_source() -> str:
    return _at_hand("qwen3-official.jinja")


@pytest.fixture(scope="session")
def library_source() -> str:
    return _at_hand("qwen3-library.gotmpl")


@pytest.fixture(scope="session")
def qwen3() -> Vocabulary:
    return _built("qwen3")


@pytest.fixture(scope="session")
def smollm2() -> Vocabulary:
    return _built("smollm2")
