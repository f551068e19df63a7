"""The model: there, loaded, on the card, and with a template that a chat can use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwentui.backends.model_faults import faults, parameters_of, template_kind
from qwentui.chat.sanitize import sanitize_line
from qwentui.doctor.finding import broken, good, unknown, warning
from qwentui.telemetry.vram import SPILL_REMEDY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwentui.backends.base import LoadedModel
    from qwentui.doctor.finding import Finding


def check_choice(wanted: str, fitting: Sequence[str], names: Sequence[str]) -> Finding:
    """Whether there is one model to talk to."""
    if not names:
        return broken("model", "The server has no models.", "Get one: qwentui model pull qwen3")
    if len(fitting) == 1:
        return good("model", sanitize_line(fitting[0]))
    if not fitting:
        known = sanitize_line(", ".join(names), 200)
        return broken("model", f"There is no model {sanitize_line(wanted)!r}.", f"There are: {known}.")
    several = sanitize_line(", ".join(fitting), 200)
    return warning("model", f"Several fit: {several}", "Name one: --model, or model.name in the settings.")


def check_loaded(loaded: LoadedModel | None) -> Iterator[Finding]:
    """Whether it is in memory, and all of it on the card."""
    if loaded is None:
        yield good("loaded", "not in memory now; the first answer takes as long as loading does")
        return
    size, vram = loaded.size, loaded.size_vram
    if not size or vram is None:
        yield unknown("loaded", "in memory; the server does not tell how much of it is on the card")
        return
    share = max(0.0, (size - vram) / size)
    seen = f"{vram / 1e9:.1f} of {size / 1e9:.1f} GB on the card"
    if share > 0:
        yield warning("loaded", f"{seen}: {share:.0%} runs on the CPU", SPILL_REMEDY)
    else:
        yield good("loaded", f"{seen}, until {sanitize_line(loaded.expires_at, 40) or 'nobody knows when'}")


def check_shown(show: Mapping[str, Any], *, wants_thinking: bool) -> Iterator[Finding]:
    """What `/api/show` tells of template, capabilities and parameters."""
    template = show.get("template")
    text = template if isinstance(template, str) else ""
    kind = template_kind(text)
    if kind == "none" or text.strip() == "{{ .Prompt }}":
        remedy = "Create it from a GGUF that holds its chat template, without TEMPLATE: qwentui model create."
        yield broken("template", "It has no chat template: it rambles on, and knows no turns.", remedy)
    else:
        meaning = (
            "the server refuses what is too long"
            if kind == "Jinja"
            else "the server may cut what is too long"
        )
        yield good("template", f"{kind}: {meaning}; qwentui counts before it sends")
    yield from _check_capabilities(show, wants_thinking)
    yield from _check_parameters(show)


def _check_capabilities(show: Mapping[str, Any], wants_thinking: bool) -> Iterator[Finding]:
    listed = show.get("capabilities")
    names = [str(name) for name in listed] if isinstance(listed, list) else []
    if not names:
        yield unknown("capabilities", "The server does not tell them.")
    elif wants_thinking and "thinking" not in names:
        remedy = 'Set model.think = "off", or take a model that can.'
        yield warning(
            "capabilities", f"{sanitize_line(', '.join(names))}: no thinking, which is asked for", remedy
        )
    else:
        yield good("capabilities", sanitize_line(", ".join(names)))


def _check_parameters(show: Mapping[str, Any]) -> Iterator[Finding]:
    harm = [fault for fault in faults(show) if "num_ctx is set" not in fault and "template" not in fault]
    for fault in harm:
        yield warning("parameters", fault, "Create it anew without that: examples/Modelfile is a right one.")
    if not harm:
        given = ", ".join(f"{name} {value}" for name, value in parameters_of(show))
        yield good("parameters", sanitize_line(given, 160) or "none set: qwentui's own settings go along")


def modelfile_num_ctx(show: Mapping[str, Any]) -> int | None:
    """The `PARAMETER num_ctx` of the model, None where it has none."""
    return next(
        (int(value) for name, value in parameters_of(show) if name == "num_ctx" and value.isdecimal()), None
    )


def check_keep_alive(setting: str) -> Finding:
    """How long the model stays after a reply."""
    import re

    if re.fullmatch(r"-?\d+(\.\d+)?|-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+", setting) is None:
        remedy = 'Write a number of seconds, or a duration as "5m"; -1 keeps it for ever.'
        return broken("keep-alive", f"model.keep_alive = {sanitize_line(setting)!r} is no duration", remedy)
    if setting in ("0", "0s", "0m"):
        return warning(
            "keep-alive", "the model leaves after each reply", "Each one loads 20 GB again; set 5m."
        )
    return good("keep-alive", "for ever" if setting.startswith("-") else f"{setting} after each reply")
