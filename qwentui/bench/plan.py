"""What a bench asks, before anything is asked."""

from __future__ import annotations

import msgspec

from qwentui.chat.sampling import Sampling

RECIPE_PROMPT = "请用中文写一段关于春天的散文,200字左右"
"""The prompt behind the recipe's figures."""

RUNS = 100
CONTEXTS = (512, 1024, 2048, 4096, 7000)
PARALLEL = (1, 2, 3)
PROBE_REPLY = 8
"""Tokens of a reply that is asked for only to see when it begins."""

_REPEATS = 3
_MARGIN = 64  # tokens by which a prompt made to measure may be too long
_ROUGHNESS = 0.02  # and its share of the prompt


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A bench of one model.

    Attributes:
        model: Its name.
        prompt: What every run of one conversation asks.
        system: The system prompt, "" for none.
        runs: How often one conversation is measured.
        contexts: Lengths of prompts in tokens at which prompt evaluation is measured.
        parallel: Numbers of conversations at once.
        cold: Whether the model is unloaded first, and its loading measured.
        think: The `think` field; None where the model cannot think.
        sampling: Sampling options; each run lays its own seed over them.
        num_ctx: The context of every request, in tokens.
        num_predict: The most tokens of a reply.
        keep_alive: How long the model stays loaded, as in `ChatRequest`.
    """

    model: str
    prompt: str = RECIPE_PROMPT
    system: str = ""
    runs: int = RUNS
    contexts: tuple[int, ...] = CONTEXTS
    parallel: tuple[int, ...] = PARALLEL
    cold: bool = True
    think: bool | None = None
    sampling: Sampling = Sampling()
    num_ctx: int = 8192
    num_predict: int = 512
    keep_alive: str | None = None

    @property
    def repeats(self) -> int:
        """How often each length and each number of conversations is measured."""
        return min(_REPEATS, self.runs)

    @property
    def fitting_contexts(self) -> tuple[int, ...]:
        """Those of `contexts` that are inside `num_ctx` with room for a reply's beginning."""
        return tuple(
            length
            for length in self.contexts
            if length + max(_MARGIN, round(length * _ROUGHNESS)) + PROBE_REPLY <= self.num_ctx
        )

    @property
    def requests(self) -> int:
        """How many requests are measured in all."""
        beside = len(self.fitting_contexts) + sum(self.parallel)
        return self.cold + self.runs + self.repeats * beside
