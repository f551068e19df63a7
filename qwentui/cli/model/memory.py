"""`qwentui model load` and `unload`: into the server's memory and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import short_name
from qwentui.backends.placement import listed, loaded_line
from qwentui.chat.errors import SettingsError
from qwentui.cli import speaking
from qwentui.cli.model.bar import counting_seconds
from qwentui.cli.model.running import Visit, say, visit
from qwentui.cli.shared_options import with_host
from qwentui.language import _

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags


@speaking.command("load")
@click.argument("name", metavar="[NAME]", default="")
@with_host
@click.pass_obj
def load_model(flags: Flags, *, name: str, host: str | None) -> None:
    """Load a model, with the settings' num_ctx and keep_alive, so that the next chat answers at once."""

    async def work(at: Visit) -> None:
        wanted = at.launch.settings.model
        if not name and not wanted.name:
            raise SettingsError(_("No model is named."), _("Name one: qwentui model load NAME"))
        model = await at.find(name or wanted.name)
        shown = short_name(model.name)
        at.stays = _("Stopped. {model} is not loaded, unless it was before.").format(model=shown)
        loading = _("loading {model} with {num_ctx:,} tokens of context")
        async with counting_seconds(loading.format(model=shown, num_ctx=wanted.num_ctx)):
            await at.backend.preload(model.name, wanted.num_ctx, wanted.keep_alive)
        found = listed(await at.backend.loaded(), model.name, model.digest)
        say(loaded_line(shown, found, wanted.num_ctx))

    visit(flags, host, work)


@speaking.command("unload")
@click.argument("name", metavar="[NAME]", default="")
@with_host
@click.pass_obj
def unload_model(flags: Flags, *, name: str, host: str | None) -> None:
    """Have a model leave the memory, once its running requests are done; without a NAME, the one there is."""

    async def work(at: Visit) -> None:
        if name:
            model = (await at.find(name)).name
        else:
            loaded = [model.name for model in await at.backend.loaded()]
            if len(loaded) > 1:
                several = _("Several models are loaded: {names}.").format(names=", ".join(loaded))
                raise SettingsError(several, _("Name one of them."))
            if not loaded:
                say(_("No model is loaded."))
                return
            model = loaded[0]
        await at.backend.unload(model)
        leaves = _("{model} leaves the memory when its running requests are done.")
        say(leaves.format(model=short_name(model)))

    visit(flags, host, work)


COMMANDS = {"load": load_model, "unload": unload_model}
