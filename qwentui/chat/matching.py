"""Which names a few letters may mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

T = TypeVar("T")


def in_order(text: str, letters: str) -> bool:
    """Whether `letters` stand in `text` in this order, with whatever between them."""
    rest = iter(text)
    return all(letter in rest for letter in letters)


def without_space(text: str) -> str:
    """The letters of what a user wrote."""
    return "".join(text.split())


def fitting(wanted: str, named: Iterable[tuple[T, Sequence[str]]]) -> list[T]:
    """What `wanted` may mean: the exact name alone, else beginnings, else names with its letters in order.

    Case does not matter.

    Args:
        wanted: What the user wrote.
        named: Each thing with its names.
    """
    text = wanted.strip().casefold()
    known = [(thing, [name.casefold() for name in names]) for thing, names in named]
    for fits in (str.__eq__, str.startswith, _loosely):
        found = [thing for thing, names in known if any(fits(name, text) for name in names)]
        if found:
            return found
    return []


def _loosely(name: str, letters: str) -> bool:
    return in_order(name, without_space(letters))
