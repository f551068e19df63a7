"""A key of the settings file set or removed, while the user's comments and order stay as they are."""

from __future__ import annotations

import os
import tomllib
from contextlib import contextmanager
from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.files import refusals, replaced
from qwentui.store.paths import private_folder
from qwentui.store.setting_words import allowed, unknown_key
from qwentui.store.settings import paths, read_table
from qwentui.store.settings_text import SECRETS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tomlkit import TOMLDocument

_PROFILE = "profile"


def split_key(key: str) -> tuple[str, ...]:
    """The tables and the name of a key: `model.num_ctx`, or `profile.NAME.model.num_ctx`."""
    if not key.startswith(f"{_PROFILE}."):
        return tuple(key.split("."))
    # The profile's own name may have a dot in it.
    name, *rest = key.removeprefix(f"{_PROFILE}.").rsplit(".", 2)
    return (_PROFILE, name, *rest)


def set_value(path: Path, key: str, text: str) -> None:
    """Write a value into the settings file, which is made if there is none.

    Args:
        path: The file; it is readable by its user only from then on.
        key: The key's path.
        text: The value: a text as it is, anything else in TOML's syntax.

    Raises:
        SettingsError: There is no such key, it cannot have this value, or the file is not valid TOML. Nothing
            was written.
        StoreError: The disk refused.
    """
    keys = split_key(key)
    kind = _kind(key, keys)
    value = _parsed(key, kind, text)
    if keys[-2] == "keys":
        _require_key_names(key, text)
    before = read_table(path)
    _require_tables(path, keys, before)
    with _safely(path):
        document = _document(path)
        inner: Any = document
        for step, name in enumerate(keys[:-1]):
            if name not in inner:
                _append_table(inner, name, hollow=step < len(keys) - 2)
            inner = inner[name]
        _put(inner, keys[-1], value)
        text = document.as_string()
    _lay(before, keys, value)
    _write(path, text, before)


def unset_value(path: Path, key: str) -> bool:
    """Remove a key from the settings file; whether it was there.

    Raises:
        SettingsError: There is no such key, neither in the file nor at all, or the file is not valid TOML.
        StoreError: The disk refused.
    """
    keys = split_key(key)
    before = read_table(path)
    plain = _table_of(before, keys)
    if plain is None or keys[-1] not in plain:
        _kind(key, keys)
        return False
    with _safely(path):
        document = _document(path)
        inner: Any = document
        for name in keys[:-1]:
            inner = inner[name]
        del inner[keys[-1]]
        text = document.as_string()
    del plain[keys[-1]]
    _write(path, text, before)
    return True


def _kind(key: str, keys: tuple[str, ...]) -> Any:  # noqa: ANN401 - a type as an annotation states it
    known = paths()
    bare = ".".join(keys[2:] if keys[0] == _PROFILE else keys)
    if bare in known and all(keys):
        return known[bare]
    if any(path.startswith(f"{bare}.") for path in known):
        sentence = _("{key} is a section.").format(key=sanitize_line(key))
        raise SettingsError(sentence, _("Name a key in it, such as model.num_ctx."))
    raise SettingsError(unknown_key(key, list(known)), _("qwentui config show lists all keys."))


def _parsed(key: str, kind: Any, text: str) -> Any:  # noqa: ANN401 - any setting's value
    value: object = text
    if not _is_text(kind):
        try:
            table = tomllib.loads(f"value = {text}")
        except tomllib.TOMLDecodeError:
            table = {}
        parsed = table.get("value") if len(table) == 1 else None
        # TOML has nan and inf; no setting can be either.
        value = text if parsed is None or (isinstance(parsed, float) and not isfinite(parsed)) else parsed
    try:
        text.encode()
        usable = msgspec.convert(value, kind)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        hint = _("It is {allowed}.").format(allowed=allowed(kind))
        raise SettingsError(_refusal(key, text), hint) from error
    return list(usable) if isinstance(usable, tuple) else usable


