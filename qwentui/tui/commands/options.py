"""The options of a request that can be set for one chat: what each is, and how its value is written."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

from qwentui.chat.errors import CommandRefused
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable

Value = float | int | str | tuple[str, ...]

_DURATION = re.compile(r"[+-]?(\d+(\.\d+)?|(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))+)")
"""Ollama's `keep_alive`: seconds, or a duration as Go writes it."""
_MOST = 2**31
"""llama.cpp keeps whole numbers in 32 bits."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option; its strings are in the language of the source.

    Attributes:
        key: Its name in a request, and in the section `model` of the settings.
        about: What it does.
        allowed: What its value may be.
        read: Makes a value of what is typed; raises ValueError where it cannot.
        examples: Values to choose from.
    """

    key: str
    about: str
    allowed: str
    read: Callable[[str], Value]
    examples: tuple[str, ...] = ()


def _number(low: float, high: float = inf) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not (isfinite(value) and low <= value <= high):
            raise ValueError(text)
        return value

    return read


def _whole(low: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text.replace(",", ""))
        if not low <= value < _MOST:
            raise ValueError(text)
        return value

    return read


def _duration(text: str) -> str:
    if not _DURATION.fullmatch(text):
        raise ValueError(text)
    return text


def _texts(text: str) -> tuple[str, ...]:
    """The texts of a JSON list or of one JSON string, else the text as it is."""
    if not text.startswith(("[", '"')):
        return (text,)
    value = json.loads(text)
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(one, str) and one for one in texts):
        raise ValueError(text)
    return tuple(texts)


OPTIONS = (
    Option(
        "temperature",
        N_("how freely tokens are drawn"),
        N_("a number, 0 or more"),
        _number(0),
        ("0", "0.6", "1"),
    ),
    Option(
        "top_k",
        N_("draw from so many of the likeliest tokens only"),
        N_("a whole number, 0 or more"),
        _whole(0),
        ("20", "40"),
    ),
    Option(
        "top_p",
        N_("draw from the likeliest tokens with this share only"),
        N_("a number from 0 to 1"),
        _number(0, 1),
        ("0.8", "0.95"),
    ),
    Option(
        "min_p",
        N_("least share of the likeliest token's probability"),
        N_("a number from 0 to 1"),
        _number(0, 1),
        ("0", "0.05"),
    ),
    Option(
        "repeat_penalty",
        N_("above 1 makes repeating less likely"),
        N_("a number, 0 or more"),
        _number(0),
        ("1", "1.1"),
    ),
    Option(
        "seed", N_("the same one draws the same tokens again"), N_("a whole number"), _whole(-_MOST), ("1",)
    ),
    Option("stop", N_("texts at which a reply ends"), N_('a text, or a list such as ["ONE", "TWO"]'), _texts),
    Option(
        "num_predict",
        N_("tokens of a reply at most"),
        N_("a whole number, 1 or more"),
        _whole(1),
        ("1024", "4096"),
    ),
    Option(
        "num_ctx",
        N_("tokens of context; another value reloads the model"),
        N_("a whole number, 1 or more"),
        _whole(1),
        ("8192", "16384", "32768"),
    ),
    Option(
        "keep_alive",
        N_("how long the model stays loaded; -1 for always"),
        N_("a duration such as 5m or 1h, seconds, or -1"),
        _duration,
        ("5m", "1h", "-1"),
    ),
)


def option(key: str) -> Option:
    """The option of that name.

    Raises:
        CommandRefused: There is none.
    """
    found = next((known for known in OPTIONS if known.key == key.casefold()), None)
    if found is not None:
        return found
    from difflib import get_close_matches

    keys = [known.key for known in OPTIONS]
    near = get_close_matches(key.casefold(), keys, 1)
    shown = sanitize_line(key, 60)
    said = (
        _("There is no option {key}; did you mean {near}?").format(key=shown, near=near[0])
        if near
        else _("There is no option {key}.").format(key=shown)
    )
    if not near and "." in key:
        # So the settings are named: `screen.vim`.
        raise CommandRefused(said, _("For the settings there is /settings."))
    raise CommandRefused(said, _("There are: {keys}.").format(keys=", ".join(keys)))


def value(known: Option, text: str) -> Value:
    """The value of an option that `text` states.

    Raises:
        CommandRefused: It states none.
    """
    try:
        return known.read(text)
    except (ValueError, RecursionError) as error:
        raise CommandRefused(
            _("{key} cannot be {text}.").format(key=known.key, text=sanitize_line(text, 60)),
            _("It is {allowed}.").format(allowed=_(known.allowed)),
        ) from error


def shown(stated: Value) -> str:
    """A value as a user may type it, safe to draw."""
    if isinstance(stated, tuple):
        return sanitize_line(stated[0] if _is_plain(stated) else json.dumps(stated, ensure_ascii=False))
    return sanitize_line(repr(stated).removesuffix(".0") if isinstance(stated, float) else str(stated))


def _is_plain(texts: tuple[str, ...]) -> bool:
    """Whether texts can be typed without JSON's marks."""
    one = texts[0]
    return len(texts) == 1 and one == sanitize_line(one) and not one.startswith(("[", '"'))
