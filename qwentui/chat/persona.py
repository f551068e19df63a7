"""A persona: one of the many experts that one model can be, by its system prompt and its options."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLES = ("date", "user", "host")
"""What a system prompt may hold in braces, beside `{file:PATH}`."""

_PLACE = re.compile(r"\{(?:(" + "|".join(VARIABLES) + r")|file:([^{}\n]+))\}")


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the model is to be.

    Attributes:
        name: What it is called.
        system: The system prompt, with its variables.
        description: One line for lists.
        model: The model that it wants, or the beginning of its name; "" takes the one in use.
        think: Whether the model thinks; None leaves that to the settings.
        sampling: What is set goes before the settings.
        num_ctx: The context in tokens; another one than the server holds the model with reloads it.
        greeting: Shown in an empty chat, and never sent.
        language: In which to answer, "" as it comes.
    """

    name: str
    system: str
    description: str = ""
    model: str = ""
    think: bool | None = None
    sampling: Sampling = Sampling()
    num_ctx: int | None = None
    greeting: str = ""
    language: str = ""


def fill_in(system: str, values: Mapping[str, str], read: Callable[[str], str]) -> str:
    """A system prompt with its variables replaced; all else in braces stays, and so does what is put in.

    Args:
        system: The prompt.
        values: What stands for each of `VARIABLES`.
        read: Gives the text of the file that `{file:PATH}` names.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return read(match[2].strip()) if name is None else values[name]

    return _PLACE.sub(value, system)


def named_files(system: str) -> tuple[str, ...]:
    """The files that a system prompt takes in."""
    return tuple(match[2].strip() for match in _PLACE.finditer(system) if match[2] is not None)
