"""Which model is meant: pure rules over names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def fitting(wanted: str, installed: Sequence[str], loaded: Sequence[str]) -> tuple[str, ...]:
    """The models that a start could mean, best first; several are a question to the user, none an error.

    With `wanted`: the one of that name (a missing tag is `latest`, as Ollama has it), else all whose name
    begins with it, else all that hold it. Without: what is loaded, for that answers at once, else the first
    that is installed.

    Args:
        wanted: A name or a part of one, "" for none.
        installed: The server's models, in its order.
        loaded: Those in memory, the one that stays longest first.
    """
    if not wanted:
        present = tuple(name for name in loaded if name in installed) or tuple(loaded)
        return present or tuple(installed[:1])
    names = {name.casefold(): name for name in installed}
    needle = wanted.casefold()
    for exact in (needle, f"{needle}:latest"):
        if exact in names:
            return (names[exact],)
    beginning = tuple(name for folded, name in names.items() if folded.startswith(needle))
    return beginning or tuple(name for folded, name in names.items() if needle in folded)


def short_name(name: str) -> str:
    """A model's name as it is shown: without the tag that says nothing."""
    return name.removesuffix(":latest")
