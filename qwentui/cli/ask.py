"""`qwentui ask`: one question from the shell, the answer on standard output."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

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
from qwentui.cli import speaking
from qwentui.cli.output import told, warn
from qwentui.cli.served import choose_model, open_backend
from qwentui.language import N_, _

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply
    from qwentui.chat.message import Message
    from qwentui.chat.stream import StreamEvent
    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch
    from qwentui.session import ChatSession

_INTERRUPTED = 130
_PHASES = {
    Phase.CONNECTING: N_("connecting…"),
    Phase.LOADING: N_("loading…"),
    Phase.WAITING: N_("waiting…"),
    Phase.THINKING: N_("thinking…"),
    Phase.ANSWERING: N_("answering…"),
}


@speaking.command("ask")
@click.argument("prompt", nargs=-1)
@speaking.option(
    "--file",
    "files",
    metavar="PATH",
    multiple=True,
    help=N_("Send a text file or an image along; may be given again. An @ in the prompt stays text here."),
)
@speaking.option(
    "--json", "as_json", is_flag=True, help=N_("Print one JSON record at the end instead of the text.")
)
@speaking.option("-m", "--model", metavar="NAME", help=N_("Model, or the beginning of its name."))
@speaking.option("--host", metavar="ADDRESS", help=N_("Server, by the rules of OLLAMA_HOST."))
@speaking.option("--persona", metavar="NAME", help=N_("Who the model is to be; see: qwentui persona list"))
@speaking.option("--embedded", metavar="[FILE.gguf]", help=N_("Use the built-in model, or any GGUF file."))
@click.pass_obj
def command(
    flags: Flags,
    *,
    prompt: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
    model: str | None,
    host: str | None,
    persona: str | None,
    embedded: str | None,
) -> None:
    """Ask one question and print the answer as it comes.

    What is piped in is added below the question:  git diff | qwentui ask "review this"

    The exit code is 0 only for a complete answer.
    """
    flags = flags.overlaid(model, host, embedded)
    if persona is not None:
        flags = replace(flags, persona=persona)
    said = _attached(_prompt(" ".join(prompt)), files)
    try:
        code = asyncio.run(_ask(told(flags.launch()), said, as_json))
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        # Who reads has left; the interpreter's own flush at exit must not complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)


def _prompt(words: str) -> str:
    piped = "" if sys.stdin is None or sys.stdin.isatty() else _read_stdin()
    text = "\n\n".join(part for part in (words.strip(), piped.strip("\n")) if part)
    if not text.strip():
        raise SettingsError(
            _("There is nothing to ask."), _('Give a question: qwentui ask "why is the sky blue?"')
        )
    return text


def _attached(text: str, files: tuple[str, ...]) -> str | Message:
    """`text` with files.

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


async def _ask(launch: Launch, said: str | Message, as_json: bool) -> int:
    backend = await open_backend(launch)
    log = launch.usage_log(warn)
    try:
        session = launch.session(backend, await backend.details(await choose_model(launch, backend)))
        session.log = log
        return await _stream(session, said, as_json)
    finally:
        await backend.aclose()
        if log is not None:
            log.close()


async def _stream(session: ChatSession, said: str | Message, as_json: bool) -> int:
    failure: QwentuiError | None = None
    printer = _Printer(quiet=as_json)
    try:
        async with session.reply(said) as events:
            async for event in events:
                printer.take(event)
    except QwentuiError as error:
        failure = error
    finally:
        printer.end()
        # What was refused before it was asked has left no turn.
        turns = session.conversation.turns
        reply = turns[-1].reply if turns else None
        if as_json and reply is not None:
            _write(_record(reply, failure) + "\n")
    if failure is not None:
        warn(str(failure))
    elif reply is not None and reply.finish_reason is FinishReason.LENGTH:
        cut = _("The answer was cut at its longest length (model.num_predict, num_ctx).")
        warn(cut)
    return 0 if reply is not None and reply.finish_reason is FinishReason.STOP else 1


def _write(text: str) -> None:
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace"))
    sys.stdout.buffer.flush()


class _Printer:
    """The answer to standard output, what is going on meanwhile to a terminal's standard error.

    Args:
        quiet: Print no text.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._status = sys.stderr.isatty()
        self._shown = False
        self._last = "\n"

    def take(self, event: StreamEvent) -> None:
        """Print what `event` brings."""
        match event:
            case TextDelta(text) if not self._quiet:
                self._say("")
                _write(text)
                self._last = text
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
            _write("\n")

    def _say(self, text: str) -> None:
        if self._status and (text or self._shown):
            click.echo(f"\r\x1b[K{text}", nl=False, err=True)
            self._shown = bool(text)


def _record(reply: Reply, failure: QwentuiError | None) -> str:
    import msgspec

    usage, server = reply.usage, reply.usage.server
    record = {
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
    return msgspec.json.encode(record).decode()
