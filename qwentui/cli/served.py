"""The server and the model that a command talks to."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import fitting
from qwentui.chat.errors import ModelNotFound, SettingsError
from qwentui.language import N_, _

if TYPE_CHECKING:
    from qwentui.backends.base import Backend
    from qwentui.backends.model_fetch import Progress
    from qwentui.launch import Launch


_PHASES = {
    "waiting": N_("waiting for the built-in model"),
    "downloading": N_("downloading the built-in model"),
    "unpacking": N_("unpacking the built-in model"),
    "checking": N_("checking the built-in model"),
    "loading": N_("loading the built-in model"),
}


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
        several = _("Several models fit {name!r}: {names}.").format(name=wanted, names=", ".join(names))
        raise SettingsError(several, _("Name one of them."))
    if not names and wanted:
        raise ModelNotFound(
            _("{host} has no model {name!r}.").format(host=backend.host, name=wanted),
            _("Get it with: ollama pull {name}").format(name=wanted),
            status=404,
        )
    if not names:
        none = _("{host} has no models.").format(host=backend.host)
        raise ModelNotFound(none, _("Get one with: ollama pull qwen3"), status=404)
    return names[0]


def _show_progress(progress: Progress) -> None:
    share = f"{progress.done * 100 // progress.total} %" if progress.total else ""
    click.echo(f"\r{_(_PHASES[progress.phase])} {share}\x1b[K", nl=False, err=True)
    if progress.done >= progress.total:
        click.echo("\r\x1b[K", nl=False, err=True)


def _hide_progress(_progress: Progress) -> None:
    pass
