"""All chats: found by title, tag and what was said in them, and opened."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.screen import Screen
from textual.widgets import Input, Static

from qwentui.chat.errors import StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import N_, NP_, _
from qwentui.tui.bound import closed_by
from qwentui.tui.widgets.filter_input import FilterInput
from qwentui.tui.widgets.key_line import fitted, labelled
from qwentui.tui.widgets.line import Line
from qwentui.tui.widgets.session_list import Row, SessionList

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import ComposeResult
    from textual.worker import Worker

    from qwentui.keyboard.keymap import Keymap
    from qwentui.keyboard.table import Key
    from qwentui.store.records import SessionInfo
    from qwentui.store.search import Hit
    from qwentui.store.sessions import SessionStore
    from qwentui.tui.desk import Desk
    from qwentui.tui.live import LiveChat
    from qwentui.tui.talks import Talks

_FIRST_PAGE = 100
_PAGE = 500
_REST = 0.03
"""Seconds after a keystroke until the store is asked."""
_LOOK = 0.5
"""Seconds between two looks at who streams."""
_MOST_TITLES = 200
_MOST_HITS = 100

_KEYS = (
    ("open_chat", NP_("key line", "opens")),
    ("filter", NP_("key line", "filters")),
    ("delete_chat", NP_("key line", "deletes")),
    ("rename_chat", NP_("key line", "renames")),
    ("close_sessions", NP_("key line", "back")),
    ("help_listed", NP_("key line", "keys")),
    ("pin_chat", NP_("key line", "pins")),
    ("tag_chat", NP_("key line", "tags")),
    ("export_chat", NP_("key line", "exports")),
    ("new_listed", NP_("key line", "new")),
    ("cancel_waiting", NP_("key line", "takes waiting prompts back")),
)
_FILTER_KEYS = (
    ("filter_open", NP_("key line", "opens")),
    ("filter_up", NP_("key line", "before")),
    ("filter_down", NP_("key line", "next")),
    ("", NP_("key line", "#tag")),
    ("filter_close", NP_("key line", "back to the list")),
)
_EDIT_KEYS = (N_("enter keeps it"), N_("esc leaves it"))


@dataclass(frozen=True, slots=True)
class Opened:
    """Where the user wants to go: a chat on the desk, else a session, else a new chat.

    `message` is the one at which `query` was found.
    """

    chat: LiveChat | None = None
    session: str = ""
    message: int | None = None
    query: str = ""


class ListingScreen(Screen["Opened | None"]):
    """Gives where the user wants to go, None to stay.

    Args:
        talks: The store.
        desk: The chats that are open.
        interrupted: The ids of those whose reply an earlier program did not finish.
        words: What the filter begins with.
        keymap: The keys in effect.
    """

    AUTO_FOCUS = "SessionList"

    def __init__(
        self, talks: Talks, desk: Desk, interrupted: frozenset[str], words: str, keymap: Keymap = DEFAULT
    ) -> None:
        super().__init__()
        self.keymap = keymap
        self.talks = talks
        self.desk = desk
        self.filter = FilterInput(_("/ filters by title, #tag and what was said"), words, keymap)
        self.list = SessionList(self.marks, time.time, keymap)
        self.edit = Line(compact=True)
        self.last_line = Static("", markup=False)
        self._interrupted = interrupted
        self._streaming: frozenset[str] = frozenset()
        self._unsent: frozenset[str] = frozenset()
        self._said = ""
        self._said_at = 0
        self._reading: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        """The filter, the list, and the keys."""
        yield self.filter
        yield self.list
        yield self.edit
        yield self.last_line

    def on_mount(self) -> None:
        """Read the first page; see from time to time who streams."""
        self.edit.display = False
        self.read_again()
        self.set_interval(_LOOK, self._look)
        self.say("")

    # What is listed

    def read_again(self, keep: str | None = None) -> None:
        """Read the list again; the cursor stays on the row whose key is `keep`."""
        reading = partial(self._read, self.filter.value, keep)
        self._reading = self.run_worker(reading, group="read", exclusive=True)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed."""
        event.stop()
        if event.input is self.filter:
            self.read_again()

    async def _read(self, query: str, keep: str | None) -> None:
        """Show the first page at once, then the rest; whoever asks again ends this."""
        words = [word for word in query.split() if not word.startswith("#")]
        tags = tuple(word[1:] for word in query.split() if word.startswith("#") and word[1:])
        if query:
            await asyncio.sleep(_REST)
        unkept = list(self._unkept(words, tags))
        try:
            await self._look_now()
            await self._read_pages(" ".join(words), tags, unkept, keep)
        except StoreError as error:
            self.list.show(unkept)
            self.say(str(error))

    async def _read_pages(
        self, matching: str, tags: tuple[str, ...], unkept: list[Row], keep: str | None
    ) -> None:
        offset, size = 0, _FIRST_PAGE
        while True:
            page = await self._page(matching, tags, offset, size)
            rows = [Row(info.id, info.title, info.updated_at, info) for info in page]
            if offset:
                self.list.extend(rows)
            else:
                self.list.show([*unkept, *rows], keep=keep)
            offset, more = offset + size, len(page) == size
            if not more or (matching and offset >= _MOST_TITLES):
                break
            size = _PAGE
        if matching:
            hits = await self.talks.read(lambda store: store.search(matching, _MOST_TITLES + _MOST_HITS))
            self.list.extend([row for row in map(_row_of, hits) if row is not None][:_MOST_HITS])
        self.say(self._said)

    async def _page(
        self, matching: str, tags: tuple[str, ...], offset: int, size: int
    ) -> tuple[SessionInfo, ...]:
        def job(store: SessionStore) -> tuple[SessionInfo, ...]:
            return store.listed(matching=matching, tags=tags, limit=size, offset=offset)

        return await self.talks.read(job)

    def _unkept(self, words: list[str], tags: tuple[str, ...]) -> Iterator[Row]:
        """The open chats that the store knows nothing of: nothing was said, or there is no store."""
        for chat in self.desk.chats if not tags else ():
            waiting = self.desk.waits(chat)
            text = waiting[0].text if waiting else chat.draft.strip()
            unsent = text and _("not sent: {text}").format(text=sanitize_line(text, 100))
            title = chat.title if chat.said else unsent
            if chat.id is None and title and all(word.lower() in title.lower() for word in words):
                yield Row(chat.key, title, time.time())

    async def _look_now(self) -> None:
        seen = await self.talks.read(lambda store: (store.streaming(), store.drafts.sessions()))
        if seen != (self._streaming, self._unsent):
            self._streaming, self._unsent = seen

    async def _look(self) -> None:
        try:
            await self._look_now()
        except StoreError:
            return
        self.list.refresh()

    def marks(self, row: Row) -> str:
        """What is to be said of a chat now: its state, and whether it is pinned."""
        chat = self.chat_of(row)
        pin = "*" if row.info is not None and row.info.pinned else " "
        if (chat is not None and chat.busy) or row.session in self._streaming:
            return f"●{pin}"
        if row.session in self._unsent or (
            chat is not None and (chat.draft.strip() or self.desk.waits(chat))
        ):
            return f"…{pin}"
        if row.session in self._interrupted:
            return f"!{pin}"
        return f"✓{pin}" if chat is not None and chat.unseen else f" {pin}"

    def chat_of(self, row: Row) -> LiveChat | None:
        """The open chat of a row."""
        return next((chat for chat in self.desk.chats if row.key == chat.key or chat.id == row.session), None)

    # Going

    def on_session_list_opened(self) -> None:
        """Open the row at the cursor."""
        self.action_open()

    def action_open(self) -> None:
        """Open the chat at the cursor, at the match."""
        row = self.list.current
        if row is None:
            return
        if row.session:
            hit = row.hit
            message = None if hit is None else hit.message
            words = [word for word in self.filter.value.split() if not word.startswith("#")]
            self.leave(Opened(None, row.session, message, max(words, key=len, default="")))
        else:
            self.leave(Opened(self.chat_of(row)))

    def action_new_chat(self) -> None:
        """Begin a new chat."""
        self.leave(Opened())

    def action_back(self) -> None:
        """Go back to the chat that is shown."""
        self.leave(None)

    def leave(self, where: Opened | None) -> None:
        """Go."""
        self.dismiss(where)

    def action_help(self) -> None:
        """Show the keys."""
        from qwentui.tui.screens.help import HelpScreen

        screen = HelpScreen(self.keymap, "sessions")
        self.app.push_screen(closed_by(screen, self.keymap["help_listed"], "dismiss"))

    async def action_all_actions(self) -> None:
        """List what can be done here, and do what is chosen."""
        from qwentui.tui.screens.actions import ActionsScreen

        screen = ActionsScreen(self.keymap, "sessions", lambda _name: True)
        await self.app.push_screen(closed_by(screen, self.keymap["actions_listed"], "back"), self._act)

    async def _act(self, key: Key | None) -> None:
        if key is not None:
            await self.app.run_action(key.action, self.list if key.where == "sessions" else self.app)

    def action_filter(self) -> None:
        """Write in the filter."""
        self.set_focus(self.filter)

    def action_leave_filter(self) -> None:
        """Go to the list; what is filtered stays."""
        self.set_focus(self.list)

    def action_move(self, step: int) -> None:
        """Move in the list while the filter has the keys."""
        self.list.action_move(step)

    # The last line

    def on_descendant_focus(self) -> None:
        """Show the keys of what has them now."""
        self.say(self._said)

    def on_resize(self) -> None:
        """Show as many keys as there is room for."""
        self.say(self._said)

    def on_session_list_moved(self) -> None:
        """Show the place in the list; what was said about another row is over."""
        self.say(self._said if self.list.cursor == self._said_at else "")

    def say(self, text: str) -> None:
        """Say `text`, else the keys, in the last line."""
        self._said, self._said_at = text, self.list.cursor
        place = f"{self.list.cursor + 1:,}/{len(self.list.rows):,}" if self.list.rows else _("none")
        hints = _FILTER_KEYS if self.focused is self.filter else _KEYS
        ways = map(_, _EDIT_KEYS) if self.edit.display else labelled(self.keymap, hints)
        # What is said is said in full.
        line = f"{place} · {text}" if text else fitted((place, *ways), self.size.width - 1)
        self.last_line.update(f" {line}")


def _row_of(hit: Hit) -> Row | None:
    """A row for what was said; titles are in the list already."""
    return None if hit.message is None else Row(f"#{hit.message}", hit.title, hit.created_at, hit=hit)
