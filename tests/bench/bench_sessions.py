"""How soon the list of all chats is there, with 10,000 of them: the first page, the last, and what is typed.

    PYTHONPATH=tests:tests/bench python tests/bench/bench_sessions.py

Builds a store of 100,000 messages first, half a minute, unless it lies in the temporary folder already.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench_store import SESSIONS, build
from walk import Walk, walking

from qwentui.tui.screens.sessions import SessionsScreen

if TYPE_CHECKING:
    from collections.abc import Callable


async def _until(walk: Walk, condition: Callable[[], bool]) -> None:
    while not condition():
        await walk.pilot.pause(0.001)


async def _look(walk: Walk) -> None:
    begun = time.perf_counter()
    walk.app.chat.action_sessions()
    await _until(
        walk, lambda: isinstance(walk.app.screen, SessionsScreen) and bool(walk.app.screen.list.rows)
    )
    screen = walk.app.screen
    assert isinstance(screen, SessionsScreen)
    first = time.perf_counter() - begun
    await _until(walk, lambda: len(screen.list.rows) == SESSIONS)
    last = time.perf_counter() - begun
    begun = time.perf_counter()
    screen.filter.value = "zyxomma"
    await _until(walk, lambda: any(row.hit for row in screen.list.rows))
    found = time.perf_counter() - begun
    print(f"first page {first * 1e3:.0f} ms, all {last * 1e3:.0f} ms, a message {found * 1e3:.0f} ms")
    screen.leave(None)
    await walk.pilot.pause(0.2)


async def main() -> None:
    """Open the list some times."""
    folder = Path(tempfile.gettempdir()) / "qwentui-bench-sessions"
    database = folder / "data" / "sessions.db"
    if not database.exists():
        database.parent.mkdir(parents=True)
        build(database)
    async with walking(folder, "127.0.0.1:1", size=(120, 36)) as walk:
        await walk.until(lambda: walk.app.screen is not walk.app.chat)
        walk.app.pop_screen()
        for _ in range(5):
            await _look(walk)


if __name__ == "__main__":
    asyncio.run(main())
