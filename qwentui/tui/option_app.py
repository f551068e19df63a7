"""What goes with the requests of one chat, by command: thinking, options, system prompt, budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import CommandRefused
from qwentui.language import _, ngettext
from qwentui.tui import phrases
from qwentui.tui.desk_app import DeskApp

if TYPE_CHECKING:
    from qwentui.chat.persona import Persona
    from qwentui.chat.sampling import Think
    from qwentui.session import ChatSession
    from qwentui.tui.commands.options import Value

_THINK: dict[str, Think] = {"default": None, "on": True, "off": False}
_NEXT_THINK: dict[Think, Think] = {None: True, True: False}
_NONE = "none"
"""Typed in place of a text or a name: there shall be none."""
_DEFAULT = "default"
_SYSTEM = "system"
_NUM_CTX = "num_ctx"
_BESIDE_SAMPLING = frozenset({"num_predict", "keep_alive"})
"""The fields of `ChatOptions` that are options here."""


class OptionApp(DeskApp):
    """Changes what goes with the requests of the chat that is shown, from the next one on.

    What cannot be done is a `CommandRefused`, and has changed nothing.
    """

    def talking(self) -> ChatSession:
        """The session that is shown.

        Raises:
            CommandRefused: There is none, for no model was found yet.
        """
        session = self.chat.session
        if session is None:
            raise CommandRefused(_("There is no model yet."))
        return session

    # Thinking

    def on_chat_screen_think_toggled(self) -> None:
        """Go round: the model's default, on, off."""
        session = self.chat.session
        if session is not None and not session.model.can_think:
            self.chat.notice(phrases.cannot_think(session.model.name))
        elif session is not None:
            self._think(session, _NEXT_THINK.get(session.options.think))

    def action_set_think(self, word: str) -> None:
        """Think as `word` says."""
        session = self.talking()
        if not session.model.can_think:
            raise CommandRefused(phrases.cannot_think(session.model.name))
        if word not in _THINK:
            raise CommandRefused(_("/think takes default, on or off."))
        self._think(session, _THINK[word])

    def _think(self, session: ChatSession, think: Think) -> None:
        session.options = replace(session.options, think=think)
        self.chat.notice(phrases.thinking_from_now(think))

    # Options

    def action_list_options(self) -> None:
        """Tell of each option what it is, and where that comes from."""
        from qwentui.tui.commands.options import OPTIONS

        session = self.talking()
        persona = self._known(session.options.persona) if session.options.persona else None
        set_, left = [], []
        for option in OPTIONS:
            if _value(session, option.key) is None:
                left.append(option.key)
            else:
                set_.append(self._told(session, option.key, persona))
        if left:
            set_.append(_("Left to the model: {keys}.").format(keys=", ".join(left)))
        self.chat.notice("\n".join(set_))

    def action_set_option(self, argument: str) -> None:
        """Set an option, or tell what it is where `argument` is its name alone."""
        from qwentui.tui.commands.options import option, shown, value

        session = self.talking()
        key, _space, text = argument.partition(" ")
        known = option(key)
        if not text.strip():
            persona = self._known(session.options.persona) if session.options.persona else None
            self.chat.notice(self._told(session, known.key, persona))
            return
        stated = value(known, text.strip())
        if isinstance(stated, int) and known.key == _NUM_CTX:
            self._set_num_ctx(session, stated)
        else:
            _put(session, known.key, stated)
            self.chat.notice(
                _("{key} is {value} from the next request on.").format(key=known.key, value=shown(stated))
            )

    def action_unset_option(self, key: str) -> None:
        """Go back to what an option is without the user's word in this chat."""
        from qwentui.tui.commands.options import option

        session = self.talking()
        persona = self._known(session.options.persona) if session.options.persona else None
        if key == _SYSTEM:
            self._set_system(session, persona.system if persona else self.launch.settings.model.system)
            return
        known = option(key)
        usual: Any = _of_persona(persona, known.key)
        if usual is None:
            usual = getattr(self.launch.settings.model, known.key)
        if known.key == _NUM_CTX:
            self._set_num_ctx(session, usual)
        else:
            _put(session, known.key, usual)
        self.chat.notice(self._told(session, known.key, persona))

    def _told(self, session: ChatSession, key: str, persona: Persona | None) -> str:
        """What an option is, and where that comes from."""
        from qwentui.tui.commands.options import shown

        value = _value(session, key)
        if value is None:
            return _("{key} is left to the model.").format(key=key)
        if persona is not None and _of_persona(persona, key) == value:
            text = _("{key} is {value}, from the persona {name}.")
            return text.format(key=key, value=shown(value), name=persona.name)
        if getattr(self.launch.settings.model, key) == value:
            return _("{key} is {value}, from the settings.").format(key=key, value=shown(value))
        return _("{key} is {value}, set in this chat.").format(key=key, value=shown(value))

    def _set_num_ctx(self, session: ChatSession, num_ctx: int) -> None:
        planner, most, old = session.planner, session.model.context_length, session.num_ctx
        policy = replace(planner.policy, num_ctx=min(num_ctx, most or num_ctx))
        if policy.num_ctx <= policy.reply_room:
            raise CommandRefused(policy.contradiction or "", _("It is a whole number, and more than that."))
        planner.want(num_ctx, most)
        if session.num_ctx < num_ctx:
            text = _("The model takes {count:,} tokens of context at most.")
            self.chat.notice(text.format(count=session.num_ctx), "warning")
        if session.num_ctx != old:
            self.chat.notice(phrases.reloads(session.num_ctx, old), "warning")
        if planner.policy.contradiction:
            self.chat.notice(planner.policy.contradiction)
        self.chat.count_soon()

    # The system prompt

    def action_show_system(self) -> None:
        """Show the system prompt, and how long it is."""
        from qwentui.chat.sanitize import sanitize_whole

        session = self.talking()
        system = session.conversation.system
        if not system:
            self.chat.notice(_("This chat has no system prompt."))
            return
        head = _("The system prompt of this chat, {count} tokens:").format(count=_tokens(session, system))
        self.chat.notice(f"{head}\n{sanitize_whole(system).text}")

    def action_set_system(self, text: str) -> None:
        """Go on with another system prompt."""
        session, chat = self.talking(), self.chat.live
        control = session.planner.counter.control_tokens(text)
        if control and text not in chat.confirmed:
            chat.confirmed.add(text)
            raise CommandRefused(phrases.control_tokens(control, self.keymap.named("neutralise")))
        self._set_system(session, "" if text.casefold() == _NONE else text)

    def _set_system(self, session: ChatSession, system: str) -> None:
        from qwentui.counting.counter import sendable

        system = sendable(system)
        session.conversation = replace(session.conversation, system=system)
        if system:
            text = _("From the next request on, the system prompt is another one, {count} tokens.")
            self.chat.notice(text.format(count=_tokens(session, system)))
        else:
            self.chat.notice(_("From the next request on, there is no system prompt."))
        self.run_worker(self._keep_persona(session), group="become")
        self.chat.count_soon()

    # The budget

    async def action_show_trim(self) -> None:
        """Tell what of the chat the next request holds, and by which rule."""
        session = self.talking()
        plan = await self.chat.watch_context.plan(session, "")
        policy, out = session.planner.policy, len(plan.left_out)
        held = _("The next request has {count} tokens of at most {limit:,}.").format(
            count=plan.count, limit=plan.fit.limit
        )
        left = (
            ngettext("{n} old round is not sent.", "{n} old rounds are not sent.", out).format(n=out)
            if out
            else _("Nothing of the chat is left out.")
        )
        rule = _(
            "Over that, old rounds leave, {drop} at a time, and the newest {keep} stay; nothing is deleted."
            " /trim 4000 sets another budget for this chat."
        ).format(drop=policy.drop_rounds, keep=policy.keep_rounds)
        self.chat.notice(f"{held} {left} {rule}")

    async def action_set_budget(self, text: str) -> None:
        """Let prompts of this chat have so many tokens at most."""
        session = self.talking()
        budget = self.launch.settings.context.budget if text == _DEFAULT else _budget(text)
        policy = session.planner.policy
        room = policy.num_ctx - policy.reply_room
        if text != _DEFAULT and not 1 <= budget <= room:
            said = _(
                "The budget is from 1 to {room:,} tokens: the context has {num_ctx:,}, and {reply_room:,} are"
                " kept for the reply."
            )
            raise CommandRefused(said.format(room=room, num_ctx=policy.num_ctx, reply_room=policy.reply_room))
        session.planner.policy = replace(policy, budget=budget)
        self.chat.count_soon()
        await self.action_show_trim()


