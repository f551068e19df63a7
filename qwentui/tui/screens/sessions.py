"""All chats, with what can be done to one: rename, tag, pin, delete and bring back, export."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import _, ngettext
from qwentui.tui.screens.listing import ListingScreen, Opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from textual import events
    from textual.widgets import Input

    from qwentui.keyboard.keymap import Keymap
    from qwentui.store.paths import Paths
    from qwentui.store.records import SessionInfo
    from qwentui.tui.desk import Desk
    from qwentui.tui.live import LiveChat
    from qwentui.tui.talks import Talks
    from qwentui.tui.widgets.session_list import Row


@dataclass(frozen=True, slots=True)
class _Deleted:
    """A chat that was deleted here: where its row stood, and the open chat if it was one."""

    place: int
    row: Row
    chat: LiveChat | None


class SessionsScreen(ListingScreen):
    """Gives where the user wants to go, None to stay.

    Args:
        talks: The store.
        desk: The chats that are open.
        interrupted: The ids of those whose reply an earlier program did not finish.
        paths: Where files go that the user exports.
        words: What the filter begins with.
        keymap: The keys in effect.
    """

    def __init__(
        self,
        talks: Talks,
        desk: Desk,
        interrupted: frozenset[str],
        paths: Paths,
        words: str = "",
        *,
        keymap: Keymap = DEFAULT,
    ) -> None:
        super().__init__(talks, desk, interrupted, words, keymap)
        self._paths = paths
        self._deleted: list[_Deleted] = []
        self._edited: Callable[[str], Awaitable[None]] | None = None

    def leave(self, where: Opened | None) -> None:
        """Go, and put away the open chats that were deleted."""
        for deleted in self._deleted:
            if deleted.chat is not None:
                self.desk.drop(deleted.chat)
        super().leave(where)

    # Rename and tag

    def action_rename(self) -> None:
        """Write another title."""
        info = self._info()
        if info is not None:
            self._begin_edit(_("title"), info.title, lambda text: self._rename(info, text))

    def action_tag(self) -> None:
        """Write other tags."""
        info = self._info()
        if info is not None:
            self._begin_edit(
                _("tags, with commas between them"), ", ".join(info.tags), lambda text: self._tag(info, text)
            )

    async def _rename(self, info: SessionInfo, text: str) -> None:
        title = sanitize_line(text.strip())
        if title:
            await self.talks.write(lambda store: store.rename(info.id, title))
            chat = self.desk.find(info.id)
            if chat is not None:
                chat.title = title
            self._replace(replace(info, title=title))

    async def _tag(self, info: SessionInfo, text: str) -> None:
        tags = tuple(sanitize_line(tag).strip().lstrip("#") for tag in text.split(","))
        await self.talks.write(lambda store: store.tag(info.id, tags))
        self._replace(await self.talks.read(lambda store: store.get(info.id)))

    def _begin_edit(self, placeholder: str, text: str, edited: Callable[[str], Awaitable[None]]) -> None:
        self._edited = edited
        self.edit.placeholder = placeholder
        self.edit.value = text
        self.edit.display = True
        self.set_focus(self.edit)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep what was written."""
        event.stop()
        edited = self._edited
        self._end_edit()
        if edited is not None:
            with self._telling():
                await edited(event.value)

    async def on_key(self, event: events.Key) -> None:
        """Escape leaves what is being written as it was."""
        if event.key == "escape" and self.edit.display:
            event.stop()
            self._end_edit()

    def _end_edit(self) -> None:
        self._edited = None
        self.edit.display = False
        self.set_focus(self.list)

    # Pin, delete, bring back

    async def action_pin(self) -> None:
        """Keep the chat on top of the list, or no longer."""
        info = self._info()
        if info is not None:
            with self._telling():
                await self.talks.write(lambda store: store.pin(info.id, not info.pinned))
                self.read_again(keep=info.id)

    async def action_delete(self) -> None:
        """Delete the chat, for now."""
        row, info = self.list.current, self._info()
        if row is None or info is None:
            return
        chat = self.chat_of(row)
        if "●" in self.marks(row) or (chat is not None and self.desk.waits(chat)):
            self.say(_("It answers, or prompts wait in it: stop it first, or take them back (x)."))
            return
        with self._telling():
            await self.talks.write(lambda store: store.delete(info.id))
            place = self.list.rows.index(row)
            self._deleted.append(_Deleted(place, row, chat))
            self.list.take_out(place)
            self.say(_("deleted {title!r} · u brings it back").format(title=info.title))

    async def action_restore(self) -> None:
        """Bring back the chat that was deleted last."""
        if not self._deleted:
            self.say(_("Nothing was deleted here."))
            return
        deleted = self._deleted.pop()
        with self._telling():
            await self.talks.write(lambda store: store.restore(deleted.row.session))
            self.list.put_back(deleted.place, deleted.row)
            self.say(_("{title!r} is back").format(title=sanitize_line(deleted.row.title)))

    # The queue, and the way out to a file

    def action_cancel_waiting(self) -> None:
        """Take the prompts that wait in the chat back into its composer."""
        row = self.list.current
        chat = None if row is None else self.chat_of(row)
        count = 0 if chat is None else len(self.desk.waits(chat))
        if chat is None or not count:
            self.say(_("Nothing waits in this chat."))
            return
        self.desk.cancel(chat)
        told = ngettext(
            "{count} waiting prompt went back to the composer of that chat",
            "{count} waiting prompts went back to the composer of that chat",
            count,
        )
        self.say(told.format(count=count))
        self.list.refresh()

    def action_export(self) -> None:
        """Write the chat to a file."""
        from qwentui.tui.screens.export import ExportScreen

        info = self._info()
        if info is not None:
            screen = ExportScreen(self.talks, info.id, info.title, self._paths)
            self.app.push_screen(screen, lambda said: self.say(said or ""))

    def _info(self) -> SessionInfo | None:
        """The session at the cursor; where only a message of it is listed, the user is told."""
        row = self.list.current
        if row is not None and row.info is None:
            listed, empty = _("That is for chats in the list above."), _("Nothing has been said in it yet.")
            self.say(listed if row.session else empty)
        return None if row is None else row.info

    def _replace(self, info: SessionInfo) -> None:
        self.list.rows = [
            row.changed(info) if row.info and row.session == info.id else row for row in self.list.rows
        ]
        self.list.refresh()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except StoreError as error:
            self.say(str(error))
