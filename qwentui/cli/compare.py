"""`qwentui compare`: one prompt to two personas, one after the other, and how far their answers are apart."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from qwentui.chat.errors import SettingsError
from qwentui.cli import speaking
from qwentui.cli.answers import Printer, answer, attached, leave_with, question, record, write
from qwentui.cli.output import on_terminal, told, warn
from qwentui.cli.served import choose_model, open_backend
from qwentui.cli.shared_options import with_embedded, with_files, with_host, with_model
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.chat.conversation import Reply
    from qwentui.chat.errors import QwentuiError
    from qwentui.chat.message import Message
    from qwentui.chat.persona import Persona
    from qwentui.cli.flags import Flags
    from qwentui.launch import Launch
    from qwentui.store.usage_log import UsageLog

_BESIDE = 100
"""Columns from which two answers stand beside each other."""
_PAIR = 2

_DASH = "-"
_FIGURES: tuple[tuple[str, str, Callable[[Reply], float | None]], ...] = (
    (N_("tokens"), ",", lambda reply: reply.usage.server.eval_count),
    (N_("first token, s"), ".2f", lambda reply: reply.usage.ttft),
    (N_("tokens a second"), ".1f", lambda reply: reply.usage.server.tokens_per_second),
    (N_("characters"), ",", lambda reply: len(reply.message.content)),
    (N_("prompt tokens"), ",", lambda reply: reply.usage.server.prompt_eval_count),
    (N_("prompt evaluated, s"), ".2f", lambda reply: reply.usage.server.prompt_eval_duration),
)
"""What is compared: its name, its form, and where it stands in a reply."""

Asked = list[tuple[str, str, "Persona | None"]]
"""The two in their order: letter, name, persona."""


@speaking.command("compare")
@click.argument("prompt", nargs=-1)
@speaking.option(
    "--persona",
    "names",
    multiple=True,
    metavar="NAME",
    help=N_("Who the model is to be, twice; none is the settings' own prompt."),
)
@with_files
@speaking.option(
    "--json", "as_json", is_flag=True, help=N_("Print one JSON record an answer instead of the text.")
)
@with_model
@with_host
@with_embedded
@click.pass_obj
def command(
    flags: Flags,
    *,
    prompt: tuple[str, ...],
    names: tuple[str, ...],
    files: tuple[str, ...],
    as_json: bool,
    model: str | None,
    host: str | None,
    embedded: str | None,
) -> None:
    """Ask two personas the same, one after the other, and print both answers with their figures.

    qwentui compare --persona shop --persona none "how long does delivery take?"

    What is piped in is added below the prompt. The model stays loaded: both get the same model and the same
    context. In a terminal of 100 columns or more the answers stand beside each other. The exit code is 0 only
    for two complete answers.
    """
    if flags.persona is not None:
        names = (flags.persona, *names)
    flags = replace(flags.overlaid(model, host, embedded), persona=None)
    launch = flags.launch()
    asked = _asked(launch.paths.personas, names)
    hint = _('Give a question: qwentui compare --persona A --persona B "why is the sky blue?"')
    text = question(" ".join(prompt), hint)
    leave_with(_compare(told(launch), asked, attached(text, files), as_json))


def _asked(folder: Path, names: tuple[str, ...]) -> Asked:
    from qwentui.store.personas import load_personas, resolved

    if len(names) != _PAIR:
        raise SettingsError(
            _("A comparison takes two personas."), _("Name them: --persona A --persona B, or none for none.")
        )
    personas = load_personas(folder)
    found = [personas.find_or_none(name) for name in names]
    cast = [None if kept is None else resolved(kept) for kept in found]
    return [
        (letter, _("no persona") if persona is None else persona.name, persona)
        for letter, persona in zip("AB", cast, strict=True)
    ]


async def _compare(launch: Launch, asked: Asked, said: str | Message, as_json: bool) -> int:
    backend = await open_backend(launch)
    log = launch.usage_log(warn)
    try:
        model = await backend.details(await choose_model(launch, backend))
        comparison = _Comparison(launch, backend, model, log, as_json=as_json)
        return 0 if await comparison.run(asked, said) else 1
    finally:
        await backend.aclose()
        if log is not None:
            log.close()


class _Comparison:
    """Asks and prints.

    Args:
        launch: What the flags and settings say.
        backend: The server.
        model: Who answers in either case.
        log: Told of both exchanges.
        as_json: Whether records are printed in place of text.
    """

    def __init__(
        self, launch: Launch, backend: Backend, model: ModelDetails, log: UsageLog | None, *, as_json: bool
    ) -> None:
        self._launch = launch
        self._backend = backend
        self._model = model
        self._log = log
        self._as_json = as_json
        self._width = _terminal_width()
        self._replies: dict[str, Reply] = {}

    async def run(self, asked: Asked, said: str | Message) -> bool:
        """Ask one after the other; whether both answers are whole."""
        whole = True
        try:
            for letter, name, persona in asked:
                whole &= await self._ask(letter, name, persona, said)
        finally:
            # Also after Ctrl+C: what came is shown.
            if self._replies and not self._as_json:
                self._report(asked)
        return whole

    async def _ask(self, letter: str, name: str, persona: Persona | None, said: str | Message) -> bool:
        session = self._launch.session(self._backend, self._model)
        session.log = self._log
        for sentence in self._launch.cast_alike(session, persona):
            warn(sentence)

        def ended(reply: Reply, failure: QwentuiError | None) -> None:
            self._replies[letter] = reply
            if self._as_json:
                write(record(reply, failure, persona="" if persona is None else persona.name))

        if not self._as_json and not self._width:
            write(f"{letter}  {name}\n\n")
        printer = Printer(quiet=bool(self._as_json or self._width), who=f"{letter} {name}")
        whole = await answer(session, said, printer, ended)
        if not self._as_json and not self._width:
            write("\n")
        return whole

    def _report(self, asked: Asked) -> None:
        from qwentui.cli.table import print_beside, print_table
        from qwentui.tui import phrases

        replies = self._replies
        if self._width:
            sides = [(f"{letter}  {name}", replies.get(letter)) for letter, name, _persona in asked]
            texts = ["" if reply is None else reply.message.content for _head, reply in sides]
            print_beside((sides[0][0], sides[1][0]), (texts[0], texts[1]), self._width)
        print_table(("", "A", "B", "B - A"), _figures(replies.get("A"), replies.get("B")), numbers=(1, 2, 3))
        if len(replies) == _PAIR:
            for sentence in phrases.unequal(replies):
                warn(sentence)


def _terminal_width() -> int:
    """The columns of the terminal, where two answers have room beside each other; else 0."""
    import shutil

    width = shutil.get_terminal_size().columns if on_terminal() else 0
    return width if width >= _BESIDE else 0


def _figures(first: Reply | None, second: Reply | None) -> list[tuple[str, ...]]:
    """The figures of both, and how far they are apart; a dash where one is not known."""
    from qwentui.tui import phrases

    rows: list[tuple[str, ...]] = []
    for name, form, figure in _FIGURES:
        one, other = (None if reply is None else figure(reply) for reply in (first, second))
        gap = _DASH if one is None or other is None else format(other - one, f"+{form}")
        rows.append((_(name), *(_DASH if each is None else format(each, form) for each in (one, other)), gap))
    ends = (_DASH if reply is None else phrases.end(reply.finish_reason) for reply in (first, second))
    return [*rows, (_("ended by"), *ends, "")]
