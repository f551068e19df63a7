"""What is wrong, or worth knowing, about a model that a server holds: read off `/api/show`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from qwentui.backends.model_plan import PARAMETERS, is_no_pattern
from qwentui.chat.memory_fit import shape_of, weights_on_gpu
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwentui.chat.memory_fit import ModelShape

TemplateKind = Literal["Jinja", "Go", "none"]

_LINE = re.compile(r"(\S+)\s+(.*)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r"}


def template_kind(template: str) -> TemplateKind:
    """The language of a chat template: Jinja comes from the GGUF, Go from Ollama or from a Modelfile."""
    if not template.strip():
        return "none"
    return "Jinja" if "{%" in template else "Go"


def parameters_of(show: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of the Modelfile's parameters, sorted, for the server has no order.

    Args:
        show: The answer of `/api/show`, whose `parameters` are text: `%-30s %#v` a line, quoted by Go.
    """
    text = show.get("parameters")
    found = (_LINE.match(line) for line in (text if isinstance(text, str) else "").splitlines())
    return sorted((match[1], _unquoted(match[2].strip())) for match in found if match)


def _unquoted(text: str) -> str:
    if not (len(text) > 1 and text[0] == text[-1] == '"'):
        return text
    return _ESCAPE.sub(_character, text[1:-1])


def _character(match: re.Match[str]) -> str:
    short, long, byte, letter = match.groups()
    code = short or long or byte
    if code is None:
        return _LETTERS.get(letter, letter)
    return chr(min(int(code, 16), 0x10FFFF))


def shape_of_shown(show: Mapping[str, Any], size: int) -> ModelShape | None:
    """What decides about memory; None when the server does not tell.

    Args:
        show: The answer of `/api/show`.
        size: The model's size on disk in bytes, taken where the tensors are not listed.
    """
    info = show.get("model_info")
    listed = show.get("tensors")
    tensors = [(str(t["name"]), str(t["type"]), t["shape"]) for t in listed or () if _is_tensor(t)]
    weights = weights_on_gpu(tensors) if tensors else None
    return shape_of(info if isinstance(info, dict) else {}, size if weights is None else weights)


def _is_tensor(value: object) -> bool:
    return (
        isinstance(value, dict)
        and {"name", "type", "shape"} <= value.keys()
        and isinstance(value["shape"], list)
        and all(isinstance(length, int) for length in value["shape"])
    )


def faults(show: Mapping[str, Any]) -> Iterator[str]:
    """One sentence for each thing that is wrong with a model's settings on the server.

    Args:
        show: The answer of `/api/show`.
    """
    trained = _trained(show)
    parameters = parameters_of(show)
    for name, value in parameters:
        if name not in PARAMETERS:
            yield _("The parameter {name} is unknown to Ollama: it is stored, and ignored.").format(
                name=sanitize_line(name, 60)
            )
        elif name == "stop" and is_no_pattern(value):
            yield _(
                "stop {value!r} is no pattern: an answer ends at exactly this text, and at none of its parts."
            ).format(value=sanitize_line(value, 60))
        elif name == "num_ctx" and trained and value.isdecimal() and int(value) > trained:
            yield _(
                "num_ctx {num_ctx:,} is more than the {trained:,} that the model was trained for."
            ).format(num_ctx=int(value), trained=trained)
    if not any(name == "num_ctx" for name, _value in parameters):
        yield _(
            "No num_ctx is set: who does not ask for one gets 4,096 tokens on a card of less than 23 GiB."
            " qwentui always asks."
        )
    yield from _template_faults(show)


def _template_faults(show: Mapping[str, Any]) -> Iterator[str]:
    template = show.get("template")
    match template_kind(template if isinstance(template, str) else ""):
        case "Go":
            yield _(
                "Its template is a Go template: prompts that are too long are cut silently by the server."
            )
        case "none":
            yield _("It has no chat template: it continues text, and does not know whose turn it is.")


def _trained(show: Mapping[str, Any]) -> int | None:
    info = show.get("model_info")
    if not isinstance(info, dict):
        return None
    length = info.get(f"{info.get('general.architecture')}.context_length")
    return length if isinstance(length, int) else None
