"""One theme's file read: what it leaves out is filled in, and what is wrong is named with its line."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.theme_filling import filled, is_dark
from qwentui.store.theme_values import ANSI, SWITCHES, TABLES, Code, Colors, Gauges, ThemeFile
from qwentui.store.toml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE_LIMIT = 64 << 10
_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_SHOWN = 40
"""Characters of a key or a value that are shown."""


class _Wrong(NamedTuple):
    """Something that is wrong at a key: its path, a sentence, and what to do."""

    keys: tuple[str, ...]
    message: str
    hint: str


def read_theme(path: Path, base: Path) -> ThemeFile:
    """The theme of a file.

    Args:
        path: The file.
        base: The folder of the themes that come along; what a file leaves out, and its own colours do not
            suggest, is as there.

    Raises:
        SettingsError: It cannot be read, or something in it cannot be used; the message says what and where.
    """
    text = _text(path)
    table = _table(path, text)
    wrong = [(line_of(text, one.keys), one) for one in _wrong(table)]
    if wrong:
        line, first = min(wrong, key=lambda found: found[0])
        raise SettingsError(f"{_place(path, line)}: {first.message}", first.hint)
    stated = _stated(table)
    ansi = bool(table.get("ansi", _first_ansi(stated)))
    dark = bool(table.get("dark", is_dark(stated["colors"].get("background", ""))))
    if any(len(stated[name]) < len(kind.__struct_fields__) for name, kind in TABLES.items()):
        whole = base / f"{like(dark=dark, ansi=ansi)}.toml"
        stated = filled(stated, lambda: read_theme(whole, base).colors)
    return ThemeFile(
        name=path.stem,
        path=path,
        dark=dark,
        ansi=ansi,
        colors=Colors(**stated["colors"]),
        code=Code(**stated["code"]),
        gauges=Gauges(**stated["gauges"]),
        warnings=tuple(_unknown(path, text, table)),
    )


def like(*, dark: bool, ansi: bool) -> str:
    """The name of the theme that comes along for a dark or light screen, or one of 16 colours."""
    if ansi:
        return "terminal-16" if dark else "terminal-16-light"
    return "qwentui-dark" if dark else "qwentui-light"


def _text(path: Path) -> str:
    shown = sanitize_line(str(path))
    try:
        if path.exists() and not path.is_file():
            raise SettingsError(_("The theme {file} is no file.").format(file=shown), _("Check the path."))
        with path.open("rb") as file:
            data = file.read(_SIZE_LIMIT + 1)
        if len(data) > _SIZE_LIMIT:
            raise SettingsError(
                _("The theme {file} is larger than {limit} KiB.").format(file=shown, limit=_SIZE_LIMIT >> 10),
                _("Check the file."),
            )
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise SettingsError(
            _("The theme {place}: this is not UTF-8.").format(place=_place(path, line)),
            _("Save the file as UTF-8."),
        ) from error
    except OSError as error:
        raise SettingsError(
            _("The theme {file} cannot be read: {reason}.").format(file=shown, reason=error.strerror),
            _("Check its permissions."),
        ) from error


def _table(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except RecursionError:
        reason = _("its brackets go too deep")
    except ValueError as error:  # also for numbers and dates that Python cannot hold
        reason = sanitize_line(str(error))
    raise SettingsError(
        _("The theme {file} is not valid TOML: {reason}.").format(
            file=sanitize_line(str(path)), reason=reason[:1].lower() + reason[1:]
        ),
        _("Correct that place."),
    ) from None


def _wrong(table: dict[str, Any]) -> Iterator[_Wrong]:
    """What stands in a file and cannot be used."""
    for key in SWITCHES:
        if not isinstance(table.get(key, False), bool):
            yield _Wrong(
                (key,),
                _("{key} is {value}, which is neither true nor false.").format(
                    key=key, value=_value(table[key])
                ),
                _("Correct it or remove it."),
            )
    for name, kind in TABLES.items():
        roles = table.get(name, {})
        if not isinstance(roles, dict):
            yield _Wrong(
                (name,),
                _("{key} is {value}, which is no table.").format(key=name, value=_value(roles)),
                _("A table begins with a line of its own: [{table}]").format(table=name),
            )
            continue
        for role in kind.__struct_fields__:
            if role in roles and not _is_color(roles[role]):
                message = _("{key} is {value}, which is no colour.")
                yield _Wrong(
                    (name, role),
                    message.format(key=f"{name}.{role}", value=_value(roles[role])),
                    _hint(roles[role]),
                )
            elif role in roles and table.get("ansi") is False and roles[role] in ANSI:
                yield _Wrong(
                    (name, role),
                    _("{key} is the terminal's own, while ansi is false.").format(key=f"{name}.{role}"),
                    _("Remove the line ansi = false, or take another colour."),
                )


def _is_color(value: object) -> bool:
    return isinstance(value, str) and (value in ANSI or _COLOR.fullmatch(value) is not None)


def _first_ansi(stated: dict[str, dict[str, str]]) -> str | None:
    """The first colour that is the terminal's own."""
    return next((color for roles in stated.values() for color in roles.values() if color in ANSI), None)


def _value(value: object) -> str:
    """A value as it may be shown in a sentence."""
    if isinstance(value, bool):
        return str(value).lower()
    return sanitize_line(f'"{value}"' if isinstance(value, str) else repr(value), _SHOWN)


def _hint(value: object) -> str:
    if isinstance(value, str):
        from difflib import get_close_matches

        names = {name.removeprefix("ansi_"): name for name in ANSI}
        wanted = value.lower().replace("-", "_").replace(" ", "_").removeprefix("ansi_")
        if near := get_close_matches(wanted, names, 1, 0.75):
            return _('Did you mean "{color}"?').format(color=names[near[0]])
    return _('A colour is "#rrggbb", or one of the terminal\'s own, such as "ansi_blue".')


def _stated(table: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The colours that a file states, by table and role, with six digits each."""
    return {
        name: {
            role: _long(table[name][role]) for role in kind.__struct_fields__ if role in table.get(name, {})
        }
        for name, kind in TABLES.items()
    }


def _long(color: str) -> str:
    if len(color) == len("#rgb"):
        return "#" + "".join(digit * 2 for digit in color[1:])
    return color


def _unknown(path: Path, text: str, table: dict[str, Any]) -> Iterator[str]:
    """A sentence for each key that a theme does not have."""
    known = [
        *SWITCHES,
        *(f"{name}.{role}" for name, kind in TABLES.items() for role in kind.__struct_fields__),
    ]
    found = [(name,) for name in table if name not in SWITCHES and name not in TABLES]
    inner = ((name, role) for name, kind in TABLES.items() for role in table.get(name, {}))
    for keys in [*found, *(keys for keys in inner if ".".join(keys) not in known)]:
        from qwentui.store.setting_words import unknown_key

        sentence = unknown_key(sanitize_line(".".join(keys), _SHOWN), known)
        yield f"{_place(path, line_of(text, keys))}: {sentence}"


def _place(path: Path, line: int) -> str:
    """A file, and a line of it where that is known."""
    shown = sanitize_line(str(path))
    return _("{file}, line {line}").format(file=shown, line=line) if line else shown
