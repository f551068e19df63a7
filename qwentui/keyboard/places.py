"""Where keys work, in words, and in which order a user at one place wants to hear of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.language import N_

if TYPE_CHECKING:
    from qwentui.keyboard.table import Where

PLACES: dict[Where, str] = {
    "composer": N_("While writing"),
    "completion": N_("While a list of completions is open"),
    "transcript": N_("While reading ({read})"),
    "chat": N_("In the chat"),
    "everywhere": N_("Everywhere"),
    "sessions": N_("In the list of chats ({sessions})"),
    "filter": N_("In its filter ({filter})"),
    "settings": N_("In the settings ({settings})"),
    "compare": N_("In a comparison ({compare})"),
}
"""The headings; in braces the ids whose keys lead there."""

_ABOVE: dict[Where, tuple[Where, ...]] = {
    "composer": ("chat", "everywhere"),
    # Its keys are meant to go before the composer's.
    "completion": ("chat", "everywhere"),
    "transcript": ("chat", "everywhere"),
    "chat": ("everywhere",),
    "everywhere": (),
    "sessions": ("everywhere",),
    "filter": ("everywhere",),
    "settings": ("everywhere",),
    "compare": ("everywhere",),
}

FOCUSED: tuple[Where, ...] = tuple(where for where in PLACES if where not in ("chat", "everywhere"))
"""The places that can have the focus."""


def reaching(here: Where) -> tuple[Where, ...]:
    """The places whose keys work while the focus is `here`: the nearest first."""
    return (here, *_ABOVE[here])


def places_from(here: Where) -> tuple[Where, ...]:
    """All places: first those whose keys work `here`."""
    near = reaching(here)
    return (*near, *(where for where in PLACES if where not in near))
