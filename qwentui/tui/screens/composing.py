"""What becomes of what the user writes: a command, a question first, a prompt that goes or waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from qwentui.chat.errors import CannotSee, PromptTooLong, QwentuiError
from qwentui.tui.screens.showing import ShowingScreen
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from qwentui.chat.message import Message as UserMessage
    from qwentui.session import ChatSession, Replying
    from qwentui.tui.live import LiveChat
    from qwentui.tui.screens.forking import Before
    from qwentui.tui.widgets.composer import Composer


class ComposingScreen(ShowingScreen):
    """Sends what is written in the chat that is shown."""

    class Sent(Message):
        """The user sent `text`; it is on its way, or waits for its turn."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    async def on_composer_submitted(self, message: Composer.Submitted) -> None:
        """Obey a command; send anything else, unless something is to be asked first: then it goes back."""
        message.stop()
        text, chat = message.text, self.live
        if self.editing:
            await self.send_edit(text)
        elif text.lstrip().startswith("/") and await self._obey(text):
            return
        elif await self._may_send(chat, text):
            self.composer.remember(text)
            self.transcript.scroll_end()
            self.post_message(self.Sent(text))
            self.desk.say(chat, text)
        else:
            self.give_back(chat, text)

    async def _obey(self, text: str) -> bool:
        """Do what `text` says; False where it is no command, or is to be sent all the same.

        What cannot be obeyed goes back, with a sentence. A command with an argument is remembered: it may be
        wanted again, with another one.
        """
        from qwentui.tui.commands import typed

        given, chat = typed.read(text), self.live
        if given is None or (given.command is None and text == chat.misspelled):
            return False
        try:
            await self.app.run_action(typed.action(given), self)
        except QwentuiError as error:
            if given.command is None:
                chat.misspelled = text
            chat.sheet.append(NoticeItem(str(error), "warning"))
            self.give_back(chat, text)
        else:
            if given.argument:
                self.composer.remember(text)
        return True

    async def action_attach_file(self, path: str) -> None:
        """Name a file in the composer; it goes along with what is written there.

        Raises:
            AttachmentRefused: It cannot go along.
        """
        from qwentui.chat.mentions import mention_of, path_of

        mention = mention_of(path_of(path))
        # Raises where it cannot.
        await self.attaching.message(mention, confirmed=False)
        composer = self.composer
        column = composer.cursor_location[1]
        before = composer.document.get_line(composer.cursor_location[0])[:column]
        composer.insert(f"{' ' * (before[-1:].strip() != '')}{mention} ")

    async def confirms(self, session: ChatSession, text: str) -> bool:
        """Whether there is nothing to tell about `text` before it is sent, or the user knows."""
        attachments = await self.attaching.named_in(text)
        return not self._warned(text, attachments, session.planner.counter, self.live.confirmed)

    async def _may_send(self, chat: LiveChat, text: str) -> bool:
        """Whether `text` fits and there is nothing to tell about it, or the user knows."""
        session = chat.session
        attachments = await self.attaching.named_in(text)
        counter = None if session is None else session.planner.counter
        if self._warned(text, attachments, counter, chat.confirmed):
            return False
        if session is None:
            return True
        from qwentui.chat.attachment import composed
        from qwentui.session import check_images

        said = composed(text, attachments)
        try:
            check_images(said, session.model)
            # What a prompt that waits will follow is not known yet; it is looked at when its turn has come.
            if not chat.busy:
                await self._check_length(session, said)
        except (CannotSee, PromptTooLong) as error:
            self.notice(str(error), "error")
            return False
        return True

    async def _check_length(self, session: ChatSession, said: UserMessage) -> None:
        plan = await self.watch_context.plan(session, said)
        if not plan.count.exact:
            plan = await session.plan(said)
        plan.check()

    def _begin(self, session: ChatSession, reply: Replying) -> None:
        """Let `reply`, which is one of `session`, run in the chat that is shown."""
        if session is self.session:
            self.desk.begin(self.live, reply)

    async def _put_back(self, session: ChatSession, before: Before, failure: QwentuiError | None) -> None:
        """Put a chat back as it stood, also one that another has taken the place of on the screen."""
        chat = next((chat for chat in self.desk.chats if chat.session is session), self.live)
        if chat is self.live:
            await super()._put_back(session, before, failure)
            return
        chat.sheet.graft(before.cut, before.items)
        chat.places = list(before.places)
        if failure is not None:
            chat.sheet.append(NoticeItem(str(failure), "error"))
        if before.sent:
            self.give_back(chat, before.sent)

    def on_composer_take_back_wanted(self) -> None:
        """Take the last prompt that waits here back into the composer."""
        text = self.desk.take_back(self.live)
        if text is not None:
            self.composer.give_back(text)

    def on_composer_let_go_wanted(self) -> None:
        """Send what is held here."""
        self.desk.let_go(self.live)
