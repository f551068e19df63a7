"""Byte-pair vocabularies as a server describes them, and the tokens of a text by them.

`POST /api/show` with `verbose: true` answers with the arrays of the GGUF: `tokenizer.ggml.tokens`,
`merges`, `token_type` and the rest of `model_info`. That is all that it takes to count as llama.cpp does:

- A merge's rank is its place in the list; the 256 single bytes come before all merges.
- Tokens of type 2, 3 and 4 (unknown, control, user-defined) match as whole strings before any word is cut.
- Text is not normalized: NFC would change the count.
- A token whose text ends a turn in some model ("</s>") is a control token in all of them, whatever its
  type says (`llama-vocab.cpp`, "control-looking token"): in Qwen3's vocabulary `</s>` is one.
- Bytes that the vocabulary lacks are dropped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from qwentui.counting.count import Count
from qwentui.counting.pretokenizers import PRE_TOKENIZERS, PreTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BYTE_LEVEL_BPE = "gpt2"
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4

_TURN_END_TEXTS = (
    "<|eot_id|> <|im_end|> <|end|> <|return|> <|call|> <|flush|> <|calls|> <end_of_turn> <|endoftext|> </s>"
    " <|eom_id|> <EOT> _<EOT> [EOT] [EOS] <|end_of_text|> <end_of_utterance> <eos> <turn|> <|tool_response>"
    " <｜end▁of▁sentence｜> [e~[ <|ifm|im_end|>"
)
_TURN_ENDS = frozenset(_TURN_END_TEXTS.split())
"""Texts that llama.cpp takes for an end of generation."""

_SLICE = 100_000
"""Characters counted at a time where tiktoken's matcher runs out of stack on the whole."""

_PREFIX = "tokenizer.ggml."


class _ModelInfo(
    msgspec.Struct,
    rename={
        name: _PREFIX + name
        for name in (
            "model",
            "pre",
            "tokens",
            "merges",
            "token_type",
            "bos_token_id",
            "eos_token_id",
            "add_bos_token",
            "add_eos_token",
            "add_sep_token",
        )
    },
):
    """The part of `model_info` that tells how text becomes tokens."""

    model: str = ""
    pre: str = ""
    tokens: list[str] | None = None
    merges: list[str] | None = None
    token_type: list[int] | None = None
    bos_token_id: int | None = None
    eos_token_id: int | None = None
    add_bos_token: bool | None = None
    add_eos_token: bool | None = None
    add_sep_token: bool | None = None


class _Show(msgspec.Struct):
    """The answer of `/api/show`, as far as it matters here."""

    model_info: _ModelInfo = msgspec.field(default_factory=_ModelInfo)


class TokenTable(msgspec.Struct, frozen=True):
    """A vocabulary as plain data, ready to be built or written to disk.

    `words` are the tokens in the order of their ranks, the 256 single bytes first; `missing` are those
    bytes that the model has no token for. `control` tokens steer the model, `literal` ones (user-defined)
    are ordinary text with a token of its own. `bos` and `eos` are their texts, empty when there is none.
    """

    pre: str
    words: list[bytes]
    missing: bytes
    control: list[str]
    literal: list[str]
    bos: str
    eos: str
    adds_bos: bool


def read_table(show: Mapping[str, object] | bytes) -> TokenTable | None:
    """The vocabulary in a verbose `/api/show` answer, decoded or as the bytes of its body.

    None when text cannot be counted exactly by it: a SentencePiece model, an unknown pre-tokenizer, an
    answer without `verbose`, or arrays that contradict each other.
    """
    info = _model_info(show)
    rule = _rule(info)
    if rule is None:
        return None
    if not info.tokens or not info.merges or len(info.token_type or ()) != len(info.tokens):
        return None
    words = _words(info.tokens, info.merges, whole_words=rule.whole_words)
    if words is None:
        return None
    special = [
        (token, _kind(token, kind)) for token, kind in zip(info.tokens, info.token_type or (), strict=True)
    ]
    known = set(info.tokens)
    return TokenTable(
        pre=info.pre,
        words=words,
        missing=bytes(byte for char, byte in _byte_alphabet().items() if char not in known),
        control=[token for token, kind in special if kind in (_UNKNOWN, _CONTROL)],
        literal=[token for token, kind in special if kind == _USER_DEFINED],
        bos=_text_of(info.tokens, info.bos_token_id),
        eos=_text_of(info.tokens, info.eos_token_id),
        adds_bos=rule.adds_bos if info.add_bos_token is None else info.add_bos_token,
    )


def has_known_tokenizer(show: Mapping[str, object]) -> bool:
    """Whether a verbose answer is worth its megabytes, by an `/api/show` answer that is not verbose."""
    return _rule(_model_info(show)) is not None


