"""The flags that every command shares, laid over the settings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.language import _, speak
from qwentui.launch import Embedded, Launch
from qwentui.store.paths import user_paths
from qwentui.store.settings import read_settings

if TYPE_CHECKING:
    from pathlib import Path

    from qwentui.chat.persona import Persona


@dataclass(frozen=True, slots=True)
class Flags:
    """What stands on the command line; `embedded` is "" for the model that comes with the program."""

    model: str | None = None
    host: str | None = None
    embedded: str | None = None
    config: Path | None = None
    resume: str | None = None
    log_file: str | None = None
    profile: str | None = None
    persona: str | None = None

    def overlaid(self, model: str | None, host: str | None, embedded: str | None) -> Flags:
        """These flags under those that stand behind a command's name."""
        return Flags(
            self.model if model is None else model,
            self.host if host is None else host,
            self.embedded if embedded is None else embedded,
            self.config,
            self.resume,
            self.log_file,
            self.profile,
            self.persona,
        )

    def launch(self) -> Launch:
        """Read the settings and lay these flags over them.

        Raises:
            SettingsError: A file, variable or flag cannot be used.
        """
        paths = user_paths()
        if self.config is not None and not self.config.is_file():
            raise SettingsError(
                _("--config: there is no file {path}.").format(path=self.config), _("Check the path.")
            )
        loaded = read_settings(self.config or paths.settings_file, os.environ, self.profile)
        settings = loaded.settings
        speak(settings.screen.language, os.environ)
        if self.model is not None:
            model = msgspec.structs.replace(settings.model, name=self.model)
            settings = msgspec.structs.replace(settings, model=model)
        if self.host is not None:
            server = msgspec.structs.replace(settings.server, host=self.host)
            settings = msgspec.structs.replace(settings, server=server)
        if self.log_file is not None:
            log = msgspec.structs.replace(settings.log, file=self.log_file)
            settings = msgspec.structs.replace(settings, log=log)
        persona = None if self.persona is None else _persona(paths.personas, self.persona)
        if persona is not None and persona.model and self.model is None:
            model = msgspec.structs.replace(settings.model, name=persona.model)
            settings = msgspec.structs.replace(settings, model=model)
        return Launch(paths, settings, self._embedded(), self.resume, loaded.warnings, persona)

    def _embedded(self) -> Embedded | None:
        from pathlib import Path

        if self.embedded is None:
            return None
        if not self.embedded:
            return Embedded()
        gguf = Path(self.embedded).expanduser()
        if not gguf.is_file():
            raise SettingsError(
                _("--embedded: there is no file {path}.").format(path=gguf),
                _("Give the path of a GGUF file."),
            )
        return Embedded(gguf)


def _persona(folder: Path, name: str) -> Persona:
    from qwentui.store.personas import load_personas, resolved

    return resolved(load_personas(folder).find(name))
