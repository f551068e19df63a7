"""What becomes of the model: loaded before it is asked, kept or unloaded, and made anew under its name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwentui.backends.choice import short_name
from qwentui.chat.errors import BackendError, StoreError
from qwentui.language import _
from qwentui.tui import phrases
from qwentui.tui.bound import closed_by
from qwentui.tui.connecting import ConnectingApp

if TYPE_CHECKING:
    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.launch import Launch
    from qwentui.session import ChatSession
    from qwentui.store.usage_log import UsageLog
    from qwentui.tui.screens.memory import Wish

_FOR_EVER = "-1"


class MemoryApp(ConnectingApp):
    """Looks after the model of the chat that is shown.

    Args:
        launch: What to talk to, and how.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self._usage_log: UsageLog | None = None
        self._ahead: str | None = None
        if launch.settings.log.file:
            self._open_log()

    def _open_log(self) -> None:
        try:
            self._usage_log = self.launch.usage_log(lambda text: self.call_from_thread(self._warn, text))
        except StoreError as error:
            self.call_later(self._warn, str(error))

    def close_log(self) -> None:
        """Write what waits for the usage log."""
        if self._usage_log is not None:
            self._usage_log.close()

    def _seat_all(self, backend: Backend, details: ModelDetails) -> ChatSession:
        shown = super()._seat_all(backend, details)
        for chat in self.desk.chats:
            if chat.session is not None:
                chat.session.log = self._usage_log
        return shown

    # Loaded ahead

    def _used(self, session: ChatSession) -> None:
        super()._used(session)
        if self.launch.settings.model.preload == "start":
            self._load_ahead(session)

    def on_text_area_changed(self) -> None:
        """Somebody types, and no command: the model can be loaded meanwhile."""
        session = self.chat.session
        prompt = not self.chat.composer.document.get_line(0).startswith("/")
        if self.launch.settings.model.preload == "typing" and session is not None and prompt:
            self._load_ahead(session)

    def _load_ahead(self, session: ChatSession) -> None:
        """Load the model once; a chat that follows waits for the same load, which must not be aborted."""
        if self._ahead != session.model.name:
            self._ahead = session.model.name
            self.run_worker(self._preload(session), group="preload")

    async def _preload(self, session: ChatSession) -> None:
        try:
            await _load(session)
        except BackendError:
            # The request itself will meet the same trouble, and has the means to tell.
            self._ahead = None

    # Kept or unloaded

    def on_chat_screen_memory_wanted(self) -> None:
        """Ask what is to become of the model."""
        from qwentui.tui.screens.memory import MemoryScreen

        session = self.chat.session
        if session is None:
            self.chat.notice(_("There is no model yet."))
            return
        screen = MemoryScreen(short_name(session.model.name), self.launch.settings.model.keep_alive)
        self.push_screen(closed_by(screen, self.keymap["memory"], "back"), self._wished)

    def _wished(self, wish: Wish | None) -> None:
        session = self.chat.session
        if wish is not None and session is not None:
            self.run_worker(self._grant(session, wish), group="memory")

    async def _grant(self, session: ChatSession, wish: Wish) -> None:
        name = short_name(session.model.name)
        keep_alive = _FOR_EVER if wish == "keep" else self.launch.settings.model.keep_alive
        try:
            if wish == "unload":
                await session.backend.unload(session.model.name)
                self.chat.notice(
                    _("{model} leaves the memory; the next message loads it again.").format(model=name)
                )
            else:
                session.options = replace(session.options, keep_alive=keep_alive)
                self.chat.note(_("loading {model}").format(model=name))
                await _load(session)
                self.chat.notice(phrases.loaded(name, None if wish == "keep" else keep_alive))
        except BackendError as error:
            self.chat.notice(str(error), "error")
        finally:
            self._ahead = None
            self.chat.note("")
            self.chat.post_message(self.chat.Answered())

    # Made anew under its name

    async def _look_at_loaded(self) -> None:
        await super()._look_at_loaded()
        session = self.chat.session
        if session is None or self.chat.busy:
            return
        try:
            changed = await session.follow_model()
        except BackendError:
            return
        if changed is not None:
            told = phrases.model_changed(changed, self.keymap.named("memory"))
            self.chat.notice(told, "warning" if changed.stale else "info")
            await self._count_exactly(session)


async def _load(session: ChatSession) -> None:
    """Have the model loaded as the next request will want it; returns when it is.

    Raises:
        BackendError: The server cannot, or does not do such things.
    """
    await session.backend.preload(session.model.name, session.num_ctx, session.options.keep_alive)
