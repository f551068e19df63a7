"""A new model tried with one question, so that a wrong template is seen at once."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from qwentui.backends.base import ChatRequest
from qwentui.backends.placement import listed, loaded_line
from qwentui.chat.message import Message, Role
from qwentui.chat.sanitize import sanitize, sanitize_line
from qwentui.chat.stream import Finished, FinishReason, TextDelta
from qwentui.cli.model.running import Visit, say
from qwentui.language import _

if TYPE_CHECKING:
    from qwentui.backends.model_plan import ModelPlan

_TOKENS = 128
_CONTROL = re.compile(r"<\|[^|<>\s]{1,40}\|>|</?s>|\[/?INST\]")


async def try_model(at: Visit, name: str, plan: ModelPlan, question: str) -> None:
    """Ask `question`, print the answer, and say what looks wrong about it.

    Raises:
        BackendError: The server cannot load it, or broke off.
    """
    num_ctx = plan.parameters.get("num_ctx")
    asked = num_ctx if isinstance(num_ctx, int) else at.launch.settings.model.num_ctx
    details = await at.backend.details(name)
    request = ChatRequest(
        name,
        (Message(Role.USER, question),),
        think=False if details.can_think else None,
        num_ctx=asked,
        num_predict=_TOKENS,
        keep_alive=at.launch.settings.model.keep_alive,
    )
    say(_("asking it: {question}").format(question=sanitize_line(question)))
    text, reason = await _answer(at, request)
    for fault in _faults(text, reason):
        say(fault)
    say(loaded_line(sanitize_line(name), listed(await at.backend.loaded(), name), asked))


async def _answer(at: Visit, request: ChatRequest) -> tuple[str, FinishReason | None]:
    text, reason = "", None
    async with at.backend.stream(request) as events:
        async for event in events:
            match event:
                case TextDelta(piece):
                    text += piece
                    _write(sanitize(piece).text)
                case Finished(reason=found):
                    reason = found
    if not text.endswith("\n"):
        _write("\n")
    return text, reason


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


def _faults(text: str, reason: FinishReason | None) -> list[str]:
    found = _CONTROL.search(text)
    if not text.strip():
        return [_("The answer is empty: the template is probably wrong.")]
    if found:
        holds = _("The answer holds the control token {token!r}: the template is probably wrong.")
        return [holds.format(token=found[0])]
    if reason is FinishReason.LENGTH:
        endless = _("The answer did not end within {count} tokens: the template may lack its end of turn.")
        return [endless.format(count=_TOKENS)]
    return []
