"""Where the settings of a run come from: read again whenever the file may be another, and changed in it.

A screen shows what `Origin.read` gives; `change` writes one value into the file, if that is what decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.settings import read_settings, value_of, with_value

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from qwentui.store.settings import Loaded

_FALLBACK = "OLLAMA_HOST"


@dataclass(frozen=True, slots=True)
class Given:
    """A text that the command line gives a key, and the flag that does."""

    flag: str
    value: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What the settings are made of.

    Attributes:
        path: The file, which need not exist.
        environ: The environment.
        profile: The profile's name, "" for none; None goes by `QWENTUI_PROFILE`.
        given: What the command line says, by key.
    """

    path: Path
    environ: Mapping[str, str]
    profile: str | None = None
    given: Mapping[str, Given] = field(default_factory=dict)

    @property
    def profile_in_use(self) -> str:
        """The profile's name, "" for none."""
        return self.environ.get("QWENTUI_PROFILE", "") if self.profile is None else self.profile

    def giving(self, key: str, flag: str, value: str) -> Origin:
        """This, with one more value from the command line."""
        return replace(self, given={**self.given, key: Given(flag, value)})

    def read(self) -> Loaded:
        """The settings as they are now; the sources name the flags too.

        Raises:
            SettingsError: As for `read_settings`.
        """
        loaded = read_settings(self.path, self.environ, self.profile_in_use)
        settings = loaded.settings
        for key, given in self.given.items():
            settings = with_value(settings, key, given.value)
        sources = loaded.sources | {key: given.flag for key, given in self.given.items()}
        return msgspec.structs.replace(loaded, settings=settings, sources=sources)


@dataclass(frozen=True, slots=True)
class Changed:
    """The settings after a change, and the table of the file in which it was made."""

    loaded: Loaded
    table: str


class ChangedMeanwhile(SettingsError):
    """The key has another value than the one that was to be changed; `loaded` has it, nothing was written."""

    def __init__(self, path: Path, key: str, loaded: Loaded) -> None:
        super().__init__(
            _("{path} was changed meanwhile, and {key} with it; nothing was written.").format(
                path=sanitize_line(str(path)), key=key
            ),
            _("Look at its value now, and change it again if need be."),
        )
        self.loaded = loaded


def in_file(source: str) -> bool:
    """Whether a key whose value comes from `source` can be changed in the file."""
    return source in ("default", "file", _FALLBACK) or source.startswith("profile ")


def change(origin: Origin, key: str, text: str | None, seen: object) -> Changed:
    """Write a value where the one that holds now stands: in the profile's tables, else in the main part.

    Args:
        origin: Whose file.
        key: The key's path.
        text: The value as `set_value` takes it; None removes the key.
        seen: The value that the user saw when deciding.

    Raises:
        ChangedMeanwhile: It is not what holds any more.
        SettingsError: The file is broken, something else decides, or the key cannot have this value; nothing
            was written.
        StoreError: The disk refused.
    """
    from qwentui.store.settings_edit import set_value, unset_value

    loaded = origin.read()
    source = loaded.sources.get(key, "default")
    if not in_file(source):
        raise SettingsError(decided(key, source), _("Change it there, or take it away there."))
    if _differ(value_of(loaded.settings, key), seen):
        raise ChangedMeanwhile(origin.path, key, loaded)
    section = key.partition(".")[0]
    before = f"profile.{source.removeprefix('profile ')}." if source.startswith("profile ") else ""
    if text is None:
        unset_value(origin.path, before + key)
    else:
        set_value(origin.path, before + key, text)
    return Changed(origin.read(), before + section)


def decided(key: str, source: str) -> str:
    """The sentence about a key that no file decides."""
    return _("{source} decides {key}.").format(source=sanitize_line(source), key=key)


def _differ(one: Any, other: Any) -> bool:  # noqa: ANN401 - any setting's value
    # 1 is 1.0 and True to Python, and each of them something else in a file.
    return type(one) is not type(other) or one != other
