"""`qwentui persona add` and `import`: personas that others have written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.chat.persona import Persona, named_files
from qwentui.chat.sampling import Sampling
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.language import N_, _
from qwentui.store.paths import shipped, user_paths
from qwentui.store.persona_files import file_of, install_examples, toml_of, write_text
from qwentui.store.personas import read_text

_KINDS = {
    "temperature": float,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "repeat_penalty": float,
    "seed": int,
    "num_ctx": int,
}
_FENCE = "---"


@speaking.command("add")
@speaking.option("--examples", is_flag=True, help=N_("The six that come along."))
def add_personas(*, examples: bool) -> None:
    """Add the personas that come with qwentui; one that you have changed stays."""
    if not examples:
        raise SettingsError(
            _("What is to be added?"), _("The six that come along: qwentui persona add --examples")
        )
    for name, done in install_examples(shipped("examples") / "personas", user_paths().personas):
        click.echo(_("{name} {done}.").format(name=name, done=done), err=True)


@speaking.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@speaking.option("--name", metavar="NAME", help=N_("What to call it; else as the file is called."))
def import_persona(*, file: Path, name: str | None) -> None:
    """Make a persona of a Modelfile's SYSTEM, or of a role of aichat (a Markdown file)."""
    role = file.suffix.lower() in (".md", ".markdown")
    persona = _of_role(file) if role else _of_modelfile(file)
    path = file_of(user_paths().personas, name or (file.stem if role else file.name))
    write_text(path, toml_of(replace(persona, name=path.stem)))
    click.echo(_("{path} is written.").format(path=sanitize_line(str(path))), err=True)
    for taken_in in named_files(persona.system):
        # Somebody else's prompt may name what was never meant to be sent.
        along = _("Each chat with it sends the file {file} along.")
        click.echo(along.format(file=sanitize_line(taken_in)), err=True)


def _of_modelfile(file: Path) -> Persona:
    """The last SYSTEM and the parameters; FROM names a base, not a model that is asked.

    Raises:
        QwentuiError: It is no Modelfile, or has no SYSTEM.
    """
    from qwentui.backends.modelfile import read_modelfile

    system, stop, given = "", [], {}
    for command in read_modelfile(file):
        if command.name == "SYSTEM":
            system = command.value
        elif command.name == "PARAMETER" and command.key == "stop":
            stop.append(command.value)
        elif command.name == "PARAMETER":
            given[command.key] = command.value
    shown = sanitize_line(str(file))
    if not system.strip():
        raise SettingsError(
            _("{file} has no SYSTEM.").format(file=shown), _("That is what a persona is made of.")
        )
    numbers = _numbers(given, shown)
    num_ctx = numbers.pop("num_ctx", None)
    sampling = Sampling(**numbers, stop=tuple(stop) or None)
    return Persona("", system, num_ctx=num_ctx, sampling=sampling)


def _of_role(file: Path) -> Persona:
    """The text, and `model`, `temperature` and `top_p` of the lines between two of `---` at its beginning.

    Raises:
        SettingsError: It cannot be read, a value is no number, or there is no text.
    """
    shown = sanitize_line(str(file))
    lines = read_text(file, shown).split("\n")
    given: dict[str, str] = {}
    if lines[0].strip() == _FENCE and _FENCE in map(str.strip, lines[1:]):
        end = next(place for place, line in enumerate(lines) if place and line.strip() == _FENCE)
        for line in lines[1:end]:
            key, _colon, value = line.partition(":")
            given[key.strip()] = value.strip().strip("'\"")
        lines = lines[end + 1 :]
    system = "\n".join(lines).strip()
    if not system:
        raise SettingsError(
            _("{file} has no text.").format(file=shown),
            _("A role's prompt stands below its second line of ---."),
        )
    chosen = {key: value for key, value in given.items() if key in ("temperature", "top_p")}
    # Its models are CLIENT:MODEL.
    model = given.get("model", "").removeprefix("ollama:")
    return Persona("", system, model=sanitize_line(model), sampling=Sampling(**_numbers(chosen, shown)))


def _numbers(given: dict[str, str], shown: str) -> dict[str, Any]:
    """The values of known keys; those without a value are left out.

    Raises:
        SettingsError: One is no number.
    """
    numbers: dict[str, Any] = {}
    for key, text in given.items():
        if key not in _KINDS or text in ("", "null"):
            continue
        try:
            numbers[key] = msgspec.convert(text, _KINDS[key], strict=False)
        except msgspec.ValidationError as error:
            wrong = _("{file}, {key}: {value!r} is no number.")
            raise SettingsError(
                wrong.format(file=shown, key=key, value=sanitize_line(text)), _("Correct it.")
            ) from error
    return numbers


COMMANDS = {"add": add_personas, "import": import_persona}
