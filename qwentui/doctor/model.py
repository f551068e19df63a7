"""The model: there, loaded, on the card, and with a template that a chat can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwentui.backends.model_faults import faults, parameters_of, template_kind
from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.language import N_, _
from qwentui.telemetry.vram import SPILL_REMEDY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwentui.backends.base import LoadedModel
    from qwentui.doctor.finding import Finding


def check_choice(wanted: str, fitting: Sequence[str], names: Sequence[str]) -> Finding:
    """Whether there is one model to talk to."""
    if not names:
        return broken(N_("model"), _("The server has no models."), _("Get one: qwentui model pull qwen3"))
    if len(fitting) == 1:
        return good(N_("model"), sanitize_line(fitting[0]))
    if not fitting:
        known = sanitize_line(", ".join(names), 200)
        missing = _("There is no model {name!r}.").format(name=sanitize_line(wanted))
        return broken(N_("model"), missing, _("There are: {names}.").format(names=known))
    several = _("Several fit: {names}").format(names=sanitize_line(", ".join(fitting), 200))
    return warning(N_("model"), several, _("Name one: --model, or model.name in the settings."))


def check_loaded(loaded: LoadedModel | None) -> Iterator[Finding]:
    """Whether it is in memory, and all of it on the card."""
    if loaded is None:
        yield good(N_("loaded"), _("not in memory now; the first answer takes as long as loading does"))
        return
    size, vram = loaded.size, loaded.size_vram
    if not size or vram is None:
        yield unknown(N_("loaded"), _("in memory; the server does not tell how much of it is on the card"))
        return
    share = max(0.0, (size - vram) / size)
    known = {"held": vram / 1e9, "size": size / 1e9, "until": sanitize_line(loaded.expires_at, 40)}
    if share > 0:
        seen = _("{held:.1f} of {size:.1f} GB on the card: {share:.0%} runs on the CPU")
        yield warning(N_("loaded"), seen.format(share=share, **known), _(SPILL_REMEDY))
    elif known["until"]:
        seen = _("{held:.1f} of {size:.1f} GB on the card, until {until}")
        yield good(N_("loaded"), seen.format_map(known))
    else:
        seen = _("{held:.1f} of {size:.1f} GB on the card, until nobody knows when")
        yield good(N_("loaded"), seen.format_map(known))


def check_shown(show: Mapping[str, Any], *, wants_thinking: bool) -> Iterator[Finding]:
    """What `/api/show` tells of template, capabilities and parameters."""
    template = show.get("template")
    text = template if isinstance(template, str) else ""
    kind = template_kind(text)
    if kind == "none" or text.strip() == "{{ .Prompt }}":
        seen = _("It has no chat template: it rambles on, and knows no turns.")
        remedy = _(
            "Create it from a GGUF that holds its chat template, without TEMPLATE: qwentui model create."
        )
        yield broken(N_("template"), seen, remedy)
    elif kind == "Jinja":
        seen = _("Jinja: the server refuses what is too long; qwentui counts before it sends")
        yield good(N_("template"), seen)
    else:
        seen = _("Go: the server may cut what is too long; qwentui counts before it sends")
        yield good(N_("template"), seen)
    yield from _check_capabilities(show, wants_thinking)
    yield from _check_parameters(show)


def _check_capabilities(show: Mapping[str, Any], wants_thinking: bool) -> Iterator[Finding]:
    listed = show.get("capabilities")
    names = [str(name) for name in listed] if isinstance(listed, list) else []
    if not names:
        yield unknown(N_("capabilities"), _("The server does not tell them."))
    elif wants_thinking and "thinking" not in names:
        seen = _("{capabilities}: no thinking, which is asked for")
        remedy = _('Set model.think = "off", or take a model that can.')
        given = sanitize_line(", ".join(names))
        yield warning(N_("capabilities"), seen.format(capabilities=given), remedy)
    else:
        yield good(N_("capabilities"), sanitize_line(", ".join(names)))


def _check_parameters(show: Mapping[str, Any]) -> Iterator[Finding]:
    # What stays without any parameter is not their fault.
    elsewhere = set(faults({**show, "parameters": ""}))
    harm = [fault for fault in faults(show) if fault not in elsewhere]
    for fault in harm:
        remedy = _("Create it anew without that: examples/Modelfile is a right one.")
        yield warning(N_("parameters"), fault, remedy)
    if not harm:
        given = ", ".join(f"{name} {value}" for name, value in parameters_of(show))
        none = _("none set: qwentui's own settings go along")
        yield good(N_("parameters"), sanitize_line(given, 160) or none)


def modelfile_num_ctx(show: Mapping[str, Any]) -> int | None:
    """The `PARAMETER num_ctx` of the model, None where it has none."""
    return next(
        (int(value) for name, value in parameters_of(show) if name == "num_ctx" and value.isdecimal()), None
    )


def check_keep_alive(setting: str) -> Finding:
    """How long the model stays after a reply."""
    import re

    if re.fullmatch(r"-?\d+(\.\d+)?|-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+", setting) is None:
        seen = _("model.keep_alive = {value!r} is no duration").format(value=sanitize_line(setting))
        remedy = _('Write a number of seconds, or a duration as "5m"; -1 keeps it for ever.')
        return broken(N_("keep-alive"), seen, remedy)
    if setting in ("0", "0s", "0m"):
        seen = _("the model leaves after each reply")
        return warning(N_("keep-alive"), seen, _("Each one loads 20 GB again; set 5m."))
    if setting.startswith("-"):
        return good(N_("keep-alive"), _("for ever"))
    return good(N_("keep-alive"), _("{duration} after each reply").format(duration=setting))
