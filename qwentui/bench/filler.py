"""Prompts of a wanted length that no server has in its cache."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from itertools import chain

from qwentui.chat.message import Message, Role

_TEXT = """
river stone window garden morning letter bridge winter market silver paper yellow summer mountain island
basket candle forest harbour kitchen ladder meadow number orange pencil quiet road season table under valley
water autumn bread cloud door early field grass house journey leaf music north open people rain
"""
WORDS = tuple(_TEXT.split())
"""What prompts are made of: common words, one token each, or about, in the vocabularies of today."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Makes prompts by what the server counted of two: `fixed` tokens and `per_word` for each word."""

    fixed: float = 20.0
    per_word: float = 1.1

    @classmethod
    def fitted(cls, one: tuple[int, int], other: tuple[int, int]) -> Filler:
        """A filler by two pairs of words sent and tokens counted."""
        per_word = (other[1] - one[1]) / (other[0] - one[0])
        return cls(one[1] - per_word * one[0], per_word) if per_word > 0 else cls()

    def words(self, tokens: int) -> int:
        """How many words make a prompt of `tokens`."""
        return max(1, round((tokens - self.fixed) / self.per_word))


def talk(words: int) -> tuple[Message, ...]:
    """A talk of so many words whose very first ones nobody has ever sent: its whole prompt is evaluated."""
    nonce = secrets.token_hex(16)
    chance = random.Random(nonce)  # noqa: S311 - text to fill a prompt
    # Every word as often as the others, so that a text's tokens depend on its length alone.
    rounds = (chance.sample(WORDS, len(WORDS)) for _ in range(0, words, len(WORDS)))
    chosen = list(chain.from_iterable(rounds))[:words]
    return (
        Message(Role.SYSTEM, nonce),
        Message(Role.USER, f"{' '.join(chosen)}\n\nHow many words is that?"),
    )
