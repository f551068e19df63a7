"""`qwentui persona list` and `show`."""

from __future__ import annotations

import click

from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.cli import speaking
from qwentui.cli.output import standard_output, warn
from qwentui.cli.table import print_records, print_table
from qwentui.language import N_, _
from qwentui.store.paths import user_paths
from qwentui.store.personas import KeptPersona, load_personas, resolved


@speaking.command("list")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
def list_personas(*, as_json: bool) -> None:
    """List the personas: the name to give, what it is, the model that it wants."""
    personas = load_personas(user_paths().personas)
    if as_json:
        print_records([_record(kept) for kept in personas.kept])
    else:
        rows = [
            (sanitize_line(kept.path.stem, 60), _about(kept), sanitize_line(kept.persona.model, 60))
            for kept in personas.kept
        ]
        print_table((_("NAME"), _("DESCRIPTION"), _("MODEL")), rows)
    for broken in personas.broken:
        warn(str(broken.error))
    if not personas.kept and not personas.broken:
        warn(_("There are no personas yet. Six come along: qwentui persona add --examples"))


def _about(kept: KeptPersona) -> str:
    """The description, behind the persona's own name where the file is called otherwise."""
    persona = kept.persona
    named = "" if persona.name == kept.path.stem else persona.name
    return " · ".join(part for part in (named, persona.description) if part)


def _record(kept: KeptPersona) -> dict[str, object]:
    import msgspec

    record: dict[str, object] = msgspec.to_builtins(kept.persona)
    return {"file": str(kept.path)} | record


@speaking.command("show")
@click.argument("name")
def show_persona(*, name: str) -> None:
    """Print the prompt as a chat that begins now would have it; its file on standard error."""
    kept = load_personas(user_paths().personas).find(name)
    text = sanitize_whole(resolved(kept).system).text
    click.echo(f"{kept.persona.name}: {sanitize_line(str(kept.path))}", err=True)
    with standard_output() as file:
        file.write(text.encode("utf-8", "replace") + b"\n")


COMMANDS = {"list": list_personas, "show": show_persona}
