"""The rules of the queue, whatever is said, stopped, taken back and answered in whatever order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.tui.desk import Desk
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from qwentui.tui.live import LiveChat

PARALLEL = 2
CHATS = 4

_ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["say", "end", "break", "stop", "back", "let_go", "cancel"]),
        st.integers(0, CHATS - 1),
    ),
    max_size=40,
)


class _Session:
    """Who is asked: nobody; only who comes in and goes out is counted."""

    recorder = None

    def __init__(self, host: _Host) -> None:
        self._host = host

    @asynccontextmanager
    async def reply(self, text: str) -> AsyncIterator[Any]:
        self._host.entered += 1
        self._host.most = max(self._host.most, self._host.entered)
        try:
            yield text
        finally:
            self._host.entered -= 1


class _Run:
    """A reply that ends when it is told to."""

    usage = None
    unsent = False

    def __init__(self) -> None:
        self.complete = False
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def run(self, reply: Any) -> None:
        async with reply:
            self.complete = await self.ended

    def tick(self) -> None: ...


class _Host:
    """Shows nothing, and knows the composers and what is on disk."""

    def __init__(self) -> None:
        self.entered = self.most = 0
        self.composers: dict[str, list[str]] = {}
        self.kept: dict[str, tuple[str, ...]] = {}

    def open_run(self, _chat: LiveChat) -> _Run:
        return _Run()

    def carry(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        return asyncio.create_task(work())

    def desk_changed(self, chat: LiveChat) -> None: ...

    def reply_ended(self, chat: LiveChat) -> None: ...

    def text_returned(self, chat: LiveChat, text: str) -> None:
        self.composers.setdefault(chat.key, []).extend(text.split("\n\n"))

    def keep_draft(self, key: str, _session: str | None, _text: str, waiting: tuple[str, ...]) -> None:
        self.kept[key] = waiting


async def _settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def _act(desk: Desk, host: _Host, action: str, chat: LiveChat, text: str) -> None:
    match action:
        case "say":
            desk.say(chat, text)
        case "end" | "break" if chat.run is not None and not chat.run.ended.done():
            chat.run.ended.set_result(action == "end")
        case "stop":
            desk.stop(chat)
        case "back" if (taken := desk.take_back(chat)) is not None:
            host.text_returned(chat, taken)
        case "let_go":
            desk.let_go(chat)
        case "cancel":
            desk.cancel(chat)


def _check(desk: Desk, host: _Host, said: dict[str, list[str]]) -> None:
    assert desk.running <= PARALLEL
    assert host.entered == desk.running
    places = [desk.place(prompt) for prompt in desk.waiting if not prompt.held]
    assert places == list(range(1, len(places) + 1))
    free = [prompt for prompt in desk.waiting if not prompt.held and not prompt.chat.busy]
    assert not free or desk.running == PARALLEL
    for chat in desk.chats:
        waiting = [prompt.text for prompt in desk.waits(chat)]
        asked = [item.text for item in chat.sheet._items if isinstance(item, UserItem)]
        assert tuple(waiting) == host.kept.get(chat.key, ())
        assert sorted(asked + waiting + host.composers.get(chat.key, [])) == sorted(said[chat.key])


async def _play(actions: list[tuple[str, int]]) -> None:
    host = _Host()
    desk = Desk(PARALLEL, host)
    for _ in range(CHATS):
        desk.open().session = _Session(host)
    said: dict[str, list[str]] = {chat.key: [] for chat in desk.chats}
    for number, (action, which) in enumerate(actions):
        chat = desk.chats[which]
        if action == "say":
            said[chat.key].append(f"{number:02}")
        _act(desk, host, action, chat, f"{number:02}")
        await _settle()
        _check(desk, host, said)
    await desk.close()
    assert host.entered == 0
    assert host.most <= PARALLEL


@settings(max_examples=60, deadline=None)
@given(_ACTIONS)
def test_no_prompt_is_lost_or_doubled_none_waits_for_nothing_and_no_more_run_than_may(
    actions: list[tuple[str, int]],
) -> None:
    asyncio.run(_play(actions))


async def test_a_reply_that_is_begun_past_the_queue_waits_for_its_place_all_the_same() -> None:
    host = _Host()
    desk = Desk(1, host)
    first, second = desk.open(), desk.open()
    for chat in (first, second):
        chat.session = _Session(host)
    desk.say(first, "a")
    await _settle()
    desk.begin(second, second.session.reply("again"))
    await _settle()
    assert host.entered == 1
    first.run.ended.set_result(True)
    await _settle()
    assert host.entered == 1
    assert not first.busy
    assert second.busy
    await desk.close()
