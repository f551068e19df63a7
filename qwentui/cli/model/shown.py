"""`qwentui model show`: what one model is, what it takes, and what is wrong with its settings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import click

from qwentui.backends.choice import short_name
from qwentui.chat.memory_words import memory_line
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli import speaking
from qwentui.cli.cells import padded
from qwentui.cli.model.card import card_to_fit
from qwentui.cli.model.running import Visit, visit
from qwentui.cli.shared_options import with_host
from qwentui.cli.table import print_records
from qwentui.language import N_, _, pgettext
from qwentui.telemetry.transfer import byte_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwentui.backends.base import ModelSummary
    from qwentui.cli.flags import Flags
    from qwentui.cli.model.card import CardToFit

_LABEL = 14
_KINDS = {
    "Jinja": N_("Jinja, from the GGUF itself"),
    "Go": N_("Go, from Ollama or a Modelfile"),
    "none": N_("none"),
}


@speaking.command("show")
@click.argument("name", metavar="NAME")
@speaking.option("--json", "as_json", is_flag=True, help=N_("Print one JSON record."))
@speaking.option(
    "--vram", metavar="GIB", type=click.FloatRange(min=0.1), help=N_("Memory of the server's GPU.")
)
@with_host
@click.pass_obj
def show_model(flags: Flags, *, name: str, as_json: bool, vram: float | None, host: str | None) -> None:
    """Show what a model is: its template, what it can do, its parameters, and what it takes on a GPU."""

    async def work(at: Visit) -> None:
        from qwentui.cli.output import standard_output

        model = await at.find(name)
        show = await at.backend.show(model.name)
        if as_json:
            print_records([_record(model, show)])
            return
        card = await asyncio.to_thread(card_to_fit, at.launch, vram)
        lines = [*_lines(model, show), *_memory(show, model, card, at.launch.settings.model.num_ctx)]
        with standard_output() as file:
            file.write(("\n".join([*lines, *_warnings(show)]) + "\n").encode("utf-8", "replace"))

    visit(flags, host, work)


def _record(model: ModelSummary, show: dict[str, Any]) -> dict[str, object]:
    from msgspec import to_builtins

    from qwentui.backends.model_faults import faults, parameters_of, shape_of_shown, template_kind

    shape = shape_of_shown(show, model.size or 0)
    parameters: dict[str, list[str]] = {}
    for key, value in parameters_of(show):
        parameters.setdefault(sanitize_line(key), []).append(sanitize_line(value))
    return {
        **to_builtins(model),
        "architecture": _architecture(show),
        "capabilities": _capabilities(show),
        "context_length": shape.context_length if shape else None,
        "template": template_kind(_text(show, "template")),
        "parameters": parameters,
        "system": _text(show, "system"),
        "kv_bytes_per_token": shape.kv_bytes_per_token() if shape else None,
        "faults": list(faults(show)),
    }


def _lines(model: ModelSummary, show: dict[str, Any]) -> Iterator[str]:
    from qwentui.backends.model_faults import parameters_of, shape_of_shown, template_kind

    shape = shape_of_shown(show, model.size or 0)
    about = [
        _architecture(show),
        model.parameter_size,
        model.quantization_level,
        "" if model.size is None else byte_text(model.size),
    ]
    yield short_name(model.name)
    yield _line(_("model"), " · ".join(part for part in about if part))
    yield _line(pgettext("a model", "can"), ", ".join(_capabilities(show)))
    if shape and shape.context_length:
        most = _("{count:,} tokens at most").format(count=shape.context_length)
        yield _line(_("context"), most)
    yield _line(_("template"), _(_KINDS[template_kind(_text(show, "template"))]))
    for key, value in parameters_of(show):
        yield _line(
            _("parameter"),
            f"{sanitize_line(key)} {sanitize_line(value)!r}"
            if key == "stop"
            else f"{sanitize_line(key)} {sanitize_line(value)}",
        )
    if system := sanitize_line(_text(show, "system")):
        yield _line(_("system"), system)


def _memory(show: dict[str, Any], model: ModelSummary, card: CardToFit, num_ctx: int) -> Iterator[str]:
    from qwentui.backends.model_faults import shape_of_shown

    shape = shape_of_shown(show, model.size or 0)
    if shape is not None:
        yield _line(_("memory"), memory_line(shape, num_ctx, card.total, card.name))


def _warnings(show: dict[str, Any]) -> Iterator[str]:
    from qwentui.backends.model_faults import faults

    for fault in faults(show):
        yield _line(_("note"), fault)


def _line(label: str, text: str) -> str:
    return padded(label, _LABEL) + text


def _text(show: dict[str, Any], key: str) -> str:
    value = show.get(key)
    return value if isinstance(value, str) else ""


def _architecture(show: dict[str, Any]) -> str:
    info = show.get("model_info")
    return sanitize_line(str(info.get("general.architecture") or "")) if isinstance(info, dict) else ""


def _capabilities(show: dict[str, Any]) -> list[str]:
    listed = show.get("capabilities")
    return [sanitize_line(str(item)) for item in listed] if isinstance(listed, list) else []


COMMANDS = {"show": show_model}
