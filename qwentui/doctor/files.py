"""What lies on this disk: settings, themes, personas, the chats."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.language import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qwentui.doctor.finding import Finding
    from qwentui.store.paths import Paths

_LITTLE_SPACE = 256 << 20
_SALVAGE = N_("The next start of qwentui sets it aside and saves what can be read.")


def check_settings(path: Path) -> Finding:
    """The settings file; what is wrong in it is found before this is asked, for nothing starts then."""
    shown = sanitize_line(str(path), 120)
    if not path.exists():
        return good(N_("settings"), _("none at {path}: all is as by default").format(path=shown))
    if path.stat().st_mode & 0o077 and _holds_secret(path):
        seen = _("{path} holds a password and can be read by others")
        return warning(N_("settings"), seen.format(path=shown), f"chmod 600 {shown}")
    return good(N_("settings"), shown)


def check_keys(warnings: tuple[str, ...]) -> Iterator[Finding]:
    """The keys of the settings file that no setting has."""
    for sentence in warnings:
        remedy = _("Correct it, or remove it: qwentui config unset KEY")
        yield warning(N_("settings keys"), sentence, remedy)


def _holds_secret(path: Path) -> bool:
    text = path.read_text(encoding="utf-8", errors="replace")
    return any(line.split("=")[0].strip() in ("password", "bearer") for line in text.splitlines())


def check_themes(folders: tuple[Path, ...], wanted: str) -> Iterator[Finding]:
    """Every theme, and the one in use."""
    from qwentui.store.theme_choice import AUTO
    from qwentui.store.themes import load_themes

    themes = load_themes(folders)
    unknown_keys = [sentence for theme in themes.kept for sentence in theme.warnings]
    for sentence in unknown_keys:
        yield warning(N_("themes"), sentence, _("Correct it or remove it."))
    for wrong in themes.broken:
        found = broken if wrong.path.stem == wanted else warning
        yield found(N_("themes"), wrong.error.message, wrong.error.hint)
    names = [theme.name for theme in themes.kept]
    if wanted not in (AUTO, *names, *(wrong.path.stem for wrong in themes.broken)):
        missing = _("There is no theme {name!r}.").format(name=sanitize_line(wanted, 60))
        yield broken(N_("themes"), missing, _("Known are: {names}.").format(names=", ".join(names)))
    elif not themes.broken and not unknown_keys:
        among = _("one of {count}, as the terminal decides")
        told = among if wanted == AUTO else _("{name}, one of {count}")
        yield good(N_("themes"), told.format(name=sanitize_line(wanted, 60), count=len(names)))


def check_personas(folder: Path) -> Iterator[Finding]:
    """Every persona that cannot be used, with its reason."""
    from qwentui.store.personas import load_personas

    personas = load_personas(folder)
    for wrong in personas.broken:
        yield warning(N_("personas"), wrong.error.message, wrong.error.hint)
    if not personas.broken:
        count, shown = len(personas.kept), sanitize_line(str(folder), 120)
        seen = _("{count} at {path}") if count else _("none at {path}")
        yield good(N_("personas"), seen.format(count=count, path=shown))


def check_database(path: Path) -> Finding:
    """The chats: whole, and of a version that this program knows; nothing is mended here."""
    from qwentui.store import schema

    shown = sanitize_line(str(path), 120)
    if not path.exists():
        return good(N_("chats"), _("none yet at {path}").format(path=shown))
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as store:
            version = schema.version(store)
            verdict = store.execute("PRAGMA quick_check(1)").fetchone()[0]
            count = store.execute("SELECT count(*) FROM messages WHERE deleted_at IS NULL").fetchone()[0]
    except sqlite3.Error as error:
        seen = _("{path} cannot be read: {reason}").format(path=shown, reason=sanitize_line(str(error)))
        return broken(N_("chats"), seen, _(_SALVAGE))
    if version > len(schema.MIGRATIONS):
        seen = _("{path} was written by a newer qwentui").format(path=shown)
        return broken(N_("chats"), seen, _("Upgrade qwentui."))
    if verdict != "ok":
        seen = _("{path} is damaged: {reason}").format(path=shown, reason=sanitize_line(verdict, 80))
        return broken(N_("chats"), seen, _(_SALVAGE))
    seen = ngettext(
        "{n:,} message in {size:,.1f} MB at {path}", "{n:,} messages in {size:,.1f} MB at {path}", count
    )
    return good(N_("chats"), seen.format(n=count, size=path.stat().st_size / 1e6, path=shown))


def check_folders(paths: Paths) -> Iterator[Finding]:
    """Whether what is said can be kept: rights, and room."""
    for name, folder in ((N_("data folder"), paths.data), (N_("config folder"), paths.config)):
        there = _existing(folder)
        shown = sanitize_line(str(folder), 120)
        if not os.access(there, os.W_OK | os.X_OK):
            remedy = _("Give yourself the right: chmod u+rwx {path}").format(path=there)
            yield warning(name, _("{path} cannot be written").format(path=shown), remedy)
            continue
        free = shutil.disk_usage(there).free
        if free < _LITTLE_SPACE:
            seen = _("{size:,.0f} MB are free at {path}").format(size=free / 1e6, path=shown)
            yield warning(name, seen, _("Make room: a full disk keeps nothing."))
        elif name == "data folder":
            yield good(name, _("{size:,.0f} GB free").format(size=free / 1e9))


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
            missing.append(name)
            return _("{library} missing").format(library=name)

    missing: list[str] = []

    parts = [
        f"qwentui {__version__}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    seen = ", ".join([*parts, of("textual"), of("httpx")])
    return (unknown if missing else good)(N_("versions"), seen)
