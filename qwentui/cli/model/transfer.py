"""`qwentui model pull`: a model from the registry onto the server's disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.cli.model.bar import Bar
from qwentui.cli.model.running import Visit, say, visit
from qwentui.cli.shared_options import with_host
from qwentui.language import _

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags


@speaking.command("pull")
@click.argument("name", metavar="NAME")
@with_host
@click.pass_obj
def pull_model(flags: Flags, *, name: str, host: str | None) -> None:
    """Have the server fetch a model, as `qwen3:32b` or `hf.co/OWNER/REPO:Q4_K_M`.

    What broke off, or was stopped with Ctrl+C, goes on when it is pulled again.
    """
    shown = sanitize_line(name)

    async def work(at: Visit) -> None:
        at.stays = _(
            "Stopped. What has come stays on the server; `qwentui model pull {model}` goes on."
        ).format(model=shown)
        with Bar() as bar:
            await at.models.pull(name, bar.show)
        say(_("{model} is on {host}.").format(model=shown, host=at.backend.host))

    visit(flags, host, work)


COMMANDS = {"pull": pull_model}
