"""What the program says about a reply, in as few words as will do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from qwentui.backends.choice import short_name
from qwentui.chat.errors import CannotContinue
from qwentui.chat.stream import AwaitingServer, FinishReason, Phase, Restoring, Retrying
from qwentui.language import N_, _, ngettext

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwentui.chat.conversation import Conversation, Reply
    from qwentui.chat.errors import QwentuiError
    from qwentui.chat.sampling import Think
    from qwentui.chat.stream import Miscounted
    from qwentui.session import ModelChanged

What = Literal["message", "answer", "code block", "selection"]
"""What was copied."""

_COPIED = {
    "message": N_("copied the message"),
    "answer": N_("copied the answer"),
    "code block": N_("copied the code block"),
    "selection": N_("copied the selection"),
}

_COPIED_TO_FILE = {
    "message": N_("Copied the message to {path}."),
    "answer": N_("Copied the answer to {path}."),
    "code block": N_("Copied the code block to {path}."),
    "selection": N_("Copied the selection to {path}."),
}

_PHASES = {
    Phase.CONNECTING: N_("connecting"),
    Phase.LOADING: N_("loading the model"),
    Phase.WAITING: N_("waiting"),
    Phase.THINKING: N_("thinking"),
    Phase.ANSWERING: N_("answering"),
}

_ENDS = {
    FinishReason.STOP: N_("stop"),
    FinishReason.LENGTH: N_("cut at its longest length"),
    FinishReason.CANCELLED: N_("stopped by you"),
    FinishReason.ERROR: N_("broken off"),
    FinishReason.INTERRUPTED: N_("interrupted"),
}


def copied(what: What) -> str:
    """What went to the clipboard."""
    return _(_COPIED[what])


def copied_to_file(what: What, path: str) -> str:
    """What went into a file, for there was no clipboard."""
    return _(_COPIED_TO_FILE[what]).format(path=path)


def cannot_think(model: str) -> str:
    """Thinking was asked of a model that does none."""
    return _("{model} cannot think.").format(model=short_name(model))


def thinking_from_now(think: Think) -> str:
    """What the key for thinking has come to."""
    if think is None:
        return _("Thinking from the next message on: the model's default.")
    on, off = _("Thinking from the next message on: on."), _("Thinking from the next message on: off.")
    return on if think else off


def reloads(new: int, old: int) -> str:
    """Another context is wanted, in tokens."""
    return _("{new:,} tokens of context instead of {old:,}: the model is loaded again.").format(
        new=new, old=old
    )


def from_here_on(name: str) -> str:
    """The persona or model that answers what comes next."""
    return _("From here on: {name}.").format(name=name)


def loaded(model: str, keep_alive: str | None) -> str:
    """A model was loaded, and stays for `keep_alive` after each reply; None for good."""
    if keep_alive is None:
        return _("{model} is in memory, and stays until it is unloaded.").format(model=model)
    told = _("{model} is in memory, and stays for {keep_alive} after each reply.")
    return told.format(model=model, keep_alive=keep_alive)


def running(phase: Phase, seconds: float) -> str:
    """The state of a reply while it runs."""
    return _("{phase} {seconds:.1f} s · esc stops").format(phase=_(_PHASES[phase]), seconds=seconds)


def pausing(event: Retrying | Restoring | AwaitingServer, left: float) -> str:
    """What a reply waits for after a failure, counted down; `left` is what remains of the pause, seconds."""
    match event:
        case Retrying(attempt=attempt, attempts=attempts):
            told = _("trying again in {seconds:.1f} s ({attempt} of {attempts}) · esc stops")
        case Restoring(attempt=attempt, attempts=attempts):
            told = _("going on in {seconds:.1f} s ({attempt} of {attempts}) · esc stops")
        case AwaitingServer(remaining=remaining):
            told = _("the server is gone; waiting for it, {seconds:.0f} s more · esc stops")
            return told.format(seconds=remaining + left)
    return told.format(seconds=left, attempt=attempt, attempts=attempts)


RESTORING = N_("Restoring the conversation")

GO_ON = N_("The last reply was interrupted; {key} lets it go on where it stopped.")


def was_interrupted(conversation: Conversation) -> bool:
    """Whether the last reply of a talk ended with its program, not with the model."""
    reply = conversation.turns[-1].reply if conversation.turns else None
    return reply is not None and reply.finish_reason is FinishReason.INTERRUPTED


def failed(failure: QwentuiError, reply: Reply, key: str) -> str:
    """Why a reply ended, and that `key` helps."""
    can_go_on = reply.message.content.strip() and not isinstance(failure, CannotContinue)
    told = _("{failure} {key} lets the reply go on.").format(failure=failure, key=key)
    return told if can_go_on else str(failure)


def model_changed(change: ModelChanged, key: str) -> str:
    """The model was made anew under its name; `key` unloads the old one."""
    told = _("{model} was made anew on the server; the next answer is the new one's.")
    if change.stale:
        told = _(
            "{model} was made anew on the server; the next answer is the new one's. The old one is still in"
            " memory, and its template may be used: {key} unloads it."
        )
    return told.format(model=short_name(change.model.name), key=key)


def version(place: int, count: int) -> str:
    """Which of several versions of a message is shown, between the keys that show the others."""
    return f"<{place}/{count}>" if count > 1 else ""


def editing(number: int, *, is_reply: bool) -> str:
    """What the composer holds while a message of the talk is edited; `number` counts rounds from 1."""
    if is_reply:
        return _("editing the answer · enter lets it go on · esc leaves")
    return _("editing message {number} · enter sends a new version · esc leaves").format(number=number)


UNSENT = N_("Stopped before it was sent; the text is in the composer again.")

TRIMMED = N_("Context trimmed to keep replies fast")


def miscounted(event: Miscounted) -> str:
    """The server counted otherwise than we did."""
    if event.likely_cut:
        told = _(
            "The server counted {reported:,} prompt tokens, and {predicted:,} were sent: it has cut the"
            " prompt, and the model has not seen all of it."
        )
    else:
        told = _(
            "The server counted {reported:,} prompt tokens where {predicted:,} were expected. From here on"
            " counts are about, and follow the server's."
        )
    return told.format(reported=event.reported, predicted=event.predicted)


def control_tokens(tokens: Sequence[str], key: str) -> str:
    """What is about to be sent holds words that the model obeys; `key` makes them plain."""
    names = ", ".join(tokens[:3]) + (", …" if len(tokens) > 3 else "")  # noqa: PLR2004 - enough to see which
    told = _(
        "Your text holds {names}, which the model would obey. {key} makes it plain; sent once more, it goes"
        " as it is."
    )
    return told.format(names=names, key=key)


def control_tokens_in(file: str, tokens: Sequence[str]) -> str:
    """A file that is about to be sent holds words that the model obeys."""
    names = ", ".join(tokens[:3]) + (", …" if len(tokens) > 3 else "")  # noqa: PLR2004 - enough to see which
    told = _("{file} holds {names}, which the model would obey. Enter sends it as it is.")
    return told.format(file=file, names=names)


def end(reason: FinishReason) -> str:
    """Why a reply ended."""
    return _(_ENDS[reason])


def footer(reply: Reply) -> str:
    """What a reply cost and why it ended; what is not known is not said."""
    usage = reply.usage
    parts = []
    if usage.server.eval_count is not None:
        parts.append(_("{count:,} tok").format(count=usage.server.eval_count))
    if usage.ttft is not None:
        parts.append(_("ttft {seconds:.2f} s").format(seconds=usage.ttft))
    if (rate := usage.server.tokens_per_second) is not None:
        parts.append(_("{rate:.1f} tok/s").format(rate=rate))
    if reply.removed:
        parts.append(_("{count} control characters made visible or removed").format(count=reply.removed))
    parts.append(_(_ENDS[reply.finish_reason]))
    return " · ".join(parts)


def figures(reply: Reply) -> str:
    """What is to know about a reply that is compared, beside its footer: its prompt and its length."""
    parts = []
    server = reply.usage.server
    if server.prompt_eval_count is not None:
        prompt = ngettext("prompt {count:,} token", "prompt {count:,} tokens", server.prompt_eval_count)
        parts.append(prompt.format(count=server.prompt_eval_count))
    if server.prompt_eval_duration is not None:
        parts.append(_("evaluated in {seconds:.2f} s").format(seconds=server.prompt_eval_duration))
    length = len(reply.message.content)
    parts.append(ngettext("{count:,} character", "{count:,} characters", length).format(count=length))
    return " · ".join(parts)


def difference(first: Reply, second: Reply) -> str:
    """How far the second reply of a comparison is from the first; what is not known is not said."""
    from qwentui.chat.comparing import apart

    gap = apart(first, second)
    parts = []
    if gap.tokens is not None:
        parts.append(_("{difference:+,} tok").format(difference=gap.tokens))
    if gap.ttft is not None:
        parts.append(_("ttft {difference:+.2f} s").format(difference=gap.ttft))
    if gap.rate is not None:
        parts.append(_("{difference:+.1f} tok/s").format(difference=gap.rate))
    length = ngettext("{difference:+,} character", "{difference:+,} characters", abs(gap.characters))
    parts.append(length.format(difference=gap.characters))
    return " · ".join(parts)


def unequal(replies: Mapping[str, Reply]) -> list[str]:
    """What was not the same for two replies that are compared, a sentence each.

    Args:
        replies: The two, by what each is called.
    """
    from qwentui.chat.comparing import load_wait, was_cached

    told = []
    for name, reply in replies.items():
        if (load := load_wait(reply)) is not None:
            text = _("{name} waited {seconds:.1f} s for the model to be loaded.")
            told.append(text.format(name=name, seconds=load))
    first, second = replies.items()
    for (name, reply), (_other, slower) in ((first, second), (second, first)):
        if was_cached(reply.usage.server, slower.usage.server):
            text = _(
                "{name}'s prompt was in the server's cache in part: its first token had less to wait for."
            )
            told.append(text.format(name=name))
    for name, reply in replies.items():
        if reply.finish_reason is not FinishReason.STOP:
            told.append(_("{name}'s answer is not whole.").format(name=name))
    return told
