"""`qwentui ask`: one question from the shell, the answer on standard output."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from qwentui.cli import speaking
from qwentui.cli.answers import Printer, answer, attached, leave_with, question, record, write
from qwentui.cli.output import told, warn
from qwentui.cli.served import choose_model, open_backend
from qwentui.cli.shared_options import with_embedded, with_files, with_host, with_model, with_persona
from qwentui.language import N_, _

if TYPE_CHECKING:
    from qwentui.chat.conversation import Reply
    from qwentui.chat.errors import QwentuiError
    from qwentui.chat.message import Message
    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch


@speaking.command("ask")
@click.argument("prompt", nargs=-1)
@with_files
@speaking.option(
    "--json", "as_json", is_flag=True, help=N_("Print one JSON record at the end instead of the text.")
)
@with_model
@with_host
@with_persona
@with_embedded
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
    text = question(" ".join(prompt), _('Give a question: qwentui ask "why is the sky blue?"'))
    leave_with(_ask(told(flags.launch()), attached(text, files), as_json))


async def _ask(launch: Launch, said: str | Message, as_json: bool) -> int:
    def ended(reply: Reply, failure: QwentuiError | None) -> None:
        if as_json:
            write(record(reply, failure))

    backend = await open_backend(launch)
    log = launch.usage_log(warn)
    try:
        session = launch.session(backend, await backend.details(await choose_model(launch, backend)))
        session.log = log
        return 0 if await answer(session, said, Printer(quiet=as_json), ended) else 1
    finally:
        await backend.aclose()
        if log is not None:
            log.close()
