"""What lies on this disk: settings, themes, personas, the chats."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from qwentui.chat.errors import QwentuiError
from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import broken, good, unknown, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qwentui.doctor.finding import Finding
    from qwentui.store.paths import Paths

_LITTLE_SPACE = 256 << 20


def check_settings(path: Path) -> Finding:
    """The settings file; what is wrong in it is found before this is asked, for nothing starts then."""
    shown = sanitize_line(str(path), 120)
    if not path.exists():
        return good("settings", f"none at {shown}: all is as by default")
    if path.stat().st_mode & 0o077 and _holds_secret(path):
        return warning(
            "settings", f"{shown} holds a password and can be read by others", f"chmod 600 {shown}"
        )
    return good("settings", shown)


def check_keys(warnings: tuple[str, ...]) -> Iterator[Finding]:
    """The keys of the settings file that no setting has."""
    for sentence in warnings:
        yield warning("settings keys", sentence, "Correct it, or remove it: qwentui config unset KEY")


def _holds_secret(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(line.split("=")[0].strip() in ("password", "bearer") for line in text.splitlines())


def check_themes(folders: tuple[Path, ...], wanted: str) -> Iterator[Finding]:
    """Every theme, and the one in use."""
    from qwentui.store.themes import load_theme, theme_names

    names = theme_names(folders)
    wrong = 0
    for name in names:
        try:
            load_theme(name, folders)
        except QwentuiError as error:
            wrong += 1
            yield (broken if name == wanted else warning)("themes", error.message, error.hint)
    if wanted not in names:
        yield broken("themes", f"There is no theme {wanted!r}.", f"Known are: {', '.join(names)}.")
    elif not wrong:
        yield good("themes", f"{wanted}, one of {len(names)}")


def check_personas(folder: Path) -> Iterator[Finding]:
    """Every persona that cannot be used, with its reason."""
    from qwentui.store.personas import load_personas

    personas = load_personas(folder)
    for wrong in personas.broken:
        yield warning("personas", wrong.error.message, wrong.error.hint)
    if not personas.broken:
        count, shown = len(personas.kept), sanitize_line(str(folder), 120)
        yield good("personas", f"{count} at {shown}" if count else f"none at {shown}")


def check_database(path: Path) -> Finding:
    """The chats: whole, and of a version that this program knows; nothing is mended here."""
    from qwentui.store import schema

    shown = sanitize_line(str(path), 120)
    if not path.exists():
        return good("chats", f"none yet at {shown}")
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as store:
            version = schema.version(store)
            verdict = store.execute("PRAGMA quick_check(1)").fetchone()[0]
            count = store.execute("SELECT count(*) FROM messages WHERE deleted_at IS NULL").fetchone()[0]
    except sqlite3.Error as error:
        remedy = "The next start of qwentui sets it aside and saves what can be read."
        return broken("chats", f"{shown} cannot be read: {sanitize_line(str(error))}", remedy)
    if version > len(schema.MIGRATIONS):
        return broken("chats", f"{shown} was written by a newer qwentui", "Upgrade qwentui.")
    if verdict != "ok":
        remedy = "The next start of qwentui sets it aside and saves what can be read."
        return broken("chats", f"{shown} is damaged: {sanitize_line(verdict, 80)}", remedy)
    return good("chats", f"{count:,} messages in {path.stat().st_size / 1e6:,.1f} MB at {shown}")


def check_folders(paths: Paths) -> Iterator[Finding]:
    """Whether what is said can be kept: rights, and room."""
    for name, folder in (("data folder", paths.data), ("config folder", paths.config)):
        there = _existing(folder)
        shown = sanitize_line(str(folder), 120)
        if not os.access(there, os.W_OK | os.X_OK):
            yield warning(name, f"{shown} cannot be written", f"Give yourself the right: chmod u+rwx {there}")
            continue
        free = shutil.disk_usage(there).free
        if free < _LITTLE_SPACE:
            yield warning(
                name, f"{free / 1e6:,.0f} MB are free at {shown}", "Make room: a full disk keeps nothing."
            )
        elif name == "data folder":
            yield good(name, f"{free / 1e9:,.0f} GB free")


def _existing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that is there."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def check_versions() -> Finding:
    """The libraries that matter when something is reported."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from qwentui import __version__

    def of(name: str) -> str:
        try:
            return f"{name} {version(name)}"
        except PackageNotFoundError:
            return f"{name} missing"

    parts = [
        f"qwentui {__version__}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    seen = ", ".join([*parts, of("textual"), of("httpx")])
    return unknown("versions", seen) if "missing" in seen else good("versions", seen)
