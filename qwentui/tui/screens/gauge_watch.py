"""Keeps the gauges true: asks the server, looks at the cards, takes the time of replies."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from qwentui.chat.errors import QwentuiError
from qwentui.telemetry.card_sampler import CardSampler
from qwentui.telemetry.history import History, Moment, PastReply
from qwentui.telemetry.memory import ModelMemory, memory, remaining
from qwentui.telemetry.slowness import Circumstances, slowness
from qwentui.telemetry.vram import is_local, spilled
from qwentui.tui import phrases
from qwentui.tui.transcript.items import NoticeItem
from qwentui.tui.widgets.gauge_forms import GIB, Readings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.timer import Timer

    from qwentui.backends.base import Backend, LoadedModel
    from qwentui.session import ChatSession
    from qwentui.store.statistics import Typical
    from qwentui.telemetry.nvml import NvmlProbe
    from qwentui.telemetry.vram import Cards
    from qwentui.tui.live import LiveChat
    from qwentui.tui.screens.gauge_report import Sight
    from qwentui.tui.screens.showing import ShowingScreen

_TICK = 1.0
_ASK_EVERY = 3.0
"""Seconds between two questions to the server."""
_STALE = 15.0
"""Seconds after which what the server told is not shown any more."""
_LOOK_AGAIN = 30.0
"""Seconds after which a machine without a card is looked at again."""


def _probe() -> NvmlProbe:
    from qwentui.telemetry.nvml import NvmlProbe

    return NvmlProbe()


class GaugeWatch:
    """Looks once a second while somebody looks at the terminal, and never waits for what it looks at.

    Args:
        screen: Whose gauges these are; the chat that it shows is the one that counts.
        usual: Gives what is usual for a model.
        vram_gib: The user's word for the memory of a card elsewhere, in GiB; 0 for none.

    Attributes:
        vram_gib: As given; another word holds when the gauges are shown next.
        history: What was seen.
        cards: The last sample of this machine's cards; None before one, or where they do not matter.
        model: What the server told of the model last.
        asked: When it told that, in seconds of the monotonic clock; None while it does not.
        usual: What is usual for the model that is shown; None before it is known.
    """

    def __init__(
        self, screen: ShowingScreen, usual: Callable[[str], Awaitable[Typical]], vram_gib: float = 0.0
    ) -> None:
        self._screen = screen
        self._read_usual = usual
        self.vram_gib = vram_gib
        self.history = History()
        self.cards: Cards | None = None
        self.model = ModelMemory()
        self.asked: float | None = None
        self.usual: Typical | None = None
        self._sampler = CardSampler(_probe, self._sampled)
        self._look_at_cards = 0.0
        self._ask_at = 0.0
        self._expires_at = ""
        self._backend: Backend | None = None
        self._is_local: bool | None = None
        self._is_embedded = False
        self._asking = False
        self._usual_of = ""
        self._was_loaded: dict[LiveChat, bool | None] = {}
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin, and rest whenever nobody can see the terminal."""
        app = self._screen.app
        self._timer = self._screen.set_interval(_TICK, self._tick)
        self._screen.watch(app, "app_focus", self._attend, init=False)
        app.app_suspend_signal.subscribe(self._screen, lambda _: self._attend(looked_at=False))
        app.app_resume_signal.subscribe(self._screen, lambda _: self._attend(looked_at=True))

    def close(self) -> None:
        """End the thread that looks at the cards."""
        self._sampler.close()

    def _attend(self, looked_at: bool) -> None:
        if self._timer is None:
            return
        if looked_at:
            self._timer.resume()
            self._ask_at = 0.0
            self._tick()
        else:
            self._timer.pause()
            self._sampler.rest()

    def _sampled(self, cards: Cards) -> None:
        """Comes in the sampler's thread; the next tick sees it."""
        self.cards = cards

    def _tick(self) -> None:
        session, now = self._screen.session, time.monotonic()
        if session is None:
            return
        self._follow(session)
        self._watch_cards(now)
        self._ask_server(session, now)
        self.show()
        self._keep()

    def _ask_server(self, session: ChatSession, now: float) -> None:
        """Ask again when it is time; one question at a time, and what is too old is not known any more."""
        if self.asked is not None and now - self.asked > _STALE:
            self._forget()
        # The built-in server tells nothing of what is shown here.
        if now >= self._ask_at and not self._asking and not self._is_embedded:
            self._asking, self._ask_at = True, now + _ASK_EVERY
            self._screen.run_worker(self._ask(session), group="gauges")

    def _forget(self) -> None:
        self.model, self.asked, self._expires_at = ModelMemory(), None, ""

    def _watch_cards(self, now: float) -> None:
        """Have the cards sampled where they can be the server's; seldom where there are none."""
        if not self._is_local:
            self._sampler.rest()
            self.cards = None
        elif self.cards is not None and not self.cards.cards and now < self._look_at_cards:
            self._sampler.rest()
        else:
            self._look_at_cards = now + _LOOK_AGAIN
            self._sampler.watch()

    def _follow(self, session: ChatSession) -> None:
        """See whether the server or the model is another one now."""
        if session.backend is not self._backend:
            from qwentui.backends.embedded import EmbeddedBackend

            self._backend, self._ask_at = session.backend, 0.0
            self._forget()
            self._is_embedded = isinstance(session.backend, EmbeddedBackend)
            self._is_local = None if self._is_embedded else is_local(session.backend.host)
        if session.model.name != self._usual_of:
            self._usual_of, self.usual, self._ask_at = session.model.name, None, 0.0
            self._forget()
            self._learn(session.model.name)

    def _learn(self, model: str) -> None:
        self._screen.run_worker(self._learn_usual(model), group="usual", exclusive=True)

    async def _learn_usual(self, model: str) -> None:
        usual = await self._read_usual(model)
        if model == self._usual_of:
            self.usual = usual
            self.show()

    async def _ask(self, session: ChatSession) -> None:
        try:
            self.saw(session, await session.backend.loaded())
        except QwentuiError:
            self._forget()
            self.show()
        finally:
            self._asking = False

    def saw(self, session: ChatSession, loaded: tuple[LoadedModel, ...]) -> None:
        """The server has told which models are in its memory."""
        from qwentui.backends.ollama import OllamaBackend, same_model

        if session is not self._screen.session:
            return
        found = next((model for model in loaded if same_model(model.name, session.model.name)), None)
        tells = isinstance(session.backend, OllamaBackend)
        self.model = ModelMemory(
            found is not None if tells else None,
            found.size if found and tells else None,
            found.size_vram if found else None,
        )
        self._expires_at = found.expires_at if found else ""
        self.asked = time.monotonic()
        chat = self._screen.live
        length = found.context_length if found else None
        if length != chat.loaded:
            chat.loaded = length
            self._screen.count_soon()
        self.show()

    def began(self, chat: LiveChat) -> None:
        """A reply begins in a chat."""
        self._was_loaded[chat] = self.model.is_loaded if chat is self._screen.live else None

    def ended(self, chat: LiveChat) -> None:
        """The reply in a chat has ended: say why it was slow if it was, and learn from it."""
        was_loaded = self._was_loaded.pop(chat, None)
        usage, session = chat.usage, chat.session
        if usage is None or session is None or not session.conversation.turns:
            self.show()
            return
        reply = session.conversation.turns[-1].reply
        end = phrases.end(reply.finish_reason) if reply is not None else ""
        self.history.replies.append(PastReply(session.model.name, usage, end))
        usual = self.usual
        if session.model.name == self._usual_of and usual is not None:
            around = Circumstances(was_loaded, spilled(self.model.size, self.model.size_vram))
            hint = slowness(usage, usual.count, usual.ttft_p50, usual.ttft_p95, around)
            if hint is not None and chat.sheet.is_attached:
                chat.sheet.append(NoticeItem(hint, "warning"))
            self._screen.call_after_refresh(partial(self._learn, session.model.name))
        self.show()

    def show(self) -> None:
        """Put what is known on the gauges."""
        self._screen.gauges.show(self.readings())

    def readings(self) -> Readings:
        """What is known now, of the chat that is shown."""
        chat = self._screen.live
        usual = self.usual
        ttft, waiting, speed, live = self._times(chat)
        return Readings(
            memory=memory(
                self.cards, self.model, round(self.vram_gib * GIB) or None, is_local=self._is_local
            ),
            ttft=ttft,
            is_waiting=waiting,
            usual_ttft=usual.ttft_p50 if usual is not None and ttft is not None else None,
            speed=speed,
            is_live=live,
            unload=remaining(self._expires_at) if self._expires_at else None,
            is_in_use=chat.busy and bool(self.model.is_loaded),
        )

    def sight(self) -> Sight:
        """All of it, for the panel."""
        from qwentui.tui.screens.gauge_report import Sight

        session = self._screen.session
        return Sight(
            self.readings(),
            self._screen.gauges.window,
            self.cards,
            self.model,
            self.asked,
            self.usual,
            self.history,
            "" if session is None else session.model.name,
        )

    def _times(self, chat: LiveChat) -> tuple[float | None, bool, float | None, bool]:
        """Time to the first token, whether that still runs, tokens a second, whether these are of now."""
        if chat.run is not None:
            times = chat.run.times
            return times.wait, times.is_waiting, times.per_second, True
        if chat.usage is not None:
            return chat.usage.ttft, False, chat.usage.server.tokens_per_second, False
        return None, False, None, False

    def _keep(self) -> None:
        readings, window = self.readings(), self._screen.gauges.window
        speed = readings.speed if readings.is_live else None
        used = readings.memory.used if readings.memory is not None else None
        self.history.moments.append(Moment(used, speed, None if window is None else window.used))
