"""`qwentui model create`: a model of a GGUF file or a Modelfile, tried with one question."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.cli.model.bar import Bar
from qwentui.cli.model.running import Visit, say, visit
from qwentui.cli.shared_options import with_host
from qwentui.language import N_, _

if TYPE_CHECKING:
    from qwentui.backends.model_plan import ModelPlan
    from qwentui.cli.flags import Flags

_QUESTION = "Who are you? Answer in one short sentence."


@speaking.command("create")
@click.argument("name", metavar="NAME")
@speaking.option(
    "--from", "source", metavar="FILE.gguf", type=click.Path(path_type=Path), help=N_("A GGUF file.")
)
@speaking.option("-f", "--file", "modelfile", type=click.Path(path_type=Path), help=N_("A Modelfile."))
@speaking.option("--num-ctx", metavar="N", type=click.IntRange(min=4), help=N_("Tokens of context."))
@speaking.option("--system", metavar="TEXT", help=N_("System prompt."))
@speaking.option("--quantize", metavar="TYPE", help=N_("Have the server quantize F16 or F32: q4_K_M, q8_0."))
@speaking.option(
    "--vram", metavar="GIB", type=click.FloatRange(min=0.1), help=N_("Memory of the server's GPU.")
)
@speaking.option("--ask", metavar="TEXT", default=_QUESTION, help=N_("The question that tries the model."))
@speaking.option("--no-ask", is_flag=True, help=N_("Do not try it."))
@with_host
@click.pass_obj
def create_command(
    flags: Flags,
    *,
    name: str,
    source: Path | None,
    modelfile: Path | None,
    num_ctx: int | None,
    system: str | None,
    quantize: str | None,
    vram: float | None,
    ask: str,
    no_ask: bool,
    host: str | None,
) -> None:
    """Make the model NAME of a GGUF file (--from) or of a Modelfile (-f), and ask it one question.

    A file goes to the server once: what it has already is not sent again.
    """
    if (source is None) == (modelfile is None):
        raise SettingsError(
            _("A model is made of a GGUF file or a Modelfile."), _("Give --from FILE or -f FILE.")
        )

    from qwentui.backends.model_plan import check_name

    check_name(name)

    async def work(at: Visit) -> None:
        from qwentui.cli.model.card import card_to_fit
        from qwentui.cli.model.made_of import planned

        context = num_ctx or (at.launch.settings.model.num_ctx if source else None)
        wishes = {"system": system or "", "quantize": quantize or ""}
        card = await asyncio.to_thread(card_to_fit, at.launch, vram)
        plan = await planned(source, modelfile, context, wishes, card)
        await _make(at, name, plan)
        if not no_ask:
            from qwentui.cli.model.trial import try_model

            await try_model(at, name, plan, ask)

    visit(flags, host, work)


async def _make(at: Visit, name: str, plan: ModelPlan) -> None:
    from qwentui.backends.file_digest import DigestCache
    from qwentui.backends.ollama import same_model
    from qwentui.backends.ollama_create import create_model

    shown = sanitize_line(name)
    if any(same_model(model.name, name) for model in await at.backend.models()):
        anew = _("{host} has a model {model}; it is made anew.")
        say(anew.format(host=at.backend.host, model=shown))
    at.stays = _(
        "Stopped. Files that the server has whole, and digests that were computed, stay; the same command"
        " goes on with them, and an upload that was cut begins again."
    )
    with Bar() as bar:
        await create_model(at.models, name, plan, DigestCache(at.launch.paths.digests), bar.show)
    at.stays = _("Stopped. {model} is made: qwentui --model {model}").format(model=shown)
    say(_("{model} is on {host}.").format(model=shown, host=at.backend.host))


COMMANDS = {"create": create_command}
