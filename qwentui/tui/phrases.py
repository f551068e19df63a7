"""What the program says about a reply, in as few words as will do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.backends.choice import short_name
from qwentui.chat.errors import CannotContinue
from qwentui.chat.stream import AwaitingServer, FinishReason, Phase, Restoring, Retrying

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.chat.conversation import Conversation, Reply
    from qwentui.chat.errors import QwentuiError
    from qwentui.chat.stream import Miscounted
    from qwentui.session import ModelChanged

_PHASES = {
    Phase.CONNECTING: "connecting",
    Phase.LOADING: "loading the model",
    Phase.WAITING: "waiting",
    Phase.THINKING: "thinking",
    Phase.ANSWERING: "answering",
}

_ENDS = {
    FinishReason.STOP: "stop",
    FinishReason.LENGTH: "cut at its longest length",
    FinishReason.CANCELLED: "stopped by you",
    FinishReason.ERROR: "broken off",
    FinishReason.INTERRUPTED: "interrupted",
}


def running(phase: Phase, seconds: float) -> str:
    """The state of a reply while it runs."""
    return f"{_PHASES[phase]} {seconds:.1f} s · esc stops"


def pausing(event: Retrying | Restoring | AwaitingServer, left: float) -> str:
    """What a reply waits for after a failure, counted down; `left` is what remains of the pause, seconds."""
    match event:
        case Retrying(attempt=attempt, attempts=attempts):
            what = f"trying again in {left:.1f} s ({attempt} of {attempts})"
        case Restoring(attempt=attempt, attempts=attempts):
            what = f"going on in {left:.1f} s ({attempt} of {attempts})"
        case _:
            what = f"the server is gone; waiting for it, {event.remaining + left:.0f} s more"
    return f"{what} · esc stops"


RESTORING = "正在恢复对话历史 · Restoring the conversation"

GO_ON = "The last reply was interrupted; F6 lets it go on where it stopped."


def was_interrupted(conversation: Conversation) -> bool:
    """Whether the last reply of a talk ended with its program, not with the model."""
    reply = conversation.turns[-1].reply if conversation.turns else None
    return reply is not None and reply.finish_reason is FinishReason.INTERRUPTED


def failed(failure: QwentuiError, reply: Reply) -> str:
    """Why a reply ended, and which key helps."""
    can_go_on = reply.message.content.strip() and not isinstance(failure, CannotContinue)
    return f"{failure} F6 lets the reply go on." if can_go_on else str(failure)


def model_changed(change: ModelChanged) -> str:
    """The model was made anew under its name."""
    told = f"{short_name(change.model.name)} was made anew on the server; the next answer is the new one's."
    if change.stale:
        told += " The old one is still in memory, and its template may be used: F7 unloads it."
    return told


def version(place: int, count: int) -> str:
    """Which of several versions of a message is shown, between the keys that show the others."""
    return f"<{place}/{count}>" if count > 1 else ""


def editing(number: int, *, is_reply: bool) -> str:
    """What the composer holds while a message of the talk is edited; `number` counts rounds from 1."""
    if is_reply:
        return "editing the answer · enter lets it go on · esc leaves"
    return f"editing message {number} · enter sends a new version · esc leaves"


UNSENT = "Stopped before it was sent; the text is in the composer again."

TRIMMED = "上下文已优化,保持响应流畅 · Context trimmed to keep replies fast"


def miscounted(event: Miscounted) -> str:
    """The server counted otherwise than we did."""
    if event.likely_cut:
        return (
            f"The server counted {event.reported:,} prompt tokens, and {event.predicted:,} were sent: it has"
            " cut the prompt, and the model has not seen all of it."
        )
    return (
        f"The server counted {event.reported:,} prompt tokens where {event.predicted:,} were expected."
        " From here on counts are about, and follow the server's."
    )


def control_tokens(tokens: Sequence[str]) -> str:
    """What is about to be sent holds words that the model obeys."""
    names = ", ".join(tokens[:3]) + (", …" if len(tokens) > 3 else "")  # noqa: PLR2004 - enough to see which
    return f"Your text holds {names}, which the model would obey. F8 makes it plain; Enter sends it as it is."


def end(reason: FinishReason) -> str:
    """Why a reply ended."""
    return _ENDS[reason]


def footer(reply: Reply) -> str:
    """What a reply cost and why it ended; what is not known is not said."""
    usage = reply.usage
    parts = []
    if usage.server.eval_count is not None:
        parts.append(f"{usage.server.eval_count:,} tok")
    if usage.ttft is not None:
        parts.append(f"ttft {usage.ttft:.2f} s")
    if (rate := usage.server.tokens_per_second) is not None:
        parts.append(f"{rate:.1f} tok/s")
    if reply.removed:
        parts.append(f"{reply.removed} control characters made visible or removed")
    parts.append(_ENDS[reply.finish_reason])
    return " · ".join(parts)
