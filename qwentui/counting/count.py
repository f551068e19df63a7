"""A number of prompt tokens that knows how far it may be trusted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """`tokens` of a text or a prompt; `exact` when the server must come to the same number."""

    tokens: int
    exact: bool

    def __str__(self) -> str:
        return f"{'=' if self.exact else '~'}{self.tokens:,}"
