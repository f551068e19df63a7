"""The header of a GGUF file: what a model is, read without its weights.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. A
vocabulary is passed over, not read into memory: its array is known by its length alone.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from qwentui.chat.errors import ModelFileError
from qwentui.chat.memory_fit import ModelShape, shape_of, weights_on_gpu
from qwentui.chat.sanitize import sanitize_line
from qwentui.chat.tensor_types import tensor_bytes
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAGIC = b"GGUF"

_VERSIONS = (2, 3)
_KEPT = 4096  # numbers of an array that are kept: one for each layer, but no vocabulary
_DEPTH = 4
_ALIGNMENT = 32
_DIMENSIONS = 8
_STRING, _ARRAY, _BOOL = 8, 9, 7
_NUMBERS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    _BOOL: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_QUANTIZATIONS = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
}
"""`general.file_type` (llama.cpp, `llama_ftype`)."""


class Tensor(NamedTuple):
    """A tensor's entry; `kind` is its type's number, `offset` counts bytes from the start of the data."""

    name: str
    kind: int
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An array that was not read; only its length is known."""

    length: int

    def __len__(self) -> int:
        return self.length


@dataclass(frozen=True, slots=True)
class Gguf:
    """What a file's header says.

    Attributes:
        size: The file's length in bytes.
        metadata: The flat keys; long arrays and those of text are `PassedOver`.
        tensors: All entries, in the file's order.
    """

    size: int
    metadata: Mapping[str, Any]
    tensors: tuple[Tensor, ...]

    @property
    def architecture(self) -> str:
        """What llama.cpp must know to load it, as "qwen3"."""
        return self._text("general.architecture")

    @property
    def name(self) -> str:
        """What its makers call it, or ""."""
        return self._text("general.name")

    @property
    def chat_template(self) -> str:
        """The Jinja template that makes a prompt of messages, as it is, or ""."""
        value = self.metadata.get("tokenizer.chat_template")
        return value if isinstance(value, str) else ""

    @property
    def context_length(self) -> int | None:
        """Tokens of context that it was trained for."""
        value = self.metadata.get(f"{self.metadata.get('general.architecture')}.context_length")
        return value if isinstance(value, int) and value > 0 else None

    @property
    def quantization(self) -> str:
        """The name of its quantization, as "Q4_K_M", or ""."""
        value = self.metadata.get("general.file_type")
        return _QUANTIZATIONS.get(value, "") if isinstance(value, int) else ""

    @property
    def parameter_count(self) -> int:
        """The numbers in all its tensors."""
        total = 0
        for tensor in self.tensors:
            count = 1
            for length in tensor.shape:
                count *= length
            total += count
        return total

    @property
    def parts(self) -> int:
        """Of how many files the model is made; 1 when this is all of it."""
        value = self.metadata.get("split.count")
        return value if isinstance(value, int) and value > 1 else 1

    @property
    def shape(self) -> ModelShape | None:
        """What decides about memory; None when the header does not tell."""
        weights = weights_on_gpu((tensor.name, tensor.kind, tensor.shape) for tensor in self.tensors)
        return shape_of(self.metadata, self.size if weights is None else weights)

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        return sanitize_line(value) if isinstance(value, str) else ""


class _Cut(Exception):
    """The file ends, or what it says of itself cannot be."""


def read_gguf(path: Path) -> Gguf:
    """Read the header; blocks, for some tenths of a second where the vocabulary is large.

    Raises:
        ModelFileError: There is no such file, it is no GGUF, or it is not whole.
    """
    name = sanitize_line(str(path))
    if path.exists() and not path.is_file():
        raise ModelFileError(
            _("{path} is a folder or a device.").format(path=name), _("Give the path of a GGUF file.")
        )
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return _Header(file, size, name).read()
    except FileNotFoundError as error:
        raise ModelFileError(_("There is no file {path}.").format(path=name), _("Check the path.")) from error
    except OSError as error:
        raise ModelFileError(
            _("{path} cannot be read: {reason}.").format(path=name, reason=error.strerror or error)
        ) from error
    except _Cut as error:
        raise ModelFileError(
            _("{path} is damaged or not whole: {reason}.").format(path=name, reason=error),
            _("Download it again, and compare its SHA-256."),
        ) from error


