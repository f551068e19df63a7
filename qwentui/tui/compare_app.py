"""One prompt to two personas: asked for in a chat, answered in two chats of their own, both of them kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import CommandRefused, QwentuiError, SettingsError
from qwentui.language import _
from qwentui.tui.command_app import CommandApp
from qwentui.tui.persona_app import count_of
from qwentui.tui.transcript.items import NoticeItem

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.worker import Worker

    from qwentui.chat.conversation import Conversation
    from qwentui.chat.message import Message
    from qwentui.chat.persona import Persona
    from qwentui.launch import Launch
    from qwentui.session import ChatSession
    from qwentui.store.personas import KeptPersona, Personas
    from qwentui.store.records import ShownTurn
    from qwentui.tui.comparison import Comparison, Side, Wish
    from qwentui.tui.live import LiveChat
    from qwentui.tui.screens.compare import CompareScreen
    from qwentui.tui.screens.pair_picker import PairChosen

TAG = "a/b"
"""What the chats of a comparison are tagged with."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What two personas are to be asked.

    Attributes:
        message: The prompt, with the files that go along.
        draft: What stood in the composer, if that is the prompt, else blank.
        session: The session of the chat in which it was asked for, after which the two are made.
        rounds: What was said there before the prompt.
    """

    message: Message
    draft: str
    session: ChatSession
    rounds: Conversation

    @property
    def is_draft(self) -> bool:
        """Whether the prompt is what stood in the composer."""
        return bool(self.draft.strip())

    @property
    def text(self) -> str:
        """What the user wrote of the prompt."""
        from qwentui.chat.attachment import said

        return said(self.message)


class CompareApp(CommandApp):
    """Has two personas answer one prompt, and shows them beside each other.

    Args:
        launch: What to talk to, and how.
    """

    def __init__(self, launch: Launch) -> None:
        super().__init__(launch)
        self._comparison: Comparison | None = None
        self._beside: CompareScreen | None = None

    def on_chat_screen_compare_wanted(self) -> None:
        """Find out what is to be asked, and who is."""
        self._soon(self._ask_for_pair)

    async def action_compare_named(self, names: str) -> None:
        """Have the last prompt answered by the two personas that are named.

        Raises:
            QwentuiError: There is no prompt, these are not two, or one is not known.
        """
        from qwentui.store.personas import load_personas
        from qwentui.tui.screens.pair_picker import PairChosen

        question = await self._question()
        personas = await asyncio.to_thread(load_personas, self.launch.paths.personas)
        chosen = PairChosen(*_named(personas, names))
        if question is not None:
            self._soon(partial(self._show_pair, question, chosen))

    def _soon(self, work: Callable[[], Coroutine[Any, Any, None]]) -> Worker[None]:
        """Run `work` in place of what was wished before."""
        return self.run_worker(work, group="compare", exclusive=True)

    async def _question(self) -> _Question | None:
        """The draft, else the last prompt of the chat on show; None where the user is to look at it first.

        Raises:
            CommandRefused: There is no model, or no prompt, or an edit is open.
            CannotSee: An image goes along, and the model is blind.
        """
        from qwentui.session import check_images

        if self.chat.editing:
            raise CommandRefused(_("An edit is open."), _("Escape leaves it."))
        chat, session = self.chat.live, self.talking()
        talk, draft = session.conversation, self.chat.draft
        # The round that is being answered does not go along: its reply is not there.
        rounds = talk.until(len(talk.turns) - 1) if chat.busy or not draft.strip() else talk
        message = talk.turns[-1].user if talk.turns else None
        if draft.strip():
            if not await self.chat.confirms(session, draft):
                return None
            # Read once, so that both get the same.
            message = await self.chat.attaching.message(draft, confirmed=True)
        if message is None or not (message.content.strip() or message.images):
            raise CommandRefused(_("There is nothing to ask two personas yet."), _("Write a prompt first."))
        check_images(message, session.model)
        return _Question(message, draft, session, rounds)

    async def _ask_for_pair(self) -> None:
        from qwentui.store.personas import load_personas
        from qwentui.tui.screens.pair_picker import PairPicker

        try:
            question = await self._question()
        except QwentuiError as error:
            self.chat.notice(str(error))
            return
        if question is None:
            return
        personas = await asyncio.to_thread(load_personas, self.launch.paths.personas)
        picker = PairPicker(personas, count_of(question.session))
        self.push_screen(picker, partial(self._pair_chosen, question))

    def _pair_chosen(self, question: _Question, chosen: PairChosen | None) -> None:
        if chosen is not None:
            self._soon(partial(self._show_pair, question, chosen))

    async def _show_pair(self, question: _Question, chosen: PairChosen) -> None:
        """Show the two beside each other, who are asked then."""
        from qwentui.store.personas import resolved
        from qwentui.tui.screens.compare import CompareScreen

        def resolve(kept: KeptPersona | None) -> Persona | None:
            return None if kept is None else resolved(kept)

        try:
            one = await asyncio.to_thread(resolve, chosen.first)
            other = await asyncio.to_thread(resolve, chosen.second)
        except SettingsError as error:
            self.chat.notice(str(error), "error")
            return
        if question.is_draft:
            self.chat.composer.remember(question.draft)
            self.chat.post_message(self.chat.Sent(question.draft))
        shown = self.chat.transcript
        begin = partial(self._begin_comparison, question, (one, other))
        self._beside = CompareScreen(
            shown.palette, self.launch.settings.screen.fps, shown.ready, begin, self.keymap
        )
        self.push_screen(self._beside, partial(self._left_comparison, question))

    def _begin_comparison(
        self, question: _Question, personas: tuple[Persona | None, Persona | None], wish: Wish
    ) -> Comparison:
        from qwentui.tui.comparison import Comparison

        self._put_away(None)
        rounds = question.rounds if wish.with_rounds else question.rounds.until(0)
        one, other = personas
        sides = self._side("A", question, one, rounds), self._side("B", question, other, rounds)
        self._comparison = Comparison(self.desk, question.message, sides, wish, len(question.rounds.turns))
        return self._comparison

    def _side(self, letter: str, question: _Question, persona: Persona | None, rounds: Conversation) -> Side:
        """A chat of its own in which a persona answers, behind `rounds`."""
        from qwentui.recording import Beginning
        from qwentui.store.records import title_from
        from qwentui.tui.comparison import Side
        from qwentui.tui.screens.reply import items_of

        chat, session = self.desk.open(), question.session.fresh()
        told = self.launch.cast_alike(session, persona)
        name = persona.name if persona is not None else _("no persona")
        chat.title = f"{name}: {title_from(question.text)}"
        known = question.session.recorder.turns if question.session.recorder is not None else ()
        after = _message_before(known, len(rounds.turns))
        session.recorder = self.talks.recorder(Beginning(chat.title, (TAG,), after))
        session.conversation = replace(session.conversation, turns=rounds.turns)
        chat.seat(session)
        items, chat.places = items_of(rounds, ())
        chat.sheet.load([*items, *(NoticeItem(text, "warning") for text in told)])
        return Side(letter, name, chat, len(rounds.turns))

    # What the desk tells

    def desk_changed(self, chat: LiveChat) -> None:
        """Ask the next side before anything else begins; show what is true now."""
        if self._comparison is not None:
            self._comparison.look()
        super().desk_changed(chat)
        if self._beside is not None:
            self._beside.show_state()

    def reply_ended(self, chat: LiveChat) -> None:
        """A side has its title, and is being looked at."""
        if self._comparison is None or not self._comparison.has(chat):
            super().reply_ended(chat)
        elif self.watch_gauges is not None:
            self.watch_gauges.ended(chat)

    def text_returned(self, chat: LiveChat, text: str) -> None:
        """A side's prompt stands where it came from: in the composer, or in the chat."""
        if self._comparison is None or not self._comparison.has(chat):
            super().text_returned(chat, text)

    # Back to the chats

    def _left_comparison(self, question: _Question, taken: Side | None) -> None:
        """Show the chat of the side that was taken; both are in the store."""
        asked = self._comparison is not None and any(side.asked for side in self._comparison.sides)
        if taken is not None:
            if question.is_draft and self.chat.draft == question.draft:
                self.chat.composer.clear()
            self.chat.show_chat(taken.chat)
        self._put_away(taken)
        self._beside = None
        self.chat.show_state()
        if asked:
            self.chat.note(_("what came is kept, tagged {tag}: ctrl+s").format(tag=TAG))

    def _put_away(self, taken: Side | None) -> None:
        """Take off the desk what is on disk, or was not asked; what still runs stays until it has ended."""
        comparison, self._comparison = self._comparison, None
        for side in comparison.sides if comparison is not None else ():
            nowhere_else = side.chat.id is None and side.reply is not None
            if side is not taken and not side.chat.busy and not nowhere_else:
                self.desk.drop(side.chat)


def _named(personas: Personas, names: str) -> tuple[KeptPersona | None, KeptPersona | None]:
    """The two personas that are named, with quotes around a name that has blanks.

    Raises:
        SettingsError: These are not two, or one is not known.
    """
    import shlex

    try:
        given = shlex.split(names)
    except ValueError:  # a quote is not closed
        given = names.split()
    if len(given) != 2:  # noqa: PLR2004 - a pair
        raise SettingsError(_("A comparison takes two personas."), _("/compare alone lets you choose them."))
    return personas.find_or_none(given[0]), personas.find_or_none(given[1])


def _message_before(known: tuple[ShownTurn, ...], rounds: int) -> int | None:
    """The last message of so many rounds in the store; None where the store does not know them all."""
    if not 0 < rounds <= len(known):
        return None
    last = known[rounds - 1].reply or known[rounds - 1].user
    return None if last is None else last.id