def _require_key_names(key: str, text: str) -> None:
    from qwentui.keyboard.names import NoSuchKey, parsed

    try:
        parsed(text)
    except NoSuchKey as error:
        told = _("{key} cannot be {value}: there is no key {name}.")
        raise SettingsError(
            told.format(key=key, value=sanitize_line(text, 60), name=repr(sanitize_line(str(error), 40))),
            _('Keys are written Ctrl+L, F5, Esc or x, with commas between several; "" is none.'),
        ) from error


def _refusal(key: str, text: str) -> str:
    shown = sanitize_line(text, 60)
    sentence = _("{key} cannot be {value}.") if shown else _("{key} cannot be empty.")
    if key.endswith(SECRETS):
        sentence = _("{key} cannot be that.")
    return sentence.format(key=key, value=shown)


def _is_text(kind: object) -> bool:
    """Whether values of that type are texts, for which a shell's argument needs no quotes of its own."""
    try:
        msgspec.convert(3, kind)
    except msgspec.ValidationError as error:
        return str(error).startswith("Expected `str`")
    return False


def _document(path: Path) -> TOMLDocument:
    import tomlkit

    try:
        return tomlkit.parse(path.read_bytes())
    except FileNotFoundError:
        return tomlkit.document()


def _put(parent: Any, name: str, value: object) -> None:  # noqa: ANN401 - a document or a table
    """Set one key; a table of texts takes one line, unless it is a section, which keeps its comments."""
    import tomlkit

    if not isinstance(value, dict):
        parent[name] = value
        return
    if not isinstance(parent.get(name), dict):
        parent[name] = tomlkit.inline_table()
    there = parent[name]
    for gone in [key for key in there if key not in value]:
        del there[gone]
    there.update(value)


def _append_table(parent: Any, name: str, *, hollow: bool) -> None:  # noqa: ANN401 - a document or a table
    """Put a new table at the end; one that is to hold nothing but tables needs no heading."""
    import tomlkit

    if isinstance(parent, tomlkit.TOMLDocument) and parent and not parent.as_string().endswith("\n\n"):
        parent.add(tomlkit.nl())
    parent[name] = tomlkit.table(is_super_table=hollow)


@contextmanager
def _safely(path: Path) -> Iterator[None]:
    """Tell what the library cannot do with a file that is valid as a `SettingsError`."""
    from tomlkit.exceptions import TOMLKitError

    try:
        yield
    except TOMLKitError as error:
        raise _unsafe(path) from error


def _unsafe(path: Path) -> SettingsError:
    return SettingsError(
        _("{path} is written in a way that cannot be changed safely here; nothing was changed.").format(
            path=path
        ),
        _("Change it in an editor."),
    )


def _require_tables(path: Path, keys: tuple[str, ...], table: dict[str, Any]) -> None:
    inner: Any = table
    for step in range(1, len(keys)):
        inner = inner.get(keys[step - 1], {})
        if not isinstance(inner, dict):
            place = ".".join(keys[:step])
            sentence = _("{path}, {key}: this is not a table.").format(path=path, key=place)
            raise SettingsError(sentence, _("Correct it or remove it."))


def _table_of(table: Any, keys: tuple[str, ...]) -> dict[str, Any] | None:  # noqa: ANN401 - what TOML holds
    """The table in which the last of `keys` would stand; None where there is none."""
    for name in keys[:-1]:
        if not isinstance(table, dict):
            return None
        table = table.get(name)
    return table if isinstance(table, dict) else None


def _lay(table: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    for name in keys[:-1]:
        table = table.setdefault(name, {})
    table[keys[-1]] = value


def _write(path: Path, text: str, wanted: dict[str, Any]) -> None:
    """Put `text` in the file's place, if it says what is wanted and nothing else."""
    try:
        holds = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        holds = False
    if not holds:
        raise _unsafe(path)
    if path.exists() and not os.access(path, os.W_OK):
        # A rename would replace it all the same.
        raise StoreError(f"{sanitize_line(str(path))} is read-only; nothing was changed.")
    with refusals(sanitize_line(str(path))):
        private_folder(path.parent)
    with replaced(path) as file:
        file.write(text.encode())
