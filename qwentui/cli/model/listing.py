"""`qwentui model list` and `ps`: what the server has, and what of it is in memory."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from qwentui.backends.choice import short_name
from qwentui.backends.placement import place
from qwentui.cli import speaking
from qwentui.cli.model.running import Visit, visit
from qwentui.cli.output import warn
from qwentui.cli.shared_options import with_host
from qwentui.cli.table import print_records, print_table
from qwentui.language import N_, _
from qwentui.telemetry.transfer import byte_text, clock_text

if TYPE_CHECKING:
    from qwentui.cli.flags import Flags

_FOREVER = 366 * 86400  # seconds: keep_alive -1 comes as a date some 290 years ahead


@speaking.command("list")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
@with_host
@click.pass_obj
def list_models(flags: Flags, *, as_json: bool, host: str | None) -> None:
    """List the models on the server's disk; those in memory are marked."""

    async def work(at: Visit) -> None:
        from msgspec import to_builtins

        models = await at.backend.models()
        # Two names of one file share one runner, listed under the name that loaded it.
        loaded = {model.name for model in await at.backend.loaded()}
        if as_json:
            print_records([to_builtins(model) | {"loaded": model.name in loaded} for model in models])
            return
        rows = [
            (
                short_name(model.name),
                "" if model.size is None else byte_text(model.size),
                model.parameter_size,
                model.quantization_level,
                _("loaded") if model.name in loaded else "",
            )
            for model in models
        ]
        headings = (_("NAME"), _("SIZE"), _("PARAMETERS"), _("QUANTIZATION"), "")
        print_table(headings, rows)
        if not models:
            none = _("{host} has no models. Get one with: qwentui model pull qwen3")
            warn(none.format(host=at.backend.host))

    visit(flags, host, work)


@speaking.command("ps")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record a line."))
@with_host
@click.pass_obj
def loaded_models(flags: Flags, *, as_json: bool, host: str | None) -> None:
    """List the models in memory: where they lie, with how much context, for how long."""

    async def work(at: Visit) -> None:
        from msgspec import to_builtins

        loaded = await at.backend.loaded()
        if as_json:
            print_records([to_builtins(model) for model in loaded])
            return
        rows = [
            (
                short_name(model.name),
                "" if model.size is None else byte_text(model.size),
                place(model),
                f"{model.context_length:,}" if model.context_length else "",
                _until(model.expires_at),
            )
            for model in loaded
        ]
        print_table((_("NAME"), _("SIZE"), _("WHERE"), _("CONTEXT"), _("UNTIL")), rows)
        if not loaded:
            warn(_("No model is loaded."))

    visit(flags, host, work)


def _until(expires_at: str) -> str:
    try:
        seconds = (datetime.fromisoformat(expires_at) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return ""
    if seconds > _FOREVER:
        return _("forever")
    return _("{time} left").format(time=clock_text(seconds)) if seconds > 0 else _("in use")


COMMANDS = {"list": list_models, "ps": loaded_models}
