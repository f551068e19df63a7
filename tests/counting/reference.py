"""llama.cpp itself as the reference: a model file with a real vocabulary, its server, and text to compare.

The model file has random nothing for weights: tokenizing and templates need none.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from qwentui.chat.message import Message, Role
from qwentui.counting.counter import PromptCounter, counts_like_llama_cpp
from qwentui.counting.qwen3_template import render_official
from qwentui.counting.template import NativeTemplate, Preamble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwentui.counting.vocabulary import Vocabulary

VERSION = "0.32.15"
"""Of the Ollama that gave the golden counts."""

DATA = Path(__file__).parent.parent / "data" / "counting"

_EMBEDDING = 32
_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _STRING, _ARRAY, _BOOL = 4, 5, 6, 8, 9, 7
_F32, _F16 = 0, 1

_CHILD = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.port = 0
params.n_ctx = 64
params.n_parallel = 1
params.warmup = False
params.use_jinja = True
params.fit_params = False
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""

_TEXT = """
订单发货后多久能收到 上下文已优化,保持响应流畅 模型 显存几乎占满 ，。！？；：“”「」 the quick brown isn't they'll WE'VE I'D
don't x's 123 45678 3.14159 0x1F ١٢٣ Ⅷ ½ 😀 👩‍👩‍👧‍👦 🇨🇳 👍🏽 é Å นี้ภาษาไทย हिन्दी العربية עברית 한국어 ひらがな カタカナ ſ ﬁ
<|im_start|> <|im_end|> <|endoftext|> <think> </think> <tool_call> </tool_call> <tool_response> <|im_ <|extra_0|> <s> </s>
[INST] {{x}} {% def f(x): return x**2 if (a&&b) { ; } #include <stdio.h> // -- == != -> => ===== ----- \\n ' 's 'S 'LL
"""
_WORDS = _TEXT.split()
_CODE = "".join(
    path.read_text(errors="replace")[:20_000] for path in sorted(Path(json.__file__).parent.glob("*.py"))
)
_BLANKS = " \t\n\r\x0b\x0c\x1c\x1d\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000\u200b\ufeff"
_TAGS = ["<think>", "</think>", "\n", "\n\n", " ", "a", "<tool_response>", "</tool_response>", "好"]
_GAPS = ["", " ", "  ", "\n", "\n\n", "\r\n", "\t", "\u3000", "\xa0 "]


def show(name: str) -> dict[str, Any]:
    """A recorded verbose `/api/show` answer; the `template` of `qwen3` is empty, for its text is not ours."""
    answer: dict[str, Any] = json.loads(gzip.decompress((DATA / f"show-verbose-{name}.json.gz").read_bytes()))
    return answer


def template_at_hand(name: str) -> str | None:
    """The text of a template of Qwen3, which is not part of this project, where it lies beside the checkout."""
    source = Path(__file__).parents[3] / "shared" / "tokens" / name
    return source.read_text() if source.exists() else None


def official_counter(
    vocabulary: Vocabulary, answer: Mapping[str, Any] | None = None, version: str | None = VERSION
) -> PromptCounter:
    """What `PromptCounter.of_model` makes of `answer` when its `template` is Qwen3's official one."""
    template = NativeTemplate(render_official, vocabulary, plain=True)
    preamble = Preamble.of(show("qwen3") if answer is None else answer)
    return PromptCounter(vocabulary, template, preamble, trusted=counts_like_llama_cpp(version))


def golden() -> Iterator[tuple[str, bool, list[Message], int]]:
    """Template name, think, messages and the `prompt_eval_count` that Ollama 0.32.15 gave for them."""
    for line in gzip.decompress((DATA / "golden.jsonl.gz").read_bytes()).splitlines():
        case = json.loads(line)
        messages = [Message(Role(message["role"]), message["content"]) for message in case["messages"]]
        yield case["template"], case["think"], messages, case["prompt_eval_count"]


def varied_strings(seed: int, number: int) -> Iterator[str]:
    """Chinese, code, emoji, NFD, all whitespace, look-alikes of control tokens, any code point, long runs."""
    rng = random.Random(seed)
    for place in range(number):
        yield _KINDS[place % len(_KINDS)](rng)


def _phrase(rng: random.Random) -> str:
    return "".join(rng.choice(_WORDS) + rng.choice(_GAPS) for _ in range(rng.randint(1, 40)))


def _code_points(rng: random.Random) -> str:
    spans = [
        (0x20, 0x250),
        (0x300, 0x370),
        (0x4E00, 0x9FFF),
        (0x600, 0x2000),
        (0x1F000, 0x1FAFF),
        (1, 0x10FFFF),
    ]
    codes = (rng.randint(*rng.choice(spans)) for _ in range(rng.randint(1, 60)))
    return "".join(chr(code) for code in codes if not 0xD800 <= code < 0xE000)


def _decomposed(rng: random.Random) -> str:
    spans = [(0xC0, 0x250), (0xAC00, 0xD7A3), (0x3040, 0x30FF), (0x20, 0x20)]
    text = "".join(chr(rng.randint(*rng.choice(spans))) for _ in range(rng.randint(1, 40)))
    return unicodedata.normalize(rng.choice(["NFD", "NFKD"]), text)


def _blank(rng: random.Random) -> str:
    return "".join(rng.choice(_BLANKS + "a1.中-") * rng.randint(1, 5) for _ in range(rng.randint(1, 25)))


def _run(rng: random.Random) -> str:
    return rng.choice("a=-. \n中1#é\u0301") * rng.randint(1, 300) + rng.choice(["", "x", " y", "。"])


def _excerpt(rng: random.Random) -> str:
    start = rng.randrange(len(_CODE))
    return _CODE[start : start + rng.randint(1, 600)]


_KINDS = (_phrase, _phrase, _phrase, _code_points, _decomposed, _blank, _run, _excerpt)


def random_conversations(seed: int, number: int) -> Iterator[list[Message]]:
    """Conversations as a client sends them: perhaps a system prompt, then users and assistants in turn."""
    texts = varied_strings(seed, 1_000_000)
    rng = random.Random(seed)
    for _ in range(number):
        messages = [Message(Role.SYSTEM, next(texts))] if rng.random() < 0.5 else []
        for _ in range(rng.randint(0, 4)):
            thought = rng.choice(["", "", f"<think>\n{next(texts)}\n</think>\n\n"])
            messages += [Message(Role.USER, next(texts)), Message(Role.ASSISTANT, thought + next(texts))]
        yield [*messages, Message(Role.USER, next(texts))]


def tagged_conversations(seed: int, number: int) -> Iterator[list[Message]]:
    """One to six messages in any order of roles, of tags, line breaks and little else.

    They are the same under every Python: `random()` is all of `random` whose numbers are promised to stay.
    """
    rng = random.Random(seed)

    def below(bound: int) -> int:
        return int(rng.random() * bound)

    def message() -> Message:
        role = list(Role)[below(len(Role))]
        content = "".join(_TAGS[below(len(_TAGS))] for _ in range(below(7)))
        return Message(role, content if below(4) else f"<tool_response>{content}</tool_response>")

    for _ in range(number):
        yield [message() for _ in range(1 + below(6))]


def write_model(path: Path, model_info: Mapping[str, Any], template: str | None = None) -> Path:
    """A GGUF (version 3) with the vocabulary of `model_info` that llama.cpp loads, some 64 bytes a token.

    The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
    """
    tokens = model_info["tokenizer.ggml.tokens"]
    pairs = _metadata(model_info, template)
    matrices = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]
    tensors: list[tuple[str, tuple[int, ...], int]] = [
        ("token_embd.weight", (_EMBEDDING, len(tokens)), _F16),
        ("output_norm.weight", (_EMBEDDING,), _F32),
        *((f"blk.0.{name}.weight", (_EMBEDDING, _EMBEDDING), _F16) for name in matrices),
        *((f"blk.0.{name}.weight", (_EMBEDDING,), _F32) for name in ("attn_norm", "ffn_norm")),
    ]
    headers = []
    offset = 0
    for name, shape, kind in tensors:
        headers.append(_string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset))
        size = 1
        for length in shape:
            size *= length
        offset += -(-size * (2 if kind == _F16 else 4) // _ALIGNMENT) * _ALIGNMENT
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join([*pairs, *headers])
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % _ALIGNMENT))
        file.truncate(file.tell() + offset)
    return path


