"""The program between chats: which is shown, which begin, and what the others are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.tui import phrases
from qwentui.tui.desk import Desk
from qwentui.tui.persona_app import PersonaApp
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.worker import Worker

    from qwentui.launch import Launch
    from qwentui.store.records import Interrupted
    from qwentui.tui.live import LiveChat, Run
    from qwentui.tui.screens.listing import Opened
    from qwentui.tui.titling import Titles

_MOST_DRAFTS = 20
"""Chats without messages that are brought back at a start."""


class DeskApp(PersonaApp):
    """Has a desk, shows one of its chats, and opens others from the store.

    Args:
        launch: What to talk to, and how.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self.desk = Desk(launch.settings.chat.parallel, self)
        self._interrupted: list[Interrupted] = []
        self._titles: Titles | None = None

    # What the desk wants of its host

    def open_run(self, chat: LiveChat) -> Run:
        """Open a reply in the chat's sheet."""
        from qwentui.tui.screens.reply import ReplyRun

        session = chat.session
        if session is None:
            raise LookupError("a chat without a session has no reply")
        if self.watch_gauges is not None:
            self.watch_gauges.began(chat)
        return ReplyRun(session, chat.sheet, self.keymap)

    def carry(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Worker[None]:
        """Run `work` for as long as the program."""
        return self.run_worker(work, group="replies")

    def desk_changed(self, _chat: LiveChat) -> None:
        """Show what runs and what waits."""
        self.chat.show_state()
        if self._titles is not None:
            self._titles.look()

    def reply_ended(self, chat: LiveChat) -> None:
        """Show the end, or say quietly that a reply has ended in a chat that is not shown."""
        if self.launch.settings.chat.titles == "model":
            self._ask_for_title(chat)
        if self.watch_gauges is not None:
            self.watch_gauges.ended(chat)
        if chat is self.chat.live:
            self.chat.post_message(self.chat.Answered())
        else:
            chat.unseen = True
            told = _("answered: {title}") if chat.complete else _("broken off: {title}")
            self.chat.note(told.format(title=chat.title))

    def _ask_for_title(self, chat: LiveChat) -> None:
        if self._titles is None:
            from qwentui.tui.titling import Titles

            self._titles = Titles(self.desk, self.talks, self)
        self._titles.answered(chat)

    def titled(self, _chat: LiveChat) -> None:
        """Show the title."""
        self.chat.show_state()

    def text_returned(self, chat: LiveChat, text: str) -> None:
        """Put what was not sent before what stands in the chat's composer."""
        self.chat.give_back(chat, text)

    def keep_draft(self, key: str, session: str | None, text: str, waiting: tuple[str, ...]) -> bool:
        """Put on disk what is not sent; False where there is no store yet."""
        return self.talks.keep_draft(key, session, text, waiting)

    # What an earlier program left

    async def restore(self) -> None:
        """Show the talk that is to be taken up, tell what was interrupted, bring back what was not sent."""
        self._interrupted = list(await self.talks.open())
        which = self.launch.resume
        if which is not None:
            try:
                await self._take_up(self.chat.live, which)
                await self._take_draft(self.chat.live)
            except StoreError as error:
                self._warn(str(error))
        self._interrupted = [one for one in self._interrupted if one.session.id != self.chat.live.id]
        self._tell_interrupted()
        await self._restore_drafts()

    async def _take_up(self, chat: LiveChat, which: str, message: int | None = None) -> None:
        """Give a chat that is empty a session from the store.

        Raises:
            StoreError: There is no such session.
        """
        from qwentui.tui.screens.reply import items_of

        taken = await self.talks.take_up(which, message)
        chat.title = taken.title
        chat.taken_up = taken.conversation, taken.recorder
        chat.persona = taken.persona
        items, chat.places = items_of(taken.conversation, taken.recorder.turns)
        chat.sheet.load(items)
        if phrases.was_interrupted(taken.conversation):
            chat.sheet.append(NoticeItem(_(phrases.GO_ON).format(key=self.keymap.named("continue"))))
        if chat.session is not None:
            chat.seat(chat.session)
            self.cast_as_stored(chat)

    async def _take_draft(self, chat: LiveChat) -> bool:
        """Bring back what was not sent in a chat; whether there was anything."""
        draft = await self.talks.take_draft(chat.key, chat.id)
        if draft.text:
            self.chat.give_back(chat, draft.text)
        if draft.waiting:
            self.desk.hold(chat, draft.waiting)
        return bool(draft)

    async def _restore_drafts(self) -> None:
        """Bring back the chats in which nothing was said yet; the first into the one that is shown."""
        chat = self.chat.live if not self.chat.live.said else self.desk.open()
        for _attempt in range(_MOST_DRAFTS):
            if not await self._take_draft(chat):
                break
            chat = self.desk.open()
        if chat is not self.chat.live:
            self.desk.drop(chat)

    # What was interrupted

    @property
    def interrupted(self) -> frozenset[str]:
        """The sessions whose reply an earlier program did not finish, until they are opened."""
        return frozenset(one.session.id for one in self._interrupted)

    def _tell_interrupted(self) -> None:
        if not self._interrupted:
            return
        title = repr(self._interrupted[-1].session.title)
        count = len(self.interrupted)
        if count == 1:
            told = _("The reply in {title} was interrupted; what came of it is kept. {key} opens that chat.")
        else:
            told = _(
                "Replies in {count} chats were interrupted, the last one in {title}; what came of them is"
                " kept. {key} opens one after the other, {list} lists them."
            )
        key, listing = self.keymap.named("interrupted"), self.keymap.named("sessions")
        self.chat.notice(told.format(count=count, title=title, key=key, list=listing))

    def on_chat_screen_interrupted_wanted(self) -> None:
        """Open the chat that was interrupted last."""
        if self._interrupted:
            self.open_session(self._interrupted[-1].session.id)
        else:
            self.chat.note(_("no reply was interrupted"))

    # From chat to chat

    def new_chat(self) -> LiveChat:
        """An empty chat with the model and options of the one that is shown."""
        from qwentui.chat.conversation import Conversation

        chat = self.desk.open()
        session = self.chat.session
        if session is not None:
            fresh = session.fresh()
            if not fresh.options.persona:
                fresh.conversation = Conversation(system=self.launch.settings.model.system)
            fresh.recorder = self.talks.recorder()
            chat.seat(fresh)
        return chat

    def on_chat_screen_new_chat_wanted(self) -> None:
        """Begin again with the same model and options; what runs goes on."""
        shown = self.chat.live
        if shown.said or shown.busy or self.chat.composer.text.strip() or self.desk.waits(shown):
            chat = self.new_chat()
            self.begin_as(chat)
            self.chat.show_chat(chat)
        self.chat.set_focus(self.chat.composer)

    def open_session(self, session: str, message: int | None = None, query: str = "") -> None:
        """Show a session of the store, at a message where one is given."""
        self.run_worker(self._open_session(session, message, query), group="open")

    async def _open_session(self, session: str, message: int | None, query: str) -> None:
        try:
            chat = await self._opened(session, message)
        except StoreError as error:
            self.chat.notice(str(error), "error")
            return
        self._interrupted = [one for one in self._interrupted if one.session.id != session]
        self.chat.show_chat(chat)
        self.chat.go_to(chat.item_with(message), query)

    async def _opened(self, session: str, message: int | None) -> LiveChat:
        """The chat of a session, on a branch that `message` is on.

        Raises:
            StoreError: There is no such session or message.
        """
        chat = self.desk.find(session)
        if chat is None:
            chat = self.new_chat()
            try:
                await self._take_up(chat, session, message)
                await self._take_draft(chat)
            except StoreError:
                self.desk.drop(chat)
                raise
        elif message is not None and chat.item_with(message) is None and not chat.busy:
            await self._take_up(chat, session, message)
        return chat

    # The list of all chats, and the way out to a file

    def on_chat_screen_sessions_wanted(self) -> None:
        """Show all chats."""
        self.show_sessions("")

    def show_sessions(self, words: str) -> None:
        """Show the chats that `words` find."""
        from qwentui.tui.screens.sessions import SessionsScreen

        self.chat.sync_draft()
        screen = SessionsScreen(
            self.talks, self.desk, self.interrupted, self.launch.paths, words, keymap=self.keymap
        )
        self.push_screen(screen, self._left_sessions)

    def _left_sessions(self, opened: Opened | None) -> None:
        """Go where the list led; a chat that was deleted there is not shown any more."""
        if opened is not None and opened.chat is not None:
            self.chat.show_chat(opened.chat)
        elif opened is not None and opened.session:
            self.open_session(opened.session, opened.message, opened.query)
        elif opened is not None or self.chat.live not in self.desk.chats:
            self.chat.show_chat(self.new_chat())
        self.chat.show_state()

    def on_chat_screen_export_wanted(self) -> None:
        """Ask where the chat that is shown is to go."""
        from qwentui.tui.screens.export import ExportScreen

        session = self.chat.live.id
        if session is None:
            self.chat.notice(_("Nothing has been said in this chat yet."))
        else:
            screen = ExportScreen(self.talks, session, self.chat.live.title, self.launch.paths)
            self.push_screen(screen, self._exported)

    def _exported(self, said: str | None) -> None:
        if said:
            self.chat.notice(said)