def _model_info(show: Mapping[str, object] | bytes) -> _ModelInfo:
    try:
        if isinstance(show, bytes):
            return msgspec.json.decode(show, type=_Show).model_info
        return msgspec.convert(show, _Show).model_info
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _ModelInfo()


def _rule(info: _ModelInfo) -> PreTokenizer | None:
    if info.model != _BYTE_LEVEL_BPE or info.add_eos_token or info.add_sep_token:
        return None
    return PRE_TOKENIZERS.get(info.pre)


def _kind(token: str, kind: int) -> int:
    """The token type that llama.cpp goes by; an empty token matches nothing and is none."""
    if not token:
        return 0
    return _CONTROL if token in _TURN_ENDS else kind


def _words(tokens: list[str], merges: list[str], *, whole_words: bool) -> list[bytes] | None:
    """All single bytes, then what each merge makes, in order; None when the two lists do not fit."""
    alphabet = _byte_alphabet()
    known = set(tokens)
    made: dict[str, None] = {}
    for merge in merges:
        # A token may itself begin with a space: the border is the first one after it.
        border = merge.find(" ", 1)
        word = merge[:border] + merge[border + 1 :]
        if border < 0 or word not in known:
            return None
        made[word] = None
    if whole_words:
        made |= dict.fromkeys(token for token in tokens if len(token) > 1 and alphabet.keys() >= set(token))
    try:
        merged = [bytes([alphabet[char] for char in word]) for word in made]
    except KeyError:
        return None
    return [bytes([byte]) for byte in range(256)] + merged


def _byte_alphabet() -> dict[str, int]:
    """GPT-2's alphabet: the printable character that stands for each byte in `tokens` and `merges`.

    Printable Latin-1 characters stand for themselves, the other 68 bytes for U+0100 and onwards.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = sorted(set(range(256)) - set(printable))
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


def _text_of(tokens: list[str], token_id: int | None) -> str:
    return tokens[token_id] if token_id is not None and 0 <= token_id < len(tokens) else ""


def _any_of(tokens: Iterable[str]) -> re.Pattern[str]:
    """One of `tokens`, the longest that fits, as a group; never, when there are none."""
    return re.compile(
        "(" + ("|".join(re.escape(t) for t in sorted(tokens, key=len, reverse=True)) or "(?!)") + ")"
    )


class Vocabulary:
    """Counts the tokens of text as llama.cpp would with this vocabulary.

    Building one takes about half a second of processor time and holds the interpreter for some 0.2 s of
    it; text may be counted from any thread, and long text lets other threads run.
    """

    def __init__(self, table: TokenTable) -> None:
        import tiktoken

        self.bos = table.bos
        self.eos = table.eos
        self.adds_bos = table.adds_bos
        self._encoding = tiktoken.Encoding(
            f"gguf-{table.pre}",
            pat_str=PRE_TOKENIZERS[table.pre].pattern,
            mergeable_ranks={word: rank for rank, word in enumerate(table.words)},
            special_tokens={},
        )
        self._dropped = frozenset(table.missing)
        self._borders = _any_of([*table.control, *table.literal])
        self._control = _any_of(table.control)

    def cut(self, text: str) -> list[str]:
        """`text` cut at its special tokens: plain text at even places, one special token at odd ones.

        No token reaches across a cut, so the counts of the plain pieces and the number of special
        tokens add up to the count of the whole.
        """
        return self._borders.split(text)

    def count(self, plain: str) -> Count:
        """The tokens of text without special tokens in it.

        A count is not exact when `plain` is so uniform (a million spaces) that it must be counted in
        slices: a cut may then cost a token or two. Lone surrogates count as U+FFFD.
        """
        try:
            return Count(len(self._ranks(plain)), exact=True)
        except ValueError:
            slices = (plain[start : start + _SLICE] for start in range(0, len(plain), _SLICE))
            return Count(sum(len(self._ranks(piece)) for piece in slices), exact=False)

    def tokens(self, text: str) -> list[bytes]:
        """The tokens of any text, special ones included, each as the bytes that it stands for."""
        found: list[bytes] = []
        for place, piece in enumerate(self.cut(text)):
            if place % 2:
                found.append(piece.encode())
            else:
                found += map(self._encoding.decode_single_token_bytes, self._ranks(piece))
        return found

    def control_tokens(self, text: str) -> tuple[str, ...]:
        """The control tokens that stand in `text`, each once, in order: the model would obey them."""
        return tuple(dict.fromkeys(self._control.findall(text)))

    def neutralise(self, text: str) -> str:
        """`text` with every control token broken by U+200B after its first character: plain text."""
        return self._control.sub(lambda match: f"{match[0][0]}\u200b{match[0][1:]}", text)

    def _ranks(self, plain: str) -> list[int]:
        # encode_ordinary() panics, with a stack trace on stderr, where encode() raises ValueError.
        ranks = self._encoding.encode(plain, disallowed_special=())
        return [rank for rank in ranks if rank not in self._dropped] if self._dropped else ranks