def _metadata(model_info: Mapping[str, Any], template: str | None) -> list[bytes]:
    info = {key.removeprefix("tokenizer.ggml."): value for key, value in model_info.items()}
    pairs = [
        _pair("general.architecture", _STRING, _string("llama")),
        _number("llama.context_length", 1024),
        _number("llama.embedding_length", _EMBEDDING),
        _number("llama.block_count", 1),
        _number("llama.feed_forward_length", _EMBEDDING),
        _number("llama.attention.head_count", 1),
        _pair("llama.attention.layer_norm_rms_epsilon", _FLOAT32, struct.pack("<f", 1e-5)),
        _pair("tokenizer.ggml.model", _STRING, _string(info["model"])),
        _pair("tokenizer.ggml.pre", _STRING, _string(info["pre"])),
        _array("tokenizer.ggml.tokens", _STRING, [_string(token) for token in info["tokens"]]),
        _array("tokenizer.ggml.merges", _STRING, [_string(merge) for merge in info["merges"]]),
        _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", kind) for kind in info["token_type"]]),
        _number("tokenizer.ggml.bos_token_id", info["bos_token_id"]),
        _number("tokenizer.ggml.eos_token_id", info["eos_token_id"]),
    ]
    if info.get("add_bos_token") is not None:
        pairs.append(_pair("tokenizer.ggml.add_bos_token", _BOOL, struct.pack("<?", info["add_bos_token"])))
    if template is not None:
        pairs.append(_pair("tokenizer.chat_template", _STRING, _string(template)))
    return pairs


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _number(key: str, value: int) -> bytes:
    return _pair(key, _UINT32, struct.pack("<I", value))


