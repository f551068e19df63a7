"""Writing personas: a template, one from elsewhere, the examples that come along."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import TYPE_CHECKING

from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.sanitize import sanitize_whole
from qwentui.language import N_, _
from qwentui.store.files import refusals, replaced
from qwentui.store.paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from qwentui.chat.persona import Persona

_NAME = re.compile(r"[^\w.-]+")
_LONGEST_NAME = 60

_TEMPLATE = N_("""\
# A persona of qwentui. All keys but "system" may be left out.
description = ""

# In the prompt, {date}, {user}, {host} and {file:PATH} (beside this file) are filled in when a chat begins.
system = '''
You are a helpful assistant.
'''

# model = "qwen3"        # or the beginning of its name
# think = "off"          # "on", "off" or "default"
# temperature = 0.6      # also top_k, top_p, min_p, repeat_penalty, seed, stop
# greeting = "Hello!"    # shown in an empty chat, never sent
# language = "English"   # adds a line to the prompt: Answer in English.
# num_ctx = 8192         # another context than the server has reloads the model
""")


def template() -> str:
    """The text of a new persona's file, which explains its keys."""
    return _(_TEMPLATE)


def file_of(folder: Path, name: str) -> Path:
    """The file for a persona of that name.

    Raises:
        SettingsError: Nothing of the name can be part of a file's name.
    """
    stem = _NAME.sub("-", sanitize_whole(name).text).strip("-.")[:_LONGEST_NAME]
    if not stem:
        raise SettingsError(_("A persona's name needs a letter or a digit."), _("For example: reviewer"))
    return folder / f"{stem}.toml"


def write_text(path: Path, text: str, *, overwrite: bool = False) -> None:
    """Put a persona's file in place, whole or not at all.

    Raises:
        StoreError: There is one and it may not go, or the disk refuses.
    """
    if not overwrite and path.exists():
        sentence = _("{path} is there already.").format(path=path)
        raise StoreError(sentence, _("Take another name, or remove that persona first."))
    with refusals(str(path)):
        private_folder(path.parent)
    with replaced(path, overwrite=overwrite) as file:
        file.write(text.encode("utf-8", "replace"))


def toml_of(persona: Persona) -> str:
    """A persona as the text of its file."""
    values = {
        "name": persona.name,
        "description": persona.description,
        "model": persona.model,
        "num_ctx": persona.num_ctx,
    }
    values |= {field.name: getattr(persona.sampling, field.name) for field in fields(persona.sampling)}
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if value not in (None, "")]
    return "\n".join([*lines, f"system = {_block(persona.system)}", ""])


def _value(value: object) -> str:
    # A JSON string, number or list of strings is TOML too, once DEL is out of it.
    return json.dumps(value, ensure_ascii=False)


def _block(text: str) -> str:
    text = sanitize_whole(text).text.strip()
    return _value(text) if "''" in text or text.endswith("'") else f"'''\n{text}\n'''"


def install_examples(source: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Copy each example that is not there yet; a file that the user has changed stays.

    Returns:
        The name of each, and what was done about it.

    Raises:
        StoreError: The disk refuses.
    """
    for example in sorted(source.glob("*.toml")):
        target, text = folder / example.name, example.read_bytes()
        if not target.exists():
            write_text(target, text.decode())
            yield example.stem, _("added")
        elif target.is_file() and target.read_bytes() == text:
            yield example.stem, _("is there already")
        else:
            yield example.stem, _("is there already, changed; it stays as it is")
