"""Finding a server and a model, and going on with them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from textual.app import App

from qwentui.backends.choice import fitting, short_name
from qwentui.chat.errors import EmbeddedError, ModelNotFound, QwentuiError
from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.keymap import Keymap
from qwentui.language import _
from qwentui.tui.talks import Talks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.backends.base import Backend, ModelDetails, ModelSummary
    from qwentui.backends.ollama import OllamaBackend
    from qwentui.launch import Launch
    from qwentui.session import ChatSession
    from qwentui.tui.desk import Desk
    from qwentui.tui.screens.chat import ChatScreen
    from qwentui.tui.screens.gauge_watch import GaugeWatch
    from qwentui.tui.screens.no_server import WayOn


class ConnectingApp(App[None]):
    """Gives its chat a session, by the launch's wishes and the user's answers.

    Args:
        launch: What to talk to, and how.

    Attributes:
        desk: The chats that are open; set by the subclass, and so is `chat`.
        chat: The screen that shows one of them.
        keymap: The keys in effect.
        watch_gauges: Keeps the gauges true; None until the first paint is out.
    """

    desk: Desk
    chat: ChatScreen

    def __init__(self, launch: Launch) -> None:
        super().__init__()
        self.launch = launch
        self.keymap = Keymap.of(launch.settings.keys)
        self.talks = Talks(launch.paths.database, self._warn)
        self.watch_gauges: GaugeWatch | None = None
        self._backend: Backend | None = None
        self._host: str | None = None
        self._restored = False

    def start(self) -> None:
        """Open the store, then look for the model that the launch wants."""
        self.run_worker(self._begin(), group="connect", exclusive=True)

    async def _begin(self) -> None:
        if not self._restored:
            self._restored = True
            await self.restore()
        if self.launch.embedded is None:
            await self._open()
        else:
            self._start_embedded()

    def _warn(self, text: str) -> None:
        self.chat.notice(text, "warning")

    def close_log(self) -> None:
        """Write what waits for the usage log, where there is one."""

    async def restore(self) -> None:
        """Open the store, and bring back what an earlier program left."""
        await self.talks.open()

    def _connect(self) -> None:
        self.run_worker(self._open(), group="connect", exclusive=True)

    async def _open(self) -> None:
        host = self._host or ""
        try:
            host = self.launch.endpoint(self._host).host
            self.chat.title_bar.show(host=host, note=_("connecting"))
            await self._use(await self.launch.open_server(self._host))
        except QwentuiError as error:
            self._offer_ways_on(error, host)
        finally:
            self.chat.title_bar.show(note="")

    async def _use(self, backend: Backend) -> None:
        """Talk to `backend` from now on; the old one is closed."""
        old, self._backend = self._backend, backend
        if old is not None and old is not backend:
            await old.aclose()
        self.chat.title_bar.show(host=backend.host)
        wanted = self.launch.settings.model.name
        models = await backend.models()
        loaded = tuple(model.name for model in await backend.loaded())
        names = fitting(wanted, [model.name for model in models], loaded)
        if len(names) == 1:
            await self._use_model(names[0])
        elif not models:
            raise ModelNotFound(
                _("The server has no models."), _("Get one with: ollama pull qwen3"), status=404
            )
        else:
            several, none = _("Several models fit {name!r}."), _("There is no model {name!r} here.")
            question = (several if names else none).format(name=sanitize_line(wanted))
            fit = [model for model in models if model.name in names] or models
            self._pick(_("Several models are loaded.") if not wanted else question, fit, frozenset(loaded))

    def _pick(self, question: str, models: Sequence[ModelSummary], loaded: frozenset[str]) -> None:
        from qwentui.tui.screens.model_picker import ModelPicker

        session = self.chat.session
        current = session.model.name if session else ""
        self.push_screen(ModelPicker(question, models, loaded, current), self._picked)

    def _picked(self, name: str | None) -> None:
        if name is not None:
            self.run_worker(self._switch(name), group="connect", exclusive=True)
        elif self.chat.session is None:
            self.chat.notice(
                _("No model is chosen; {key} chooses one.").format(key=self.keymap.named("model"))
            )

    async def _switch(self, name: str) -> None:
        try:
            await self._use_model(name)
        except QwentuiError as error:
            self.chat.notice(str(error), "error")

    async def _use_model(self, name: str) -> None:
        """Go on with the model `name`: the talk stays, the next request goes there."""
        backend = self._backend
        if backend is None:
            return
        details = await backend.details(name)
        session = self.chat.session
        if session is None:
            session = self._seat_all(backend, details)
        else:
            if session.model.name != name and session.conversation.turns:
                self.chat.notice(
                    _("From here on: {model} @ {host}").format(model=short_name(name), host=backend.host)
                )
            session.use(backend, details)
        contradiction = session.planner.policy.contradiction
        if contradiction:
            self.chat.notice(contradiction)
        self._used(session)

    def _used(self, session: ChatSession) -> None:
        """A session has its model now: send what waited, and count as that model does."""
        self.chat.show_state()
        self.desk.pump()
        self.run_worker(self._count_exactly(session), group="counter", exclusive=True)

    def _seat_all(self, backend: Backend, details: ModelDetails) -> ChatSession:
        """Give each chat that waits for a model its session; the one that is shown comes back."""
        for chat in self.desk.chats:
            if chat.session is None:
                session = self.launch.session(backend, details)
                session.recorder = self.talks.recorder()
                chat.seat(session)
        shown = self.chat.session
        if shown is None:
            raise LookupError("the chat that is shown is not on the desk")
        return shown

    async def _count_exactly(self, session: ChatSession) -> None:
        """Have the model's own vocabulary count; without it, counts are about."""
        with suppress(QwentuiError):
            model = session.model
            counter = await self.launch.counter(session.backend, model)
            if counter is not None:
                for chat in self.desk.chats:
                    if chat.session is not None and chat.session.model == model:
                        chat.session.planner.counter = counter
                self.chat.count_soon()

    def on_chat_screen_answered(self) -> None:
        """See with how much context the server holds the model."""
        self.run_worker(self._look_at_loaded(), group="loaded", exclusive=True)

    async def _look_at_loaded(self) -> None:
        chat, session = self.chat.live, self.chat.session
        if session is None:
            return
        with suppress(QwentuiError):
            loaded = await session.backend.loaded()
            lengths = {model.name: model.context_length for model in loaded}
            chat.loaded = lengths.get(session.model.name)
            self.chat.count_soon()
            if self.watch_gauges is not None:
                self.watch_gauges.saw(session, loaded)

    def _offer_ways_on(self, error: QwentuiError, host: str) -> None:
        from qwentui.tui.screens.no_server import NoServerScreen

        self.push_screen(NoServerScreen(error.message, error.hint, host), self._go_on)

    def _go_on(self, way: WayOn | None) -> None:
        from qwentui.tui.screens.no_server import TryHost, UseEmbedded

        match way:
            case TryHost(host):
                self._host = host
                self._connect()
            case UseEmbedded():
                self._start_embedded()
            case _:
                self._connect()

    def _start_embedded(self) -> None:
        from qwentui.tui.screens.embedded_start import EmbeddedStart

        self.push_screen(EmbeddedStart(self.launch.open_embedded), self._embedded_started)

    def _embedded_started(self, result: Backend | QwentuiError | None) -> None:
        if result is None:
            cancelled = EmbeddedError(
                _("The built-in model was not started."), _("It goes on where it stopped.")
            )
            self._offer_ways_on(cancelled, self._host or "")
        elif isinstance(result, QwentuiError):
            self._offer_ways_on(result, self._host or "")
        else:
            self.run_worker(self._use_started(result), group="connect", exclusive=True)

    async def _use_started(self, backend: Backend) -> None:
        try:
            await self._use(backend)
        except QwentuiError as error:
            self._offer_ways_on(error, backend.host)

    async def on_chat_screen_model_wanted(self) -> None:
        """Show what the server has."""
        if self._backend is not None:
            self.run_worker(self._ask_for_model(self._backend), group="connect", exclusive=True)

    async def _ask_for_model(self, backend: Backend) -> None:
        try:
            models = await backend.models()
            loaded = frozenset(model.name for model in await backend.loaded())
        except QwentuiError as error:
            self.chat.notice(str(error), "error")
            return
        from qwentui.backends.ollama import OllamaBackend

        if isinstance(backend, OllamaBackend):
            self._show_models(backend, models, loaded)
        else:
            self._pick(_("Models at {host}").format(host=backend.host), models, loaded)

    def _show_models(
        self, backend: OllamaBackend, models: tuple[ModelSummary, ...], loaded: frozenset[str]
    ) -> None:
        from qwentui.tui.screens.models import ModelsScreen

        current = self.chat.session.model.name if self.chat.session else ""
        screen = ModelsScreen(backend, models, loaded, current, self.launch.settings)
        self.push_screen(screen, self._picked)

    async def on_unmount(self) -> None:
        """Keep what came and what is not sent; close every connection, and the built-in server if it runs."""
        self.chat.sync_draft()
        await self.desk.close()
        if self._backend is not None:
            await self._backend.aclose()
        self.close_log()
        self.talks.close()
