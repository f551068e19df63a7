"""The server and the model that a command talks to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import fitting
from qwentui.chat.errors import ModelNotFound, SettingsError

if TYPE_CHECKING:
    from qwentui.backends.base import Backend
    from qwentui.backends.model_fetch import Progress
    from qwentui.launch import Launch


async def open_backend(launch: Launch) -> Backend:
    """The backend that the flags and settings name; the built-in one shows its start in a terminal.

    Raises:
        QwentuiError: There is none to be had.
    """
    if launch.embedded is None:
        return await launch.open_server()
    return await launch.open_embedded(_show_progress if sys.stderr.isatty() else _hide_progress)


async def choose_model(launch: Launch, backend: Backend) -> str:
    """The name of the model that is meant.

    Raises:
        SettingsError: Several are.
        ModelNotFound: None is.
        BackendError: The server does not tell.
    """
    wanted = launch.settings.model.name
    installed = [model.name for model in await backend.models()]
    loaded = [] if wanted else [model.name for model in await backend.loaded()]
    names = fitting(wanted, installed, loaded)
    if wanted and len(names) > 1:
        raise SettingsError(f"Several models fit {wanted!r}: {', '.join(names)}.", "Name one of them.")
    if not names and wanted:
        raise ModelNotFound(
            f"{backend.host} has no model {wanted!r}.", f"Get it with: ollama pull {wanted}", status=404
        )
    if not names:
        raise ModelNotFound(f"{backend.host} has no models.", "Get one with: ollama pull qwen3", status=404)
    return names[0]


def _show_progress(progress: Progress) -> None:
    share = f"{progress.done * 100 // progress.total} %" if progress.total else ""
    click.echo(f"\r{progress.phase} the built-in model {share}\x1b[K", nl=False, err=True)
    if progress.done >= progress.total:
        click.echo("\r\x1b[K", nl=False, err=True)


def _hide_progress(_: Progress) -> None:
    pass
