from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tiny_gguf import write_gguf

from qwentui.backends.gguf import PassedOver, read_gguf
from qwentui.backends.model_fetch import fetch
from qwentui.chat.errors import ModelFileError
from qwentui.chat.memory_fit import MIB, KvType


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_a_real_file_says_what_it_is(tiny: Path) -> None:
    gguf = read_gguf(tiny)
    assert (gguf.architecture, gguf.context_length, gguf.size) == ("llama", 2048, tiny.stat().st_size)
    assert gguf.metadata["llama.attention.layer_norm_rms_epsilon"] == pytest.approx(1e-5)
    assert len(gguf.tensors) == 12
    assert gguf.parameter_count == sum((2 * 259 * 32, 2 * 32, 32, 4 * 32 * 32, 3 * 32 * 64))
    assert (gguf.name, gguf.chat_template, gguf.quantization, gguf.parts) == ("", "", "", 1)


def test_a_vocabulary_is_passed_over_and_its_length_known(tiny: Path) -> None:
    gguf = read_gguf(tiny)
    assert gguf.metadata["tokenizer.ggml.tokens"] == PassedOver(259)
    assert gguf.shape is not None
    assert gguf.shape.vocabulary == 259


def test_its_shape_tells_the_memory(tiny: Path) -> None:
    shape = read_gguf(tiny).shape
    assert shape is not None
    assert shape.kv_bytes_per_token(KvType.F16) == 2 * 32 * 2
    assert shape.weights == 4 * (259 * 32 + 2 * 32 + 32 + 4 * 32 * 32 + 3 * 32 * 64)
    assert shape.fits(2048 * MIB, 2048)


def test_text_in_a_header_is_made_safe(tmp_path: Path) -> None:
    gguf = read_gguf(write_gguf(tmp_path / "evil.gguf", architecture="x\x1b[31m"))
    assert gguf.architecture == "x␛[31m"


def test_a_broken_download_is_told_by_its_length(tiny: Path, tmp_path: Path) -> None:
    data = tiny.read_bytes()
    part = tmp_path / "part.gguf"
    part.write_bytes(data[:-4096])
    with pytest.raises(ModelFileError, match=rf"not whole: it has {len(data) - 4096:,} bytes of at least"):
        read_gguf(part)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a GGUF file"),
        (b"PK\x03\x04 and so on", "not a GGUF file"),
        (b"GGUF", "ends inside of its header"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "version 1"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "kind that is not known"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "more entries"),
        (b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60), "ends inside of its header"),
        (b"GGUF" + struct.pack("<IQQQI", 3, 0, 1, 0, 99), "unknown type 99"),
        (b"GGUF" + struct.pack("<IQQQIIQ", 3, 0, 1, 0, 9, 8, 1 << 60), "longer than the file"),
        (b"GGUF" + struct.pack("<IQQQIIQ", 3, 0, 1, 0, 9, 6, 1 << 60), "ends inside of its header"),
    ],
)
def test_a_foreign_or_damaged_file_gets_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelFileError, match=sentence):
        read_gguf(path)


def test_a_missing_file_and_a_folder_get_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="There is no file"):
        read_gguf(tmp_path / "none.gguf")
    with pytest.raises(ModelFileError, match="is a folder"):
        read_gguf(tmp_path)


@given(place=st.integers(4, 9000), byte=st.integers(0, 255), cut=st.integers(0, 200_000))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_header_never_raises_anything_else(
    tiny: Path, tmp_path: Path, place: int, byte: int, cut: int
) -> None:
    data = bytearray(tiny.read_bytes()[:cut] if cut < 9000 else tiny.read_bytes())
    if place < len(data):
        data[place] = byte
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    try:
        gguf = read_gguf(path)
        assert gguf.parameter_count >= 0
        assert gguf.shape is None or gguf.shape.kv_numbers > 0
    except ModelFileError:
        pass


@pytest.mark.real_model
async def test_the_header_of_a_real_model() -> None:
    cache = Path(os.environ.get("QWENTUI_TEST_CACHE") or Path.home() / ".cache" / "qwentui-tests")
    gguf = read_gguf(await fetch(cache, lambda _: None))
    assert (gguf.architecture, gguf.quantization, gguf.context_length) == ("llama", "Q4_1", 8192)
    assert gguf.parameter_count == 134_515_008
    assert "<|im_start|>" in gguf.chat_template
    assert gguf.metadata["tokenizer.ggml.tokens"] == PassedOver(49152)
    assert gguf.shape is not None
    assert gguf.shape.kv_bytes_per_token() == 30 * 3 * 128 * 2
