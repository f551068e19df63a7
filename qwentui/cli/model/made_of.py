"""What a model is to be made of, looked at before anything is sent: files' headers, a Modelfile's lines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from qwentui.backends.gguf import read_gguf
from qwentui.backends.model_faults import template_kind
from qwentui.backends.model_plan import ModelPlan, Remark, check_quantization, plan_of
from qwentui.backends.modelfile import read_modelfile
from qwentui.chat.memory_words import memory_line
from qwentui.chat.sanitize import sanitize_line
from qwentui.cli.model.running import say
from qwentui.language import _
from qwentui.telemetry.transfer import byte_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwentui.backends.gguf import Gguf
    from qwentui.cli.model.card import CardToFit

_DEFAULT_NUM_CTX = 4096  # what Ollama gives a card of less than 23 GiB


async def planned(
    source: Path | None,
    modelfile: Path | None,
    num_ctx: int | None,
    wishes: Mapping[str, str],
    card: CardToFit,
) -> ModelPlan:
    """Read what is to be sent, and say what there is to say about it.

    Args:
        source: A GGUF file, or
        modelfile: a Modelfile.
        num_ctx: Tokens that go before the Modelfile's.
        wishes: Other fields of `/api/create` that do; "" for none.
        card: The server's.

    Raises:
        ModelFileError: A file is missing, damaged, or says what cannot be.
    """
    if modelfile is None:
        plan = ModelPlan(files=[source or Path()])
    else:
        plan = plan_of(await asyncio.to_thread(read_modelfile, modelfile), modelfile.parent)
    if num_ctx is not None:
        plan.parameters["num_ctx"] = num_ctx
    plan.fields |= {key: text for key, text in wishes.items() if text}
    headers = [await asyncio.to_thread(read_gguf, path) for path in (*plan.files, *plan.adapters)]
    if plan.files:
        check_quantization(plan, headers[0].quantization)
        _describe(plan, headers[0], card)
    for remark in plan.remarks:
        place = _("Line {line}: {remark}").format(line=remark.line, remark=remark.text)
        say(place if remark.line else remark.text)
    return plan


def _describe(plan: ModelPlan, gguf: Gguf, card: CardToFit) -> None:
    """Say what the file is, whether it fits, and what will surprise."""
    name = gguf.name or sanitize_line(plan.files[0].name)
    parameters = _("{count} parameters").format(count=_counted(gguf.parameter_count))
    kind = template_kind(gguf.chat_template)
    template = _("template: {kind}").format(kind=_("none") if kind == "none" else kind)
    about = [gguf.architecture, gguf.quantization, parameters, byte_text(gguf.size), template]
    say(f"{name}: {', '.join(part for part in about if part)}")
    num_ctx = plan.parameters.get("num_ctx", _DEFAULT_NUM_CTX)
    if gguf.shape is not None and isinstance(num_ctx, int):
        held = min(num_ctx, gguf.context_length or num_ctx)
        line = memory_line(gguf.shape, held, card.total, card.name)
        say(_("It takes {memory}").format(memory=line))
    plan.remarks += [Remark(0, text) for text in _surprises(plan, gguf, num_ctx)]


def _counted(parameters: int) -> str:
    """A number of parameters as models are named by it: "32.8B", "135M"."""
    for size, unit in ((1e9, "B"), (1e6, "M")):
        if parameters >= size:
            return f"{parameters / size:.1f}{unit}"
    return f"{parameters:,}"


def _surprises(plan: ModelPlan, gguf: Gguf, num_ctx: object) -> Iterator[str]:
    trained = gguf.context_length
    if trained and isinstance(num_ctx, int) and num_ctx > trained:
        yield _(
            "num_ctx {num_ctx:,} is more than it was trained for; the server lowers it to {trained:,}."
        ).format(num_ctx=num_ctx, trained=trained)
    if not gguf.chat_template and "template" not in plan.fields:
        yield _(
            "The file has no chat template. The server may find one by the model's kind; if the answer below"
            " is strange, give a TEMPLATE in a Modelfile."
        )
    if gguf.parts > 1:
        yield _(
            "The file is one of {parts} parts, and Ollama takes whole files: join them first with llama.cpp's"
            " llama-gguf-split --merge."
        ).format(parts=gguf.parts)
