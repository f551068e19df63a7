"""Personas on disk: a TOML file each, in the user's folder. A broken one is named, and the others work."""

from __future__ import annotations

import getpass
import re
import socket
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.chat.matching import fitting
from qwentui.chat.persona import Persona, fill_in
from qwentui.chat.sampling import Sampling
from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.language import _
from qwentui.store.toml_lines import line_of

SIZE_LIMIT = 256 << 10
"""Bytes of a persona's file, and of a file that its prompt names."""


class _PersonaFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a file; the names are those of `Persona` and of the settings' `model` table."""

    system: Annotated[str, msgspec.Meta(min_length=1)]
    name: str = ""
    description: str = ""
    model: str = ""
    think: Literal["default", "on", "off"] = "default"
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    num_ctx: Annotated[int, msgspec.Meta(ge=1)] | None = None
    greeting: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class KeptPersona:
    """A persona and its file."""

    persona: Persona
    path: Path


@dataclass(frozen=True, slots=True)
class BrokenPersona:
    """A file that is no persona, and why."""

    path: Path
    error: SettingsError


@dataclass(frozen=True, slots=True)
class Personas:
    """All that a folder holds, by file name."""

    kept: tuple[KeptPersona, ...] = ()
    broken: tuple[BrokenPersona, ...] = ()

    def find(self, wanted: str) -> KeptPersona:
        """The persona that `wanted` means: its name or its file's, in any case, or some letters in order.

        Raises:
            SettingsError: None does, or several do, or its file is broken.
        """
        shown = sanitize_line(wanted, 60)
        for broken in self.broken:
            if broken.path.stem.casefold() == wanted.strip().casefold():
                raise broken.error
        found = fitting(wanted, ((kept, (kept.persona.name, kept.path.stem)) for kept in self.kept))
        if not wanted.strip() or not found:
            hint = _("Six come along: qwentui persona add --examples")
            if self.kept:
                hint = _("There are: {names}.").format(names=", ".join(kept.path.stem for kept in self.kept))
            raise SettingsError(_("There is no persona {name!r}.").format(name=shown), hint)
        if len(found) > 1:
            names = ", ".join(sanitize_line(kept.path.stem, 60) for kept in found)
            sentence = _("Several personas fit {wanted!r}: {names}.").format(wanted=shown, names=names)
            raise SettingsError(sentence, _("Name one of them."))
        return found[0]

    def find_or_none(self, wanted: str) -> KeptPersona | None:
        """As `find`; `NONE` is no persona, unless one is called that.

        Raises:
            SettingsError: As for `find`.
        """
        called = {name.casefold() for kept in self.kept for name in (kept.persona.name, kept.path.stem)}
        return None if wanted.strip().casefold() == NONE not in called else self.find(wanted)


NONE = "none"
"""What no persona, the prompt of the settings, is called where a name is asked for."""


def load_personas(folder: Path) -> Personas:
    """The personas of `folder`, which need not exist."""
    kept: list[KeptPersona] = []
    broken: list[BrokenPersona] = []
    try:
        paths = sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))
    except OSError:
        paths = []
    for path in paths:
        try:
            kept.append(KeptPersona(read_persona(path), path))
        except SettingsError as error:
            broken.append(BrokenPersona(path, error))
    return Personas(tuple(kept), tuple(broken))


def read_persona(path: Path) -> Persona:
    """The persona of a file.

    Raises:
        SettingsError: It cannot be read, or a line or key of it cannot be used; the message says which.
    """
    shown = sanitize_line(str(path))
    text = read_text(path, _("The persona {path}").format(path=shown))
    try:
        file = msgspec.convert(tomllib.loads(text), _PersonaFile)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(
            _("The persona {path} is not valid TOML: {reason}.").format(
                path=shown, reason=sanitize_line(str(error))
            ),
            _("Correct that place."),
        ) from error
    except msgspec.ValidationError as error:
        what, _separator, where = sanitize_line(str(error)).partition(" - at `$")
        key = where.strip(".`")
        unknown = re.search("unknown field `(.*)`", what)
        stated = unknown[1] if unknown else key.partition("[")[0]
        if stated and (line := line_of(text, (stated,))):
            what = _("{reason} (at line {line})").format(reason=what, line=line)
        sentence = _("The persona {path}: {reason}.")
        if key:
            sentence = _("The persona {path}, {key}: {reason}.")
        raise SettingsError(
            sentence.format(path=shown, key=key, reason=what[:1].lower() + what[1:]),
            _("Correct it or remove it."),
        ) from error
    sampling = {field: getattr(file, field) for field in Sampling.__slots__}
    return Persona(
        name=sanitize_line(file.name or path.stem, 60) or "persona",
        system=file.system.strip(),
        description=sanitize_line(file.description),
        model=file.model,
        think={"default": None, "on": True, "off": False}[file.think],
        sampling=Sampling(**sampling),
        num_ctx=file.num_ctx,
        greeting=sanitize_whole(file.greeting).text.strip(),
        language=sanitize_line(file.language, 60),
    )


def resolved(kept: KeptPersona) -> Persona:
    """The persona with its system prompt as a chat that begins now has it.

    Raises:
        SettingsError: A file that it names cannot be read.
    """
    persona = kept.persona
    values = {"date": date.today().isoformat(), "user": _user(), "host": socket.gethostname()}  # noqa: DTZ011 - the user's own day

    def read(name: str) -> str:
        path = kept.path.parent / Path(name).expanduser()
        place = _("{path}, which the persona {name} names,")
        place = place.format(path=sanitize_line(str(path)), name=persona.name)
        return read_text(path, place).strip()

    text = fill_in(persona.system, values, read)
    if persona.language:
        text = f"{text}\n\nAnswer in {persona.language}."
    return replace(persona, system=text)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "the user"


def read_text(path: Path, what: str) -> str:
    """The text of a regular file of at most `SIZE_LIMIT` bytes, called `what`.

    Raises:
        SettingsError: It is none, or is not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():
            raise SettingsError(_("{what} is no file.").format(what=what), _("Check the path."))
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
        if len(data) > SIZE_LIMIT:
            sentence = _("{what} is larger than {limit} KiB.").format(what=what, limit=SIZE_LIMIT >> 10)
            raise SettingsError(sentence, _("Take the part that matters."))
        if b"\0" in data:
            raise SettingsError(_("{what} is not text.").format(what=what), _("Name a text file."))
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except FileNotFoundError as error:
        raise SettingsError(_("{what} does not exist.").format(what=what), _("Check the path.")) from error
    except UnicodeDecodeError as error:
        sentence = _("{what} is not UTF-8 text.").format(what=what)
        raise SettingsError(sentence, _("Save it as UTF-8.")) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        sentence = _("{what} cannot be read: {reason}.").format(what=what, reason=reason)
        raise SettingsError(sentence, _("Check its permissions.")) from error
