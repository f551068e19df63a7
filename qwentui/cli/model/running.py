"""How a command on models runs: a server that is Ollama, one loop, a clean end at Ctrl+C."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import fitting
from qwentui.chat.errors import ModelNotFound, SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli.output import told, warn
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from qwentui.backends.base import ModelSummary
    from qwentui.backends.ollama import OllamaBackend
    from qwentui.backends.ollama_models import OllamaModels
    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch

INTERRUPTED = 130
"""The exit code after Ctrl+C."""


@dataclass(slots=True)
class Visit:
    """A command at a server.

    Attributes:
        launch: The settings.
        backend: The server.
        stays: What Ctrl+C says at this moment: what is kept, and how to go on.
    """

    launch: Launch
    backend: OllamaBackend
    stays: str

    @property
    def models(self) -> OllamaModels:
        """The server's models, to be changed."""
        from qwentui.backends.ollama_models import OllamaModels

        retry = self.launch.settings.retry
        return OllamaModels(self.backend.http, attempts=retry.attempts, delay=retry.delay)

    async def find(self, name: str) -> ModelSummary:
        """The model that a name, or the beginning of one, means.

        Raises:
            SettingsError: Several are meant.
            ModelNotFound: None is.
        """
        held = {model.name: model for model in await self.backend.models()}
        names = fitting(name, list(held), ())
        shown = sanitize_line(name)
        if not name or not names:
            raise ModelNotFound(
                _("{host} has no model {name!r}.").format(host=self.backend.host, name=shown),
                _("See: qwentui model list"),
                status=404,
            )
        if len(names) > 1:
            several = _("Several models fit {name!r}: {names}.").format(name=shown, names=", ".join(names))
            raise SettingsError(several, _("Name one of them."))
        return held[names[0]]


def visit(flags: Flags, host: str | None, work: Callable[[Visit], Awaitable[None]]) -> None:
    """Do `work` at the server; Ctrl+C ends it with exit code 130 and one sentence.

    Args:
        flags: What stands before the command's name.
        host: What stands behind it.
        work: The command.

    Raises:
        QwentuiError: For what a user can mend.
    """
    if flags.embedded is not None:
        raise SettingsError(
            _("The built-in server has its one model, and nothing to manage."), _("Leave out --embedded.")
        )
    launch = told(flags.overlaid(None, host, None).launch())
    visits: list[Visit] = []
    try:
        asyncio.run(_visit(launch, work, visits))
    except KeyboardInterrupt:
        warn(visits[0].stays if visits else _("Stopped."))
        sys.exit(INTERRUPTED)


async def _visit(launch: Launch, work: Callable[[Visit], Awaitable[None]], visits: list[Visit]) -> None:
    from qwentui.backends.ollama import OllamaBackend

    backend = await launch.open_server()
    try:
        if not isinstance(backend, OllamaBackend):
            raise SettingsError(
                _("{host} is not Ollama; only Ollama lets its models be managed.").format(host=backend.host),
                _("Name an Ollama server with --host or OLLAMA_HOST."),
            )
        visits.append(Visit(launch, backend, _("Stopped.")))
        await work(visits[0])
    finally:
        await backend.aclose()


def say(text: str) -> None:
    """One line for whoever looks on."""
    click.echo(text, err=True)