class _Header:
    """Reads one header.

    Args:
        file: At its start.
        size: Its length in bytes.
        name: What a user calls it.
    """

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self._file = file
        self._size = size
        self._name = name

    def read(self) -> Gguf:
        self._check_kind()
        tensor_count, pair_count = self._number("<Q"), self._number("<Q")
        if max(tensor_count, pair_count) > self._size:
            raise _Cut(_("its header counts more entries than it has bytes"))
        metadata: dict[str, Any] = {}
        for _pair in range(pair_count):
            key = self._text()
            metadata[key] = self._value(self._number("<I"), _DEPTH)
        tensors = tuple(self._tensor() for _index in range(tensor_count))
        self._check_length(metadata, tensors)
        return Gguf(self._size, metadata, tensors)

    def _check_kind(self) -> None:
        if self._file.read(4) != MAGIC:
            raise ModelFileError(
                _("{path} is not a GGUF file.").format(path=self._name),
                _("Ollama takes GGUF; llama.cpp's convert_hf_to_gguf.py makes it from Safetensors."),
            )
        version = self._number("<I")
        if version not in _VERSIONS:
            sentence = _("{path} is GGUF of a kind that is not known.")
            if version == 1:
                sentence = _("{path} is GGUF version 1, which is too old.")
            raise ModelFileError(sentence.format(path=self._name), _("Get a newer file of this model."))

    def _tensor(self) -> Tensor:
        name, dimensions = self._text(), self._number("<I")
        if dimensions > _DIMENSIONS:
            raise _Cut(_("a tensor has {count:,} dimensions").format(count=dimensions))
        shape = tuple(self._number("<Q") for _dimension in range(dimensions))
        return Tensor(name, self._number("<I"), shape, self._number("<Q"))

    def _check_length(self, metadata: Mapping[str, Any], tensors: tuple[Tensor, ...]) -> None:
        """See whether the last tensor ends inside of the file, which a broken download does not."""
        alignment = metadata.get("general.alignment", _ALIGNMENT)
        if not isinstance(alignment, int) or alignment <= 0:
            raise _Cut(_("its alignment is no positive number"))
        start = -(-self._file.tell() // alignment) * alignment
        if not tensors:
            return
        ends = [tensor.offset + (tensor_bytes(tensor.kind, tensor.shape) or 0) for tensor in tensors]
        whole = start + max(ends)
        if whole > self._size:
            raise _Cut(_("it has {size:,} bytes of at least {whole:,}").format(size=self._size, whole=whole))

    def _value(self, kind: int, depth: int) -> Any:  # noqa: ANN401 - a file says what it likes
        if kind in _NUMBERS:
            return self._number(_NUMBERS[kind])
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY and depth:
            return self._array(depth - 1)
        raise _Cut(_("its header holds a value of the unknown type {number}").format(number=kind))

    def _array(self, depth: int) -> Any:  # noqa: ANN401 - as above
        kind, count = self._number("<I"), self._number("<Q")
        if kind in _NUMBERS and count > _KEPT:
            self._skip(count * struct.calcsize(_NUMBERS[kind]))
            return PassedOver(count)
        if count > self._size:
            raise _Cut(_("an array in its header is longer than the file"))
        if kind == _STRING:
            for _index in range(count):
                self._skip(self._number("<Q"))
            return PassedOver(count)
        return [self._value(kind, depth) for _index in range(count)]

    def _number(self, layout: str) -> Any:  # noqa: ANN401 - an int, a float or a bool, as the layout says
        data = self._file.read(struct.calcsize(layout))
        if len(data) < struct.calcsize(layout):
            raise _Cut(_("it ends inside of its header"))
        return struct.unpack(layout, data)[0]

    def _text(self) -> str:
        length = self._number("<Q")
        if length > self._size - self._file.tell():
            raise _Cut(_("it ends inside of its header"))
        return self._file.read(length).decode("utf-8", "replace")

    def _skip(self, length: int) -> None:
        if length > self._size - self._file.tell():
            raise _Cut(_("it ends inside of its header"))
        self._file.seek(length, os.SEEK_CUR)
