"""Who the model is: chosen by the user, kept in a new chat, brought back with an old one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.backends.choice import fitting, short_name
from qwentui.chat.errors import QwentuiError, SettingsError, StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.tui import phrases
from qwentui.tui.bound import closed_by
from qwentui.tui.memory_app import MemoryApp
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.chat.persona import Persona
    from qwentui.session import ChatSession
    from qwentui.store.personas import KeptPersona
    from qwentui.tui.live import LiveChat
    from qwentui.tui.screens.persona_picker import PersonaChosen


class PersonaApp(MemoryApp):
    """Lets the model of a chat be one persona or another."""

    def on_chat_screen_persona_wanted(self) -> None:
        """Ask who it is to be."""
        session = self.chat.session
        if session is None:
            self.chat.notice(_("There is no model yet."))
        else:
            self.run_worker(self._ask_for_persona(session), group="persona", exclusive=True)

    async def _ask_for_persona(self, session: ChatSession) -> None:
        from qwentui.store.personas import load_personas
        from qwentui.tui.screens.persona_picker import PersonaPicker

        personas = await asyncio.to_thread(load_personas, self.launch.paths.personas)
        picker = PersonaPicker(personas, session.options.persona, count_of(session))
        self.push_screen(closed_by(picker, self.keymap["persona"], "back"), self._persona_chosen)

    def _persona_chosen(self, chosen: PersonaChosen | None) -> None:
        if chosen is not None and self.chat.session is not None:
            changing = self._change_persona(self.chat.live, self.chat.session, chosen.kept)
            self.run_worker(changing, group="persona")

    async def _change_persona(self, chat: LiveChat, session: ChatSession, kept: KeptPersona | None) -> None:
        try:
            await self.become(chat, session, kept)
        except SettingsError as error:
            self.chat.notice(str(error), "error")

    async def become(self, chat: LiveChat, session: ChatSession, kept: KeptPersona | None) -> None:
        """Go on as another persona, from the next request on, with a mark in the talk.

        Raises:
            SettingsError: A file that its prompt names cannot be read; nothing has changed.
        """
        from qwentui.store.personas import resolved

        persona = None if kept is None else await asyncio.to_thread(resolved, kept)
        num_ctx = session.num_ctx
        self.launch.cast(session, persona)
        name = persona.name if persona is not None else _("no persona")
        chat.sheet.append(NoticeItem(phrases.from_here_on(name)))
        if session.num_ctx != num_ctx:
            chat.sheet.append(NoticeItem(phrases.reloads(session.num_ctx, num_ctx), "warning"))
        greet(chat, persona)
        self.chat.show_state()
        self.run_worker(self._follow(session, persona), group="become")

    async def _follow(self, session: ChatSession, persona: Persona | None) -> None:
        """Do what takes time after a change of the persona: put it on disk, and go to its model."""
        await self._keep_persona(session)
        if persona is not None and persona.model and self.chat.session is session:
            await self._use_wanted(session, persona)

    async def _keep_persona(self, session: ChatSession) -> None:
        """Put on disk who answers in a chat that is there already."""
        key = session.recorder.session if session.recorder is not None else None
        if key is None:
            return
        persona, system = session.options.persona, session.conversation.system
        try:
            await self.talks.write(lambda store: store.configure(key, persona=persona, system=system))
        except StoreError as error:
            self.chat.notice(str(error), "warning")

    async def _use_wanted(self, session: ChatSession, persona: Persona) -> None:
        """Go on with the model that a persona wants, where the server has it."""
        try:
            names = fitting(persona.model, [model.name for model in await session.backend.models()], ())
            if len(names) == 1:
                if names[0] != session.model.name:
                    await self._use_model(names[0])
                return
        except QwentuiError as error:
            self.chat.notice(str(error), "error")
            return
        wanted, answers = sanitize_line(persona.model, 60), short_name(session.model.name)
        if names:
            told = _("{persona} wants the model {model!r}, which several models fit; {other} answers.")
        else:
            told = _("{persona} wants the model {model!r}, which is not here; {other} answers.")
        self.chat.notice(told.format(persona=persona.name, model=wanted, other=answers), "warning")

    def _seat_all(self, backend: Backend, details: ModelDetails) -> ChatSession:
        waiting = [chat for chat in self.desk.chats if chat.session is None]
        shown = super()._seat_all(backend, details)
        for chat in waiting:
            if self.launch.persona is None:
                self.cast_as_stored(chat)
            elif chat.session is not None:
                # Before the stored one: who names a persona at the start wants it from here on.
                self.launch.cast(chat.session, self.launch.persona)
                greet(chat, self.launch.persona)
                if chat.id is not None:
                    chat.sheet.append(NoticeItem(phrases.from_here_on(self.launch.persona.name)))
                    self.run_worker(self._keep_persona(chat.session), group="persona")
        return shown

    def cast_as_stored(self, chat: LiveChat) -> None:
        """Bring back the persona of a chat that was taken up; its prompt is the one that was stored."""
        session, name = chat.session, chat.persona
        chat.persona = None
        if session is None or name is None or name == session.options.persona == "":
            return
        system = session.conversation.system
        self.launch.cast(session, self._known(name) if name else None)
        session.options = replace(session.options, persona=name)
        session.conversation = replace(session.conversation, system=system)

    def begin_as(self, chat: LiveChat) -> None:
        """Fill in the prompt of the persona anew for a chat that begins."""
        session = chat.session
        persona = self._known(session.options.persona) if session is not None else None
        if session is not None and persona is not None:
            session.conversation = replace(session.conversation, system=persona.system)
            greet(chat, persona)

    def _known(self, name: str) -> Persona | None:
        """The persona of exactly that name, None where it is gone or broken."""
        from qwentui.store.personas import load_personas, resolved

        for kept in load_personas(self.launch.paths.personas).kept:
            if kept.persona.name == name:
                try:
                    return resolved(kept)
                except SettingsError as error:
                    self.chat.notice(str(error), "warning")
        return None


def count_of(session: ChatSession) -> Callable[[str], str]:
    """Says how many tokens a system prompt has in a session, and how sure that is."""
    from qwentui.chat.message import Message, Role

    def count(system: str) -> str:
        prompt = (Message(Role.SYSTEM, system),)
        return str(session.planner.counter.count(prompt, think=session.thinks))

    return count


def greet(chat: LiveChat, persona: Persona | None) -> None:
    """Show a persona's greeting where nothing has been said."""
    if persona is not None and persona.greeting and not chat.said:
        chat.sheet.append(NoticeItem(persona.greeting))
