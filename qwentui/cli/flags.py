"""The flags that every command shares, laid over the settings."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.errors import SettingsError
from qwentui.language import _, speak
from qwentui.launch import Embedded, Launch
from qwentui.store.paths import user_paths
from qwentui.store.settings_origin import Origin

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
        origin = self._origin(paths.settings_file)
        loaded = origin.read()
        speak(loaded.settings.screen.language, os.environ)
        persona = None if self.persona is None else _persona(paths.personas, self.persona)
        if persona is not None and persona.model and self.model is None:
            origin = origin.giving("model.name", "--persona", persona.model)
            loaded = origin.read()
        return Launch(paths, loaded.settings, self._embedded(), self.resume, loaded.warnings, persona, origin)

    def _origin(self, usual: Path) -> Origin:
        origin = Origin(self.config or usual, os.environ, self.profile)
        given = {
            "model.name": ("--model", self.model),
            "server.host": ("--host", self.host),
            "log.file": ("--log-file", self.log_file),
        }
        for key, (flag, value) in given.items():
            if value is not None:
                origin = origin.giving(key, flag, value)
        return origin

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
