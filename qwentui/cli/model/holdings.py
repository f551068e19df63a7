"""`qwentui model copy` and `rm`: names on the server's disk."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import short_name
from qwentui.chat.errors import ModelNotFound, SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.cli.model.running import INTERRUPTED, Visit, say, visit
from qwentui.cli.shared_options import with_host
from qwentui.language import N_, _
from qwentui.telemetry.transfer import byte_text

if TYPE_CHECKING:
    from qwentui.backends.base import ModelSummary
    from qwentui.cli.flags import Flags


@speaking.command("copy")
@click.argument("source", metavar="NAME")
@click.argument("destination", metavar="NEW_NAME")
@with_host
@click.pass_obj
def copy_model(flags: Flags, *, source: str, destination: str, host: str | None) -> None:
    """Give a model a second name; it takes no more room."""
    from qwentui.backends.model_plan import check_name

    check_name(destination)

    async def work(at: Visit) -> None:
        model = await at.find(source)
        await at.models.copy(model.name, destination)
        also = _("{model} is also {name} now.")
        say(also.format(model=short_name(model.name), name=sanitize_line(destination)))

    visit(flags, host, work)


@speaking.command("rm")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@speaking.option("-y", "--yes", is_flag=True, help=N_("Do not ask."))
@with_host
@click.pass_obj
def remove_model(flags: Flags, *, names: tuple[str, ...], yes: bool, host: str | None) -> None:
    """Remove models from the server's disk. The names must be whole, and it asks before it does so."""
    meant: list[ModelSummary] = []

    async def find(at: Visit) -> None:
        meant.extend(await _meant(at, names))

    async def remove(at: Visit) -> None:
        for model in going:
            await at.models.delete(model.name)
            say(_("{name} is removed.").format(name=short_name(model.name)))

    visit(flags, host, find)
    # Asked between two visits: a loop that waits for a line cannot be interrupted.
    going = [model for model in meant if yes or _confirmed(model)]
    if going:
        visit(flags, host, remove)


async def _meant(at: Visit, names: tuple[str, ...]) -> list[ModelSummary]:
    """The models of exactly these names.

    Raises:
        ModelNotFound: One of them is not there; nothing is removed then.
    """
    from qwentui.backends.ollama import same_model

    held = await at.backend.models()
    meant = []
    for name in names:
        found = next((model for model in held if same_model(model.name, name)), None)
        if found is None:
            shown = sanitize_line(name)
            raise ModelNotFound(
                _("{host} has no model {name!r}.").format(host=at.backend.host, name=shown),
                _("Write the whole name, as qwentui model list shows it."),
                status=404,
            )
        meant.append(found)
    return meant


def _confirmed(model: ModelSummary) -> bool:
    """Ask; Ctrl+C and the end of the input end the program, and nothing is removed.

    Raises:
        SettingsError: There is nobody to ask.
    """
    if sys.stdin is None or not sys.stdin.isatty():
        raise SettingsError(
            _("Removing a model is asked about first, and there is no terminal."), _("Give --yes.")
        )
    shown = short_name(model.name)
    if model.size is None:
        question = _("Remove {model} from the server's disk?").format(model=shown)
    else:
        question = _("Remove {model} ({size}) from the server's disk?").format(
            model=shown, size=byte_text(model.size)
        )
    try:
        wanted = click.confirm(question, err=True)
    except click.Abort:
        say("\nqwentui: " + _("Stopped. Nothing is removed."))
        sys.exit(INTERRUPTED)
    if not wanted:
        say(_("{name} stays.").format(name=shown))
    return wanted


COMMANDS = {"copy": copy_model, "rm": remove_model}
