"""Letting a talk go on another way: a message is edited and sent anew, an answer is asked for again."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from textual.widgets import Static

from qwentui.chat.errors import QwentuiError
from qwentui.chat.stream import FinishReason
from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import _
from qwentui.tui.screens.acting import ActingScreen, Here
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from qwentui.chat.attachment import Attachment
    from qwentui.chat.conversation import Conversation
    from qwentui.chat.stream import StreamEvent
    from qwentui.counting.counter import PromptCounter
    from qwentui.keyboard.keymap import Keymap
    from qwentui.session import ChatSession, Replying
    from qwentui.tui.screens.branches import Branches
    from qwentui.tui.transcript.items import Item
    from qwentui.tui.transcript.palette import Palette
    from qwentui.tui.transcript.reply import LiveReply


@dataclass(slots=True)
class _Edit:
    """A message that is being edited.

    Attributes:
        here: Which one.
        text: How it read before.
        draft: What stood in the composer.
        confirmed: The texts about which the user was told something, and that are sent when sent again.
    """

    here: Here
    text: str
    draft: str = ""
    confirmed: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Before:
    """How a talk stood before a reply was asked for that leaves a part of it."""

    conversation: Conversation
    cut: int
    items: tuple[Item | LiveReply, ...]
    places: tuple[int, ...]
    edit: _Edit | None
    sent: str


class ForkingScreen(ActingScreen):
    """Sends a message anew, or asks again for an answer; what was there before stays in the store.

    The composer stands in a widget with the id `entry`, above which the screen says what is being edited.

    Args:
        palette: The transcript's colours.
        fps: Frames a second while text streams.
    """

    def __init__(self, palette: Palette, fps: int, keymap: Keymap = DEFAULT) -> None:
        super().__init__(palette, fps, keymap)
        self._branches: WeakKeyDictionary[ChatSession, Branches] = WeakKeyDictionary()
        self._edit: _Edit | None = None
        self._edit_line = Static("", id="editing", markup=False)

    @property
    def editing(self) -> bool:
        """Whether the composer holds a message that is being edited."""
        return self._edit is not None

    @property
    def draft(self) -> str:
        """What is written for later: what an edit has set aside, else what stands in the composer."""
        return self.composer.text if self._edit is None else self._edit.draft

    # Edit

    async def action_edit(self) -> None:
        """Take the message at the cursor into the composer, to be sent anew."""
        here = self._here()
        if here is None:
            return
        from qwentui.chat.attachment import said

        turn = here.session.conversation.turns[here.turn]
        if not here.is_reply:
            await self._open_edit(_Edit(here, said(turn.user)))
        elif turn.reply is not None and here.turn == len(here.session.conversation.turns) - 1:
            await self._open_edit(_Edit(here, turn.reply.message.content))
        else:
            self._refuse(_("only the last answer can be edited"))

    async def send_edit(self, text: str) -> None:
        """Send what the user made of the message that is being edited; what cannot be sent comes back."""
        edit = self._edit
        if edit is None:
            return
        here = edit.here
        passed = here.is_reply and here.turn < len(here.session.conversation.turns) - 1
        if passed:
            self.note(_("the talk has gone on: esc leaves this edit"))
        counter = here.session.planner.counter
        attachments = () if here.is_reply else await self._attachments(here, text)
        if self.busy or passed or self._warned(text, attachments, counter, edit.confirmed):
            self.composer.give_back(text)
            self.app.bell()
            return
        self._close_edit()
        self.composer.remember(text)
        if here.is_reply:
            self._go_on(here, here.session.go_on(content=text), text, edit=edit)
        else:
            from qwentui.chat.attachment import composed

            message = composed(text, attachments)
            item = UserItem.of(message, self._next_version(here))
            self._fork(here, here.session.revise(here.turn, message), [item], edit=edit, sent=text)

    async def _attachments(self, here: Here, text: str) -> tuple[Attachment, ...]:
        """The files that a new version of a question names; those that are gone are as they were."""
        from qwentui.chat.attachment import or_kept

        turn = here.session.conversation.turns[here.turn]
        return or_kept(await self.attaching.named_in(text), turn.user)

    def _next_version(self, here: Here) -> str:
        """Which version a new one of a question will be."""
        from qwentui.tui import phrases

        known = self._known(here)
        count = 1 if known is None or known.user is None else len(known.user.versions) + 1
        return phrases.version(count, count)

    def leave_edit(self) -> bool:
        """Leave the message that is being edited as it was; whether there was one."""
        edit = self._edit
        if edit is None:
            return False
        if self.composer.text.strip() and self.composer.text != edit.text:
            self.composer.remember(self.composer.text)
        self.composer.clear()
        self._close_edit()
        return True

    async def _open_edit(self, edit: _Edit, text: str | None = None) -> None:
        from qwentui.tui import phrases

        self._edit = edit
        edit.draft = self.composer.text
        self.composer.text = edit.text if text is None else text
        self.composer.move_cursor(self.composer.document.end)
        self._edit_line.update(phrases.editing(edit.here.turn + 1, is_reply=edit.here.is_reply))
        self._edit_line.display = True
        if not self._edit_line.is_attached:
            await self.mount(self._edit_line, before="#entry")
        self.set_focus(self.composer)

    def _close_edit(self) -> None:
        edit, self._edit = self._edit, None
        self._edit_line.display = False
        if edit is not None and edit.draft:
            self.composer.give_back(edit.draft)

    def _warned(
        self,
        text: str,
        attachments: Sequence[Attachment],
        counter: PromptCounter | None,
        confirmed: set[str],
    ) -> bool:
        """Whether there is something to tell about `text` before it is sent, and the user did not know."""
        if text in confirmed:
            return False
        from qwentui.tui.screens.attached import warnings

        told = warnings(text, attachments, counter, self.keymap.named("neutralise"))
        for sentence in told:
            self.notice(sentence, "warning")
        if told:
            confirmed.add(text)
        return bool(told)

    # Ask again

    def action_regenerate(self) -> None:
        """Ask again for the answer in the round at the cursor."""
        here = self._here()
        if here is not None:
            self._regenerate(here)

    def action_regenerate_last(self) -> None:
        """Ask again for the last answer."""
        session = self.session
        if session is None or not session.conversation.turns:
            self._refuse(_("nothing has been asked yet"))
        else:
            last = len(session.conversation.turns) - 1
            here = Here(session, self.watch_context.items[last], last, is_reply=True)
            if self._may_act(here):
                self._regenerate(here)

    def _regenerate(self, here: Here) -> None:
        known = self._known(here)
        if known is not None and known.user is None:
            self._refuse(_("its question was deleted"))
        else:
            self._fork(here, here.session.regenerate(here.turn), self._question(here))

    def action_continue(self) -> None:
        """Let the last reply go on where it ended; ask for it where there is none."""
        session = self.session
        if session is None or not session.conversation.turns:
            self._refuse(_("nothing has been asked yet"))
            return
        last = len(session.conversation.turns) - 1
        here = Here(session, self.watch_context.items[last], last, is_reply=True)
        reply = session.conversation.turns[last].reply
        if not self._may_act(here):
            return
        if reply is None:
            self._regenerate(here)
        elif reply.finish_reason is FinishReason.STOP:
            key = self.keymap.named("regenerate_last")
            self._refuse(_("the last reply is complete: {key} asks for another one").format(key=key))
        else:
            self._go_on(here, session.go_on(), reply.message.content)

    def _go_on(self, here: Here, reply: Replying, text: str, *, edit: _Edit | None = None) -> None:
        """Let `reply` go on with `text`, which stands in the transcript already."""
        before = here.session.conversation.turns[here.turn].reply
        self._fork(here, reply, self._question(here), edit=edit, sent=text if edit is not None else "")
        if before is not None and before.message.thinking:
            self.transcript.feed_thinking(before.message.thinking)
        self.transcript.feed_text(text)

    def _question(self, here: Here) -> list[Item]:
        """The item of the question in a round, where it is there."""
        item = self.transcript.items[self.watch_context.items[here.turn]]
        return [item] if isinstance(item, UserItem) else []

    def _fork(
        self, here: Here, reply: Replying, items: list[Item], *, edit: _Edit | None = None, sent: str = ""
    ) -> None:
        """Let the talk go on from a round that begins with `items`, by `reply`; the rest leaves the view."""
        session, places = here.session, self.watch_context.items
        cut = places[here.turn]
        self._branches_of(session).remember(session)
        was = tuple(self.transcript.items[cut:])
        before = Before(session.conversation, cut, was, tuple(places), edit, sent)
        self.transcript.graft(cut, items)
        self.watch_context.items = places[: here.turn + 1]
        self.note("")
        self.transcript.scroll_end()
        self._begin(session, self._or_as_before(session, reply, before))

    @asynccontextmanager
    async def _or_as_before(
        self, session: ChatSession, reply: Replying, before: Before
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """`reply`; if it comes to nothing before anything is asked, all is put back as it was."""
        asked = False
        failure: QwentuiError | None = None
        try:
            async with reply as events:
                asked = True
                yield events
        except QwentuiError as error:
            failure = error
            raise
        finally:
            if not asked:
                session.conversation = before.conversation
                self.call_later(self._put_back, session, before, failure)

    async def _put_back(self, session: ChatSession, before: Before, failure: QwentuiError | None) -> None:
        if session is not self.session:
            return
        self.transcript.graft(before.cut, before.items)
        self.watch_context.items = list(before.places)
        if failure is not None:
            self.notice(str(failure), "error")
        if before.edit is not None:
            await self._open_edit(before.edit, before.sent)
        self.count_soon()

    def _branches_of(self, session: ChatSession) -> Branches:
        from qwentui.tui.screens.branches import Branches

        return self._branches.setdefault(session, Branches())