def _budget(text: str) -> int:
    try:
        return int(text.replace(",", ""))
    except ValueError as error:
        raise CommandRefused(_("/trim takes a number of tokens, or default.")) from error


def _tokens(session: ChatSession, system: str) -> str:
    """The tokens of a system prompt in words, such as "~12"."""
    from qwentui.chat.message import Message, Role

    return str(session.planner.counter.count((Message(Role.SYSTEM, system),), think=session.thinks))


def _value(session: ChatSession, key: str) -> Value | None:
    """What an option of a session is; None is left to the model."""
    if key == _NUM_CTX:
        return session.planner.wanted
    options = session.options
    value: Value | None = getattr(options if key in _BESIDE_SAMPLING else options.sampling, key)
    return value


def _put(session: ChatSession, key: str, value: Value | None) -> None:
    """Have an option go with the session's requests; `num_ctx` is the planner's."""
    options = session.options
    change: dict[str, Any] = {key: value}
    if key not in _BESIDE_SAMPLING:
        change = {"sampling": replace(options.sampling, **change)}
    session.options = replace(options, **change)


def _of_persona(persona: Persona | None, key: str) -> Value | None:
    """What a persona says about an option, None where it says nothing."""
    if persona is None:
        return None
    value: Value | None = persona.num_ctx if key == _NUM_CTX else getattr(persona.sampling, key, None)
    return value
