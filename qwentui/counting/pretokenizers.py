r"""How a text is cut into words before byte pairs merge, by the name in `tokenizer.ggml.pre`.

The names and their rules are those of llama.cpp (`src/llama-vocab.cpp`); each row here is compared with
llama.cpp itself by the benchmark of this room. A name that is not in the table cuts by a rule of its own,
and a count by another rule would only look exact.

tiktoken takes one expression where llama.cpp may apply several, one after the other. Where digits are cut
off first, the second stage sees a border of the text beside every digit: so `\s+(?!\S)` becomes
`\s+(?![^\s\p{N}])`, and a space is never joined to a digit.
"""

from __future__ import annotations

from dataclasses import dataclass

_CONTRACTION = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_TAIL = r"|\s*[\r\n]+|\s+(?!\S)|\s+"

_QWEN2 = _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _TAIL
_QWEN35 = _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + _TAIL
_LLAMA3 = _CONTRACTION + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _TAIL
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_DIGITS_FIRST = r"\p{N}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?[^\s\p{L}\p{N}]+|\s+(?![^\s\p{N}])|\s+"


@dataclass(frozen=True, slots=True)
class PreTokenizer:
    """One rule: the expression that finds words, and what llama.cpp ties to its name.

    `whole_words` takes a word that is itself a token without looking at merges (llama.cpp's
    `ignore_merges`); `adds_bos` is the default for a GGUF that lacks `tokenizer.ggml.add_bos_token`.
    """

    pattern: str
    whole_words: bool = False
    adds_bos: bool = False


_FAMILIES: tuple[tuple[PreTokenizer, str], ...] = (
    (PreTokenizer(_QWEN2), "qwen2 deepseek-r1-qwen megrez stablelm2 hunyuan solar-open grok-2"),
    (PreTokenizer(_QWEN35), "qwen35"),
    (
        PreTokenizer(_LLAMA3, whole_words=True, adds_bos=True),
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral lfm2",
    ),
    (PreTokenizer(_LLAMA3, whole_words=True), "glm4"),
    (PreTokenizer(_LLAMA3), "dbrx smaug-bpe chatglm-bpe"),
    (PreTokenizer(_GPT2), "gpt-2 phi-2 mpt olmo jais exaone4"),
    (PreTokenizer(_DIGITS_FIRST), "smollm starcoder refact command-r codeshell exaone minerva-7b"),
)

PRE_TOKENIZERS: dict[str, PreTokenizer] = {name: rule for rule, names in _FAMILIES for name in names.split()}
"""The rule for each name of `tokenizer.ggml.pre` that is known."""
