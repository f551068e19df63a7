"""Answers in the shell: a question from arguments and pipe, the text as it comes, a record, an exit code."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from qwentui.chat.errors import AttachmentRefused, QwentuiError, SettingsError
from qwentui.chat.stream import (
    AwaitingServer,
    FinishReason,
    Phase,
    PhaseChanged,
    Restoring,
    Retrying,
    TextDelta,
    ThinkingDelta,
)
from qwentui.cli.output import warn
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from qwentui.chat.conversation import Reply
    from qwentui.chat.message import Message
    from qwentui.chat.stream import StreamEvent
    from qwentui.session import ChatSession

_INTERRUPTED = 130
_PHASES = {
    Phase.CONNECTING: N_("connecting…"),
    Phase.LOADING: N_("loading…"),
    Phase.WAITING: N_("waiting…"),
    Phase.THINKING: N_("thinking…"),
    Phase.ANSWERING: N_("answering…"),
}


def question(words: str, hint: str) -> str:
    """The question: `words` over what is piped in.

    Args:
        words: What stands on the command line.
        hint: What to do, for whoever gives none.

    Raises:
        SettingsError: There is neither.
    """
    piped = "" if sys.stdin is None or sys.stdin.isatty() else _read_stdin()
    text = "\n\n".join(part for part in (words.strip(), piped.strip("\n")) if part)
    if not text.strip():
        raise SettingsError(_("There is nothing to ask."), hint)
    return text


def attached(text: str, files: tuple[str, ...]) -> str | Message:
    """`text` with the files at some paths.

    Raises:
        AttachmentRefused: One of them cannot go along.
    """
    if not files:
        return text
    from qwentui.chat.attachment import Refusal, composed
    from qwentui.store.attachments import AttachmentReader

    reader = AttachmentReader()
    attachments = [reader.read(path) for path in files]
    refused = next((found for found in attachments if isinstance(found, Refusal)), None)
    if refused is not None:
        raise AttachmentRefused(refused.reason)
    return composed(text, attachments)


def _read_stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", errors="replace").replace("\x00", "")


def leave_with(work: Coroutine[Any, Any, int]) -> NoReturn:
    """Run `work` and leave with its exit code, 130 after Ctrl+C."""
    try:
        code = asyncio.run(work)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        # Who reads has left; the interpreter's own flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


async def answer(
    session: ChatSession,
    said: str | Message,
    printer: Printer,
    ended: Callable[[Reply, QwentuiError | None], None],
) -> bool:
    """Ask, print what comes, and say to standard error why it is not whole if it is not.

    Args:
        session: Who is asked.
        said: The question.
        printer: Prints what comes.
        ended: Given the reply and what it failed by, also when Ctrl+C ends it; not when nothing was asked.

    Returns:
        Whether the answer is whole.
    """
    failure: QwentuiError | None = None
    try:
        async with session.reply(said) as events:
            async for event in events:
                printer.take(event)
    except QwentuiError as error:
        failure = error
    finally:
        printer.end()
        turns = session.conversation.turns
        reply = turns[-1].reply if turns else None
        if reply is not None:
            ended(reply, failure)
    if failure is not None:
        warn(str(failure))
    elif reply is not None and reply.finish_reason is FinishReason.LENGTH:
        warn(_("The answer was cut at its longest length (model.num_predict, num_ctx)."))
    return reply is not None and reply.finish_reason is FinishReason.STOP


def write(text: str) -> None:
    """Put text on standard output at once."""
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace"))
    sys.stdout.buffer.flush()


class Printer:
    """The answer to standard output, what is going on meanwhile to a terminal's standard error.

    Args:
        quiet: Print no text.
        who: Who answers, said before what is going on; "" for the only one.
    """

    def __init__(self, *, quiet: bool, who: str = "") -> None:
        self._quiet = quiet
        self._who = who and f"{who}: "
        self._status = sys.stderr.isatty()
        self._shown = ""
        self._last = "\n"

    def take(self, event: StreamEvent) -> None:
        """Print what `event` brings."""
        match event:
            case TextDelta(text) if not self._quiet:
                self._say("")
                write(text)
                self._last = text
            case TextDelta():
                self._say(_(_PHASES[Phase.ANSWERING]))
            case ThinkingDelta():
                self._say(_(_PHASES[Phase.THINKING]))
            case PhaseChanged(phase):
                self._say(_(_PHASES[phase]))
            case Retrying(attempt, attempts, delay, reason):
                again = _("{reason} Trying again in {delay:.1f} s ({attempt}/{attempts}).")
                self._say(again.format(reason=reason, delay=delay, attempt=attempt, attempts=attempts))
            case Restoring(delay=delay, reason=reason):
                self._say(_("{reason} Going on in {delay:.1f} s.").format(reason=reason, delay=delay))
            case AwaitingServer(remaining=remaining, reason=reason):
                wait = _("{reason} Waiting for it, {remaining:.0f} s more.")
                self._say(wait.format(reason=reason, remaining=remaining))

    def end(self) -> None:
        """Leave the cursor at the start of a line on a terminal, and an answer that ends with a newline."""
        self._say("")
        if not self._last.endswith("\n"):
            write("\n")

    def _say(self, text: str) -> None:
        if self._status and text != self._shown:
            click.echo(f"\r\x1b[K{text and self._who}{text}", nl=False, err=True)
            self._shown = text


def record(reply: Reply, failure: QwentuiError | None, **named: str) -> str:
    """A reply as a line of JSON; what is `named` stands before it."""
    import msgspec

    usage, server = reply.usage, reply.usage.server
    values = {
        **named,
        "model": reply.model,
        "content": reply.message.content,
        "thinking": reply.message.thinking,
        "finish_reason": reply.finish_reason,
        "error": str(failure) if failure else None,
        "prompt_eval_count": server.prompt_eval_count,
        "eval_count": server.eval_count,
        "ttft": usage.ttft,
        "elapsed": usage.elapsed,
        "load_duration": server.load_duration,
        "prompt_eval_duration": server.prompt_eval_duration,
        "eval_duration": server.eval_duration,
        "tokens_per_second": server.tokens_per_second,
    }
    return msgspec.json.encode(values).decode() + "\n"
