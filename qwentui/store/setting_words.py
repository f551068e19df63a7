"""What is said about a key of the settings that is wrong: what it may be, and which one was meant."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Literal, get_args, get_origin

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES: dict[object, str] = {
    str: N_("text"),
    int: N_("a whole number"),
    float: N_("a number"),
    bool: N_("true or false"),
    dict: N_('a table of texts, as { "NAME" = "VALUE" }'),
    tuple: N_('a list of texts, as ["ONE", "TWO"]'),
}


def allowed(kind: object) -> str:
    """What a key of that type may be, in words: "a whole number, 1 or more"."""
    origin = get_origin(kind)
    if origin is UnionType:
        return allowed(next(part for part in get_args(kind) if part is not NoneType))
    if origin is Literal:
        *others, last = (f'"{choice}"' for choice in get_args(kind))
        return _("{choices} or {last}").format(choices=", ".join(others), last=last)
    if origin is Annotated:
        inner, meta = get_args(kind)
        words = _("{kind}, {least} or more") if meta.le is None else _("{kind}, from {least} to {most}")
        return words.format(kind=allowed(inner), least=meta.ge, most=meta.le)
    return _(_NAMES[origin or kind])


def unknown_key(key: str, known: Sequence[str]) -> str:
    """The sentence about a key that no setting has, with the nearest that one has.

    Args:
        key: Its path.
        known: The paths of all keys.
    """
    found = _nearest(key, known)
    sentence = _("{key} is unknown; did you mean {found}?") if found else _("{key} is unknown.")
    return sentence.format(key=sanitize_line(key), found=found)


def unknown_variable(name: str, known: Sequence[str]) -> str:
    """The sentence about a variable of the environment that stands for no key, with the nearest that does.

    Args:
        name: Its name, which begins as the program's variables do.
        known: The names of all variables.
    """
    from difflib import get_close_matches

    found = get_close_matches(name, known, 1)
    if not found:
        return _("The environment variable {name} is unknown.").format(name=sanitize_line(name))
    sentence = _("The environment variable {name} is unknown; did you mean {nearest}?")
    return sentence.format(name=sanitize_line(name), nearest=found[0])


def _nearest(key: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    before, bare = "", key
    if key.startswith("profile."):
        name, _dot, bare = key.removeprefix("profile.").partition(".")
        before = f"profile.{name}."
    section, _dot, last = bare.rpartition(".")
    sections = {path.partition(".")[0] for path in known}
    beside = {path.partition(".")[2]: path for path in known if path.startswith(f"{section}.")}
    # The ids of keys are many short words, one of which is near to almost anything.
    anywhere = {path.partition(".")[2]: path for path in known if not path.startswith("keys.")}
    same = [path for path in known if path.endswith(f".{last}")]
    found = [beside[name] for name in get_close_matches(last, beside, 1)] or same[: len(same) == 1]
    if not found and section not in sections:
        found = get_close_matches(bare, [*known, *(() if section else sorted(sections))], 1)
    found = found or [anywhere[name] for name in get_close_matches(last, anywhere, 1)]
    return sanitize_line(before + found[0]) if found else ""