def _array(key: str, kind: int, items: Sequence[bytes]) -> bytes:
    return _pair(key, _ARRAY, struct.pack("<IQ", kind, len(items)) + b"".join(items))


class LlamaCpp:
    """llama.cpp's own HTTP server, with a model, in a child process."""

    def __init__(self, model: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(model)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        address = self._process.stdout.readline().strip()
        assert address.startswith("http://"), f"llama.cpp did not load {model}"
        self._connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """The decoded answer of a request."""
        self._connection.request(method, path, json.dumps(body), {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a prompt, as the server itself tokenizes prompts."""
        body = {"content": text, "add_special": True, "parse_special": True}
        tokens: list[int] = self.ask("POST", "/tokenize", body)["tokens"]
        return tokens

    def apply_template(self, messages: Sequence[Message], *, think: bool) -> str | None:
        """The prompt of `messages`, or None where the template or the server refuses them."""
        listed = [{"role": str(message.role), "content": message.content} for message in messages]
        body = {"messages": listed, "chat_template_kwargs": {"enable_thinking": think}}
        prompt: str | None = self.ask("POST", "/apply-template", body).get("prompt")
        return prompt


def token_bytes(model_info: Mapping[str, Any], special: frozenset[str]) -> list[bytes]:
    """What each token of a GGUF stands for, by its id."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    alphabet = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
    return [
        token.encode()
        if token in special or not alphabet.keys() >= set(token)
        else bytes(alphabet[c] for c in token)
        for token in model_info["tokenizer.ggml.tokens"]
    ]
