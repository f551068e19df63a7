"""A user's walk through the program, without a terminal: keys in, transcript out."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Literal

import msgspec

from qwentui.launch import Launch
from qwentui.store.paths import Paths, shipped
from qwentui.store.settings import Chat, Context, Log, Model, Retry, Screen, Server, Settings
from qwentui.store.themes import load_theme
from qwentui.tui.app import QwentuiApp
from qwentui.tui.transcript.items import NoticeItem, ReplyItem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from qwentui.chat.persona import Persona
    from qwentui.store.settings_origin import Origin


class Walk:
    """A user at the program."""

    def __init__(self, app: QwentuiApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the program run until `condition` holds."""
        for _ in range(2_000):
            if condition():
                return
            await self.pilot.pause(0.005)
        raise AssertionError(f"never came about; items: {self.items}")

    async def connected(self) -> None:
        await self.until(lambda: self.app.chat.session is not None)

    async def say(self, text: str) -> None:
        self.app.chat.composer.text = text
        await self.pilot.press("enter")

    async def answered(self) -> ReplyItem:
        await self.until(lambda: not self.app.chat.busy and any(isinstance(i, ReplyItem) for i in self.items))
        return next(item for item in reversed(self.items) if isinstance(item, ReplyItem))

    @property
    def items(self) -> list[object]:
        return list(self.app.chat.transcript._document.items)

    @property
    def above(self) -> str:
        """What is said above the composer about prompts that wait."""
        waiting = self.app.chat.waiting_list
        return str(waiting.render()) if waiting.display else ""

    async def new_chat(self) -> None:
        left = self.app.chat.live
        await self.pilot.press("ctrl+n")
        await self.until(lambda: self.app.chat.live is not left)

    @property
    def shown(self) -> str:
        """What is in view of the transcript."""
        transcript = self.app.chat.transcript
        return "\n".join(transcript.render_line(y).text for y in range(transcript.size.height))

    @property
    def notices(self) -> list[str]:
        return [item.text for item in self.items if isinstance(item, NoticeItem)]


@asynccontextmanager
async def walking(
    tmp_path: Path,
    host: str,
    *,
    context: Context | None = None,
    screen: Screen | None = None,
    retry: Retry | None = None,
    log: Log | None = None,
    parallel: int = 3,
    titles: Literal["first", "model"] = "first",
    size: tuple[int, int] = (100, 30),
    resume: str | None = None,
    persona: Persona | None = None,
    keys: dict[str, str] | None = None,
    origin: Origin | None = None,
    **model: str,
) -> AsyncIterator[Walk]:
    paths = Paths(tmp_path / "config", tmp_path / "data", tmp_path / "cache", tmp_path / "state")
    settings = msgspec.structs.replace(
        Settings(),
        server=Server(host=host),
        model=Model(**model),
        context=context or Context(),
        screen=screen or Screen(),
        retry=retry or Retry(),
        log=log or Log(),
        keys=keys or {},
        chat=Chat(parallel=parallel, titles=titles),
    )
    if origin is not None:
        # A user's own file says all that is not said here, and the address is a flag.
        origin = origin.giving("server.host", "--host", host)
        settings = origin.read().settings
    launch = Launch(paths, settings, resume=resume, persona=persona, origin=origin)
    app = QwentuiApp(launch, load_theme("qwentui-dark", [shipped("themes")]))
    async with app.run_test(size=size) as pilot:
        yield Walk(app, pilot)
