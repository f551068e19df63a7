"""A GGUF file of some 100 kB that llama.cpp really loads: a layer of random weights or more, one token a byte.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 3, little-endian). What the model
says is noise; how it is loaded, served, streamed and stopped is real.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_EMBEDDING = 32
_FEED_FORWARD = 64
_CONTEXT = 2048
_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _STRING, _ARRAY = 4, 5, 6, 8, 9
_UNKNOWN, _CONTROL, _BYTE = 2, 3, 6

_TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _number(key: str, value: int) -> bytes:
    return _pair(key, _UINT32, struct.pack("<I", value))


def _array(key: str, kind: int, items: list[bytes]) -> bytes:
    return _pair(key, _ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items))


def _metadata(architecture: str, layers: int) -> list[bytes]:
    types = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * 256]
    return [
        _pair("general.architecture", _STRING, _string(architecture)),
        _number("llama.context_length", _CONTEXT),
        _number("llama.embedding_length", _EMBEDDING),
        _number("llama.block_count", layers),
        _number("llama.feed_forward_length", _FEED_FORWARD),
        _number("llama.attention.head_count", 1),
        _pair("llama.attention.layer_norm_rms_epsilon", _FLOAT32, struct.pack("<f", 1e-5)),
        _pair("tokenizer.ggml.model", _STRING, _string("llama")),
        _array("tokenizer.ggml.tokens", _STRING, [_string(token) for token in _TOKENS]),
        _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", 0.0)] * len(_TOKENS)),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in types]),
        _number("tokenizer.ggml.bos_token_id", 1),
        _number("tokenizer.ggml.eos_token_id", 2),
        _number("tokenizer.ggml.unknown_token_id", 0),
    ]


def _shapes(layers: int) -> dict[str, tuple[int, ...]]:
    """The tensors; the first number is the length of a row."""
    square = (_EMBEDDING, _EMBEDDING)
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (_EMBEDDING, len(_TOKENS)),
        "output_norm.weight": (_EMBEDDING,),
        "output.weight": (_EMBEDDING, len(_TOKENS)),
    }
    for layer in range(layers):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (_EMBEDDING,),
            f"blk.{layer}.attn_q.weight": square,
            f"blk.{layer}.attn_k.weight": square,
            f"blk.{layer}.attn_v.weight": square,
            f"blk.{layer}.attn_output.weight": square,
            f"blk.{layer}.ffn_norm.weight": (_EMBEDDING,),
            f"blk.{layer}.ffn_gate.weight": (_EMBEDDING, _FEED_FORWARD),
            f"blk.{layer}.ffn_up.weight": (_EMBEDDING, _FEED_FORWARD),
            f"blk.{layer}.ffn_down.weight": (_FEED_FORWARD, _EMBEDDING),
        }
    return shapes


def write_gguf(path: Path, *, architecture: str = "llama", layers: int = 1) -> Path:
    """Write the model to `path`; an `architecture` that nobody knows makes one that cannot be loaded.

    With more `layers` it takes its time: 1,500 tokens of one take a quarter of a second.
    """
    chance = random.Random(0)
    infos, data = [], b""
    for name, shape in _shapes(layers).items():
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        rows = struct.pack(f"<{len(shape)}Q", *shape)
        infos.append(_string(name) + struct.pack("<I", len(shape)) + rows + struct.pack("<IQ", 0, len(data)))
        data += struct.pack(f"<{count}f", *(chance.gauss(0.0, 0.05) for _ in range(count)))
        data += bytes(-len(data) % _ALIGNMENT)
    pairs = _metadata(architecture, layers)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(pairs)) + b"".join(pairs) + b"".join(infos)
    path.write_bytes(head + bytes(-len(head) % _ALIGNMENT) + data)
    return path
