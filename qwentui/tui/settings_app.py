"""The settings while the program runs: shown, changed, and gone by from then on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from qwentui.chat.errors import QwentuiError, SettingsError
from qwentui.language import _
from qwentui.store.paths import shipped
from qwentui.tui.compare_app import CompareApp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from qwentui.chat.memory_fit import ModelShape
    from qwentui.chat.persona import Persona
    from qwentui.launch import Launch
    from qwentui.store.settings import Settings
    from qwentui.tui.theming import Theming


class SettingsApp(CompareApp):
    """Goes by settings that may change.

    Attributes:
        theming: Dresses the program; set by the subclass.
    """

    theming: Theming

    def on_chat_screen_settings_wanted(self) -> None:
        """Show them."""
        self.run_worker(self._show_settings(), group="settings", exclusive=True)

    async def _show_settings(self) -> None:
        origin = self.launch.origin
        if origin is None:
            self.chat.notice(_("These settings come from no file, so they cannot be changed."))
            return
        try:
            loaded = await asyncio.to_thread(origin.read)
        except SettingsError as error:
            self.chat.notice(str(error), "error")
            return
        from qwentui.tui.screens.settings import SettingsScreen

        told = []
        if loaded.settings != self.launch.settings:
            told = [
                _("The file was changed meanwhile; this is what it says now."),
                self.adopt(loaded.settings),
            ]
        text = " ".join(told).strip()
        self.push_screen(SettingsScreen(origin, loaded, self, text, keymap=self.keymap))

    def adopt(self, settings: Settings) -> str:
        """Go by other settings from now on; what the user is to be told of that, "" for nothing."""
        earlier = self.launch
        if settings == earlier.settings:
            return ""
        self.launch = replace(earlier, settings=settings)
        told = [*self._follow_settings(earlier)]
        if settings.model.num_ctx != earlier.settings.model.num_ctx:
            # What was loaded ahead has another context.
            self._ahead = None
        self.desk.parallel = settings.chat.parallel
        self.chat.transcript.fps = settings.screen.fps
        self.chat.composer.vim = settings.screen.vim
        if not settings.screen.vim:
            self.chat.composer.insert_again()
        if self.watch_gauges is not None:
            self.watch_gauges.vram_gib = settings.gauges.vram_gib
            self.watch_gauges.show()
        if settings.screen.theme != earlier.settings.screen.theme:
            told += self.theming.wear_wanted(settings.screen.theme)
        self.chat.show_state()
        return " ".join(part for part in told if part)

    def _follow_settings(self, earlier: Launch) -> Iterator[str]:
        """Have every open chat go by the settings; yields what is to be said of the one that is shown."""
        personas: dict[str, Persona | None] = {"": None}
        for chat in self.desk.chats:
            session = chat.session
            if session is None:
                continue
            name = session.options.persona
            if name not in personas:
                personas[name] = self._known(name)
            persona = personas[name]
            self.launch.follow(session, earlier, persona)
            if chat is self.chat.live:
                if persona is not None and _is_hidden(earlier, self.launch, persona):
                    yield _("The persona {name} of this chat has its own.").format(name=persona.name)
                if earlier.trim_policy() != self.launch.trim_policy():
                    yield session.planner.policy.contradiction or ""

    def theme_folders(self) -> Sequence[Path]:
        """Where the themes lie: the user's own go before those that come along."""
        return (self.launch.paths.themes, shipped("themes"))

    async def shape(self) -> ModelShape | None:
        """What decides about the memory that the model takes; None where that is not known."""
        from qwentui.backends.model_faults import shape_of_shown
        from qwentui.backends.ollama import OllamaBackend

        session = self.chat.session
        if session is None or not isinstance(session.backend, OllamaBackend):
            return None
        name = session.model.name
        with suppress(QwentuiError):
            sizes = {model.name: model.size for model in await session.backend.models()}
            if size := sizes.get(name):
                return shape_of_shown(await session.backend.show(name), size)
        return None

    def card(self) -> tuple[int, str]:
        """The memory of the card in bytes, and how a sentence calls the card."""
        from qwentui.chat.memory_fit import A10

        memory = None if self.watch_gauges is None else self.watch_gauges.readings().memory
        if memory is None or not memory.total:
            return A10, _("An A10")
        return memory.total, _("The card")


def _is_hidden(earlier: Launch, now: Launch, persona: Persona) -> bool:
    """Whether something that has changed is set by the persona, too, which goes before."""
    was, wanted = earlier.settings.model, now.settings.model
    own = {f.name: getattr(persona.sampling, f.name) for f in fields(persona.sampling)}
    own |= {"think": persona.think, "num_ctx": persona.num_ctx, "system": persona.system or None}
    return any(own[name] is not None and getattr(was, name) != getattr(wanted, name) for name in own)
