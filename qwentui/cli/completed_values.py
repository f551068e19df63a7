"""The values that complete a command line: personas, chats, settings, and the models of a quick server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    import click

_PATIENCE = 0.5
"""Seconds that a server has to tell its models."""

_MOST_CHATS = 50
_LONGEST = 60
"""Characters of what is said about a value."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What stands on the command line: the word to complete, and the parameters before it by their names."""

    word: str
    given: dict[str, Any]

    @classmethod
    def of(cls, context: click.Context, word: str) -> Asked:
        """What `context` has, a command's own parameters before those of the program."""
        given: dict[str, Any] = {}
        inner: click.Context | None = context
        while inner is not None:
            given = {**{name: value for name, value in inner.params.items() if value is not None}, **given}
            inner = inner.parent
        return cls(word, given)

    @property
    def file(self) -> Path:
        """The settings file."""
        from qwentui.store.paths import user_paths

        return Path(self.given["config"]) if "config" in self.given else user_paths().settings_file


def personas(_asked: Asked) -> Iterator[CompletionItem]:
    """The names of the personas."""
    from qwentui.store.paths import user_paths
    from qwentui.store.personas import load_personas

    for kept in load_personas(user_paths().personas).kept:
        yield _told(kept.persona.name, kept.persona.description)


def sessions(_asked: Asked) -> Iterator[CompletionItem]:
    """The ids of the newest chats, with their titles."""
    from qwentui.store.database import Database
    from qwentui.store.paths import user_paths
    from qwentui.store.sessions import SessionStore

    path = user_paths().database
    if not path.exists():
        return
    database = Database.read_only(path)
    try:
        found = SessionStore(database).listed(limit=_MOST_CHATS)
    finally:
        database.close()
    for info in found:
        yield _told(info.id, info.title)


def profiles(asked: Asked) -> Iterator[CompletionItem]:
    """The names of the profiles in the settings file."""
    yield from (CompletionItem(name) for name in _tables(asked).get("profile", {}))


def settings(asked: Asked) -> Iterator[CompletionItem]:
    """The paths of the settings, and those in the profiles once one is begun."""
    from qwentui.store.settings import paths

    before = [""]
    if asked.word.startswith("profile."):
        before = [f"profile.{item.value}." for item in profiles(asked)]
    for each in before:
        yield from (CompletionItem(f"{each}{key}") for key in paths())


def setting_values(asked: Asked) -> Iterator[CompletionItem]:
    """What the setting that is named may be."""
    from qwentui.store.settings import paths

    key = str(asked.given.get("key", ""))
    if key.startswith("profile."):
        key = ".".join(key.rsplit(".", 2)[-2:])
    kind = paths().get(key)
    if key == "screen.theme":
        yield from themes(asked)
    elif key == "model.name":
        yield from models(asked)
    elif kind is bool:
        yield from map(CompletionItem, ("true", "false"))
    elif get_origin(kind) is Literal:
        yield from map(CompletionItem, get_args(kind))


def themes(_asked: Asked) -> Iterator[CompletionItem]:
    """The names of the themes."""
    from qwentui.store.paths import shipped, user_paths
    from qwentui.store.themes import theme_names

    yield from map(CompletionItem, theme_names((user_paths().themes, shipped("themes"))))


def models(asked: Asked) -> Iterator[CompletionItem]:
    """The models of the server, if it tells them within half a second."""
    import asyncio

    # Imported here, it is not on the server's time.
    import httpx  # noqa: F401 - the backends import it when they ask

    from qwentui.cli.flags import Flags

    flags = Flags(host=asked.given.get("host"), profile=asked.given.get("profile"), config=_config(asked))
    launch = flags.launch()

    async def ask() -> list[str]:
        backend = await launch.open_server()
        try:
            return [model.name for model in await backend.models()]
        finally:
            await backend.aclose()

    if _answers(launch.endpoint().base_url):
        try:
            names = asyncio.run(asyncio.wait_for(ask(), _PATIENCE))
        except TimeoutError:
            return
        yield from map(CompletionItem, names)


def _told(value: str, about: str) -> CompletionItem:
    """A value with what it is, in one line: a user, a model or a file that was imported wrote that."""
    from qwentui.chat.sanitize import sanitize_line

    return CompletionItem(value, help=sanitize_line(about, _LONGEST) or None)


def _config(asked: Asked) -> Path | None:
    return asked.file if "config" in asked.given else None


def _answers(url: str) -> bool:
    """Whether something listens at the address; a name that a resolver ponders over is not waited for.

    The loop's own look-up of a name runs in a thread that the end of the program would wait for.
    """
    import socket
    from threading import Thread
    from urllib.parse import urlsplit

    place = urlsplit(url)
    port = place.port or (443 if place.scheme == "https" else 80)
    reached: list[bool] = []

    def reach() -> None:
        try:
            socket.create_connection((place.hostname or "", port), _PATIENCE).close()
        except OSError:
            return
        reached.append(True)

    looking = Thread(target=reach, daemon=True)
    looking.start()
    looking.join(_PATIENCE)
    return bool(reached)


def _tables(asked: Asked) -> dict[str, Any]:
    from qwentui.store.settings import read_table

    return read_table(asked.file)
