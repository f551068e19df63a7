"""Which messages go to the model: the rule that keeps a long conversation inside the context.

A conversation is cut into rounds: a user's message and whatever follows it until the next one. Over budget,
the oldest rounds leave the request, a few at a time, but the newest ones stay; when those alone are too
long, they leave too, one by one, down to the system prompt and the last round. What is pinned never leaves,
and what leaves the request stays in the conversation.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwentui.chat.message import Role
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from qwentui.chat.message import Message


@dataclass(frozen=True, slots=True)
class TrimPolicy:
    """The numbers of the rule; all but the two counts of rounds are tokens.

    Prompts hold at most `budget` tokens, and never more than `num_ctx` less `reply_room`. Over budget, the
    oldest `drop_rounds` rounds leave, again and again, while the newest `keep_rounds` stay.
    """

    budget: int = 7500
    num_ctx: int = 8192
    reply_room: int = 512
    drop_rounds: int = 2
    keep_rounds: int = 3

    @property
    def limit(self) -> int:
        """The tokens that a prompt may really have."""
        return max(0, min(self.budget, self.num_ctx - self.reply_room))

    @property
    def contradiction(self) -> str | None:
        """What is wrong with the numbers, in one sentence, or None."""
        if self.budget < 1 or self.drop_rounds < 1 or self.keep_rounds < 1:
            return _("The budget and both counts of rounds must be at least 1.")
        room = self.num_ctx - self.reply_room
        if self.reply_room < 1:
            return _(
                "The room for the reply must be at least 1 token, for a full context cannot be answered."
            )
        if room < 1:
            return _(
                "A context of {num_ctx:,} tokens leaves no room for a prompt beside the"
                " {reply_room:,} kept for the reply."
            ).format(num_ctx=self.num_ctx, reply_room=self.reply_room)
        if self.budget > room:
            return _(
                "The budget of {budget:,} tokens is more than the context of {num_ctx:,} less the"
                " {reply_room:,} kept for the reply, so prompts end at {room:,}."
            ).format(budget=self.budget, num_ctx=self.num_ctx, reply_room=self.reply_room, room=room)
        return None


@dataclass(frozen=True, slots=True)
class Fit:
    """What is sent of a conversation, as places in the sequence of its messages, in order.

    When even the least is too long, nothing is sent: `sent` is empty, and `tokens` is what that least
    would take. `tokens` counts the prompt, `limit` is what it may have.
    """

    sent: tuple[int, ...]
    left_out: tuple[int, ...]
    tokens: int
    limit: int

    @property
    def too_long(self) -> bool:
        """Whether nothing can be sent before something is shortened."""
        return self.tokens > self.limit

    @property
    def border(self) -> int | None:
        """The place of the first message behind everything that was left out; None if nothing was."""
        return self.left_out[-1] + 1 if self.left_out else None


def fit(
    messages: Sequence[Message],
    policy: TrimPolicy,
    count: Callable[[Sequence[Message]], int],
    pinned: Collection[int] = frozenset(),
) -> Fit:
    """Choose the messages of a request by the rule of `policy`.

    `count` gives the tokens of the prompt for some of the messages; fewer messages must not cost more. It
    is asked a few times only, and for the shortest prompts first, so a long conversation costs no more than
    what is kept of it. `pinned` are places of messages; a round with one of them stays as a whole.
    """
    everything = range(len(messages))
    rounds = list(_rounds(messages))
    loose = [block for block in rounds[:-1] if not any(place in pinned for place in block)]
    stages = list(_stages(loose, older=_older(rounds, policy), policy=policy))

    def sent_after(stage: int) -> tuple[int, ...]:
        gone = {place for block in loose[: stages[stage]] for place in block}
        return tuple(place for place in everything if place not in gone)

    def tokens_after(stage: int) -> int:
        return count([messages[place] for place in sent_after(stage)])

    last = len(stages) - 1
    if (least := tokens_after(last)) > policy.limit:
        return Fit((), tuple(everything), least, policy.limit)
    stage = _earliest(last, lambda stage: tokens_after(stage) <= policy.limit)
    sent = sent_after(stage)
    kept = set(sent)
    left_out = tuple(place for place in everything if place not in kept)
    return Fit(sent, left_out, least if stage == last else tokens_after(stage), policy.limit)


def _rounds(messages: Sequence[Message]) -> Iterator[list[int]]:
    """The places of each round's messages; system messages are in none, for they always stay.

    What an assistant says before any user is a round of its own.
    """
    block: list[int] = []
    for place, message in enumerate(messages):
        if message.role is Role.USER and block:
            yield block
            block = []
        if message.role is not Role.SYSTEM:
            block.append(place)
    if block:
        yield block


def _older(rounds: Sequence[list[int]], policy: TrimPolicy) -> int:
    """The place from which on the newest rounds stand, which leave only when all else has left."""
    newest = rounds[-policy.keep_rounds :]
    return newest[0][0] if newest else 0


def _stages(loose: Sequence[list[int]], *, older: int, policy: TrimPolicy) -> Iterator[int]:
    """How many of the `loose` rounds have left, the oldest first, after each step of the rule."""
    whole_steps = sum(block[0] < older for block in loose)
    yield from range(0, whole_steps, policy.drop_rounds)
    yield from range(whole_steps, len(loose) + 1)


def _earliest(last: int, fits: Callable[[int], bool]) -> int:
    """The first stage that fits, given that `last` does; stages of short prompts are asked first."""
    stride = 1
    low = high = last
    while low > 0:
        low = max(0, high - stride)
        if not fits(low):
            break
        high = low
        stride *= 2
    return bisect_left(range(high), True, lo=min(low + 1, high), key=fits)


@dataclass(frozen=True, slots=True)
class ContextWindow:
    """What the gauge tells of the context, in tokens.

    `used` are those of the prompt, `exact` if they are counted and not guessed; `limit` is what a prompt
    may have, `num_ctx` what every request asks for. `loaded` is the `context_length` with which the server
    holds the model (`/api/ps`), None while it is unknown.
    """

    used: int
    exact: bool
    limit: int
    num_ctx: int
    loaded: int | None = None

    @property
    def mismatch(self) -> str | None:
        """What it means that the server's context is not the one asked for, in one sentence, or None."""
        if self.loaded is None or self.loaded == self.num_ctx:
            return None
        sentence = _(
            "The server loaded the model with {loaded:,} tokens of context, not the {num_ctx:,} asked for:"
            " it takes more memory, and the next request may load it again."
        )
        if self.loaded < self.num_ctx:
            sentence = _(
                "The server loaded the model with {loaded:,} tokens of context, not the {num_ctx:,} asked"
                " for: longer prompts are refused or cut."
            )
        return sentence.format(loaded=self.loaded, num_ctx=self.num_ctx)
