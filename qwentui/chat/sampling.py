"""How the model picks its tokens, and how much it thinks."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

Think = bool | str | None
"""Ollama's `think` field: on, off, a level such as "low", or None for the model's default (not sent)."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Per-request sampling options under Ollama's names; None leaves a value to the model's own default.

    None of them reloads the model (Ollama, `api/types.go`: they are no runner options).
    """

    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    def under(self, other: Sampling) -> Sampling:
        """What `other` sets, and the values of this one where it sets none."""
        given = {f.name: getattr(other, f.name) for f in fields(other)}
        return replace(self, **{name: value for name, value in given.items() if value is not None})

    def options(self) -> dict[str, float | int | list[str]]:
        """The options that are set, ready for the `options` object of a request."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }
