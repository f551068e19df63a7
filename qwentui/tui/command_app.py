"""What is said in commands with a word behind them: another model or persona, a file, a title, tags."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from qwentui.backends.choice import fitting, short_name
from qwentui.chat.errors import CommandRefused, QwentuiError
from qwentui.chat.sanitize import sanitize_line, sanitize_whole
from qwentui.language import _
from qwentui.tui.option_app import OptionApp
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwentui.backends.base import Backend
    from qwentui.store.sessions import SessionStore
    from qwentui.tui.commands.table import Kind
    from qwentui.tui.live import LiveChat
    from qwentui.tui.screens.memory import Wish
    from qwentui.tui.widgets.completion import Candidate

_NONE = "none"
_FORMS = {".openai.jsonl": "openai", ".jsonl": "jsonl", ".md": "markdown"}
"""What a chat is written as, by the end of the file's name."""


class CommandApp(OptionApp):
    """Obeys what is typed, and says how it may go on.

    What cannot be done is a `QwentuiError`, and has changed nothing.
    """

    def complete_commands(self) -> None:
        """Have the composer complete commands from now on."""
        from qwentui.tui.screens.command_completion import CommandCompletion
        from qwentui.tui.widgets.late_candidates import LateCandidates

        run = partial(self.run_worker, group="completion")
        again = self.chat.composer.look_again
        models = LateCandidates(self._model_candidates, run, again)
        personas = LateCandidates(self._persona_candidates, run, again)
        names: dict[Kind, Callable[[], Sequence[Candidate]]]
        names = {"model": models, "persona": personas, "theme": self._theme_candidates}
        completion = CommandCompletion(names, lambda: not self.chat.editing)
        self.chat.composer.completions.append(completion)

    # The model

    def action_use_model(self, name: str) -> None:
        """Go on with the model of that name or beginning; several are a question."""
        backend = self._backend
        if backend is None:
            raise CommandRefused(_("There is no server yet."))
        switching = self._switch_to(self.chat.live, backend, name)
        self.run_worker(switching, group="connect", exclusive=True)

    async def _switch_to(self, chat: LiveChat, backend: Backend, wanted: str) -> None:
        name = sanitize_line(wanted, 60)
        try:
            models = await backend.models()
            loaded = tuple(model.name for model in await backend.loaded())
            names = fitting(wanted, [model.name for model in models], loaded)
            if not names:
                raise CommandRefused(_("There is no model {name!r} here.").format(name=name))
            if len(names) == 1:
                await self._use_model(names[0])
                return
        except QwentuiError as error:
            chat.sheet.append(NoticeItem(str(error), "warning"))
            self.chat.give_back(chat, f"/model {wanted}")
            return
        question = _("Several models fit {name!r}.").format(name=name)
        self._pick(question, [model for model in models if model.name in names], frozenset(loaded))

    async def _model_candidates(self) -> list[Candidate]:
        from qwentui.tui.widgets.completion import Candidate

        backend = self._backend
        if backend is None:
            return []
        return [
            Candidate(short_name(model.name), f"{model.parameter_size}  {model.quantization_level}".strip())
            for model in await backend.models()
        ]

    # The persona

    async def action_use_persona(self, name: str) -> None:
        """Be the persona that `name` means, or none."""
        from qwentui.store.personas import load_personas

        chat, session = self.chat.live, self.talking()
        kept = None
        if name.casefold() != _NONE:
            kept = (await asyncio.to_thread(load_personas, self.launch.paths.personas)).find(name)
        await self.become(chat, session, kept)

    async def _persona_candidates(self) -> list[Candidate]:
        from qwentui.store.personas import load_personas
        from qwentui.tui.widgets.completion import Candidate

        personas = await asyncio.to_thread(load_personas, self.launch.paths.personas)
        found = [Candidate(kept.persona.name, kept.persona.description) for kept in personas.kept]
        return [*found, Candidate(_NONE, _("as the settings have it"))]

    # The colours

    def _theme_candidates(self) -> list[Candidate]:
        from qwentui.store.paths import shipped
        from qwentui.store.themes import theme_names
        from qwentui.tui.widgets.completion import Candidate

        return [Candidate(name) for name in theme_names((self.launch.paths.themes, shipped("themes")))]

    # The chat, and all chats

    def action_find_sessions(self, words: str) -> None:
        """Show the chats that `words` find."""
        self.show_sessions(words)

    async def action_rename_chat(self, text: str) -> None:
        """Give the chat another title."""
        chat, session = self.chat.live, self._kept()
        title = sanitize_line(text)
        await self.talks.write(lambda store: store.rename(session, title))
        chat.title = title
        self.chat.show_state()

    async def action_show_tags(self) -> None:
        """Tell which tags the chat has."""
        session = self._kept()
        tags = (await self.talks.read(lambda store: store.get(session))).tags
        shown = " ".join(f"#{sanitize_line(tag)}" for tag in tags)
        self.chat.notice(_("Tags: {tags}").format(tags=shown) if tags else _("This chat has no tags."))

    async def action_tag_chat(self, text: str) -> None:
        """Give the chat these tags in place of those that it has."""
        session = self._kept()
        words = text.split(",") if "," in text else text.split()
        tags = tuple(sanitize_line(word).strip().lstrip("#") for word in words)
        wanted = () if text.casefold() == _NONE else tags
        await self.talks.write(lambda store: store.tag(session, wanted))
        await self.action_show_tags()

    async def action_export_to(self, file: str) -> None:
        """Write the chat to a file; one that lies there already, when it is asked for once more."""
        from qwentui.store.files import refusals
        from qwentui.tui.screens.export import export_folder, exported_as, write_session

        chat, session = self.chat.live, self._kept()
        path = export_folder(self.launch.paths) / _path(file)
        form = next((form for end, form in _FORMS.items() if path.name.endswith(end)), None)
        if form is None:
            raise CommandRefused(
                _("The end of the file's name says what to write."),
                _("It is .md to read, .jsonl for everything, or .openai.jsonl for fine-tuning."),
            )

        def job(store: SessionStore) -> int | None:
            again = chat.overwrites == path
            with refusals(sanitize_line(str(path))):
                if path.exists() and not again:
                    return None
            return write_session(store, session, form, path, overwrite=again)

        size = await self.talks.read(job)
        chat.overwrites = path if size is None else None
        if size is None:
            raise CommandRefused(_("There is such a file already."), _("Enter replaces it."))
        self.chat.notice(exported_as(form, path, size))

    def _kept(self) -> str:
        """The id of the chat in the store.

        Raises:
            CommandRefused: Nothing has been said in it yet.
        """
        session = self.chat.live.id
        if session is None:
            raise CommandRefused(_("Nothing has been said in this chat yet."))
        return session

    # The model in memory

    def action_wish(self, wish: Wish) -> None:
        """Load, keep or unload the model."""
        self.talking()
        self._wished(wish)


def _path(file: str) -> Path:
    try:
        return Path(sanitize_whole(file).text).expanduser()
    except RuntimeError as error:
        raise CommandRefused(_("There is no home folder of that name.")) from error
