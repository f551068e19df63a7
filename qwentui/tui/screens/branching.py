"""Walking and mending the branches of a talk: steps among versions, deletions, and their undo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.tui.screens.acting import Here, known_turns
from qwentui.tui.screens.forking import ForkingScreen
from qwentui.tui.transcript.items import UserItem

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from qwentui.session import ChatSession
    from qwentui.tui.transcript.items import Item


class BranchingScreen(ForkingScreen):
    """Shows other versions of a message, and takes messages out of the talk and back into it."""

    async def action_version(self, step: int) -> None:
        """Show the version of the message at the cursor that stands `step` places on."""
        here = self._here()
        if here is None:
            return
        known = self._known(here)
        if known is None:
            self.notice(_("This chat is not kept anywhere, so it has one branch only."), "warning")
            return
        message = known.reply if here.is_reply else known.user
        versions = () if message is None else message.versions
        place = -1 if message is None else versions.index(message.id) + step
        if len(versions) < 2:  # noqa: PLR2004 - itself and another one
            self._refuse(_("there is one version of it"))
        elif not 0 <= place < len(versions):
            self._refuse(_("that is the last version") if step > 0 else _("that is the first version"))
        else:
            await self._change(here, self._branches_of(here.session).show(here.session, versions[place]))

    async def action_delete_round(self) -> None:
        """Delete the round at the cursor."""
        await self._delete(reply_only=False)

    async def action_delete_reply(self) -> None:
        """Delete the answer in the round at the cursor, and leave the question."""
        await self._delete(reply_only=True)

    async def _delete(self, *, reply_only: bool) -> None:
        here = self._here()
        if here is None:
            return
        if reply_only and here.session.conversation.turns[here.turn].reply is None:
            self._refuse(_("there is no answer to delete"))
            return
        branches = self._branches_of(here.session)
        if await self._change(here, branches.delete(here.session, here.turn, reply_only=reply_only)):
            self.note(_("deleted · u brings it back"))

    async def action_undelete(self) -> None:
        """Undo the last deletion that is not undone yet."""
        session = self.session
        if session is None or self._occupied():
            return
        branches = self._branches_of(session)
        if not branches.deleted:
            self._refuse(_("nothing was deleted here"))
            return
        here = Here(session, self.transcript.at_cursor or 0, 0, is_reply=False)
        if await self._change(here, branches.restore(session)):
            self.note(_("brought back"))

    async def _change(self, here: Here, change: Awaitable[int | None]) -> bool:
        """Show what `change` makes of the talk, and keep the message that it gives in view.

        Returns:
            Whether it came about; if it did not, the user has been told.
        """
        from qwentui.tui.screens.branches import talk_items

        session = here.session
        turns = known_turns(session)
        try:
            message = await change
        except StoreError as error:
            self.notice(str(error), "error")
            return False
        old = list(self.transcript.items)
        items, places = talk_items(session, turns, old, self.watch_context.items)
        same = next((n for n, pair in enumerate(zip(old, items, strict=False)) if pair[0] != pair[1]), None)
        start = min(len(old), len(items)) if same is None else same
        keep = self._item_of(session, message, items, places)
        self.transcript.graft(start, items[start:], None if keep is None else (here.item, keep))
        self.watch_context.items = places
        self.note("")
        self.count_soon()
        return True

    def _item_of(
        self, session: ChatSession, message: int | None, items: Sequence[Item], places: Sequence[int]
    ) -> int | None:
        """The item that shows a message."""
        for known, place in zip(known_turns(session), places, strict=True):
            if known.user is not None and known.user.id == message:
                return place
            if known.reply is not None and known.reply.id == message:
                return place + isinstance(items[place], UserItem)
        return None
