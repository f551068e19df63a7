from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest

from qwentui.backends.model_faults import faults, parameters_of, shape_of_shown, template_kind
from qwentui.chat.memory_fit import ModelShape

WIRE = Path(__file__).parents[1] / "data" / "wire"


@pytest.fixture
def smollm2() -> dict[str, Any]:
    """The recorded answer of `/api/show`, out of its chunks."""
    body = (WIRE / "show.txt").read_bytes().partition(b"\r\n\r\n")[2]
    text = b"".join(re.split(rb"(?:^|\r\n)[0-9a-f]+\r\n", body)).removesuffix(b"\r\n")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_recorded_model_is_described(smollm2: dict[str, Any]) -> None:
    assert parameters_of(smollm2) == [("num_ctx", "8192"), ("stop", "<|im_end|>"), ("stop", "<|im_start|>")]
    shape = shape_of_shown(smollm2, 98_362_760)
    assert isinstance(shape, ModelShape)
    assert (shape.block_count, shape.kv_numbers, shape.context_length) == (30, 30 * 3 * 128, 8192)
    # Its embeddings are its output too, so all tensors go to the GPU; the rest of the file is its header.
    assert 0.9 * 98_362_760 < shape.weights < 98_362_760
    assert list(faults(smollm2)) == [
        "Its template is a Go template: prompts that are too long are cut silently by the server."
    ]


def test_the_recipe_on_a_server() -> None:
    show = {
        "parameters": 'num_gqa                        8\nstop                           "【|<|>"\nnum_ctx   50000',
        "template": "{% for m in messages %}",
        "model_info": {"general.architecture": "qwen3", "qwen3.context_length": 40960},
    }
    found = list(faults(show))
    assert len(found) == 3
    assert "50,000 is more than the 40,960" in found[0]
    assert "num_gqa is unknown" in found[1]
    assert "no pattern" in found[2]


def test_what_a_server_leaves_out_is_no_error() -> None:
    assert list(parameters_of({})) == []
    assert shape_of_shown({"model_info": None, "tensors": [{"name": 1}, 5]}, 10) is None
    assert [text.split(":")[0] for text in faults({})] == ["No num_ctx is set", "It has no chat template"]


@pytest.mark.parametrize(
    ("template", "kind"),
    [("", "none"), (" \n", "none"), ("{% if x %}", "Jinja"), ("{{ .Prompt }}", "Go"), ("{{- range", "Go")],
)
def test_the_kinds_of_templates(template: str, kind: str) -> None:
    assert template_kind(template) == kind


def test_text_quoted_by_go_is_read() -> None:
    show = {"parameters": 'stop   "a\\n\\"b\\"\\u4f60\\x1b\\\\"'}
    assert parameters_of(show) == [("stop", 'a\n"b"你\x1b\\')]


def test_a_real_vocabulary_is_counted() -> None:
    data = (Path(__file__).parents[1] / "data" / "counting" / "show-verbose-qwen3.json.gz").read_bytes()
    shape = shape_of_shown(json.loads(gzip.decompress(data)), 1)
    assert shape is not None
    assert shape.vocabulary == 151936
