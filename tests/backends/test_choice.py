from __future__ import annotations

import pytest

from qwentui.backends.choice import fitting, short_name

INSTALLED = ("llama3:8b", "qwen3:8b", "qwen3:32b", "my-Qwen:latest")


@pytest.mark.parametrize(
    ("wanted", "loaded", "expected"),
    [
        ("qwen3:32b", (), ("qwen3:32b",)),
        ("QWEN3:32B", (), ("qwen3:32b",)),
        ("my-qwen", (), ("my-Qwen:latest",)),
        ("qwen3", (), ("qwen3:8b", "qwen3:32b")),
        ("32b", (), ("qwen3:32b",)),
        ("gemma", (), ()),
        ("", ("qwen3:32b",), ("qwen3:32b",)),
        ("", ("qwen3:32b", "llama3:8b"), ("qwen3:32b", "llama3:8b")),
        ("", ("gone:latest",), ("gone:latest",)),
        ("", (), ("llama3:8b",)),
    ],
)
def test_what_a_start_means(wanted: str, loaded: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert fitting(wanted, INSTALLED, loaded) == expected


def test_no_models_fit_nothing() -> None:
    assert fitting("", (), ()) == ()
    assert fitting("x", (), ()) == ()


def test_the_tag_that_says_nothing_is_not_shown() -> None:
    assert short_name("qwen3:latest") == "qwen3"
    assert short_name("qwen3:32b") == "qwen3:32b"
